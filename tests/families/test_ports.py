"""PGGAN, StyleGAN and StyleGAN3 of MMGeneration, and StyleGAN of pytorch_GAN_zoo.

No published numbers are at hand: random weights under the published names, and a plain copy of what
the published code does with them, in double precision.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import SefaError
from sefa_cli.families.build import build
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.projections import fingerprint, first_projections
from tests.helpers import stylegan3_files
from tests.helpers.remap import tensors

State = dict[str, np.ndarray]
Z = 12
BGR = "MMGeneration trains on BGR pictures: red and blue may be exchanged."


class Draw:
    """Random weights under the published names."""

    def __init__(self) -> None:
        self.random, self.state = np.random.RandomState(5), State()

    def put(self, name: str, *shape: int, std: float = 1.0) -> None:
        self.state[name] = np.asarray(std * self.random.randn(*shape), np.float32)


def mmgen_file(path: Path, state: State) -> Checkpoint:
    """Whole, with another generator and the discriminator in the same list."""
    every = {f"generator.{name}": array * 0 for name, array in state.items()}
    every["discriminator.decision.bias"] = np.zeros(1, np.float32)
    every |= {f"generator_ema.{name}": array for name, array in state.items()}
    torch.save({"meta": {"mmgen_version": "0.7.3"}, "state_dict": tensors(every)}, path)
    return read_checkpoint(path)


def close(ours: Tensor, expected: Tensor) -> bool:
    """To the rounding of gains that are multiplied into float32 weights when they are read."""
    return bool((ours - expected).abs().max() < 5e-6 * expected.abs().max())


def double(state: State) -> dict[str, Tensor]:
    return {name: torch.from_numpy(array).double() for name, array in state.items()}


def normal(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def rms_norm(x: Tensor, epsilon: float = 1e-8) -> Tensor:
    return x / (x.pow(2).mean(dim=1, keepdim=True) + epsilon).sqrt()


# MMGeneration's PGGAN


def mmgen_pggan(widths: list[int], fused: bool) -> State:
    draw = Draw()
    draw.put("noise2feat.linear.weight_orig", 16 * widths[0], Z)
    draw.put("noise2feat.bias", 1, widths[0], 1, 1)
    shapes = [(widths[0], widths[0])]
    for inputs, outputs in pairwise(widths):
        shapes += [(inputs, outputs) if fused else (outputs, inputs), (outputs, outputs)]
    for k, shape in enumerate(shapes):
        draw.put(f"conv_blocks.{k}.conv.weight_orig", *shape, 3, 3)
        draw.put(f"conv_blocks.{k}.conv.bias", widths[(k + 1) // 2])
    for b, width in enumerate(widths):
        draw.put(f"torgb_layers.{b}.conv.weight_orig", 3, width, 1, 1)
        draw.put(f"torgb_layers.{b}.conv.bias", 3)
    return draw.state


def mmgen_pggan_picture(state: State, z: Tensor, fused: bool) -> Tensor:
    """torch counts a transposed convolution's fan-in by its second axis, and so does the code."""
    t = double(state)

    def gained(name: str, gain: float) -> Tensor:
        weight = t[f"{name}.weight_orig"]
        return weight * (gain / weight[0].numel() ** 0.5)

    x = F.linear(rms_norm(z), gained("noise2feat.linear", 2**0.5 / 4)).reshape(len(z), -1, 4, 4)
    x = rms_norm(F.leaky_relu(x + t["noise2feat.bias"], 0.2))
    layers = sum(name.startswith("conv_blocks") for name in t) // 2
    for k in range(layers):
        name = f"conv_blocks.{k}.conv"
        weight, bias = gained(name, 2**0.5), t[f"{name}.bias"]
        if k % 2 and fused:
            kernel = torch.zeros(*weight.shape[:2], 4, 4, dtype=weight.dtype)
            for top in (0, 1):
                for left in (0, 1):
                    kernel[:, :, top : top + 3, left : left + 3] += weight
            x = F.conv_transpose2d(x, kernel, bias, stride=2, padding=1)
        else:
            x = F.interpolate(x, scale_factor=2) if k % 2 else x
            x = F.conv2d(x, weight, bias, padding=1)
        x = rms_norm(F.leaky_relu(x, 0.2))
    last = f"torgb_layers.{layers // 2}.conv"
    return F.conv2d(x, gained(last, 1), t[f"{last}.bias"])


