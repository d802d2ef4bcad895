"""TensorFlow-era pickles hold the same tensors as what people ported them to; none is executed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import SefaError
from sefa_cli.families.build import build
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.projections import fingerprint
from tests.helpers import GOLDEN, golden, remap, tf_files

LEGACY = GOLDEN / "containers" / "tf_stylegan2_legacy.pkl"
WRITERS: dict[str, Any] = {
    "pggan": tf_files.write_pggan,
    "stylegan": tf_files.write_stylegan,
}


def genforce_state(family: str) -> dict[str, np.ndarray]:
    return golden.load(f"{family}_genforce").state


def as_genforce(folder: Path, state: dict[str, np.ndarray], name: str = "genforce") -> Checkpoint:
    save_file({n: np.array(a, order="C") for n, a in state.items()}, folder / name)
    return read_checkpoint(folder / name)


def pictures(checkpoint: Checkpoint) -> torch.Tensor:
    generator = build(checkpoint, "cpu")
    return generator.synthesize(generator.map(generator.sample([0, 1])))


def test_the_published_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = tmp_path / "canary"
    monkeypatch.setenv("CANARY", str(canary))
    found = read_checkpoint(LEGACY)
    assert (found.container, found.dialect, found.family) == (
        "NVIDIA pickle", "tensorflow", "stylegan2",
    )  # fmt: skip
    assert found.notes == () and found.config["conv_clamp"] is None
    meta, expected = run = golden.load(f"containers/{LEGACY.stem}")
    state = {n: a for n, a in run.state.items() if not n.endswith("resample_filter")}
    assert found.tensors.keys() == state.keys()
    for name, array in state.items():
        assert np.array_equal(found.tensors[name].numpy(), array), name
    generator = build(found, "cpu")
    w = generator.map(expected["in/z"])
    assert np.abs(w.numpy() - expected["out/w"]).max() < 2e-6
    for name in ("image_const", "image_none", "image_trunc"):
        codes = expected["out/w_trunc"] if name == "image_trunc" else w
        mode = "none" if name == "image_none" else "const"
        worst = np.abs(
            generator.synthesize(codes, noise_mode=mode).numpy() - expected[f"out/{name}"]
        )
        assert worst.max() < 10 * meta["noise_floor_maxabs"][name]
    assert not canary.exists()


@pytest.mark.parametrize("family", WRITERS)
def test_the_same_model_as_genforce_has_it(tmp_path: Path, family: str) -> None:
    state = genforce_state(family)
    ours, theirs = WRITERS[family](tmp_path / "x.pkl", state), as_genforce(tmp_path, state)
    found = read_checkpoint(ours)
    assert (found.container, found.dialect, found.family) == ("NVIDIA pickle", "tensorflow", family)
    assert found.config == theirs.config and found.notes == theirs.notes == ()
    assert list(found.tensors) == list(theirs.tensors)
    for name, tensor in theirs.tensors.items():
        assert np.array_equal(found.tensors[name].numpy(), tensor.numpy()), name
    assert fingerprint(found) == fingerprint(theirs)
    assert torch.equal(pictures(found), pictures(theirs))


@pytest.mark.parametrize("fused", [False, True])
def test_pggan_with_fused_layers_is_the_same_model(tmp_path: Path, fused: bool) -> None:
    state = genforce_state("pggan")
    found = read_checkpoint(tf_files.write_pggan(tmp_path / "x.pkl", state, fused))
    plain = as_genforce(tmp_path, state)
    assert all(
        np.array_equal(found.tensors[n].numpy(), t.numpy()) for n, t in plain.tensors.items()
    )


def test_pggan_as_genforce_fuses_it(tmp_path: Path) -> None:
    """Kernels (in, out, 3, 3), turned: told by the widths alone."""
    state = genforce_state("pggan")
    plain = as_genforce(tmp_path, state)
    for name in ("layer2.weight", "layer4.weight", "layer6.weight"):
        state[name] = np.transpose(state[name], (1, 0, 2, 3))[:, :, ::-1, ::-1]
    fused = as_genforce(tmp_path, state, "fused")
    assert all(
        np.array_equal(fused.tensors[n].numpy(), t.numpy()) for n, t in plain.tensors.items()
    )


def test_fused_stylegan_kernels_are_turned_where_the_code_fuses(tmp_path: Path) -> None:
    """`auto` is from 128 px on; True and False are for all layers alike."""
    state = genforce_state("stylegan")
    plain = as_genforce(tmp_path, state)
    kernel = plain.tensors["synthesis.b8.conv0.weight"].numpy()
    for fused, turned in ((True, True), (False, False), ("auto", False)):
        path = tf_files.write_stylegan(tmp_path / "x.pkl", state, fused_scale=fused)
        found = read_checkpoint(path).tensors["synthesis.b8.conv0.weight"].numpy()
        assert np.array_equal(found, kernel[..., ::-1, ::-1] if turned else kernel)


@pytest.mark.parametrize("architecture", ["skip", "resnet", "orig", "grown"])
def test_every_architecture_of_stylegan2(tmp_path: Path, architecture: str) -> None:
    """`grown`: the paper's configurations B to D, of whose many to-RGBs one is shown."""
    kind = "orig" if architecture == "grown" else architecture
    native = remap.native_state(architecture=kind)
    variables = tf_files.stylegan2_variables(native)
    if architecture == "grown":
        last = {n: v for n, v in variables.items() if n.startswith("synthesis/32x32/ToRGB/")}
        for name, value in last.items():
            variables[name.replace("32x32/ToRGB", "ToRGB_lod0")] = variables.pop(name)
            variables[name.replace("32x32/ToRGB", "ToRGB_lod1")] = value * 2
    make = tf_files.style_network(4, variables, {"architecture": kind})
    found = read_checkpoint(tf_files.dump(tmp_path / "x.pkl", tf_files.three(make)))
    assert found.config["architecture"] == kind and found.notes == ()
    assert found.tensors.keys() == native.keys()
    for name, array in native.items():
        assert np.array_equal(found.tensors[name].numpy(), array), name


