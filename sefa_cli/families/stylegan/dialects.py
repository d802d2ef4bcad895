"""StyleGAN (1) as genforce and NVIDIA's TensorFlow code write it → names after NVIDIA's StyleGAN2.

Native: `mapping.fc{i}`, `mapping.label_weight (c_dim, z_dim)`, `mapping.w_avg`; `synthesis.b4.const
(C, 4, 4)`; for `synthesis.b{r}.conv0` and `conv1`: `.weight (out, in, 3, 3)` as a correlation
kernel, after nearest-neighbor doubling in conv0 (b4.conv0 has none: it is the constant's),
`.bias`, `.noise_strength (out)`, `.noise_const (r, r)`, `.affine.weight (2·out, w_dim)` with all
scales before all shifts, `.affine.bias` without the +1 of the scales; `synthesis.b{r}.torgb`.
From 128 px on the published code fuses doubling and convolution, which turns the stored kernel.
"""

import math
from typing import Any

import numpy as np

from sefa_cli.containers.checkpoint import Config, LazyTensor
from sefa_cli.families import tensorflow
from sefa_cli.families.arguments import positive
from sefa_cli.families.family import Model, Rules
from sefa_cli.families.names import (
    FLIPPED,
    ONE_MAP,
    UNBATCHED,
    Change,
    Rule,
    Shape,
    State,
    pair,
    translate,
)
from sefa_cli.families.native_tensors import START, Network, notes_on_absence
from sefa_cli.families.progressive import growing, lod_of
from sefa_cli.families.stylegan2.shapes import describe_mapping
from sefa_cli.families.tensorflow import HWIO, TRANSPOSED, argument

BLUR = "synthesis.blur_filter"
_FUSED_FROM = 128  # pixels; what `fused_scale="auto"`, the default, stands for
_RATE = 0.01  # of the mapping network, by default
_MOST_TAPS = 32 * 32
CHANNEL = Change(lambda s: s[2:] if len(s) == 4 and s[1] == 1 else s, lambda a: a[:1])

_GENFORCE = (
    *pair(r"mapping\.dense(\d{1,3})\.", "mapping.fc{n}."),
    Rule(r"mapping\.label_weight"),
    Rule(r"truncation\.w_avg", "mapping.w_avg"),
    Rule(r"synthesis\.lod", "lod"),
    Rule(r"synthesis\.layer0\.const", "synthesis.b4.const", UNBATCHED),
    *pair(r"synthesis\.layer(\d{1,3})\.", "{conv}."),
    *pair(r"synthesis\.layer(\d{1,3})\.style\.", "{conv}.affine."),
    Rule(r"synthesis\.layer(\d{1,3})\.apply_noise\.weight", "{conv}.noise_strength"),
    Rule(r"synthesis\.layer(\d{1,3})\.apply_noise\.noise", "{conv}.noise_const", ONE_MAP),
    *pair(r"synthesis\.output(\d{1,3})\.", "{rgb}."),
    Rule(r"synthesis\.layer\d{1,3}\.blur\.kernel", BLUR, CHANNEL),
)

_CONST, _CONV, _UP, _CONV1 = (
    r"synthesis/4x4/Const/",
    r"synthesis/4x4/Conv/",
    r"synthesis/(\d{1,6})x\1/Conv0_up/",
    r"synthesis/(\d{1,6})x\1/Conv1/",
)


def _layer(pattern: str, native: str) -> tuple[Rule, ...]:
    return (
        *pair(pattern, f"{native}.", HWIO),
        Rule(f"{pattern}Noise/weight", f"{native}.noise_strength"),
        *pair(f"{pattern}StyleMod/", f"{native}.affine.", TRANSPOSED),
    )


_TENSORFLOW = (
    *pair(r"mapping/Dense(\d{1,3})/", "mapping.fc{n}.", TRANSPOSED),
    Rule(r"mapping/LabelConcat/weight", "mapping.label_weight"),
    Rule(r"dlatent_avg", "mapping.w_avg"),
    Rule(r"(?:synthesis/)?lod", "lod"),
    Rule(r"synthesis/4x4/Const/const", "synthesis.b4.const", UNBATCHED),
    *_layer(_CONST, "synthesis.b4.conv0"),
    *_layer(_CONV, "synthesis.b4.conv1"),
    *_layer(_UP, "synthesis.b{n}.conv0"),
    *_layer(_CONV1, "synthesis.b{n}.conv1"),
    Rule(r"synthesis/noise(\d{1,3})", "{conv}.noise_const", ONE_MAP),
    *pair(r"synthesis/ToRGB_lod(\d{1,2})/", "{rgb_of_lod}.", HWIO),
)


