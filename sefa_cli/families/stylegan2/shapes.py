"""Checks that native StyleGAN2 tensors make one network, and reads its configuration from them.

Widths, depth, resolution and architecture come from shapes and names alone: forks and configs
differ in every table one could write.
"""

from typing import Any

from sefa_cli.families.names import Shape
from sefa_cli.families.native_tensors import START, Network


def describe(network: Network) -> dict[str, Any]:
    """Return the configuration that the shapes imply. Raises SefaError at the first misfit."""
    mapping = describe_mapping(network)
    channels, height, width = network.shape("synthesis.b4.const", 3)
    w_dim = network.shape("synthesis.b4.conv1.affine.weight", 2)[1]
    network.expect("mapping.w_avg", (w_dim,), optional=True)
    if mapping["w_dim"] != w_dim:
        network.expect("synthesis.b4.conv1.affine.weight", (channels, mapping["w_dim"]))
    resolutions = network.resolutions()
    architecture = _architecture(network, resolutions)
    img_channels = network.shape(f"synthesis.b{resolutions[-1]}.torgb.weight", 4)[0]
    for r in resolutions:
        block, size = f"synthesis.b{r}", (height * r // START, width * r // START)
        inputs = channels
        for conv in ("conv0", "conv1") if r > START else ("conv1",):
            channels = _convolution(network, f"{block}.{conv}", channels, w_dim, size)
        if architecture == "resnet" and r > START:
            network.expect(f"{block}.skip.weight", (channels, inputs, 1, 1))
        if architecture == "skip" or r == resolutions[-1]:
            _to_rgb(network, f"{block}.torgb", channels, img_channels, w_dim)
    return {
        "resolution": max(height, width) * resolutions[-1] // START,
        "img_channels": img_channels,
        **mapping,
        "num_layers": 2 * len(resolutions),
        "space": "w",
        "architecture": architecture,
        "const_height": height,
        "const_width": width,
    }


def describe_mapping(network: Network) -> dict[str, Any]:
    """Return the mapping network's facts. NVIDIA embeds labels, genforce concatenates them."""
    c_dim = embedded = 0
    label_mode = None
    if "mapping.embed.weight" in network:
        label_mode = "embed"
        embedded, c_dim = network.shape("mapping.embed.weight", 2)
        network.expect("mapping.embed.bias", (embedded,))
    elif "mapping.label_weight" in network:
        label_mode = "concat"
        c_dim, embedded = network.shape("mapping.label_weight", 2)
    return mapping_of(network, label_mode, c_dim, embedded)


def mapping_of(
    network: Network, label_mode: str | None, c_dim: int, embedded: int
) -> dict[str, Any]:
    """Return the configuration of dense layers that take z and `embedded` label numbers."""
    entry = width = network.shape("mapping.fc0.weight", 2)[1]
    layers = network.count("mapping.fc{}")
    for i in range(layers):
        outputs = network.shape(f"mapping.fc{i}.weight", 2)[0]
        network.expect(f"mapping.fc{i}.weight", (outputs, width))
        network.expect(f"mapping.fc{i}.bias", (outputs,))
        width = outputs
    if entry <= embedded:
        network.expect("mapping.fc0.weight", (width, 2 * embedded))
    return {
        "z_dim": entry - embedded,
        "w_dim": width,
        "c_dim": c_dim,
        "label_mode": label_mode,
        "mapping_layers": layers,
    }


def _architecture(network: Network, resolutions: list[int]) -> str:
    if f"synthesis.b{resolutions[-1]}.skip.weight" in network:
        return "resnet"
    several = len(resolutions) > 1 and f"synthesis.b{resolutions[0]}.torgb.weight" not in network
    return "orig" if several else "skip"


def _convolution(network: Network, name: str, inputs: int, w_dim: int, size: Shape) -> int:
    """Check one modulated convolution; return its channels. Noise is optional."""
    outputs, _, kernel, _ = network.shape(f"{name}.weight", 4)
    network.expect(f"{name}.weight", (outputs, inputs, kernel, kernel))
    network.expect(f"{name}.bias", (outputs,))
    network.expect(f"{name}.affine.weight", (inputs, w_dim))
    network.expect(f"{name}.affine.bias", (inputs,))
    network.expect(f"{name}.noise_strength", (), optional=True)
    network.expect(f"{name}.noise_const", size, optional=True)
    return outputs


def _to_rgb(network: Network, name: str, inputs: int, img_channels: int, w_dim: int) -> None:
    network.expect(f"{name}.weight", (img_channels, inputs, 1, 1))
    network.expect(f"{name}.bias", (img_channels,))
    network.expect(f"{name}.affine.weight", (inputs, w_dim))
    network.expect(f"{name}.affine.bias", (inputs,))
