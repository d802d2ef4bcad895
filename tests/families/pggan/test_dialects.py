"""PGGAN as GAN Dissection and Facebook's GAN zoo write it; conditional networks."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file
from torch import Tensor

from sefa_cli.errors import SefaError
from sefa_cli.families.build import build
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.projections import fingerprint, first_projections
from tests.helpers import GOLDEN, tf_files
from tests.helpers.remap import tensors

State = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def genforce() -> State:
    """The published state dict: 4 to 32 px, 48 numbers of z."""
    golden = load_file(GOLDEN / "pggan_genforce.safetensors")
    return {name[6:]: array for name, array in golden.items() if name.startswith("state/")}


def save(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def dissection(genforce: State, old: bool) -> State:
    """GAN Dissection's names; the old ones hold the gains too."""
    out: State = {}
    for k in range(8):
        name = f"features.{k}" if old else f"layer{k + 1}"
        out[f"{name}.conv.weight"] = genforce[f"layer{k}.weight"]
        out[f"{name}.wscale.b"] = genforce[f"layer{k}.bias"]
        if old:
            fan_in = genforce[f"layer{k}.weight"][0].size
            out[f"{name}.wscale.scale"] = np.full((), (2 / fan_in) ** 0.5, np.float32)
    last = "output" if old else "output_32x32"
    out[f"{last}.conv.weight"] = genforce["output3.weight"]
    out[f"{last}.wscale.b"] = genforce["output3.bias"]
    return out


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("wrapped", [False, True])
def test_gan_dissection(tmp_path: Path, genforce: State, old: bool, wrapped: bool) -> None:
    state = tensors(dissection(genforce, old))
    found = read_checkpoint(save(tmp_path / "x", {"state_dict": state} if wrapped else state))
    plain = read_checkpoint(save(tmp_path / "y", tensors(genforce)))
    assert (found.dialect, found.family, found.notes) == ("dissection", "pggan", ())
    assert found.config == plain.config
    lower = {n for n in plain.tensors if ".torgb." in n and ".b32." not in n}
    assert plain.tensors.keys() - found.tensors.keys() == lower  # they are not shown
    assert fingerprint(found) == fingerprint(plain)
    pictures = [build(each, "cpu").synthesize(np.ones((1, 48))) for each in (found, plain)]
    assert torch.equal(*pictures)


def gan_zoo_state(widths: list[int], z_dim: int, middle: str) -> State:
    """Random weights of the zoo's PGAN; `middle` is what it wraps layers in."""
    random, out = np.random.RandomState(5), {}

    def put(name: str, *shape: int) -> None:
        out[f"{name}{middle}.weight"] = np.asarray(random.randn(*shape), np.float32)
        out[f"{name}{middle}.bias"] = np.asarray(random.randn(shape[0]), np.float32)

    put("formatLayer", 16 * widths[0], z_dim)
    put("groupScale0.0", widths[0], widths[0], 3, 3)
    put("toRGBLayers.0", 3, widths[0], 1, 1)
    for s, (inputs, outputs) in enumerate(pairwise(widths)):
        put(f"scaleLayers.{s}.0", outputs, inputs, 3, 3)
        put(f"scaleLayers.{s}.1", outputs, outputs, 3, 3)
        put(f"toRGBLayers.{s + 1}", 3, outputs, 1, 1)
    return out


def gan_zoo(state: State, z: Tensor, middle: str) -> Tensor:
    """What the zoo's generator does: every layer's result, bias included, × √(2 / fan-in)."""
    t = {name: torch.from_numpy(array).double() for name, array in state.items()}

    def norm(x: Tensor) -> Tensor:
        return x * (x.pow(2).mean(dim=1, keepdim=True) + 1e-8).rsqrt()

    def layer(name: str, x: Tensor) -> Tensor:
        weight, bias = t[f"{name}{middle}.weight"], t[f"{name}{middle}.bias"]
        gain = (2 / weight[0].numel()) ** 0.5
        if weight.ndim == 2:
            return F.linear(x, weight, bias) * gain
        return F.conv2d(x, weight, bias, padding=weight.shape[2] // 2) * gain

    x = F.leaky_relu(layer("formatLayer", norm(z)), 0.2)
    x = norm(x.view(len(z), -1, 4, 4))
    x = norm(F.leaky_relu(layer("groupScale0.0", x), 0.2))
    scales = sum(name.startswith("toRGBLayers") for name in t) // 2 - 1
    for s in range(scales):
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        for i in (0, 1):
            x = norm(F.leaky_relu(layer(f"scaleLayers.{s}.{i}", x), 0.2))
    return layer(f"toRGBLayers.{scales}", x)


@pytest.mark.parametrize("middle", [".module", ""])
@pytest.mark.parametrize("place", ["avgG", "netG"])
def test_facebooks_gan_zoo(tmp_path: Path, middle: str, place: str) -> None:
    state = gan_zoo_state([8, 6, 5], 12, middle)
    found = read_checkpoint(save(tmp_path / "x", {"config": {}, place: tensors(state), "netD": {}}))
    assert (found.dialect, found.family) == ("gan-zoo", "pggan")
    assert (found.config["resolution"], found.config["z_dim"]) == (16, 12)
    not_averaged = "The file holds no averaged generator; 'netG' is used."
    assert found.notes == (() if place == "avgG" else (not_averaged,))
    (layer,) = first_projections(found)
    assert np.array_equal(layer.matrix.numpy(), state[f"formatLayer{middle}.weight"])
    z = torch.randn(2, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = gan_zoo(state, z, middle)
    ours = build(found, "cpu").double().synthesize(z)
    assert (ours - expected).abs().max() < 1e-5 * expected.abs().max()  # biases are rounded


def test_a_label_beside_z(tmp_path: Path, genforce: State) -> None:
    """TensorFlow's arguments tell how many of the inputs are a label; directions are of z alone."""
    path = tf_files.write_pggan(tmp_path / "x", genforce, label_size=8)
    found = read_checkpoint(path)
    assert (found.config["z_dim"], found.config["c_dim"]) == (40, 8)
    (layer,) = first_projections(found)
    whole = first_projections(read_checkpoint(tf_files.write_pggan(tmp_path / "y", genforce)))[0]
    assert np.array_equal(layer.matrix.numpy(), whole.matrix.numpy()[:, :40])
    generator = build(found, "cpu")
    z = generator.map(generator.sample([0]))
    plain = build(read_checkpoint(tmp_path / "y"), "cpu")
    for label in (0, 5):
        together = torch.cat([z, F.one_hot(torch.tensor([label]), 8)], dim=1)
        picture = generator.synthesize(z, [label])
        assert torch.allclose(picture, plain.synthesize(together), atol=1e-5)
    with pytest.raises(SefaError, match="no label for a network of 8 classes"):
        generator.synthesize(z)


@pytest.mark.parametrize("classes", [48, 99, -1])
def test_forged_counts_of_classes_change_nothing(
    tmp_path: Path, genforce: State, classes: int
) -> None:
    path = tf_files.write_pggan(tmp_path / "x", genforce, label_size=classes)
    assert (read_checkpoint(path).config["z_dim"], read_checkpoint(path).config["c_dim"]) == (48, 0)
