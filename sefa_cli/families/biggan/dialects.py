"""BigGAN-deep as Hugging Face, BigGAN as its author, both as MMGeneration writes them → one naming.

No published naming can hold every network, so the native one takes from all:
`embedding.weight` (classes, e); `linear` (channels · 4 · 4, z + e or a chunk of z), its rows by
channel, y, x; `blocks.{i}.bn{j}.{scale,offset}.weight` (channels, z + e or chunk + e), the
columns of z first, with `.mean` and `.var` (statistics, channels), one row per truncation;
`blocks.{i}.conv{j}`, called `conv{j}_up` where the block doubles the side before it;
`blocks.{i}.shortcut`; `attention.{i}.{theta,phi,g,o,gamma}`, which comes before block i; `norm`
and `to_rgb`. Weights are as stored, with the vectors `u` (outputs,) and, if the file has it, `v`
(inputs,) of their spectral norm with them.

MMGeneration (and mmagic after it) numbers blocks and attention in one list, as Hugging Face does,
and keeps one row of statistics. Its BigGAN-deep sees z before the label, its BigGAN after it; both
normalize with 1e-5, where Hugging Face's file of the same weights says 1e-4.
"""

import math
import re
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from sefa_cli.containers.checkpoint import Config, LazyTensor
from sefa_cli.families.arguments import MMGEN_COLORS
from sefa_cli.families.biggan.config_json import read_config
from sefa_cli.families.biggan.shapes import describe
from sefa_cli.families.family import Model, Reader, Rules
from sefa_cli.families.names import (
    AS_STORED,
    FLAT,
    SCALAR,
    Change,
    Rule,
    State,
    Translation,
    pair,
    translate,
)
from sefa_cli.families.native_tensors import Network

