"""rosinality's style-based-gan-pytorch: against its arithmetic, step by step, in double precision.

No published numbers are at hand; the copy below follows the facts of the public code.
"""

import math
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
from sefa_cli.families.stylegan.network import Style, StyleGAN
from sefa_cli.generators.weights import frozen
from sefa_cli.projections import first_projections

State = dict[str, Tensor]
W = 12


WIDTHS = (9, 9, 8, 7)


def state_of(fused_from: int = 3) -> State:
    """`g_running`: blocks from 4 px on."""
    draw = torch.Generator().manual_seed(0)
    state: State = {}

    def put(name: str, *shape: int) -> None:
        state[name] = torch.randn(*shape, generator=draw)

    def equal(name: str, *shape: int) -> None:
        put(f"{name}.weight_orig", *shape)
        put(f"{name}.bias", shape[0])

    for i in range(3):
        equal(f"style.{2 * i + 1}.linear", W, W)
    for i, width in enumerate(WIDTHS):
        block, inputs = f"generator.progression.{i}", WIDTHS[max(i - 1, 0)]
        if i == 0:
            put(f"{block}.conv1.input", 1, width, 4, 4)
        elif i >= fused_from:
            put(f"{block}.conv1.0.weight", inputs, width, 3, 3)
            put(f"{block}.conv1.0.bias", width)
        else:
            equal(f"{block}.conv1.1.conv", width, inputs, 3, 3)
        if i:
            taps = torch.tensor([1.0, 2.0, 1.0]) / 4
            for part in ("weight", "weight_flip"):
                name = f"{block}.conv1.{1 if i >= fused_from else 2}.{part}"
                state[name] = torch.outer(taps, taps).repeat(width, 1, 1, 1)
        equal(f"{block}.conv2.conv", width, width, 3, 3)
        for k in (1, 2):
            put(f"{block}.noise{k}.weight_orig", 1, width, 1, 1)
            equal(f"{block}.adain{k}.style.linear", 2 * width, W)
        equal(f"generator.to_rgb.{i}.conv", 3, width, 1, 1)
    return state


def picture(state: State, w: Tensor, blocks: int, noise: list[Tensor] | None = None) -> Tensor:
    """`(n, 3, h, w)` of w `(n, W)`, as the public code computes it."""
    state = {name: tensor.double() for name, tensor in state.items()}

    def weight(name: str) -> Tensor:
        stored = state[f"{name}.weight_orig"]
        return stored * math.sqrt(2 / (stored.shape[1] * stored[0][0].numel()))

    def styled(x: Tensor, block: str, k: int, noise: Tensor | None) -> Tensor:
        if noise is not None:
            x = x + weight(f"{block}.noise{k}") * noise
        x = F.instance_norm(F.leaky_relu(x, 0.2))
        affine = f"{block}.adain{k}.style.linear"
        style = F.linear(w, weight(affine), state[f"{affine}.bias"])
        gamma, beta = style[:, :, None, None].chunk(2, 1)
        return gamma * x + beta

    x = torch.empty(0)
    for i in range(blocks):
        block = f"generator.progression.{i}"
        if i == 0:
            x = state[f"{block}.conv1.input"].repeat(len(w), 1, 1, 1)
        elif f"{block}.conv1.0.weight" in state:
            stored = state[f"{block}.conv1.0.weight"]
            wide = F.pad(stored * math.sqrt(2 / (len(stored) * 9)), [1, 1, 1, 1])
            kernel = wide[:, :, 1:, 1:] + wide[:, :, :-1, 1:] + wide[:, :, 1:, :-1]
            kernel = (kernel + wide[:, :, :-1, :-1]) / 4
            x = F.conv_transpose2d(x, kernel, state[f"{block}.conv1.0.bias"], stride=2, padding=1)
        else:
            name = f"{block}.conv1.1.conv"
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = F.conv2d(x, weight(name), state[f"{name}.bias"], padding=1)
        if i:
            taps = state.get(f"{block}.conv1.2.weight", state.get(f"{block}.conv1.1.weight"))
            assert taps is not None
            x = F.conv2d(x, taps, padding=1, groups=x.shape[1])
        x = styled(x, block, 1, None if noise is None else noise[i])
        name = f"{block}.conv2.conv"
        x = F.conv2d(x, weight(name), state[f"{name}.bias"], padding=1)
        x = styled(x, block, 2, None if noise is None else noise[i])
    name = f"generator.to_rgb.{blocks - 1}.conv"
    return F.conv2d(x, weight(name), state[f"{name}.bias"])