@pytest.mark.parametrize("fused", [True, False])
def test_mmgen_pggan(tmp_path: Path, fused: bool) -> None:
    state = mmgen_pggan([9, 9, 6, 5], fused)
    found = mmgen_file(tmp_path / "x.pth", state)
    assert (found.family, found.dialect, found.notes) == ("pggan", "mmgen", (BGR,))
    assert (found.config["resolution"], found.config["z_dim"]) == (32, Z)
    (layer,) = first_projections(found)
    assert np.array_equal(layer.matrix.numpy(), state["noise2feat.linear.weight_orig"])
    z = normal(2, Z)
    ours = build(found, "cpu").double().synthesize(z)
    assert close(ours, mmgen_pggan_picture(state, z, fused))


def test_mmgen_pggan_of_one_width_is_fused_as_by_default(tmp_path: Path) -> None:
    state = mmgen_pggan([7, 7, 7], True)
    ours = build(mmgen_file(tmp_path / "x.pth", state), "cpu").double()
    assert close(ours.synthesize(z := normal(2, Z)), mmgen_pggan_picture(state, z, True))


# StyleGAN


def mmgen_stylegan(widths: list[int], w_dim: int = 10) -> State:
    draw = Draw()
    for i in (1, 2, 3):
        draw.put(f"style_mapping.{i}.linear.weight_orig", w_dim, w_dim, std=100)
        draw.put(f"style_mapping.{i}.bias", w_dim, std=10)
    draw.put("convs.0.conv1.weight", 1, widths[0], 4, 4)
    inputs = widths[0]
    for b, width in enumerate(widths):
        name = f"convs.{b}"
        if b:
            draw.put(f"{name}.conv1.0.conv.weight_orig", width, inputs, 3, 3)
            draw.put(f"{name}.conv1.0.conv.bias", width)
            kernel = np.outer([1, 2, 1], [1, 2, 1]).astype(np.float32) / 16
            draw.state[f"{name}.conv1.1.kernel"] = kernel
        draw.put(f"{name}.conv2.conv.weight_orig", width, width, 3, 3)
        draw.put(f"{name}.conv2.conv.bias", width)
        for k in (1, 2):
            draw.put(f"{name}.noise_injector{k}.weight", 1)
            draw.put(f"{name}.adain{k}.affine.weight_orig", 2 * width, w_dim)
            draw.put(f"{name}.adain{k}.affine.bias", 2 * width)
            draw.put(f"injected_noise_{2 * b + k - 1}", 1, 1, 4 << b, 4 << b)
        draw.put(f"to_rgbs.{b}.conv.weight_orig", 3, width, 1, 1)
        draw.put(f"to_rgbs.{b}.conv.bias", 3)
        inputs = width
    return draw.state


def adain(x: Tensor, style: Tensor, epsilon: float) -> Tensor:
    """The published forms: γ · norm(x) + β, the 1 within γ."""
    gamma, beta = style[:, :, None, None].chunk(2, dim=1)
    x = x - x.mean(dim=(2, 3), keepdim=True)
    return gamma * x / (x.pow(2).mean(dim=(2, 3), keepdim=True) + epsilon).sqrt() + beta


