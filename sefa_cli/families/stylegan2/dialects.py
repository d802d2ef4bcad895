"""StyleGAN2 of NVIDIA, rosinality, BasicSR, mmgen, genforce, Hammer → NVIDIA's names and layouts.

What differs between them, besides names: genforce stores up-sampling kernels unflipped and style
biases without their +1; all but NVIDIA keep leading axes of size one; all but NVIDIA and Hammer
demodulate weights already scaled by 1/√fan_in, which matters through the epsilon alone.
"""

import math
import re

import numpy as np

from sefa_cli.containers.checkpoint import Config, LazyTensor
from sefa_cli.containers.faults import FileError, damaged
from sefa_cli.families.arguments import MMGEN_COLORS
from sefa_cli.families.family import Model, Rules
from sefa_cli.families.names import (
    FIRST_ROW,
    FLAT,
    FLIPPED,
    ONE_MAP,
    PLUS_ONE,
    SCALAR,
    UNBATCHED,
    Rule,
    State,
    is_default_filter,
    pair,
    translate,
)
from sefa_cli.families.native_tensors import BY_NAME, Network, notes_on_absence
from sefa_cli.families.stylegan2.settings import notes, settings
from sefa_cli.families.stylegan2.shapes import describe

FILTER = "synthesis.resample_filter"
_MOST_TAPS = 32 * 32
_ONE_WIDTH = ("rosinality", "basicsr", "mmgen")  # z and w are equally long

_LAYER = r"synthesis\.b\d{1,6}\.(?:conv0|conv1|torgb)"
_AFFINE = r"affine\.(?:weight|bias)"

_NVIDIA = (
    Rule(r"mapping\.(?:w_avg|embed\.weight|embed\.bias)"),
    Rule(r"mapping\.fc\d{1,3}\.(?:weight|bias)"),
    Rule(r"synthesis\.b4\.const"),
    Rule(rf"{_LAYER}\.(?:weight|bias|noise_const|{_AFFINE})"),
    Rule(rf"{_LAYER}\.noise_strength", change=SCALAR),
    Rule(r"synthesis\.b\d{1,6}\.skip\.weight"),
    Rule(r"synthesis\.b\d{1,6}\.(?:\w+\.)?resample_filter", FILTER),
)


def _in_order(
    kernel: str, scale: str, shift: str, noise: str, bias: str, prefix: str = ""
) -> tuple[Rule, ...]:
    """Return rules for convolutions and to-RGBs that are numbered as rosinality's.

    Arguments are names inside a layer; `prefix` begins the names of convolutions.
    """
    rules: list[Rule] = []
    for theirs, ours, own_bias, start in (
        (f"{prefix}conv1", "{conv}", bias, 0),
        (rf"{prefix}convs\.(\d{{1,3}})", "{conv}", bias, 1),
        ("to_rgb1", "{rgb}", "bias", 0),
        (r"to_rgbs\.(\d{1,3})", "{rgb}", "bias", 1),
    ):
        rules += (
            Rule(rf"{theirs}\.{kernel}", f"{ours}.weight", UNBATCHED, start),
            Rule(rf"{theirs}\.{scale}", f"{ours}.affine.weight", shift=start),
            Rule(rf"{theirs}\.{shift}", f"{ours}.affine.bias", shift=start),
            Rule(rf"{theirs}\.{noise}", f"{ours}.noise_strength", SCALAR, start),
            Rule(rf"{theirs}\.{own_bias}", f"{ours}.bias", FLAT, start),
        )
    return tuple(rules)


_KERNELS = Rule(r"(?:convs\.\d{1,3}\.conv\.blur|to_rgbs\.\d{1,3}\.upsample)\.kernel", FILTER)

_ROSINALITY = (
    *pair(r"style\.(\d{1,3})\.", "mapping.fc{n}.", shift=-1),  # style.0 normalizes
    Rule(r"latent_avg", "mapping.w_avg", FIRST_ROW),
    Rule(r"input\.input", "synthesis.b4.const", UNBATCHED),
    *_in_order(
        r"conv\.weight",
        r"conv\.modulation\.weight",
        r"conv\.modulation\.bias",
        r"noise\.weight",
        r"activate\.bias",
    ),
    Rule(r"noises\.noise_(\d{1,3})", "{conv}.noise_const", ONE_MAP),
    _KERNELS,
)

_BASICSR = (  # resampling kernels are not stored
    *pair(r"style_mlp\.(\d{1,3})\.", "mapping.fc{n}.", shift=-1),
    Rule(r"latent_avg", "mapping.w_avg", FIRST_ROW),
    Rule(r"constant_input\.weight", "synthesis.b4.const", UNBATCHED),
    *_in_order(
        r"modulated_conv\.weight",
        r"modulated_conv\.modulation\.weight",
        r"modulated_conv\.modulation\.bias",
        "weight",
        r"(?:activate\.)?bias",
        "style_",
    ),
    Rule(r"noises\.noise(\d{1,3})", "{conv}.noise_const", ONE_MAP),
)

_MMGEN = (  # MMGeneration and mmagic
    Rule(r"style_mapping\.(\d{1,3})\.linear\.weight_orig", "mapping.fc{n}.weight", shift=-1),
    Rule(r"style_mapping\.(\d{1,3})\.bias", "mapping.fc{n}.bias", shift=-1),
    Rule(r"constant_input\.(?:input|weight)", "synthesis.b4.const", UNBATCHED),
    *_in_order(
        r"conv\.weight_orig",
        r"conv\.style_modulation\.linear\.weight_orig",
        r"conv\.style_modulation\.bias",
        r"noise_injector\.weight",
        r"activate\.bias",
    ),
    Rule(r"injected_noise_(\d{1,3})", "{conv}.noise_const", ONE_MAP),
    _KERNELS,
)