def mapped(state: State, z: Tensor) -> Tensor:
    x = z / torch.sqrt((z**2).mean(dim=1, keepdim=True) + 1e-8)
    for i in (1, 3, 5):
        stored = state[f"style.{i}.linear.weight_orig"].double()
        x = F.linear(x, stored * math.sqrt(2 / W), state[f"style.{i}.linear.bias"].double())
        x = F.leaky_relu(x, 0.2)
    return x


def saved(path: Path, state: State) -> Checkpoint:
    """A snapshot as the training writes it."""
    other = {name: tensor * 0 for name, tensor in state.items()}
    torch.save({"generator": other, "discriminator": {}, "g_running": state}, path)
    return read_checkpoint(path)


@pytest.mark.parametrize("fused_from", [2, 9])
def test_pictures_are_those_of_the_public_arithmetic(tmp_path: Path, fused_from: int) -> None:
    state = state_of(fused_from=fused_from)
    found = saved(tmp_path / "x.model", state)
    assert (found.family, found.dialect, found.config.resolution) == ("stylegan", "rosinality", 32)
    generator = build(found, "cpu").double()
    z = torch.from_numpy(np.random.RandomState(1).randn(2, W))
    w = generator.map(z)
    assert torch.allclose(w, mapped(state, z), rtol=1e-6, atol=1e-7)
    ours = generator.synthesize(w, noise_mode="none")
    theirs = picture(state, w, 4)
    assert (ours - theirs).abs().max() < 1e-5 * theirs.std()  # weights are kept in float32


def test_noise_has_the_public_strength(tmp_path: Path) -> None:
    state = state_of()
    generator = build(saved(tmp_path / "x.model", state), "cpu").double()
    noise = [torch.randn(4 << i, 4 << i).double() for i in range(4)]
    assert isinstance(generator, StyleGAN)
    for index, style in enumerate(generator.styles):
        assert isinstance(style, Style)
        style.noise = frozen(noise[index // 2])
    w = torch.randn(1, W).double()
    ours, theirs = generator.synthesize(w), picture(state, w, 4, noise)
    assert (ours - theirs).abs().max() < 1e-5 * theirs.std()


def test_blocks_that_were_never_trained_are_left_out(tmp_path: Path) -> None:
    """The code always makes nine blocks; a file does not say how many were trained."""
    state = state_of()
    for k in (1, 2):
        state[f"generator.progression.3.noise{k}.weight_orig"].zero_()
    found = saved(tmp_path / "x.model", state)
    assert found.config.resolution == 16 and len(first_projections(found)) == 6
    assert found.notes[-1] == "The blocks above 16 px were never trained: left out."


def test_the_derivative_is_that_of_torch(tmp_path: Path) -> None:
    generator = build(saved(tmp_path / "x.model", state_of()), "cpu").double()
    code = generator.map(generator.sample([3]))[0]
    move = torch.randn(1, W, dtype=torch.float64)
    linear = generator.linearize(code, range(8))
    plain = generator.linearize(code, range(8))
    plain._chain = None
    ours, exact = linear.forward(move), plain.forward(move)
    assert torch.allclose(ours, exact, atol=1e-9 * float(exact.abs().max()))


def test_the_first_version_s_order_is_refused(tmp_path: Path) -> None:
    """It had no blur, and the norm came before the noise: its up-sampling has another name."""
    state = state_of()
    for part in ("weight_orig", "bias"):
        old = state.pop(f"generator.progression.1.conv1.1.conv.{part}")
        state[f"generator.progression.1.conv1.conv.{part}"] = old
    with pytest.raises(SefaError, match=r"progression\.1|b8\.conv0"):
        saved(tmp_path / "x.model", state)