def mmgen_stylegan_picture(state: State, w: Tensor) -> Tensor:
    t = double(state)

    def gained(name: str) -> Tensor:
        weight = t[f"{name}.weight_orig"]
        return weight * (2 / weight[0].numel()) ** 0.5

    x, b = t["convs.0.conv1.weight"].expand(len(w), -1, -1, -1), 0
    while f"convs.{b}.conv2.conv.bias" in t:
        name = f"convs.{b}"
        if b:
            x = F.interpolate(x, scale_factor=2)
            x = F.conv2d(
                x, gained(f"{name}.conv1.0.conv"), t[f"{name}.conv1.0.conv.bias"], padding=1
            )
            x = F.leaky_relu(x, 0.2)
            taps = t[f"{name}.conv1.1.kernel"].expand(x.shape[1], 1, 3, 3)
            x = F.conv2d(x, taps, padding=1, groups=x.shape[1])
        for k in (1, 2):
            if k == 2:
                x = F.conv2d(
                    x, gained(f"{name}.conv2.conv"), t[f"{name}.conv2.conv.bias"], padding=1
                )
            x = x + t[f"{name}.noise_injector{k}.weight"] * t[f"injected_noise_{2 * b + k - 1}"]
            affine = f"{name}.adain{k}.affine"
            style = F.linear(w, gained(affine), t[f"{affine}.bias"])
            x = adain(F.leaky_relu(x, 0.2), style, 1e-5)
        b += 1
    last = f"to_rgbs.{b - 1}.conv"
    return F.conv2d(x, gained(last), t[f"{last}.bias"])


def test_mmgen_stylegan(tmp_path: Path) -> None:
    state = mmgen_stylegan([8, 6, 5])
    found = mmgen_file(tmp_path / "x.pth", state)
    assert (found.family, found.dialect) == ("stylegan", "mmgen")
    assert found.notes == (
        "The file stores no mean w; truncation computes it from 10,000 samples.", BGR,
    )  # fmt: skip
    assert (found.config["resolution"], found.config["num_layers"]) == (16, 6)
    generator = build(found, "cpu").double()
    w = normal(2, 10)
    assert close(generator.synthesize(w), mmgen_stylegan_picture(state, w))
    t, x = double(state), rms_norm(z := normal(2, 10), 1e-6)
    for i in (1, 2, 3):
        weight = t[f"style_mapping.{i}.linear.weight_orig"] * (0.01 / 10**0.5)
        x = F.leaky_relu(F.linear(x, weight, t[f"style_mapping.{i}.bias"] * 0.01), 0.2)
    assert close(generator.map(z), x)
    assert found.tensors["synthesis.b4.conv0.noise_strength"].numpy().shape == (8,)


def gan_zoo_stylegan(widths: list[int], middle: str, w_dim: int = 8) -> State:
    """Its constant has as many channels as w has numbers, its to-RGBs begin at 8 px."""
    draw = Draw()

    def layer(name: str, *shape: int, std: float = 1.0) -> None:
        draw.put(f"{name}{middle}.weight", *shape, std=std)
        draw.put(f"{name}{middle}.bias", shape[0], std=std)

    for i in (0, 1):
        layer(f"mapping.FC.{i}", w_dim, w_dim, std=100)
    draw.put("baseScale0", 1, w_dim, 4, 4)
    draw.put("mean_w", 1, w_dim)
    for k in (0, 1):
        layer(f"adain0{k}.styleModulator", 2 * w_dim, w_dim)
        draw.put(f"noiseMod0{k}.module.weight", 1, 1, 1, 1)
    layer("conv0", w_dim, w_dim, 3, 3)
    for s, (inputs, outputs) in enumerate(pairwise([w_dim, *widths])):
        layer(f"scaleLayers.{s}.0", outputs, inputs, 3, 3)
        layer(f"scaleLayers.{s}.1.styleModulator", 2 * outputs, w_dim)
        layer(f"scaleLayers.{s}.2", outputs, outputs, 3, 3)
        layer(f"scaleLayers.{s}.3.styleModulator", 2 * outputs, w_dim)
        layer(f"toRGBLayers.{s}", 3, outputs, 1, 1)
        for k in (0, 1):
            draw.put(f"noiseModulators.{s}.{k}.module.weight", 1, 1, 1, 1)
    return draw.state