@pytest.mark.parametrize("label", ["LabelEmbed", "LabelConcat"])
def test_both_kinds_of_label_in_stylegan2(tmp_path: Path, label: str) -> None:
    native = remap.native_state(c_dim=5, z_dim=24)
    variables = tf_files.stylegan2_variables(native)
    if label == "LabelConcat":  # one matrix as wide as z, without a bias
        weight, _ = (variables.pop(f"mapping/LabelEmbed/{part}") for part in ("weight", "bias"))
        variables["mapping/LabelConcat/weight"] = weight
    make = tf_files.style_network(4, variables, {"label_size": 5})
    found = read_checkpoint(tf_files.dump(tmp_path / "x.pkl", tf_files.three(make)))
    assert found.config["c_dim"] == 5 and found.config["z_dim"] == 24
    assert found.config["label_mode"] == ("embed" if label == "LabelEmbed" else "concat")
    assert found.notes == ()


def test_conditional_stylegan(tmp_path: Path) -> None:
    state = genforce_state("stylegan")
    state["mapping.label_weight"] = np.ones((5, 32), np.float32)
    state["mapping.dense0.weight"] = np.repeat(state["mapping.dense0.weight"], 2, axis=1)
    found = read_checkpoint(tf_files.write_stylegan(tmp_path / "x.pkl", state, label_size=5))
    assert (found.config["c_dim"], found.config["label_mode"]) == (5, "concat")
    assert build(found, "cpu").map(np.ones((1, 32)), [3]).shape == (1, 48)


def test_arguments_that_matter_are_followed(tmp_path: Path) -> None:
    path = tf_files.write_stylegan2(
        tmp_path / "x.pkl", remap.native_state(),
        conv_clamp=256, mapping_lrmul=0.1, resample_kernel=[1, 2, 1], truncation_psi=0.5,
    )  # fmt: skip
    found = read_checkpoint(path)
    assert (found.config["conv_clamp"], found.config["lr_multiplier"]) == (256.0, 0.1)
    assert found.tensors["synthesis.resample_filter"].shape == (3, 3) and found.notes == ()


