"""Our own model files: the same model to the last bit, the same bytes each time, no forged ones."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save_file

from sefa_cli.containers.checkpoint import Config
from sefa_cli.errors import SefaError
from sefa_cli.families.build import build
from sefa_cli.families.native import write_native
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.projections import fingerprint
from tests.helpers import CONTAINERS, networks, remap

PUBLISHED = [
    "nv_stylegan2_ada.pkl",
    "ckpt_rosinality.pt",
    "ckpt_genforce_stylegan2.pth",
    "ckpt_hammer_stylegan2.pth",
]


def converted(source: Path, target: Path) -> Path:
    checkpoint = read_checkpoint(source)
    write_native(target, checkpoint, fingerprint(checkpoint))
    return target


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_files_come_back_to_the_last_bit(tmp_path, name):
    source = read_checkpoint(CONTAINERS / name)
    found = read_checkpoint(converted(CONTAINERS / name, tmp_path / "x.safetensors"))
    assert (found.container, found.dialect, found.origin) == ("safetensors", "sefa", source.dialect)
    assert (found.family, found.config, found.notes) == (source.family, source.config, source.notes)
    assert found.tensors.keys() == source.tensors.keys()
    for key, tensor in source.tensors.items():
        assert (found.tensors[key].shape, found.tensors[key].dtype) == (tensor.shape, tensor.dtype)
        assert np.array_equal(found.tensors[key].numpy(), tensor.numpy()), key
    assert fingerprint(found) == fingerprint(source)
    ours, theirs = build(found, "cpu"), build(source, "cpu")
    w = theirs.truncate(theirs.map(theirs.sample([0, 5])), 0.7)
    assert torch.equal(ours.truncate(ours.map(ours.sample([0, 5])), 0.7), w)
    assert torch.equal(ours.synthesize(w), theirs.synthesize(w))


@pytest.mark.parametrize("name", PUBLISHED)
def test_same_bytes_each_time_and_converting_twice_changes_nothing(tmp_path, name):
    one = converted(CONTAINERS / name, tmp_path / "one")
    two = converted(CONTAINERS / name, tmp_path / "two")
    again = converted(one, tmp_path / "again")
    assert one.read_bytes() == two.read_bytes() == again.read_bytes()


def test_other_programs_can_read_it(tmp_path):
    """The safetensors library opens it, and NVIDIA's names make it a state dict of their code."""
    native = remap.native_state()
    path = converted(remap.write_rosinality(tmp_path / "x.pt", native), tmp_path / "x")
    with safe_open(path, "np") as file:
        assert list(file.metadata()) == ["sefa-model"]
        text = file.metadata()["sefa-model"]
        assert all(np.array_equal(file.get_tensor(name), native[name]) for name in native)
    facts = json.loads(text)
    assert facts["family"] == "stylegan2" and facts["dialect"] == "rosinality"
    assert facts["fingerprint"] == fingerprint(read_checkpoint(path))
    assert text == json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert path.stat().st_size < sum(array.nbytes for array in native.values()) + 16_000


def test_half_precision_and_bfloat16(tmp_path):
    native = remap.native_state()
    state = {name: tensor.half() for name, tensor in remap.tensors(native).items()}
    state["synthesis.b4.const"] = state["synthesis.b4.const"].bfloat16()
    torch.save(state, tmp_path / "x.pt")
    source = read_checkpoint(tmp_path / "x.pt")
    found = read_checkpoint(converted(tmp_path / "x.pt", tmp_path / "x"))
    kinds = {tensor.dtype for tensor in found.tensors.values()}
    assert kinds == {"float16", "float32"} and fingerprint(found) == fingerprint(source)
    const = found.tensors["synthesis.b4.const"]
    assert const.dtype == "float32"
    assert np.array_equal(const.numpy(), source.tensors["synthesis.b4.const"].numpy())


def test_numbers_that_are_none_are_kept_and_named(tmp_path, caplog):
    native = remap.native_state()
    native["synthesis.b8.conv0.affine.weight"][1, :3] = np.nan
    path = converted(remap.write_rosinality(tmp_path / "x.pt", native), tmp_path / "x")
    said = "synthesis.b8.conv0.affine.weight holds NaN or infinite numbers; they are kept"
    assert caplog.messages == [said]
    where = r", in 'synthesis\.b8\.conv0\.affine\.weight' of \S*/x$"
    with pytest.raises(SefaError) as fault:
        build(read_checkpoint(path), "cpu")
    assert re.search(where, fault.value.found)


