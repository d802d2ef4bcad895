"""MobileStyleGAN as OpenVINO IR: its weights, found by where they stand in the two graphs.

The constants of an exported graph carry numbers and generated names that another export would
change, so what a constant is follows from the operations around it:

    mapping    8 × Add(MatMul(x, weight), bias)
    synthesis  23 × Multiply(features, style) with style = Add(MatMul(w, weight), bias), each
               followed by a split into Haar bands, or by a convolution (in separable ones a
               depthwise one before it), Add(noise (1, 1, h, w)) and Add(bias (1, channels, 1, 1))
"""

import math
import zipfile
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from sefa_cli.containers.checkpoint import Config, LazyTensor
from sefa_cli.errors import SefaError
from sefa_cli.families.family import Model
from sefa_cli.families.mobilestylegan.ir import Graph, Node, Source, looks_like_ir, read_graph
from sefa_cli.file_kinds import why_not

Tensors = dict[str, LazyTensor]

_UP = {"affine.weight", "affine.bias"}
_RGB = _UP | {"weight", "bias"}
_STEM = _RGB | {"noise", "const"}
_CONV = _RGB | {"noise", "depthwise"}


def is_ir(path: Path) -> bool:
    """Return whether `path` is an IR network's XML, or a folder, zip or wheel that holds one."""
    try:
        return any(looks_like_ir(source) for source in _candidates(path))
    except (OSError, zipfile.BadZipFile):
        return False


def read(path: Path) -> Model:
    """Return the model in the IR pairs at `path`.

    `path` as in `is_ir`; an XML stands for its folder. No constant is read before it is asked for.
    Raises SefaError for networks of another kind and for files that are missing or damaged.
    """
    try:
        sources = [source for source in _candidates(path) if looks_like_ir(source)]
    except (OSError, zipfile.BadZipFile) as error:
        raise why_not(path, OSError(str(error)), "read") from error
    graphs = [read_graph(source) for source in sources]
    synthesis = [graph for graph in graphs if graph.of_kind("Convolution")]
    mapping = [graph for graph in graphs if graph not in synthesis]
    try:
        if len(mapping) != 1 or len(synthesis) != 1:
            raise _UnknownKindError
        tensors = _mapping(mapping[0]) | _synthesis(synthesis[0])
    except (_UnknownKindError, IndexError):  # IndexError: an operation lacks an input
        raise _another_kind(path, graphs) from None
    return Model("random-face", _config(tensors), tensors)


class _UnknownKindError(Exception):
    """Something stands in a graph that does not stand in MobileStyleGAN's."""


def _another_kind(path: Path, graphs: Sequence[Graph]) -> SefaError:
    found = "; ".join(f"{graph.source}: {graph.counts()}" for graph in graphs)
    return SefaError(
        f"{path} holds OpenVINO networks of an unknown kind ({found})",
        "one mapping and one synthesis network of MobileStyleGAN",
    )


def _candidates(path: Path) -> Iterator[Source]:
    if path.is_file() and looks_like_ir(Source(path)):
        path = path.parent
    if path.is_dir():
        yield from (Source(file) for file in sorted(path.glob("*.xml")) if file.is_file())
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = sorted(archive.namelist())
        yield from (Source(path, name) for name in names if name.endswith(".xml"))


def _mapping(graph: Graph) -> Tensors:
    """`mapping.fc{i}.weight (out, in)` and `.bias (out,)`."""
    found = [(add, affine) for add in graph.of_kind("Add") if (affine := _affine(add))]
    if not found or len(found) != len(graph.of_kind("MatMul")):
        raise _UnknownKindError
    _check_chain([add for add, _ in found])
    return {
        f"mapping.fc{i}.{part}": tensor
        for i, (_, affine) in enumerate(found)
        for part, tensor in zip(("weight", "bias"), affine, strict=True)
    }