def read(dialect: str, rules: Rules, state: State) -> Model:
    """Return the model in a state of that dialect."""
    top = tensorflow.top_block(state)

    def words(number: int) -> dict[str, str]:
        """Layers run b4.conv0, b4.conv1, b8.conv0, b8.conv1 …; outputs 4, 8 … or backwards."""
        number = min(max(number, 0), 99)  # more is refused later, as a block nobody has
        conv = f"synthesis.b{START << number // 2}.conv{number % 2}"
        rgb = f"synthesis.b{START << number}.torgb"
        return {"conv": conv, "rgb": rgb, "rgb_of_lod": f"synthesis.b{top >> number}.torgb"}

    found = translate(state, rules, words, shared=(BLUR, "lod"))
    lod = lod_of(found.tensors)
    blur = unusual_blur(
        found.tensors.pop(BLUR, None), tensorflow.filter_argument(state, "blur_filter")
    )
    _unfuse(found.tensors, argument(state, "fused_scale", "auto"))
    network = Network(found, dialect, "StyleGAN")
    rate = positive(argument(state, "mapping_lrmul", _RATE)) or _RATE
    config = {**describe(network), "lr_multiplier": rate, "lod": lod}
    tensors = {**network.ordered, **blur}
    about = (*network.left_out(), *tensorflow.argument_notes(state))
    said = (*notes_on_absence(tensors), *growing(lod), *about)
    return Model(dialect, Config(config), tensors, said)


def describe(network: Network) -> dict[str, Any]:
    """Return the configuration that the shapes imply. Raises SefaError at the first misfit."""
    mapping = describe_mapping(network)
    w_dim = mapping["w_dim"]
    network.expect("mapping.w_avg", (w_dim,), optional=True)
    channels, height, width = network.shape("synthesis.b4.const", 3)
    resolutions = network.resolutions()
    img_channels = network.shape(f"synthesis.b{resolutions[-1]}.torgb.weight", 4)[0]
    for r in resolutions:
        size = (height * r // START, width * r // START)
        for conv in ("conv0", "conv1"):
            name = f"synthesis.b{r}.{conv}"
            if (r, conv) != (START, "conv0"):
                inputs, channels = channels, network.shape(f"{name}.weight", 4)[0]
                network.expect(f"{name}.weight", (channels, inputs, 3, 3))
            _style(network, name, channels, w_dim, size)
        rgb, optional = f"synthesis.b{r}.torgb", r < resolutions[-1]
        network.expect(f"{rgb}.weight", (img_channels, channels, 1, 1), optional)
        network.expect(f"{rgb}.bias", (img_channels,), optional)
    return {
        "resolution": max(height, width) * resolutions[-1] // START,
        "img_channels": img_channels,
        **mapping,
        "num_layers": 2 * len(resolutions),
        "space": "w",
    }


def _style(network: Network, name: str, channels: int, w_dim: int, size: Shape) -> None:
    """Check what follows a convolution: bias, noise (optional), instance norm with style."""
    network.expect(f"{name}.bias", (channels,))
    network.expect(f"{name}.noise_strength", (channels,), optional=True)
    network.expect(f"{name}.noise_const", size, optional=True)
    network.expect(f"{name}.affine.weight", (2 * channels, w_dim))
    network.expect(f"{name}.affine.bias", (2 * channels,))


def _unfuse(tensors: dict[str, LazyTensor], fused: Any) -> None:
    """Turn the kernels that the published code uses in transposed convolutions."""
    start = _FUSED_FROM if fused == "auto" else 0 if fused else math.inf
    for name in [name for name in tensors if name.endswith("conv0.weight")]:
        if int(name.split(".")[1][1:]) >= start:
            tensors[name] = FLIPPED(tensors[name])


def unusual_blur(
    kernel: LazyTensor | None, taps: list[float] | None = None
) -> dict[str, LazyTensor]:
    """Return the blur's kernel, with sum 1, unless it is [1, 2, 1] ⊗ [1, 2, 1]."""
    usual = tensorflow.as_filter([1, 2, 1])
    if kernel is not None and math.prod(kernel.shape) <= _MOST_TAPS:
        found = kernel.float32()
    elif taps is not None:
        found = tensorflow.as_filter(taps)
    else:
        return {}
    if found.shape == usual.shape and np.allclose(found, usual, rtol=1e-4):
        return {}
    return {BLUR: LazyTensor(found.shape, "float32", lambda: found)}


RULES: dict[str, Rules] = {"genforce": _GENFORCE, "tensorflow": _TENSORFLOW}