def gan_zoo_layer(
    t: dict[str, Tensor], name: str, middle: str, x: Tensor, rate: float = 1
) -> Tensor:
    weight, bias = t[f"{name}{middle}.weight"], t[f"{name}{middle}.bias"]
    gain = (2 / weight[0].numel()) ** 0.5 * rate
    if weight.ndim == 2:
        return F.linear(x, weight, bias) * gain
    return F.conv2d(x, weight, bias, padding=weight.shape[2] // 2) * gain


@pytest.mark.parametrize("middle", [".module", ""])
def test_gan_zoo_stylegan(tmp_path: Path, middle: str) -> None:
    state = gan_zoo_stylegan([6, 5], middle)
    torch.save({"config": {}, "avgG": tensors(state), "netD": {}}, tmp_path / "x.pth")
    found = read_checkpoint(tmp_path / "x.pth")
    assert (found.family, found.dialect) == ("stylegan", "gan-zoo")
    assert found.notes == ("The file stores no noise maps; the noise mode const adds none.",)
    assert (found.config["resolution"], found.config["num_layers"]) == (16, 6)
    t, w = double(state), normal(2, 8)

    def layer(name: str, x: Tensor, rate: float = 1) -> Tensor:
        return gan_zoo_layer(t, name, middle, x, rate)

    x = t["baseScale0"].expand(2, -1, -1, -1)
    x = adain(F.leaky_relu(x, 0.2), layer("adain00.styleModulator", w), 1e-8)
    x = adain(F.leaky_relu(layer("conv0", x), 0.2), layer("adain01.styleModulator", w), 1e-8)
    for s in (0, 1):
        x = F.interpolate(x, scale_factor=2)
        for k in (0, 2):
            x = F.leaky_relu(layer(f"scaleLayers.{s}.{k}", x), 0.2)
            x = adain(x, layer(f"scaleLayers.{s}.{k + 1}.styleModulator", w), 1e-8)
    generator = build(found, "cpu").double()
    assert close(generator.synthesize(w), layer("toRGBLayers.1", x))
    y = rms_norm(z := normal(2, 8))
    for i in (0, 1):
        y = F.leaky_relu(layer(f"mapping.FC.{i}", y, 0.01), 0.2)
    assert close(generator.map(z), y)
    assert close(generator.w_avg[None], t["mean_w"])
    assert np.unique(found.tensors["synthesis.b8.conv1.noise_strength"].numpy()).size == 1


def test_a_broken_port_is_told_by_its_first_misfit(tmp_path: Path) -> None:
    state = mmgen_stylegan([8, 6])
    state["convs.1.adain1.affine.bias"] = np.zeros(11, np.float32)
    with pytest.raises(
        SefaError, match=r"StyleGAN generator \(mmgen\), but .*adain1\.affine\.bias"
    ):
        mmgen_file(tmp_path / "x.pth", state)


# StyleGAN3


def test_mmgen_stylegan3_is_nvidia_s_under_another_name(tmp_path: Path) -> None:
    native = stylegan3_files.native_state()
    state = {name.replace("mapping.", "style_mapping."): array for name, array in native.items()}
    found = mmgen_file(tmp_path / "x.pth", state)
    assert (found.family, found.dialect, found.notes) == ("stylegan3", "mmgen", ())
    torch.save(tensors(native), tmp_path / "y.pt")
    plain = read_checkpoint(tmp_path / "y.pt")
    assert fingerprint(found) == fingerprint(plain) and found.config == plain.config
    z = normal(1, 7)
    pictures = [(g := build(each, "cpu")).synthesize(g.map(z)) for each in (found, plain)]
    assert torch.equal(*pictures)