def _synthesis(graph: Graph) -> Tensors:
    """Return the modulated layers in order of execution, named by that order."""
    found = [(node, affine) for node in graph.of_kind("Multiply") if (affine := _style_in(node))]
    _check_chain([multiply for multiply, _ in found])
    layers = [
        {"affine.weight": weight, "affine.bias": bias} | _convolution(multiply)
        for multiply, (weight, bias) in found
    ]
    blocks = range((len(layers) - 2) // 3)
    parts = {"up": _UP, "conv1": _CONV, "conv2": _CONV}
    expected = {"synthesis.conv1": _STEM}
    expected |= {
        f"synthesis.layers.{i}.{name}": keys for i in blocks for name, keys in parts.items()
    }
    expected |= {"synthesis.to_img": _RGB}
    if [set(layer) for layer in layers] != list(expected.values()):
        raise _UnknownKindError
    tensors = {
        f"{name}.{part}": tensor
        for name, layer in zip(expected, layers, strict=True)
        for part, tensor in layer.items()
    }
    tensors["synthesis.const"] = tensors.pop("synthesis.conv1.const")
    return tensors


def _affine(add: Node) -> tuple[LazyTensor, LazyTensor] | None:
    """Weight `(out, in)` and bias `(out,)` if this is Add(MatMul(x, weight), bias)."""
    split = add.split() if add.kind == "Add" else None
    if split is None or split[1].kind != "MatMul":
        return None
    bias, matmul = split
    weight = _of_axes(matmul.inputs[-1].constant(), 2)
    if matmul.data.get("transpose_b", "false") != "true":
        weight = weight.then(np.transpose, weight.shape[::-1])
    return weight, _reshaped(bias, weight.shape[:1])


def _style_in(multiply: Node) -> tuple[LazyTensor, LazyTensor] | None:
    """Return the style affine if this multiplies features by a style, not a style by a scale."""
    split = multiply.split()
    if split and math.prod(split[0].shape) == 1:
        return None
    return next((affine for node in multiply.inputs if (affine := _style(node))), None)


def _style(node: Node) -> tuple[LazyTensor, LazyTensor] | None:
    while node.kind == "Reshape" or (node.kind == "Multiply" and node.split()):
        split = node.split()
        node = split[1] if split else node.inputs[0]
    return _affine(node)


def _convolution(multiply: Node) -> Tensors:
    """Kernels, noise and bias after a modulation; nothing where no convolution follows."""
    tensors: Tensors = {}
    if split := multiply.split():  # the features are the learned constant
        tensors["const"] = _reshaped(split[0], split[0].shape[1:])
    node = _only_consumer(multiply)
    if node.kind == "GroupConvolution":
        kernel = _of_axes(node.inputs[1].constant(), 5)  # (channels, 1, 1, 3, 3)
        tensors["depthwise"] = _reshaped(kernel, kernel.shape[:2] + kernel.shape[3:])
        node = _only_consumer(node)
    if node.kind != "Convolution":
        return tensors
    tensors["weight"] = _of_axes(node.inputs[1].constant(), 4)  # (out, in, k, k)
    while (node := _only_consumer(node)).kind == "Add" and (split := node.split()):
        added = _of_axes(split[0], 4)
        if added.shape[1] == 1:
            tensors["noise"] = _reshaped(added, added.shape[2:])
        else:
            tensors["bias"] = _reshaped(added, added.shape[1:2])
    return tensors


def _check_chain(nodes: Sequence[Node]) -> None:
    """Each must need the one before: then their order is that of execution."""
    if not all(later.follows(node) for node, later in pairwise(nodes)):
        raise _UnknownKindError


def _only_consumer(node: Node) -> Node:
    consumers = [consumer for consumer in node.consumers if consumer.kind != "ShapeOf"]
    if len(consumers) != 1:
        raise _UnknownKindError
    return consumers[0]


def _of_axes(tensor: LazyTensor | None, axes: int) -> LazyTensor:
    if tensor is None or len(tensor.shape) != axes:
        raise _UnknownKindError
    return tensor


def _reshaped(tensor: LazyTensor, shape: tuple[int, ...]) -> LazyTensor:
    if math.prod(shape) != math.prod(tensor.shape):
        raise _UnknownKindError
    return tensor.then(lambda numbers: numbers.reshape(shape), shape)


def _config(tensors: Tensors) -> Config:
    layers = [name for name in tensors if name.endswith(".affine.weight")]
    blocks = (len(layers) - 2) // 3
    facts = {
        "resolution": 8 << blocks,  # 4 px at the stem, twice per block, and a last Haar step
        "img_channels": tensors["synthesis.to_img.weight"].shape[0] // 4,
        "z_dim": tensors["mapping.fc0.weight"].shape[1],
        "w_dim": tensors[layers[0]].shape[1],
        "c_dim": 0,
        "num_layers": len(layers),
        "space": "w",
    }
    return Config(facts)
