"""What shapes cannot tell of a StyleGAN2: clamping and learning rate, and what a user should know.

Only NVIDIA's pickles hold it, twice: as attributes of the live modules, which are exact, and as the
arguments of the constructor. The ADA code base nests those (`synthesis_kwargs`) and clamps nothing
by default; the stylegan3 code base writes them flat and clamps at 256.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sefa_cli.checkpoints.dialects.names import State
from sefa_cli.checkpoints.inert import Record
from sefa_cli.checkpoints.leaves import as_number

_FLAT_CLAMP = 256
_LR_MULTIPLIER = 0.01
_CONVOLUTION = "synthesis.b4.conv1"
_DENSE = "mapping.fc0"

_KNOWN_ARGUMENTS = {
    *("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels"),
    *("mapping_kwargs", "synthesis_kwargs", "channel_base", "channel_max", "architecture"),
    *("resample_filter", "conv_clamp", "use_noise", "activation", "fused_modconv_default"),
    *("num_fp16_res", "use_fp16", "fp16_channels_last", "kernel_size"),
    *("num_layers", "embed_features", "layer_features", "lr_multiplier", "w_avg_beta"),
}
_LISTED = 4  # names shown in a note


def settings(state: State) -> dict[str, Any]:
    """`conv_clamp` (float or None) and `lr_multiplier` of the mapping network."""
    clamp = state.attribute(_CONVOLUTION, "conv_clamp", _clamp_argument(state))
    rate = state.attribute(_DENSE, "bias_gain", _LR_MULTIPLIER)
    return {
        "conv_clamp": _positive(as_number(clamp, state.path)),
        "lr_multiplier": _positive(as_number(rate, state.path)) or _LR_MULTIPLIER,
    }


def notes(state: State, tensors: Mapping[str, Any], unused: Sequence[str]) -> tuple[str, ...]:
    """Sentences on what is missing, unknown or left out."""
    return tuple(_notes(state, tensors, unused))


def _notes(state: State, tensors: Mapping[str, Any], unused: Sequence[str]) -> Iterator[str]:
    if "mapping.w_avg" not in tensors:
        yield "The file stores no mean w; truncation computes it from 10,000 samples."
    if f"{_CONVOLUTION}.noise_const" not in tensors:
        yield "The file stores no noise maps; the noise mode const adds none."
    if unused:
        yield f"Left out, as no part of a known generator: {_list(unused)}."
    odd = [name for name in _arguments(state) if name not in _KNOWN_ARGUMENTS]
    if odd:
        yield f"Built with arguments that are not known here: {_list(odd)}. Pictures may differ."
    for module in (_CONVOLUTION, _DENSE):
        activation = state.attribute(module, "activation", "lrelu")
        if activation != "lrelu":
            yield f"{module} has the activation {activation!r:.20}; lrelu is used."


def _list(names: Collection[str]) -> str:
    shown = ", ".join(f"{name!r:.60}" for name in list(names)[:_LISTED])
    return shown if len(names) <= _LISTED else f"{shown} and {len(names) - _LISTED} more"


def _mapping(value: Any) -> Mapping[str, Any]:
    """A dict, or the items of a dict's subclass (`dnnlib.util.EasyDict`)."""
    value = value.pairs if isinstance(value, Record) else value
    return value if isinstance(value, dict) else {}


def _constructor(state: State) -> Mapping[str, Any]:
    return _mapping(state.attribute("", "_init_kwargs"))


def _arguments(state: State) -> list[str]:
    outer = _constructor(state)
    inner = [_mapping(outer.get(part)) for part in ("mapping_kwargs", "synthesis_kwargs")]
    return [name for part in (outer, *inner) for name in part if isinstance(name, str)]


def _clamp_argument(state: State) -> Any:
    outer = _constructor(state)
    if not outer:
        return None
    if "synthesis_kwargs" in outer:
        return _mapping(outer["synthesis_kwargs"]).get("conv_clamp")
    return outer.get("conv_clamp", _FLAT_CLAMP)


def _positive(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value < math.inf else None
