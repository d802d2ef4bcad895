"""What names and shapes cannot tell of a StyleGAN3, and what a user should know of it.

NVIDIA's pickles hold it twice: as attributes of the live modules, which are exact, and as the
arguments of the constructor, where defaults are absent. All other files get the defaults.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sefa_cli.containers.tensor_records import as_number
from sefa_cli.families.arguments import argument_names, as_dict, constructor, note_unknown, positive
from sefa_cli.families.names import State

_LR_MULTIPLIER = 0.01
_OUTPUT_SCALE, _FIRST_CUTOFF = 0.25, 2.0
_CLAMP = 256
_LRELU_UPSAMPLING, _MOST_UPSAMPLING = 2, 64
_INPUT = "synthesis.input"

_KNOWN_ARGUMENTS = {
    *("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels", "mapping_kwargs"),
    *("synthesis_kwargs", "num_layers", "lr_multiplier", "w_avg_beta", "rand_embedding"),
    *("channel_base", "channel_max", "num_critical", "first_cutoff", "first_stopband"),
    *("last_stopband_rel", "margin_size", "output_scale", "num_fp16_res", "conv_kernel"),
    *("filter_size", "lrelu_upsampling", "use_radial_filters", "conv_clamp"),
    *("magnitude_ema_beta", "path_stem", "head_layers", "up_factor"),
}


def settings(state: State) -> dict[str, Any]:
    """Return `conv_clamp` (None: no limit), `output_scale`, `lr_multiplier` and two more.

    `first_cutoff`, in cycles across the picture, is what the input layer's frequencies stay below
    (None where the file does not say);
    `lrelu_upsampling` is by how much the sampling rate is higher at the leaky ReLU.
    """
    given = {**as_dict(constructor(state).get("synthesis_kwargs")), **constructor(state)}
    clamp = next(
        (m["conv_clamp"] for n, m in state.modules.items() if ".L0_" in n and "conv_clamp" in m),
        given.get("conv_clamp", _CLAMP),
    )
    scale = state.attribute("synthesis", "output_scale", given.get("output_scale"))
    default = _FIRST_CUTOFF if given else None
    cutoff = state.attribute(_INPUT, "bandwidth", given.get("first_cutoff", default))
    raised = positive(as_number(given.get("lrelu_upsampling")))
    rate = state.attribute("mapping.fc0", "bias_gain", _LR_MULTIPLIER)
    return {
        "conv_clamp": positive(as_number(clamp)),
        "output_scale": positive(as_number(scale)) or _OUTPUT_SCALE,
        "first_cutoff": positive(as_number(cutoff)),
        "lrelu_upsampling": min(int(raised or _LRELU_UPSAMPLING), _MOST_UPSAMPLING),
        "lr_multiplier": positive(as_number(rate)) or _LR_MULTIPLIER,
    }


def notes(state: State, tensors: Mapping[str, Any]) -> Iterator[str]:
    """Yield sentences on what is missing or not known here."""
    if "mapping.w_avg" not in tensors:
        yield "The file stores no mean w; truncation computes it from 10,000 samples."
    if "mapping.embed_proj.weight" in tensors:
        yield "This is a StyleGAN-XL generator: it can be factorized, pictures are not supported."
    yield from note_unknown(argument_names(state), _KNOWN_ARGUMENTS)
