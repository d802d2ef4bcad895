"""Checks that native BigGAN tensors make one network, and reads its configuration from them."""

import math
from typing import Any

from sefa_cli.families.names import Shape
from sefa_cli.families.native_tensors import Network

_START = 4  # pixels of the first linear layer's output


def describe(network: Network, blocks: int) -> dict[str, Any]:
    """Return the configuration that the shapes imply. Raises SefaError at the first misfit."""
    deep = "blocks.0.conv3.weight" in network
    classes, embedded = network.shape("embedding.weight", 2)
    rows, inputs = network.shape("linear.weight", 2)
    channels = network.shape("blocks.0.bn0.mean", 2)[1]
    _normalized(network, "linear", (channels * _START**2, inputs))
    chunk = network.shape("blocks.0.bn0.scale.weight", 2)[1] - embedded
    if deep and chunk < 1:  # only MMGeneration's can be told so, and no published one is
        raise network.refusal("blocks.0.bn0 does not see z")
    z_dim = inputs - embedded if deep else inputs
    if deep or chunk:  # every norm sees z as the linear layer does: all of it, or a chunk
        network.expect("linear.weight", (rows, chunk + embedded if deep else chunk))
    if not deep and chunk:
        z_dim = chunk * (blocks + 1)
    side = _START
    for block in range(blocks):
        _attention(network, block, channels)
        read = _deep_block if deep else _block
        channels, up = read(network, f"blocks.{block}", channels, chunk + embedded)
        side *= 2 if up else 1
    _attention(network, blocks, channels)
    for part in ("weight", "bias"):
        network.expect(f"norm.{part}", (channels,))
    _statistics(network, "norm", channels)
    colors = network.shape("to_rgb.weight", 4)[0]
    _normalized(network, "to_rgb", (colors, channels, 3, 3))
    return {
        "resolution": side,
        "img_channels": min(colors, 3) if deep else colors,
        "z_dim": z_dim,
        "w_dim": z_dim,
        "c_dim": classes,
        "num_layers": 1 + (4 if deep else 2) * blocks if chunk else 1,
        "space": "z",
        "deep": deep,
    }


def _deep_block(network: Network, name: str, inputs: int, width: int) -> tuple[int, bool]:
    """Check a bottleneck of four convolutions; return (channels, whether it doubles the side)."""
    middle = network.shape(f"{name}.conv0.weight", 4)[0]
    outputs = network.shape(f"{name}.conv3.weight", 4)[0]
    second = "conv1_up" if f"{name}.conv1_up.weight" in network else "conv1"
    if outputs != inputs:  # the shortcut drops channels: half of them
        network.expect(f"{name}.conv3.weight", (inputs // 2, middle, 1, 1))
    _normalized(network, f"{name}.conv0", (middle, inputs, 1, 1))
    _normalized(network, f"{name}.{second}", (middle, middle, 3, 3))
    _normalized(network, f"{name}.conv2", (middle, middle, 3, 3))
    _normalized(network, f"{name}.conv3", (outputs, middle, 1, 1))
    for j, channels in enumerate((inputs, middle, middle, middle)):
        _conditional_norm(network, f"{name}.bn{j}", channels, width)
    return outputs, second == "conv1_up"


def _block(network: Network, name: str, inputs: int, width: int) -> tuple[int, bool]:
    """Check two convolutions; return (channels, True: it doubles the side)."""
    outputs = network.shape(f"{name}.conv1.weight", 4)[0]
    _normalized(network, f"{name}.conv0_up", (outputs, inputs, 3, 3))
    _normalized(network, f"{name}.conv1", (outputs, outputs, 3, 3))
    _normalized(network, f"{name}.shortcut", (outputs, inputs, 1, 1))
    for j, channels in enumerate((inputs, outputs)):
        _conditional_norm(network, f"{name}.bn{j}", channels, width)
    return outputs, True


def _conditional_norm(network: Network, name: str, channels: int, width: int) -> None:
    for part in ("scale", "offset"):
        _normalized(network, f"{name}.{part}", (channels, width), bias=False)
    _statistics(network, name, channels)


def _statistics(network: Network, name: str, channels: int) -> None:
    rows = network.shape(f"{name}.mean", 2)[0]
    network.expect(f"{name}.mean", (rows, channels))
    network.expect(f"{name}.var", (rows, channels))


def _attention(network: Network, block: int, channels: int) -> None:
    name = f"attention.{block}"
    if f"{name}.gamma" not in network:
        return
    network.expect(f"{name}.gamma", ())
    for part, outputs in (("theta", channels // 8), ("phi", channels // 8), ("g", channels // 2)):
        _normalized(network, f"{name}.{part}", (outputs, channels, 1, 1), bias=False)
    _normalized(network, f"{name}.o", (channels, channels // 2, 1, 1), bias=False)


def _normalized(network: Network, name: str, shape: Shape, bias: bool = True) -> None:
    """Check a weight, and the vectors of its spectral norm if the file has them."""
    network.expect(f"{name}.weight", shape)
    network.expect(f"{name}.u", shape[:1], optional=True)
    network.expect(f"{name}.v", (math.prod(shape[1:]),), optional=True)
    if bias:
        network.expect(f"{name}.bias", shape[:1])