_TRANSPOSED = Change(lambda shape: shape[::-1], lambda a: a.T)
_ONE_ROW = Change(lambda shape: (1, *shape))
# The rows of the deep network's first linear layer come as y, x, channel.
_CHANNELS_FIRST = Change(
    numbers=lambda a: a.reshape(4, 4, len(a) // 16, -1).transpose(2, 0, 1, 3).reshape(a.shape)
)
_CHANNELS_FIRST_FLAT = Change(FLAT.shape, lambda a: a.reshape(4, 4, -1).transpose(2, 0, 1))
_OF_NORMS = re.compile(r"blocks\.\d+\.bn\d\.(?:scale|offset)\.(?:weight|v)")
_FIRST_SCALE = "blocks.0.bn0.scale.weight"
_MOST_ROWS = 1000  # of an embedding that no file holds
_UNUSED = "unused"  # singular values and counters


def _hugging_face() -> Iterator[Rule]:
    def normalized(theirs: str, ours: str, change: Change = AS_STORED) -> Iterator[Rule]:
        for part, name in (("weight_orig", "weight"), ("weight_u", "u"), ("bias", "bias")):
            yield Rule(rf"{theirs}\.{part}", f"{ours}.{name}", change)
        yield Rule(rf"{theirs}\.weight_v", f"{ours}.v")

    def statistics(theirs: str, ours: str) -> Iterator[Rule]:
        yield Rule(rf"{theirs}\.running_means", f"{ours}.mean")
        yield Rule(rf"{theirs}\.running_vars", f"{ours}.var")

    yield Rule(r"embeddings\.weight", "embedding.weight", _TRANSPOSED)
    yield from normalized(r"generator\.gen_z", "linear", _CHANNELS_FIRST)
    layer = r"generator\.layers\.(\d{1,3})"
    for j in range(4):
        for part in ("scale", "offset"):
            yield from normalized(rf"{layer}\.bn_{j}\.{part}", f"blocks.{{block}}.bn{j}.{part}")
        yield from statistics(rf"{layer}\.bn_{j}", f"blocks.{{block}}.bn{j}")
        yield from normalized(rf"{layer}\.conv_{j}", f"blocks.{{block}}.conv{j}")
    for part in ("theta", "phi", "g"):
        yield from normalized(rf"{layer}\.snconv1x1_{part}", f"attention.{{n}}.{part}")
    yield from normalized(rf"{layer}\.snconv1x1_o_conv", "attention.{n}.o")
    yield Rule(rf"{layer}\.gamma", "attention.{n}.gamma", SCALAR)
    yield from statistics(r"generator\.bn", "norm")
    yield from pair(r"generator\.bn\.", "norm.")
    yield from normalized(r"generator\.conv_to_rgb", "to_rgb")


def _author() -> Iterator[Rule]:
    def normalized(theirs: str, ours: str, shift: int = 0) -> Iterator[Rule]:
        yield from pair(rf"{theirs}\.", f"{ours}.", shift=shift)
        yield Rule(rf"{theirs}\.u0", f"{ours}.u", FLAT, shift)

    def statistics(theirs: str, ours: str) -> Iterator[Rule]:
        yield Rule(rf"{theirs}\.(?:bn\.)?(?:stored|running)_mean", f"{ours}.mean", _ONE_ROW)
        yield Rule(rf"{theirs}\.(?:bn\.)?(?:stored|running)_var", f"{ours}.var", _ONE_ROW)

    yield Rule(r"shared\.weight", "embedding.weight")
    yield from normalized("linear", "linear")
    block = r"blocks\.(\d{1,3})\.0"
    for j in (1, 2):
        yield from normalized(rf"{block}\.bn{j}\.gain", f"blocks.{{n}}.bn{j - 1}.scale")
        yield from normalized(rf"{block}\.bn{j}\.bias", f"blocks.{{n}}.bn{j - 1}.offset")
        yield from statistics(rf"{block}\.bn{j}", f"blocks.{{n}}.bn{j - 1}")
        yield from normalized(rf"{block}\.conv{j}", f"blocks.{{n}}.conv{j - 1}")
    yield from normalized(rf"{block}\.conv_sc", "blocks.{n}.shortcut")
    for part in ("theta", "phi", "g", "o"):
        yield from normalized(rf"blocks\.(\d{{1,3}})\.1\.{part}", f"attention.{{n}}.{part}", 1)
    yield Rule(r"blocks\.(\d{1,3})\.1\.gamma", "attention.{n}.gamma", SCALAR, 1)
    yield Rule(r"output_layer\.0\.gain", "norm.weight")
    yield Rule(r"output_layer\.0\.bias", "norm.bias")
    yield from statistics(r"output_layer\.0", "norm")
    yield from normalized(r"output_layer\.2", "to_rgb")
    yield Rule(r"(?:.*\.)?(?:sv\d|u[1-9]|accumulation_counter|num_batches_tracked)", _UNUSED)


def _mmgen(deep: bool) -> Iterator[Rule]:
    """Its spectral norm is torch's (weight_orig, weight_u, weight_v) or the author's (u0, sv0)."""
    rows, flat_rows = (_CHANNELS_FIRST, _CHANNELS_FIRST_FLAT) if deep else (AS_STORED, FLAT)

    def normalized(
        theirs: str, ours: str, change: Change = AS_STORED, flat: Change = FLAT
    ) -> Iterator[Rule]:
        yield Rule(rf"{theirs}\.weight(?:_orig)?", f"{ours}.weight", change)
        yield Rule(rf"{theirs}\.bias", f"{ours}.bias", change)
        yield Rule(rf"{theirs}\.(?:weight_u|u0)", f"{ours}.u", flat)
        yield Rule(rf"{theirs}\.weight_v", f"{ours}.v")

    def statistics(theirs: str, ours: str) -> Iterator[Rule]:
        yield Rule(rf"{theirs}\.bn\.running_mean", f"{ours}.mean", _ONE_ROW)
        yield Rule(rf"{theirs}\.bn\.running_var", f"{ours}.var", _ONE_ROW)

    yield Rule(r"shared_embedding\.weight", "embedding.weight")
    yield from normalized("noise2feat", "linear", rows, flat_rows)
    block = r"conv_blocks\.(\d{1,3})"
    for j in range(4 if deep else 2):
        theirs, ours = rf"{block}\.bn{j + 1}", f"blocks.{{block}}.bn{j}"
        yield from normalized(rf"{theirs}\.gain", f"{ours}.scale")
        yield from normalized(rf"{theirs}\.bias", f"{ours}.offset")
        yield from statistics(theirs, ours)
        yield from normalized(rf"{block}\.conv{j + 1}\.conv", f"blocks.{{block}}.conv{j}")
    yield from normalized(rf"{block}\.shortcut\.conv", "blocks.{block}.shortcut")
    for part in ("theta", "phi", "g", "o"):
        yield from normalized(rf"{block}\.{part}\.conv", f"attention.{{block}}.{part}")
    yield Rule(rf"{block}\.gamma", "attention.{block}.gamma", SCALAR)
    yield from pair(r"output_layer\.bn\.", "norm.")
    yield from statistics("output_layer", "norm")
    yield from normalized(r"output_layer\.conv", "to_rgb")
    yield Rule(r".*\.(?:sv\d|u[1-9]|num_batches_tracked)", _UNUSED)


def _read_deep(dialect: str, rules: Rules, state: State) -> Model:
    found = translate(state, rules, _words(state))
    blocks = _count_blocks(found)
    config, notes = read_config(state.path, blocks)
    _name_ups(found, config.ups, "conv1")
    model = _checked(dialect, state, found)
    facts = Config({**model.config, "bn_epsilon": config.epsilon})
    return model._replace(config=facts, notes=(*notes, *model.notes))


def _read_authors(dialect: str, rules: Rules, state: State) -> Model:
    found = translate(state, rules, lambda number: {}, shared=(_UNUSED,))
    found.tensors.pop(_UNUSED, None)
    _name_ups(found, range(_count_blocks(found)), "conv0")
    _put_label_last(found)
    return _checked(dialect, state, found)


def _read_mmgen(dialect: str, rules: Rules, state: State) -> Model:
    found = translate(state, rules, _words(state), shared=(_UNUSED,))
    found.tensors.pop(_UNUSED, None)
    if "blocks.0.conv3.weight" in found.tensors:
        _name_ups(found, range(1, _count_blocks(found), 2), "conv1")
    else:
        _name_ups(found, range(_count_blocks(found)), "conv0")
        (_put_label_last if "embedding.weight" in found.tensors else _embed_one_hot)(found)
    model = _checked(dialect, state, found)
    converted = "_rgb_" in state.path.name  # as the publisher calls files with others' weights
    return model if converted else model._replace(notes=(*model.notes, MMGEN_COLORS))


def _embed_one_hot(found: Translation) -> None:
    """Give labels that are not embedded an embedding of 1: norms hold a row per class."""
    for name in filter(_OF_NORMS.fullmatch, list(found.tensors)):
        found.tensors[name] = _TRANSPOSED(found.tensors[name])
    classes = math.prod(found.tensors[_FIRST_SCALE].shape[-1:])
    if classes <= _MOST_ROWS:  # else it is missed later
        found.tensors["embedding.weight"] = LazyTensor(
            (classes, classes), "float32", partial(np.eye, classes, dtype=np.float32)
        )


def _put_label_last(found: Translation) -> None:
    """Put the label after the chunk of z, as in norms here; the author's code has it first."""
    width = found.tensors["embedding.weight"].shape[-1:]
    for name, tensor in found.tensors.items():
        if _OF_NORMS.fullmatch(name):
            found.tensors[name] = tensor.then(lambda a: np.roll(a, -width[0], axis=-1))


def _words(state: State) -> Callable[[int], dict[str, str]]:
    """`{block}` for the number of a layer: blocks are counted with the attention among them."""
    attentions = [
        int(match[1])
        for name in state.leaves
        if (match := re.fullmatch(r"(?:generator\.layers|conv_blocks)\.(\d{1,3})\.gamma", name))
    ]
    return lambda number: {"block": str(number - sum(a < number for a in attentions))}


def _count_blocks(found: Translation) -> int:
    numbers = (re.match(r"blocks\.(\d+)\.", name) for name in found.tensors)
    return 1 + max((int(match[1]) for match in numbers if match), default=-1)


def _name_ups(found: Translation, ups: range | tuple[int, ...], conv: str) -> None:
    """Rename the convolution that follows an up-sampling."""
    for block in ups:
        for part in ("weight", "bias", "u", "v"):
            name = f"blocks.{block}.{conv}.{part}"
            if name in found.tensors:
                up = f"blocks.{block}.{conv}_up.{part}"
                found.tensors[up] = found.tensors.pop(name)
                found.names[up] = found.names.pop(name)


def _checked(dialect: str, state: State, found: Translation) -> Model:
    network = Network(found, dialect, "BigGAN")
    config = {**describe(network, _count_blocks(found)), "bn_epsilon": 1e-5}
    return Model(dialect, Config(config), network.ordered, network.left_out())


READERS: dict[str, Reader] = {
    "huggingface": Reader(tuple(_hugging_face()), _read_deep),
    "ajbrock": Reader(tuple(_author()), _read_authors),
    "mmgen": Reader(tuple(_mmgen(deep=False)), _read_mmgen),
    "mmgen-deep": Reader(tuple(_mmgen(deep=True)), _read_mmgen),
}