def test_arguments_that_are_not_known_are_told(tmp_path: Path) -> None:
    """Forks' own, as aydao's and skyflynil's, are no reason to refuse."""
    path = tf_files.write_stylegan2(
        tmp_path / "x.pkl", remap.native_state(), min_h=4, min_w=4, res_log2=5, nonlinearity="relu"
    )
    notes = read_checkpoint(path).notes
    assert len(notes) == 2
    assert notes[0].startswith("Built with arguments that are not known here: 'min_h', 'min_w'")
    assert "nonlinearity='relu'" in notes[1]


@pytest.mark.parametrize("content", ["Gs", "G", "G and D"])
def test_single_networks_and_pairs(tmp_path: Path, content: str) -> None:
    make = tf_files.style_network(4, tf_files.stylegan2_variables(remap.native_state()), {})
    g, d, gs = tf_files.three(make)
    part = {"Gs": gs, "G": g, "G and D": (g, d)}[content]
    found = read_checkpoint(tf_files.dump(tmp_path / "x.pkl", part))
    const = found.tensors["synthesis.b4.const"].numpy()
    assert bool(const.any()) == (content == "Gs")
    averaged = "The file holds no averaged generator; 'G' is used."
    assert found.notes == (() if content == "Gs" else (averaged,))


def test_a_network_saved_while_it_grew(tmp_path: Path) -> None:
    state = genforce_state("pggan") | {"lod": np.full((), 1.5, np.float32)}
    found = read_checkpoint(tf_files.write_pggan(tmp_path / "x.pkl", state))
    assert found.config["lod"] == 1.5
    assert found.notes == (
        "The network was saved while it grew, at level of detail 1.5: pictures are soft.",
    )


@pytest.mark.parametrize("lod", [-1.0, 99.0, np.nan])
def test_forged_levels_of_detail(tmp_path: Path, lod: float) -> None:
    state = genforce_state("pggan") | {"lod": np.full((), lod, np.float32)}
    with pytest.raises(SefaError, match="level of detail"):
        read_checkpoint(tf_files.write_pggan(tmp_path / "x.pkl", state))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("4x4/Dense/weight", np.zeros((48, 639)), r"synthesis\.b4\.dense\.weight \('4x4/Dense"),
        ("8x8/Conv0/weight", np.zeros((3, 3, 39, 40)), r"'8x8/Conv0/weight' in the file\) has the"),
        ("8x8/Conv1/weight", np.zeros((3, 3)), r"'8x8/Conv1/weight' in the file\) has the shape"),
        ("16x16/Conv1/bias", None, r"synthesis\.b16\.conv1\.bias is missing"),
        ("ToRGB_lod0/weight", None, r"synthesis\.b32\.torgb\.weight is missing"),
    ],
)
def test_broken_networks_name_what_failed(
    tmp_path: Path, name: str, value: np.ndarray | None, said: str
) -> None:
    variables = tf_files.pggan_variables(genforce_state("pggan"))
    del variables[name]
    if value is not None:
        variables[name] = value.astype(np.float32)
    network = tf_files.Network("Gs", variables, 2, {})
    path = tf_files.dump(tmp_path / "x.pkl", network, "tfutil")
    with pytest.raises(
        SefaError, match=rf"looks like a PGGAN generator \(tensorflow\), but.*{said}"
    ):
        read_checkpoint(path)


def test_networks_of_other_kinds_are_called_so(tmp_path: Path) -> None:
    network = tf_files.Network("inception", {"conv/weights": np.zeros(3, np.float32)}, 4, {}, {})
    path = tf_files.dump(tmp_path / "x.pkl", network)
    with pytest.raises(SefaError, match=r"NVIDIA pickle\) holds TensorFlow-era networks"):
        read_checkpoint(path)


def test_a_network_that_holds_itself_is_refused(tmp_path: Path) -> None:
    network = tf_files.Network("Gs", {}, 4, {}, {})
    network.state["components"]["synthesis"] = network
    path = tf_files.dump(tmp_path / "x.pkl", network)
    with pytest.raises(SefaError, match="hold themselves"):
        read_checkpoint(path)
