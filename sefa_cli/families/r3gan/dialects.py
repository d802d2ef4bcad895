"""R3GAN as its authors write it; their names are the native ones."""

from sefa_cli.containers.checkpoint import Config
from sefa_cli.families.family import Model, Rules
from sefa_cli.families.names import Rule, State, translate
from sefa_cli.families.native_tensors import Network
from sefa_cli.families.r3gan import FIRST

_PARTS = r"Basis|Resampler\.Kernel|NonLinearity[12]\.Bias|LinearLayer(?:|[123]?\.Layer)\.weight"
_LAYERS = rf"MainLayers\.\d{{1,2}}\.Layers\.\d{{1,3}}\.(?:{_PARTS})"
_OUTER = r"(?:AggregationLayer\.Layer|EmbeddingLayer)\.weight"
RULES: dict[str, Rules] = {"brownvc": (Rule(_LAYERS), Rule(_OUTER))}


def read(dialect: str, rules: Rules, state: State) -> Model:
    """Return the model in a state of that dialect; the network checks the other shapes."""
    found = translate(state, rules, lambda _: {})
    network, label = Network(found, dialect, "R3GAN"), "EmbeddingLayer.weight"
    channels, side, _ = network.shape(f"{FIRST}.Basis", 3)
    network.expect(f"{FIRST}.Basis", (channels, side, side))
    inputs = network.shape(f"{FIRST}.LinearLayer.weight", 2)[1]
    network.expect(f"{FIRST}.LinearLayer.weight", (channels, inputs))
    embedded, classes = network.shape(label, 2) if label in network else (0, 0)
    stages = network.count("MainLayers.{}")
    for stage in range(stages):
        network.count(f"MainLayers.{stage}.Layers.{{}}")
    facts = {"resolution": side << (stages - 1), "z_dim": inputs - embedded, "c_dim": classes}
    facts["img_channels"] = network.shape("AggregationLayer.Layer.weight", 4)[0]
    network.ordered = dict(found.tensors)  # all are used
    config = Config({**facts, "w_dim": facts["z_dim"], "num_layers": 1, "space": "z"})
    return Model(dialect, config, found.tensors, network.left_out())
