"""StyleGAN3 (T, R, StyleGAN-XL) as NVIDIA, Hammer and MMGeneration write it → NVIDIA's names.

Native names are NVIDIA's: `synthesis.input.*` and, by the order in which they run,
`synthesis.L{i}_{size}_{channels}.*`, the last of which is the to-RGB. Hammer writes `layer{i}`,
without sizes; MMGeneration calls the mapping network otherwise. StyleGAN-XL keeps NVIDIA's names,
with numbers left out where its super-resolution layers begin; its mapping network has a table of
class embeddings, `mapping.embed.weight (classes, features)`, a dense layer `mapping.embed_proj`,
and a mean w for every class.
"""

from sefa_cli.containers.checkpoint import Config
from sefa_cli.families.family import Model, Rules
from sefa_cli.families.names import SCALAR, Rule, State, Translation, pair, translate
from sefa_cli.families.native_tensors import Network
from sefa_cli.families.stylegan3.geometry import first_cutoff, sized_names
from sefa_cli.families.stylegan3.settings import notes, settings
from sefa_cli.families.stylegan3.shapes import describe

_AFFINE = r"affine\.(?:weight|bias)"
_LAYER = r"synthesis\.L\d{1,3}_\d{1,5}_\d{1,5}"
_GRID = "synthesis.input.grid"  # Hammer's; it follows from size and sampling rate

_NVIDIA = (
    Rule(r"mapping\.(?:w_avg|(?:embed|embed_proj|fc\d{1,3})\.(?:weight|bias))"),
    Rule(rf"synthesis\.input\.(?:weight|freqs|phases|transform|{_AFFINE})"),
    Rule(rf"{_LAYER}\.(?:weight|bias|up_filter|down_filter|{_AFFINE})"),
    Rule(rf"{_LAYER}\.magnitude_ema", change=SCALAR),
)

_MMGEN = (
    Rule(r"style_mapping\.w_avg", "mapping.w_avg"),
    *pair(r"style_mapping\.fc(\d{1,3})\.", "mapping.fc{n}."),
    *pair(r"style_mapping\.embed\.", "mapping.embed."),
    *_NVIDIA[1:],
)

_HAMMER = (
    Rule(r"w_avg", "mapping.w_avg"),
    *pair(r"mapping\.dense(\d{1,3})\.", "mapping.fc{n}."),
    *pair(r"mapping\.embedding\.", "mapping.embed."),
    Rule(r"synthesis\.early_layer\.weight", "synthesis.input.weight"),
    *pair(r"synthesis\.early_layer\.affine\.", "synthesis.input.affine."),
    Rule(r"synthesis\.early_layer\.transform", "synthesis.input.transform"),
    Rule(r"synthesis\.early_layer\.frequency", "synthesis.input.freqs"),
    Rule(r"synthesis\.early_layer\.phase", "synthesis.input.phases"),
    Rule(r"synthesis\.early_layer\.grid", _GRID),
    Rule(r"synthesis\.layer(\d{1,3})\.magnitude_ema", "synthesis.L{n}.magnitude_ema", SCALAR),
    Rule(r"synthesis\.layer(\d{1,3})\.conv\.weight", "synthesis.L{n}.weight"),
    *pair(r"synthesis\.layer(\d{1,3})\.conv\.style\.", "synthesis.L{n}.affine."),
    Rule(r"synthesis\.layer(\d{1,3})\.filter\.bias", "synthesis.L{n}.bias"),
    Rule(r"synthesis\.layer(\d{1,3})\.filter\.up_filter", "synthesis.L{n}.up_filter"),
    Rule(r"synthesis\.layer(\d{1,3})\.filter\.down_filter", "synthesis.L{n}.down_filter"),
)


def read(dialect: str, rules: Rules, state: State) -> Model:
    """Return the model in a state of that dialect."""
    found = translate(state, rules, lambda _: {})
    grid = found.tensors.pop(_GRID, None)
    if dialect == "hammer":
        found = _renamed(found, sized_names(found.tensors, grid))
    network = Network(found, dialect, "StyleGAN3")
    given = settings(state)
    config = {**describe(network, found.tensors, given["lrelu_upsampling"]), **given}
    config["first_cutoff"] = config["first_cutoff"] or first_cutoff(found.tensors)
    said = (*network.left_out(), *notes(state, network.ordered))
    return Model(dialect, Config(config), network.ordered, said)


def _renamed(found: Translation, layers: dict[str, str]) -> Translation:
    """Return the same tensors with the layers' full names in place of their short ones."""

    def full(name: str) -> str:
        synthesis, layer, rest = (*name.split(".", 2), "", "")[:3]
        return f"{synthesis}.{layers[layer]}.{rest}" if layer in layers else name

    return Translation(
        {full(name): tensor for name, tensor in found.tensors.items()},
        {full(name): theirs for name, theirs in found.names.items()},
        found.unknown,
    )


RULES: dict[str, Rules] = {"nvidia": _NVIDIA, "mmgen": _MMGEN, "hammer": _HAMMER}
