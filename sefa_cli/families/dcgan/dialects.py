"""DCGAN as PyTorch's example writes it; its names `main.{i}` are the native ones.

`main` is a sequence of transposed convolutions, batch norms and ReLUs, and i counts them all:
`main.0.weight` (z, outputs, k, k) takes z to k × k pixels, and every convolution after it, of
shape (inputs, outputs, 4, 4), doubles the side. The norms' running statistics are kept.
"""

from typing import Any

from sefa_cli.containers.checkpoint import Config
from sefa_cli.families.family import Model, Rules
from sefa_cli.families.names import Rule, State, translate
from sefa_cli.families.native_tensors import Network

_RULES = (Rule(r"main\.\d{1,3}\.(?:weight|bias|running_mean|running_var)"),)
_DOUBLING = 4  # kernel side of a transposed convolution with stride 2 and padding 1


def read(dialect: str, rules: Rules, state: State) -> Model:
    """Return the model in a state of that dialect."""
    found = translate(state, rules, lambda _: {})
    places = [int(name.split(".")[1]) for name, t in found.tensors.items() if len(t.shape) == 4]
    network = Network(found, dialect, "DCGAN")
    config = _describe(network, sorted(places))
    return Model(dialect, Config(config), network.ordered, network.left_out())


def _describe(network: Network, places: list[int]) -> dict[str, Any]:
    """Return the configuration that the shapes imply; `places` are those of the convolutions."""
    z_dim, _, side, _ = network.shape("main.0.weight", 4)
    channels, resolution, i = z_dim, side, 0
    while i <= places[-1]:
        outputs, kernel = network.shape(f"main.{i}.weight", 4)[1], _DOUBLING if i else side
        network.expect(f"main.{i}.weight", (channels, outputs, kernel, kernel))
        network.expect(f"main.{i}.bias", (outputs,), optional=True)
        normed = f"main.{i + 1}.running_mean" in network
        if normed:
            for part in ("weight", "bias", "running_mean", "running_var"):
                network.expect(f"main.{i + 1}.{part}", (outputs,))
        channels, resolution = outputs, resolution * (2 if i else 1)
        i += 3 if normed else 2  # an activation comes last
    return {
        "resolution": resolution,
        "img_channels": channels,
        "z_dim": z_dim,
        "w_dim": z_dim,
        "c_dim": 0,
        "num_layers": 1,
        "space": "z",
    }


RULES: dict[str, Rules] = {"pytorch-example": _RULES}
