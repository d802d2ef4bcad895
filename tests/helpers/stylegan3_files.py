"""StyleGAN3 weights of any geometry, by the paper's formulas, and the forms people have them in.

Written apart from the reader, which never uses these formulas: it sees names and filters only.
"""

from typing import Any, NamedTuple

import numpy as np

from tests.helpers import remap

Native = dict[str, np.ndarray]


class Specs(NamedTuple):
    """One entry per layer; those before index 0 are the input's (Alias-Free GAN, section 4)."""

    cutoffs: np.ndarray
    rates: np.ndarray
    half_widths: np.ndarray
    sizes: np.ndarray
    channels: np.ndarray


def specs(
    resolution: int = 32,
    num_layers: int = 5,
    num_critical: int = 2,
    channel_base: int = 128,
    channel_max: int = 8,
    margin: int = 10,
    first_cutoff: float = 2,
) -> Specs:
    """Cutoffs and stop bands rise geometrically; rates are the next powers of two."""
    exponents = np.minimum(np.arange(num_layers + 1) / (num_layers - num_critical), 1)
    last = resolution / 2
    cutoffs = first_cutoff * (last / first_cutoff) ** exponents
    stopbands = 2**2.1 * (last * 2**0.3 / 2**2.1) ** exponents
    rates = np.exp2(np.ceil(np.log2(np.minimum(stopbands * 2, resolution)))).astype(int)
    sizes = rates + 2 * margin
    sizes[-2:] = resolution
    channels = np.rint(np.minimum(channel_base / 2 / cutoffs, channel_max)).astype(int)
    channels[-1] = 3
    return Specs(cutoffs, rates, np.maximum(stopbands, rates / 2) - cutoffs, sizes, channels)


def low_pass(taps: int, cutoff: float, width: float, rate: float) -> np.ndarray:
    """A sinc under a Kaiser window with a transition band of `width`, of sum one."""
    attenuation = 2.285 * (taps - 1) * np.pi * width / (rate / 2) + 7.95
    beta = 0.1102 * (attenuation - 8.7) if attenuation > 50 else 0.0
    if 21 < attenuation <= 50:
        beta = 0.5842 * (attenuation - 21) ** 0.4 + 0.07886 * (attenuation - 21)
    filter = np.sinc(2 * cutoff / rate * (np.arange(taps) - (taps - 1) / 2)) * np.kaiser(taps, beta)
    return (filter / filter.sum()).astype(np.float32)


def native_state(
    kernel: int = 3,
    radial: bool = False,
    filter_size: int = 6,
    lrelu_upsampling: int = 2,
    c_dim: int = 0,
    seed: int = 0,
    **geometry: Any,
) -> Native:
    """Random weights under NVIDIA's names: z 7 numbers, w 9."""
    draw = np.random.default_rng(seed).standard_normal
    state: Native = {}

    def put(name: str, *shape: int, scale: float = 1.0) -> None:
        state[name] = np.asarray(draw(shape, dtype=np.float32) * np.float32(scale))

    made = specs(**geometry)
    width = 7
    if c_dim:
        put("mapping.embed.weight", 9, c_dim)
        put("mapping.embed.bias", 9)
        width += 9
    for i in range(2):
        put(f"mapping.fc{i}.weight", 9, width, scale=100)
        put(f"mapping.fc{i}.bias", 9, scale=10)
        width = 9
    put("mapping.w_avg", 9)
    inputs = made.channels[0]
    put("synthesis.input.weight", inputs, inputs)
    put("synthesis.input.freqs", inputs, 2)
    put("synthesis.input.phases", inputs)
    state["synthesis.input.transform"] = np.eye(3, dtype=np.float32)
    put("synthesis.input.affine.weight", 4, 9)
    put("synthesis.input.affine.bias", 4)
    last = len(made.rates) - 1
    for i, outputs in enumerate(made.channels):
        before, name = max(i - 1, 0), f"synthesis.L{i}_{made.sizes[i]}_{outputs}"
        k = 1 if i == last else kernel
        put(f"{name}.weight", outputs, inputs, k, k)
        put(f"{name}.bias", outputs)
        put(f"{name}.affine.weight", inputs, 9)
        put(f"{name}.affine.bias", inputs)
        state[f"{name}.magnitude_ema"] = np.asarray(0.5 + abs(draw()), np.float32)
        inputs = outputs
        if i == last:
            continue
        rate = max(made.rates[before], made.rates[i]) * lrelu_upsampling
        for kind, at in (("up", before), ("down", i)):
            factor = rate // made.rates[at]
            if factor > 1:
                taps = low_pass(
                    filter_size * factor, made.cutoffs[at], 2 * made.half_widths[at], rate
                )
                if kind == "down" and radial and i < last - 2:
                    taps = np.outer(taps, taps) + np.diag(taps)  # not separable, not symmetric
                state[f"{name}.{kind}_filter"] = taps
    return state


