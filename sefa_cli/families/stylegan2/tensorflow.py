"""StyleGAN2 and ADA as NVIDIA's TensorFlow code writes them → NVIDIA's later names and layouts.

Kernels are (h, w, in, out), those that double the resolution turned; dense layers are transposed;
style biases lack their +1. Demodulation's epsilon is placed where NVIDIA's own converter puts it.
The paper's configurations B to D grew block by block: they have a to-RGB for each, of which only
the last, ToRGB_lod0, is shown.
"""

from typing import Any

from sefa_cli.containers.checkpoint import Config, LazyTensor
from sefa_cli.families import tensorflow
from sefa_cli.families.arguments import positive
from sefa_cli.families.family import Model, Rules
from sefa_cli.families.names import (
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
from sefa_cli.families.native_tensors import Network, notes_on_absence
from sefa_cli.families.stylegan2.dialects import FILTER, numbered
from sefa_cli.families.stylegan2.shapes import describe
from sefa_cli.families.tensorflow import HWIO, TRANSPOSED, argument, flipped

_RATE = 0.01  # of the mapping network, by default
_GROWN = "grown"  # what is of no use in a network that has grown up
_SIDE = r"synthesis/(\d{1,6})x\1"


def _modulated(theirs: str, native: str, up: bool = False) -> tuple[Rule, ...]:
    """Return the rules of a modulated convolution or to-RGB."""
    return (
        *pair(f"{theirs}/", f"{native}.", flipped(HWIO) if up else HWIO),
        Rule(f"{theirs}/noise_strength", f"{native}.noise_strength", SCALAR),
        *pair(f"{theirs}/mod_", f"{native}.affine.", TRANSPOSED, PLUS_ONE),
    )


_RULES = (
    *pair(r"mapping/Dense(\d{1,3})/", "mapping.fc{n}.", TRANSPOSED),
    Rule(r"mapping/LabelConcat/weight", "mapping.label_weight"),  # StyleGAN2
    *pair(r"mapping/LabelEmbed/", "mapping.embed.", TRANSPOSED),  # ADA
    Rule(r"dlatent_avg", "mapping.w_avg"),
    Rule(r"synthesis/4x4/Const/const", "synthesis.b4.const", UNBATCHED),
    *_modulated("synthesis/4x4/Conv", "synthesis.b4.conv1"),
    *_modulated(f"{_SIDE}/Conv0_up", "synthesis.b{n}.conv0", up=True),
    *_modulated(f"{_SIDE}/Conv1", "synthesis.b{n}.conv1"),
    *_modulated(f"{_SIDE}/ToRGB", "synthesis.b{n}.torgb"),
    *_modulated("synthesis/ToRGB_lod0", "{top}.torgb"),
    Rule(r"synthesis/ToRGB_lod\d{1,2}/\w+", _GROWN),
    Rule(f"{_SIDE}/Skip/weight", "synthesis.b{n}.skip.weight", flipped(HWIO)),
    Rule(r"synthesis/noise(\d{1,3})", "{conv}.noise_const", ONE_MAP),
    Rule(r"(?:synthesis/)?lod", _GROWN),
)


def read(dialect: str, rules: Rules, state: State) -> Model:
    """Return the model in a state of that dialect."""
    top = f"synthesis.b{tensorflow.top_block(state)}"
    found = translate(state, rules, lambda n: {**numbered(n), "top": top}, shared=(_GROWN,))
    found.tensors.pop(_GROWN, None)
    network = Network(found, dialect)
    config: dict[str, Any] = {
        **describe(network),
        "conv_clamp": positive(argument(state, "conv_clamp", None)),
        "lr_multiplier": positive(argument(state, "mapping_lrmul", _RATE)) or _RATE,
        "demod_scaled": False,
    }
    tensors = {**network.ordered, **_filter(state)}
    arguments = tensorflow.argument_notes(state)
    said = (*notes_on_absence(tensors), *network.left_out(), *arguments)
    return Model(dialect, Config(config), tensors, said)


def _filter(state: State) -> dict[str, LazyTensor]:
    """Return the resampling kernel, with sum 1, unless it is the usual one."""
    taps = tensorflow.filter_argument(state, "resample_kernel")
    kernel = None if taps is None else tensorflow.as_filter(taps)
    if kernel is None or is_default_filter(kernel):
        return {}
    return {FILTER: LazyTensor(kernel.shape, "float32", lambda: kernel)}


RULES: dict[str, Rules] = {"tensorflow": _RULES}
