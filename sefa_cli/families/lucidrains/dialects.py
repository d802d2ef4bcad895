"""StyleGAN2 as lucidrains/stylegan2-pytorch builds it: a family of its own, with its own names.

The blocks are StyleGAN2's, the arithmetic is not (network.py), and one code drives
both convolutions and the to-RGB of a block. Native names: `mapping.fc{i}`; `synthesis.const
(C, 4, 4)`; `synthesis.initial_conv` and `synthesis.blur (3,)` where the version has them; and per
block `synthesis.blocks.{i}.conv1`, `.conv2`, `.torgb`, each with `.weight`, `.affine.weight`,
`.affine.bias` (with the 1 that is added at run time) and, for convolutions, `.noise_weight (C,)`
and `.noise_bias (C,)`. Shapes give the whole configuration.
"""

from collections.abc import Iterator
from typing import Any

from sefa_cli.containers.checkpoint import Config
from sefa_cli.families.family import Model, Rules
from sefa_cli.families.names import FLAT, PLUS_ONE, UNBATCHED, Rule, State, pair, translate
from sefa_cli.families.native_tensors import Network

_BLUR = "synthesis.blur"
_OTHER_NETWORKS = ("S.", "G.", "D.", "D_aug.", "D_cl.")  # in the same list, for training
_BLOCK = r"GE\.blocks\.(\d{1,2})"
_OURS = "synthesis.blocks.{n}"

_RULES = (
    *pair(r"SE\.net\.(\d{1,3})\.", "mapping.fc{half}."),  # activations in between
    Rule(r"GE\.initial_block", "synthesis.const", UNBATCHED),
    *pair(r"GE\.initial_conv\.", "synthesis.initial_conv."),
    *(
        rule
        for k in (1, 2)
        for rule in (
            Rule(rf"{_BLOCK}\.conv{k}\.weight", f"{_OURS}.conv{k}.weight"),
            *pair(rf"{_BLOCK}\.to_style{k}\.", f"{_OURS}.conv{k}.affine.", bias=PLUS_ONE),
            *pair(rf"{_BLOCK}\.to_noise{k}\.", f"{_OURS}.conv{k}.noise_", FLAT),
        )
    ),
    Rule(rf"{_BLOCK}\.to_rgb\.conv\.weight", f"{_OURS}.torgb.weight"),
    *pair(rf"{_BLOCK}\.to_rgb\.to_style\.", f"{_OURS}.torgb.affine.", bias=PLUS_ONE),
    Rule(rf"{_BLOCK}\.to_rgb\.upsample\.1\.f", _BLUR, FLAT),
)


def _words(number: int) -> dict[str, str]:
    return {"half": str(number // 2)}


def read(dialect: str, rules: Rules, state: State) -> Model:
    """Return the model in a state of that dialect."""
    leaves = {n: leaf for n, leaf in state.leaves.items() if not n.startswith(_OTHER_NETWORKS)}
    found = translate(state._replace(leaves=leaves), rules, _words, shared=(_BLUR,))
    network = Network(found, dialect)
    for name in found.unknown:
        if name.startswith(("GE.attns.", "GE.to_initial_block.")):
            option = "attn_layers" if name.startswith("GE.attns.") else "no_const"
            raise network.refusal(f"it was trained with {option}, which is not known here")
    config = _describe(network)
    notes = (*_notes(config), *network.left_out())
    return Model(dialect, Config(config), network.ordered, notes)


def _describe(network: Network) -> dict[str, Any]:
    """Return the configuration. Raises SefaError at the first tensor that does not fit."""
    w_dim = network.shape("mapping.fc0.weight", 2)[1]
    depth, blocks = network.count("mapping.fc{}"), network.count("synthesis.blocks.{}")
    for i in range(depth):
        network.expect(f"mapping.fc{i}.weight", (w_dim, w_dim))
        network.expect(f"mapping.fc{i}.bias", (w_dim,))
    channels, *side = network.shape("synthesis.const", 3)
    network.expect("synthesis.const", (channels, side[0], side[0]))
    current = "synthesis.initial_conv.weight" in network
    if current:
        network.expect("synthesis.initial_conv.weight", (channels, channels, 3, 3))
        network.expect("synthesis.initial_conv.bias", (channels,))
    network.expect(_BLUR, (3,), optional=True)
    img_channels = network.shape("synthesis.blocks.0.torgb.weight", 4)[0]
    for i in range(blocks):
        name = f"synthesis.blocks.{i}"
        channels = _layer(network, f"{name}.conv1", channels, w_dim)
        channels = _layer(network, f"{name}.conv2", channels, w_dim)
        network.expect(f"{name}.torgb.weight", (img_channels, channels, 1, 1))
        _affine(network, f"{name}.torgb", channels, w_dim)
    return {
        "resolution": side[0] << (blocks - 1),
        "img_channels": img_channels,
        "z_dim": w_dim,
        "w_dim": w_dim,
        "c_dim": 0,
        "num_layers": blocks,
        "space": "w",
        "mapping_layers": depth,
        "lr_multiplier": 0.1 if current else 1.0,
        "normalize_z": current,
    }


def _layer(network: Network, name: str, inputs: int, w_dim: int) -> int:
    outputs = network.shape(f"{name}.weight", 4)[0]
    network.expect(f"{name}.weight", (outputs, inputs, 3, 3))
    network.expect(f"{name}.noise_weight", (outputs,))
    network.expect(f"{name}.noise_bias", (outputs,))
    _affine(network, name, inputs, w_dim)
    return outputs


def _affine(network: Network, name: str, inputs: int, w_dim: int) -> None:
    network.expect(f"{name}.affine.weight", (inputs, w_dim))
    network.expect(f"{name}.affine.bias", (inputs,))


def _notes(config: dict[str, Any]) -> Iterator[str]:
    yield "The file stores no mean w; truncation computes it from 10,000 samples."
    yield "The file stores no noise map; the noise mode const draws one from seed 0."
    if not config["normalize_z"]:
        yield "An early version wrote it: its mapping network takes z and its weights as they are."


RULES: dict[str, Rules] = {"lucidrains": _RULES}