# What genforce and Hammer, its successor, have in common.
_GENFORCE_AND_HAMMER = (
    *pair(r"mapping\.dense(\d{1,3})\.", "mapping.fc{n}."),
    Rule(r"synthesis\.early_layer\.const", "synthesis.b4.const", UNBATCHED),
    Rule(r"synthesis\.layer(\d{1,3})\.bias", "{conv}.bias"),
    Rule(r"synthesis\.layer(\d{1,3})\.style\.weight", "{conv}.affine.weight"),
    Rule(r"synthesis\.layer(\d{1,3})\.noise", "{conv}.noise_const", ONE_MAP),
    Rule(r"synthesis\.layer(\d{1,3})\.noise_strength", "{conv}.noise_strength", SCALAR),
    *pair(r"synthesis\.output(\d{1,3})\.", "{rgb}."),
    Rule(r"synthesis\.output(\d{1,3})\.style\.weight", "{rgb}.affine.weight"),
)

_GENFORCE = (
    *_GENFORCE_AND_HAMMER,
    Rule(r"mapping\.label_weight"),
    Rule(r"truncation\.w_avg", "mapping.w_avg"),
    Rule(r"synthesis\.layer(\d{0,2}[13579])\.weight", "{conv}.weight", FLIPPED),
    Rule(r"synthesis\.layer(\d{0,2}[02468])\.weight", "{conv}.weight"),
    Rule(r"synthesis\.layer(\d{1,3})\.style\.bias", "{conv}.affine.bias", PLUS_ONE),
    Rule(r"synthesis\.output(\d{1,3})\.style\.bias", "{rgb}.affine.bias", PLUS_ONE),
    Rule(r"synthesis\.(?:layer\d{1,3}\.filter|upsample)\.kernel", FILTER, ONE_MAP),
)

_HAMMER = (
    *_GENFORCE_AND_HAMMER,
    *pair(r"mapping\.embedding\.", "mapping.embed."),
    Rule(r"w_avg", "mapping.w_avg"),
    Rule(r"synthesis\.layer(\d{1,3})\.weight", "{conv}.weight"),
    Rule(r"synthesis\.layer(\d{1,3})\.style\.bias", "{conv}.affine.bias"),
    Rule(r"synthesis\.output(\d{1,3})\.style\.bias", "{rgb}.affine.bias"),
    Rule(r"synthesis\.residual(\d{1,3})\.weight", "synthesis.b{resolution}.skip.weight"),
    Rule(r"synthesis\.(?:layer\d{1,3}\.|residual\d{1,3}\.)?filter", FILTER),
)


def numbered(number: int) -> dict[str, str]:
    """Return names by number: convolutions from b4.conv1 on, blocks from 4 px on."""
    number = min(max(number, 0), 99)  # more is refused later, as a block nobody has
    conv = f"synthesis.b{4 << (number + 1) // 2}.conv{1 - number % 2}"
    return {"conv": conv, "rgb": f"synthesis.b{4 << number}.torgb", "resolution": str(4 << number)}


def read(dialect: str, rules: Rules, state: State) -> Model:
    """Return the model in a state of that dialect."""
    _refuse_siblings(state)
    found = translate(state, rules, numbered, shared=(FILTER,))
    kernel = found.tensors.pop(FILTER, None)
    network = Network(found, dialect)
    config = {
        **describe(network),
        **settings(state),
        "demod_scaled": dialect not in ("nvidia", "hammer"),
    }
    label_lost = dialect in _ONE_WIDTH and config["z_dim"] > config["w_dim"]
    if label_lost:
        config["label_lost"] = True
    tensors = {**network.ordered, **_unusual(kernel)}
    colors = (MMGEN_COLORS,) if dialect == "mmgen" else ()
    said = (*notes_on_absence(tensors), *network.left_out(), *notes(state, label_lost), *colors)
    return Model(dialect, Config(config), tensors, said)


def _refuse_siblings(state: State) -> None:
    """Raise SefaError for networks with a dialect's names whose arithmetic is another."""
    bias = state.leaves.get("style_conv1.bias")  # (1, channels, 1, 1) in the clean one alone
    shared = state.tensor(bias) if bias is not None else None
    if any(re.search(r"\b(?:iwt|dwt)\.", name) for name in state.leaves):
        sibling = "a SWAGAN generator, which paints in wavelets"
    elif shared is not None and len(shared.shape) == 4:
        sibling = "GFPGAN's “clean” StyleGAN2, which up-samples bilinearly"
    else:
        return
    raise FileError(f"holds {sibling}: this is not supported", remedy=BY_NAME)


def _unusual(kernel: LazyTensor | None) -> dict[str, LazyTensor]:
    """Return the resampling kernel, with sum 1, unless it is the usual one."""
    if kernel is None:
        return {}
    if math.prod(kernel.shape) > _MOST_TAPS:
        raise damaged(f"a resampling kernel has the shape {kernel.shape}")
    taps = kernel.float32()
    if is_default_filter(taps):
        return {}
    total = float(taps.sum())
    if not math.isfinite(total) or total == 0:
        raise damaged(f"a resampling kernel sums up to {total}")
    return {FILTER: LazyTensor(taps.shape, "float32", lambda: taps / np.float32(total))}


RULES: dict[str, Rules] = {
    "nvidia": _NVIDIA,
    "rosinality": _ROSINALITY,
    "basicsr": _BASICSR,
    "mmgen": _MMGEN,
    "genforce": _GENFORCE,
    "hammer": _HAMMER,
}