def to_hammer(native: Native, grid: bool = True) -> Native:
    """`generator_smooth` of Hammer, with the input layer's grid of coordinates or without."""
    out: Native = {"w_avg": native["mapping.w_avg"]}
    parts = {
        "bias": "filter.bias",
        "up_filter": "filter.up_filter",
        "down_filter": "filter.down_filter",
        "weight": "conv.weight",
        "affine.weight": "conv.style.weight",
        "affine.bias": "conv.style.bias",
        "magnitude_ema": "magnitude_ema",
    }
    early = {"freqs": "frequency", "phases": "phase"}
    size = 0
    for name, array in native.items():
        part, rest = name.split(".", 1)
        if part == "mapping":
            if rest != "w_avg":
                theirs = rest.replace("fc", "dense").replace("embed.", "embedding.")
                out[f"mapping.{theirs}"] = array
        elif rest.startswith("input."):
            theirs = rest.removeprefix("input.")
            out[f"synthesis.early_layer.{early.get(theirs, theirs)}"] = array
        else:
            layer, theirs = rest.split(".", 1)
            number, side, _ = layer.removeprefix("L").split("_")
            size = size or int(side)
            out[f"synthesis.layer{number}.{parts[theirs]}"] = array
    if grid:
        axis = (np.arange(size) + 0.5 - size / 2) / 16
        both = np.stack(np.meshgrid(axis, axis), axis=-1).astype(np.float32)
        out["synthesis.early_layer.grid"] = both[None]
    return out


def to_xl(native: Native, classes: int = 5) -> Native:
    """As StyleGAN-XL writes it: a table of embeddings, means by class, two numbers left out."""
    draw = np.random.default_rng(1).standard_normal
    out = {name: array for name, array in native.items() if not name.startswith("mapping")}
    renumbered = {}
    for name, array in out.items():
        parts = name.split(".")
        if parts[1].startswith("L"):
            number, rest = parts[1][1:].split("_", 1)
            parts[1] = f"L{int(number) + 2 * (int(number) > 3)}_{rest}"
        renumbered[".".join(parts)] = array
    shapes = {
        "mapping.embed.weight": (classes, 11),
        "mapping.embed_proj.weight": (7, 11),
        "mapping.embed_proj.bias": (7,),
        "mapping.fc0.weight": (9, 14),
        "mapping.fc0.bias": (9,),
        "mapping.fc1.weight": (9, 9),
        "mapping.fc1.bias": (9,),
        "mapping.w_avg": (classes, 9),
    }
    return renumbered | {name: draw(shape, dtype=np.float32) for name, shape in shapes.items()}


def module(native: Native, init_kwargs: dict[str, Any], **synthesis: Any) -> Any:
    """What NVIDIA's pickles hold; `synthesis` are attributes of that part."""
    root = remap.nvidia_module(native, init_kwargs)
    root.state["_modules"]["synthesis"].state.update(synthesis)
    return root
