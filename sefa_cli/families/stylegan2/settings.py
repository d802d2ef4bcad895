"""What shapes cannot tell of a StyleGAN2: clamping and learning rate, and what a user should know.

Only NVIDIA's pickles hold it, twice: as attributes of the live modules, which are exact, and as the
arguments of the constructor. The ADA code base nests those (`synthesis_kwargs`) and clamps nothing
by default; the stylegan3 code base writes them flat and clamps at 256.
"""

from collections.abc import Iterator
from typing import Any

from sefa_cli.containers.tensor_records import as_number
from sefa_cli.families.arguments import argument_names, as_dict, constructor, note_unknown, positive
from sefa_cli.families.names import State

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


def settings(state: State) -> dict[str, Any]:
    """`conv_clamp` (float or None) and `lr_multiplier` of the mapping network."""
    clamp = state.attribute(_CONVOLUTION, "conv_clamp", _clamp_argument(state))
    rate = state.attribute(_DENSE, "bias_gain", _LR_MULTIPLIER)
    return {
        "conv_clamp": positive(as_number(clamp)),
        "lr_multiplier": positive(as_number(rate)) or _LR_MULTIPLIER,
    }


def notes(state: State, label_lost: bool) -> Iterator[str]:
    """Yield sentences on a lost label, and on arguments and activations that are not known."""
    if label_lost:
        yield "The label embedding was not exported: codes can be edited, seeds cannot be used."
    yield from note_unknown(argument_names(state), _KNOWN_ARGUMENTS)
    for module in (_CONVOLUTION, _DENSE):
        activation = state.attribute(module, "activation", "lrelu")
        if activation != "lrelu":
            yield f"{module} has the activation {activation!r:.20}; lrelu is used."


def _clamp_argument(state: State) -> Any:
    outer = constructor(state)
    if not outer:
        return None
    if "synthesis_kwargs" in outer:
        return as_dict(outer["synthesis_kwargs"]).get("conv_clamp")
    return outer.get("conv_clamp", _FLAT_CLAMP)
