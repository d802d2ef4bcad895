"""R3GAN as its authors write it; their names, without a wrapper's `Model.`, are the native ones."""

from sefa_cli.containers.checkpoint import Config
from sefa_cli.families.arguments import listed
from sefa_cli.families.family import Model, Rules
from sefa_cli.families.names import Rule, State, translate
from sefa_cli.families.native_tensors import Network
from sefa_cli.families.r3gan import FIRST

_PARTS = r"Basis|Resampler\.Kernel|NonLinearity[12]\.Bias|LinearLayer(?:|[123]?\.Layer)\.weight"
RULES: dict[str, Rules] = {
    "brownvc": (
        Rule(rf"(?:Model\.)?MainLayers\.\d{{1,2}}\.Layers\.\d{{1,3}}\.(?:{_PARTS})"),
        Rule(r"(?:Model\.)?(?:AggregationLayer\.Layer|EmbeddingLayer)\.weight"),
    )
}


def read(dialect: str, rules: Rules, state: State) -> Model:
    """Return the model in a state of that dialect; the network checks the other shapes."""
    leaves = {name.removeprefix("Model."): leaf for name, leaf in state.leaves.items()}
    found = translate(state._replace(leaves=leaves), rules, lambda _: {})
    network = Network(found.tensors, found.names, dialect, "R3GAN")
    channels, side, _ = network.shape(f"{FIRST}.Basis", 3)
    network.expect(f"{FIRST}.Basis", (channels, side, side))
    inputs, stages, label = network.shape(f"{FIRST}.LinearLayer.weight", 2)[1], 1, "EmbeddingLayer"
    network.expect(f"{FIRST}.LinearLayer.weight", (channels, inputs))
    embedded, classes = (
        network.shape(f"{label}.weight", 2) if f"{label}.weight" in network else (0, 0)
    )
    while f"MainLayers.{stages}.Layers.0.Resampler.Kernel" in network:
        stages += 1
    facts = {"resolution": side << (stages - 1), "z_dim": inputs - embedded, "c_dim": classes}
    facts["img_channels"] = network.shape("AggregationLayer.Layer.weight", 4)[0]
    config = Config({**facts, "w_dim": facts["z_dim"], "num_layers": 1, "space": "z"})
    unknown = f"Not part of a known generator, left out: {listed(found.unknown)}."
    return Model(dialect, config, found.tensors, (unknown,) if found.unknown else ())
