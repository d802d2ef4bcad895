"""R3GAN written once more, from the paper and the public layout, for tests to compare with."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sefa_cli.containers.checkpoint import Checkpoint
from tests.helpers.unsaved import checkpoint

State = dict[str, Tensor]
Z, EMBEDDED = 8, 5


def state_dict(classes: int = 0, widths: tuple[int, ...] = (12, 12, 8), seed: int = 0) -> State:
    """A random network under the public names: 4 px, 8 px, 16 px, two blocks in each stage."""
    draw = torch.Generator().manual_seed(seed)

    def normal(*shape: int, gain: float = 1.0) -> Tensor:
        fan_in = math.prod(shape[1:])
        return torch.randn(*shape, generator=draw) * gain / math.sqrt(fan_in)

    state: State = {}
    inputs = Z + (EMBEDDED if classes else 0)
    for stage, width in enumerate(widths):
        first = f"MainLayers.{stage}.Layers.0"
        if stage == 0:
            state[f"{first}.Basis"] = torch.randn(width, 4, 4, generator=draw)
            state[f"{first}.LinearLayer.weight"] = normal(width, inputs)
        else:
            taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
            state[f"{first}.Resampler.Kernel"] = torch.outer(taps, taps) / 64
            if width != widths[stage - 1]:
                state[f"{first}.LinearLayer.Layer.weight"] = normal(width, widths[stage - 1], 1, 1)
        for block in (1, 2):
            name, inner = f"MainLayers.{stage}.Layers.{block}", 2 * width
            state[f"{name}.LinearLayer1.Layer.weight"] = normal(inner, width, 1, 1)
            state[f"{name}.LinearLayer2.Layer.weight"] = normal(inner, inner // 4, 3, 3)
            state[f"{name}.LinearLayer3.Layer.weight"] = normal(width, inner, 1, 1, gain=0.5)
            state[f"{name}.NonLinearity1.Bias"] = torch.randn(inner, generator=draw) / 5
            state[f"{name}.NonLinearity2.Bias"] = torch.randn(inner, generator=draw) / 5
    state["AggregationLayer.Layer.weight"] = normal(3, widths[-1], 1, 1, gain=0.5)
    if classes:
        state["EmbeddingLayer.weight"] = normal(EMBEDDED, classes)
    return state


def picture(state: State, z: Tensor, label: int | None = None) -> Tensor:
    """The picture `(3, h, w)` of one z `(z_dim,)`, one channel and one tap at a time."""
    if label is not None:
        z = torch.cat([z, state["EmbeddingLayer.weight"][:, label].to(z)])
    strength = state["MainLayers.0.Layers.0.LinearLayer.weight"].to(z) @ z  # (c,)
    x = torch.stack([
        basis * s
        for basis, s in zip(state["MainLayers.0.Layers.0.Basis"].to(z), strength, strict=True)
    ])  # fmt: skip
    stage = 0
    while any(name.startswith(f"MainLayers.{stage}.") for name in state):
        first = f"MainLayers.{stage}.Layers.0"
        if stage:
            kernel = state.get(f"{first}.LinearLayer.Layer.weight")
            if kernel is not None:
                x = torch.einsum("oi,ihw->ohw", kernel[:, :, 0, 0].to(z), x)
            x = _upsampled(x, state[f"{first}.Resampler.Kernel"].to(z))
        block = 1
        while f"MainLayers.{stage}.Layers.{block}.NonLinearity1.Bias" in state:
            x = x + _branch(state, f"MainLayers.{stage}.Layers.{block}", x)
            block += 1
        stage += 1
    return torch.einsum("oi,ihw->ohw", state["AggregationLayer.Layer.weight"][:, :, 0, 0].to(z), x)


def _branch(state: State, name: str, x: Tensor) -> Tensor:
    one, two, three = (state[f"{name}.LinearLayer{i}.Layer.weight"].to(x) for i in (1, 2, 3))
    y = torch.einsum("oi,ihw->ohw", one[:, :, 0, 0], x)
    y = F.leaky_relu(y + state[f"{name}.NonLinearity1.Bias"].to(x)[:, None, None], 0.2)
    size = two.shape[1]  # channels in a group
    groups = [
        F.conv2d(y[None, at : at + size], two[at : at + size], padding=1)[0]
        for at in range(0, len(y), size)
    ]
    y = torch.cat(groups)
    y = F.leaky_relu(y + state[f"{name}.NonLinearity2.Bias"].to(x)[:, None, None], 0.2)
    return torch.einsum("oi,ihw->ohw", three[:, :, 0, 0], y)


def _upsampled(x: Tensor, kernel: Tensor) -> Tensor:
    """Zeros between the pixels, two beyond the border, then 4 × the (symmetric) kernel."""
    channels, height, width = x.shape
    wide = x.new_zeros(channels, 2 * height, 2 * width)
    wide[:, ::2, ::2] = x
    padded = F.pad(wide, (2, 1, 2, 1))
    return F.conv2d(padded[:, None], 4 * kernel[None, None])[:, 0]


def r3gan(classes: int = 0) -> Checkpoint:
    """The same network as a checkpoint that was never a file."""
    facts = {"resolution": 16, "z_dim": Z, "c_dim": classes, "img_channels": 3, "w_dim": Z}
    arrays = {name: tensor.numpy() for name, tensor in state_dict(classes).items()}
    return checkpoint("r3gan", "brownvc", {**facts, "num_layers": 1, "space": "z"}, arrays)
