"""Checks that native StyleGAN3 tensors make one network, and reads its configuration from them."""

from collections.abc import Mapping
from typing import Any

from sefa_cli.containers.checkpoint import LazyTensor
from sefa_cli.errors import SefaError
from sefa_cli.families.native_tensors import Network
from sefa_cli.families.stylegan2.shapes import mapping_of
from sefa_cli.families.stylegan3.geometry import layer_names, side_of, steps


def describe(
    network: Network, tensors: Mapping[str, LazyTensor], nonlinearity: int
) -> dict[str, Any]:
    """Return the configuration that names and shapes imply. Raises SefaError at the first misfit.

    `nonlinearity` is by how much the sampling rate is higher at the leaky ReLU.
    """
    mapping = _mapping(network)
    channels = _input(network, mapping["w_dim"])
    names = layer_names(tensors) or ["L0"]
    for number, name in enumerate(names):
        if mapping["label_mode"] != "table" and name.split("_")[0] != f"L{number}":
            raise network.refusal(f"the layer synthesis.L{number} is missing")
        channels = _layer(network, f"synthesis.{name}", channels, mapping["w_dim"])
    try:
        steps(tensors, nonlinearity)
    except SefaError as error:
        raise network.refusal(error.found) from None
    return {
        "resolution": side_of(names[-1]),
        "img_channels": channels,
        **mapping,
        "num_layers": len(names) + 1,
        "space": "w",
        "variant": "T" if tensors[f"synthesis.{names[0]}.weight"].shape[-1] > 1 else "R",
    }


def _mapping(network: Network) -> dict[str, Any]:
    """z → w. StyleGAN-XL looks classes up in a table; others have a dense layer, as StyleGAN2."""
    c_dim = embedded = 0
    label_mode = None
    if "mapping.embed_proj.weight" in network:
        label_mode = "table"
        c_dim, features = network.shape("mapping.embed.weight", 2)
        embedded = network.shape("mapping.embed_proj.weight", 2)[0]
        network.expect("mapping.embed_proj.weight", (embedded, features))
        network.expect("mapping.embed_proj.bias", (embedded,))
    elif "mapping.embed.bias" in network:
        label_mode = "embed"
        embedded, c_dim = network.shape("mapping.embed.weight", 2)
        network.expect("mapping.embed.bias", (embedded,))
    mapping = mapping_of(network, label_mode, c_dim, embedded)
    width = mapping["w_dim"]
    mean = (c_dim, width) if label_mode == "table" else (width,)
    network.expect("mapping.w_avg", mean, optional=True)
    return mapping


def _input(network: Network, w_dim: int) -> int:
    """Check the input layer; return its channels."""
    channels = network.shape("synthesis.input.weight", 2)[0]
    network.expect("synthesis.input.weight", (channels, channels))
    network.expect("synthesis.input.freqs", (channels, 2))
    network.expect("synthesis.input.phases", (channels,))
    network.expect("synthesis.input.transform", (3, 3), optional=True)
    network.expect("synthesis.input.affine.weight", (4, w_dim))
    network.expect("synthesis.input.affine.bias", (4,))
    return channels


def _layer(network: Network, name: str, inputs: int, w_dim: int) -> int:
    """Check one layer; return its channels."""
    outputs, _, kernel, _ = network.shape(f"{name}.weight", 4)
    network.expect(f"{name}.weight", (outputs, inputs, kernel, kernel))
    network.expect(f"{name}.bias", (outputs,))
    network.expect(f"{name}.magnitude_ema", ())
    network.expect(f"{name}.affine.weight", (inputs, w_dim))
    network.expect(f"{name}.affine.bias", (inputs,))
    if f"{name}.up_filter" in network:
        network.shape(f"{name}.up_filter", 1)
    if f"{name}.down_filter" in network:
        _low_pass(network, f"{name}.down_filter")
    return outputs


def _low_pass(network: Network, name: str) -> None:
    """Check a filter: one row of taps for both directions, or a square of them (radial)."""
    if network.axes(name) == 2:
        side = network.shape(name, 2)[0]
        network.expect(name, (side, side))
    else:
        network.shape(name, 1)