def test_a_file_may_take_the_place_of_its_own_source(tmp_path):
    path = converted(CONTAINERS / PUBLISHED[0], tmp_path / "x")
    before = path.read_bytes()
    checkpoint = read_checkpoint(path)
    with pytest.raises(SefaError, match="exists"):
        write_native(path, checkpoint, "0" * 64)
    write_native(path, checkpoint, fingerprint(checkpoint), overwrite=True)
    assert path.read_bytes() == before


def test_nothing_half_written_is_left(tmp_path, monkeypatch):
    checkpoint = read_checkpoint(CONTAINERS / PUBLISHED[0])

    def full(*_: Any) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("sefa_cli.files._publish", full)
    with pytest.raises(SefaError, match="disk is full"):
        write_native(tmp_path / "x", checkpoint, "0" * 64)
    assert list(tmp_path.iterdir()) == []


def forged(path: Path, change: dict[str, Any], text: str | None = None) -> Path:
    """A file of our own whose description was tampered with."""
    converted(CONTAINERS / PUBLISHED[0], path)
    with safe_open(path, "np") as file:
        facts = json.loads(file.metadata()["sefa-model"]) | change
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(tensors, path, {"sefa-model": json.dumps(facts) if text is None else text})
    return path


BASE = {
    "resolution": 32,
    "img_channels": 3,
    "z_dim": 32,
    "w_dim": 32,
    "c_dim": 0,
    "num_layers": 8,
    "space": "w",
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "other"}, "not that of a model"),
        ({"version": "2.0"}, r"format version is '2\.0'. Update sefa"),
        ({"version": 1.0}, "format version is 1.0"),
        ({"family": "a\nb"}, "family is"),
        ({"family": None}, "family is None"),
        ({"dialect": ""}, "dialect is ''"),
        ({"notes": "text"}, "notes must be a list"),
        ({"config": []}, "configuration must be an object"),
        ({"config": BASE | {"resolution": 0}}, "resolution is 0"),
        ({"config": BASE | {"resolution": True}}, "resolution is True"),
        ({"config": BASE | {"num_layers": 1 << 40}}, "num_layers is"),
        ({"config": BASE | {"c_dim": -1}}, "c_dim is -1"),
        ({"config": BASE | {"space": "s"}}, "space is 's'"),
        ({"config": {}}, "resolution is None"),
    ],
)
def test_forged_descriptions_are_refused(tmp_path, change, words):
    with pytest.raises(SefaError, match=words):
        read_checkpoint(forged(tmp_path / "x", change))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a":1,"a":2}', "NaN", "[" * 100])
def test_descriptions_that_are_no_object(tmp_path, text):
    with pytest.raises(SefaError):
        read_checkpoint(forged(tmp_path / "x", {}, text))


def test_a_later_minor_version_and_unknown_keys_are_read(tmp_path):
    found = read_checkpoint(forged(tmp_path / "x", {"version": "1.7", "more": [1]}))
    assert found.family == "stylegan2"


@pytest.mark.parametrize(
    "change",
    [
        {"family": "unheard-of"},
        {"family": "mobilestylegan"},
        {"config": BASE | {"w_dim": 31}},
    ],
)
def test_a_description_that_does_not_fit_the_tensors(tmp_path, change):
    """Told when the projections are looked for, never with a traceback."""
    found = read_checkpoint(forged(tmp_path / "x", change))
    with pytest.raises(SefaError):
        fingerprint(found)


@pytest.mark.parametrize(
    ("made", "setting", "value"),
    [
        (networks.stylegan2, "demod_scaled", ...),  # left out
        (networks.stylegan2, "lr_multiplier", []),
        (networks.pggan, "lod", "x"),
        (networks.pggan, "lod", None),
        (networks.pggan, "dense_gain", "x"),
        (networks.stylegan3, "lrelu_upsampling", "x"),
        (networks.biggan, "bn_epsilon", ...),
    ],
)
def test_forged_settings_are_told_when_the_network_is_built(tmp_path, made, setting, value):
    checkpoint = made()
    facts = {**checkpoint.config, setting: value}
    config = Config({name: fact for name, fact in facts.items() if fact is not ...})
    write_native(tmp_path / "x", replace(checkpoint, config=config), "0" * 64)
    with pytest.raises(SefaError, match=f"x has settings that do not make a {checkpoint.family}"):
        build(read_checkpoint(tmp_path / "x"), "cpu")
