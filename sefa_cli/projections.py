"""The first projections of a generator: every matrix that takes the latent into the network.

Read with numpy alone, and only those matrices, so that factorizing needs no torch. Also what
hangs on them: the fingerprint, the named levels, and the mean style that tells a common gain.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.containers.checkpoint import Checkpoint, LazyTensor
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.families.stylegan3.geometry import layer_names as stylegan3_layers
from sefa_cli.families.stylegan3.geometry import sampling_rates
from sefa_cli.ranges import format_range, parse_range

TO_RGB = ("first", "last", "all", "none")

# Families in which nothing at run time undoes a common scale of the styles, so that a direction
# that is such a scale (a common style gain) changes the picture, and mostly destroys it.
WITHOUT_DEMODULATION = ("mobilestylegan",)


@dataclass(frozen=True)
class Layer:
    """One first projection: code `index` enters the network through `matrix` and `bias`."""

    index: int
    name: str
    resolution: int  # pixels, where the result is applied
    kind: str  # "conv", "torgb", "up": the list is in formats/directions-v1.md
    matrix: LazyTensor  # (outputs, latent dim)
    bias: LazyTensor | None  # (outputs,)


def first_projections(checkpoint: Checkpoint) -> tuple[Layer, ...]:
    """All of them: by code index, then order of execution, to-RGB last.

    Raises SefaError for a family whose projections are not known.
    """
    table = _TABLES.get(checkpoint.family)
    if table is None:
        layers = _of_plugin(checkpoint)
    else:
        try:
            layers = table(checkpoint.tensors)
        except (KeyError, ValueError) as error:  # of a forged file of our own: others were checked
            raise SefaError(
                f"{checkpoint.ref} has tensors that make no {checkpoint.family} ({error})",
                "a complete generator",
            ) from None
    _check(checkpoint, layers)
    return tuple(sorted(layers, key=lambda layer: (layer.index, layer.kind == "torgb")))


def _of_plugin(checkpoint: Checkpoint) -> list[Layer]:
    """The table of a family that is not built in."""
    from sefa_cli.families import plugins

    plugin = plugins.find(checkpoint.family)
    if plugin is None:
        raise SefaError(
            f"{checkpoint.ref} is of the family {checkpoint.family!r}",
            "one of " + ", ".join(sorted(_TABLES)),
            "A plug-in may bring another.",
        )
    with plugins.blamed(plugin):
        return list(plugin.first_projections(checkpoint.tensors))


def _check(checkpoint: Checkpoint, layers: list[Layer]) -> None:
    """There are projections, and all are matrices over the latent, or a part of z."""
    if not layers:
        raise SefaError(f"{checkpoint.ref} has no first projection", "a complete generator")
    space = checkpoint.config["space"]
    dim = checkpoint.config[f"{space}_dim"]
    for layer in layers:
        shape = layer.matrix.shape
        if len(shape) != 2 or 0 in shape or (shape[1] != dim if space == "w" else shape[1] > dim):
            raise SefaError(f"{layer.name} has the shape {shape}", f"(outputs, {dim})")


def _affine(tensors: Mapping[str, LazyTensor], index: int, name: str, px: int, kind: str) -> Layer:
    matrix = tensors[f"{name}.affine.weight"].kept()  # read by the fingerprint and by the method
    return Layer(index, name, px, kind, matrix, tensors[f"{name}.affine.bias"])


def _stylegan2(tensors: Mapping[str, LazyTensor]) -> list[Layer]:
    """Block r holds conv0 (from 8 px on), conv1, to-RGB; a to-RGB shares the next conv's code."""
    found = (re.fullmatch(r"synthesis\.b(\d+)\.conv1\.affine\.weight", name) for name in tensors)
    layers, index = [], 0
    for px in sorted(int(match[1]) for match in found if match):
        for conv in ("conv0", "conv1"):
            if f"synthesis.b{px}.{conv}.affine.weight" in tensors:
                layers.append(_affine(tensors, index, f"synthesis.b{px}.{conv}", px, "conv"))
                index += 1
        if f"synthesis.b{px}.torgb.affine.weight" in tensors:
            layers.append(_affine(tensors, index, f"synthesis.b{px}.torgb", px, "torgb"))
    return layers


def _mobilestylegan(tensors: Mapping[str, LazyTensor]) -> list[Layer]:
    """A stem, then blocks of up (a gain before the Haar step), conv1, conv2; one to-RGB at last."""
    layers = [_affine(tensors, 0, "synthesis.conv1", 4, "conv")]
    block = 0
    while f"synthesis.layers.{block}.up.affine.weight" in tensors:
        px, name = 4 << block, f"synthesis.layers.{block}"
        layers.append(_affine(tensors, len(layers), f"{name}.up", px, "up"))
        layers.append(_affine(tensors, len(layers), f"{name}.conv1", 2 * px, "conv"))
        layers.append(_affine(tensors, len(layers), f"{name}.conv2", 2 * px, "conv"))
        block += 1
    return [*layers, _affine(tensors, len(layers), "synthesis.to_img", 4 << block, "torgb")]


def _dcgan(tensors: Mapping[str, LazyTensor]) -> list[Layer]:
    """One layer: the first transposed convolution takes z itself to k × k pixels."""
    kernel = tensors["main.0.weight"]
    z_dim, outputs, side, _ = kernel.shape
    matrix = kernel.then(lambda k: k.reshape(z_dim, -1).T, (outputs * side * side, z_dim)).kept()
    return [Layer(0, "main.0", side, "dense", matrix, None)]


def _biggan(tensors: Mapping[str, LazyTensor]) -> list[Layer]:
    """The linear layer is 0, then every conditional norm that sees z, in order of execution."""
    embedded, inputs = (tensors[f"{n}.weight"].shape[1] for n in ("embedding", "linear"))
    deep = "blocks.0.conv3.weight" in tensors
    norms, chunk = (4, inputs - embedded) if deep else (2, inputs)
    seen = tensors["blocks.0.bn0.scale.weight"].shape[1] - embedded  # of z, by a norm
    blocks = 0
    while f"blocks.{blocks}.bn0.scale.weight" in tensors:
        blocks += 1
    z_dim = chunk * (blocks + 1) if seen and not deep else chunk
    matrix = _of_z(tensors["linear.weight"], chunk, 0, z_dim)
    layers, px = [Layer(0, "linear", 4, "dense", matrix, None)], 4
    for i in range(blocks if seen else 0):
        start = 0 if deep else chunk * (i + 1)
        for j in range(norms):
            name = f"blocks.{i}.bn{j}"
            for part in ("scale", "offset"):
                matrix = _of_z(tensors[f"{name}.{part}.weight"], seen, start, z_dim)
                layers.append(Layer(1 + norms * i + j, name, px, f"bn-{part}", matrix, None))
            px *= 2 if f"blocks.{i}.conv{j}_up.weight" in tensors else 1
    return layers


def _of_z(weight: LazyTensor, seen: int, start: int, z_dim: int) -> LazyTensor:
    """A matrix's leading columns, those of z, as columns `start`… of one over the whole z."""
    around = (0, 0), (start, z_dim - start - seen)
    return weight.then(lambda a: np.pad(a[:, :seen], around), (weight.shape[0], z_dim)).kept()


def _pggan(tensors: Mapping[str, LazyTensor]) -> list[Layer]:
    """One layer: the dense one takes z to 4 × 4 pixels."""
    name = "synthesis.b4.dense"
    return [Layer(0, name, 4, "dense", tensors[f"{name}.weight"].kept(), None)]


def _stylegan(tensors: Mapping[str, LazyTensor]) -> list[Layer]:
    """Block r holds the styles after conv0 (in the first: of the constant) and after conv1."""
    layers: list[Layer] = []
    while f"synthesis.b{4 << len(layers) // 2}.conv1.affine.weight" in tensors:
        px = 4 << len(layers) // 2
        for conv in ("conv0", "conv1"):
            layers.append(_affine(tensors, len(layers), f"synthesis.b{px}.{conv}", px, "conv"))
    return layers


def _stylegan3(tensors: Mapping[str, LazyTensor]) -> list[Layer]:
    """The input's affine (cosine, sine, x, y), then every layer; the last one is the to-RGB."""
    names, rates = stylegan3_layers(tensors), sampling_rates(tensors)
    layers = [_affine(tensors, 0, "synthesis.input", rates[0], "input")] if names else []
    for index, (name, px) in enumerate(zip(names, rates[1:], strict=True), start=1):
        kind = "torgb" if index == len(names) else "conv"
        layers.append(_affine(tensors, index, f"synthesis.{name}", px, kind))
    return layers


def _lucidrains(tensors: Mapping[str, LazyTensor]) -> list[Layer]:
    """Blocks of conv1, conv2 and a to-RGB; one code drives all three."""
    layers: list[Layer] = []
    block = 0
    while f"synthesis.blocks.{block}.conv1.affine.weight" in tensors:
        px, name = tensors["synthesis.const"].shape[-1] << block, f"synthesis.blocks.{block}"
        layers.append(_affine(tensors, block, f"{name}.conv1", px, "conv"))
        layers.append(_affine(tensors, block, f"{name}.conv2", px, "conv"))
        layers.append(_affine(tensors, block, f"{name}.torgb", px, "torgb"))
        block += 1
    return layers


_TABLES: dict[str, Callable[[Mapping[str, LazyTensor]], list[Layer]]] = {
    "biggan": _biggan,
    "dcgan": _dcgan,
    "pggan": _pggan,
    "stylegan": _stylegan,
    "stylegan2": _stylegan2,
    "stylegan3": _stylegan3,
    "mobilestylegan": _mobilestylegan,
    "lucidrains": _lucidrains,
}


def fingerprint(checkpoint: Checkpoint) -> str:
    """SHA-256 over all first projections as the file stores them (formats/directions-v1.md)."""
    return fingerprint_of(first_projections(checkpoint))


def fingerprint_of(layers: Iterable[Layer]) -> str:
    """SHA-256 over these matrices, in this order."""
    digest = hashlib.sha256(b"sefa-fp1\n")
    for layer in layers:
        rows, columns = layer.matrix.shape
        digest.update(f"{layer.index} {layer.kind} {rows} {columns}\n".encode("ascii"))
        digest.update(layer.matrix.float32().astype("<f4", copy=False).tobytes())
    return digest.hexdigest()


def layer_names(checkpoint: Checkpoint) -> list[str]:
    """One name per code index: that of the first projection it drives."""
    names: dict[int, str] = {}
    for layer in first_projections(checkpoint):
        names.setdefault(layer.index, layer.name)
    return [names[index] for index in sorted(names)]


def levels(checkpoint: Checkpoint) -> dict[str, tuple[int, ...]]:
    """Code indices of `all`, `bottom`, `middle` and `top`; a level may be empty.

    For StyleGAN and StyleGAN2 the paper's 0-1, 2-5, 6-; elsewhere what is applied at up to 8 px,
    up to 32 px, and above. StyleGAN3's input layer is in none: its four outputs only move the
    picture, and after row scaling would weigh like any channel.
    """
    layers = [layer for layer in first_projections(checkpoint) if layer.kind != "input"]
    first = {layer.index: layer.resolution for layer in reversed(layers)}
    indices = sorted(first)
    if checkpoint.family in ("stylegan", "stylegan2"):
        low, mid = indices[:2], indices[2:6]
    else:
        low = [i for i in indices if first[i] <= 8]
        mid = [i for i in indices if 8 < first[i] <= 32]
    top = [i for i in indices if i not in low and i not in mid]
    return {"all": tuple(indices), "bottom": tuple(low), "middle": tuple(mid), "top": tuple(top)}


def parse_layers(checkpoint: Checkpoint, text: str) -> tuple[int, ...]:
    """Code indices named by `text`: a level or a range such as `0-1` or `2-5,7`, increasing.

    Raises UsageError for anything else, an empty level, or an index the model does not have.
    """
    named = levels(checkpoint)
    count = len(layer_names(checkpoint))
    if text in named:
        if not named[text]:
            raise UsageError(f"{checkpoint.ref} has no {text} layers", f"0-{count - 1}")
        return named[text]
    try:
        return tuple(sorted(parse_range(text, "layer", count)))
    except UsageError as error:
        raise UsageError(error.found, error.expected, f"Levels: {', '.join(named)}.") from None


def select(checkpoint: Checkpoint, layers: str = "all", to_rgb: str = "last") -> list[Layer]:
    """The projections at the code indices `layers`, of the to-RGBs those that `to_rgb` keeps.

    `last` is the published choice for StyleGAN2. Raises UsageError where nothing is left.
    """
    if to_rgb not in TO_RGB:
        raise UsageError(f"to-RGB choice {to_rgb!r} is unknown", "one of " + ", ".join(TO_RGB))
    indices = set(parse_layers(checkpoint, layers))
    everything = first_projections(checkpoint)
    rgbs = [layer for layer in everything if layer.kind == "torgb"]
    kept = {"first": rgbs[:1], "last": rgbs[-1:], "all": rgbs, "none": []}[to_rgb]
    chosen = [
        layer
        for layer in everything
        if layer.index in indices and (layer.kind != "torgb" or layer in kept)
    ]
    if not chosen:
        raise UsageError(
            f"layers {format_range(sorted(indices))} with to-RGB {to_rgb!r} leave nothing",
            "at least one layer",
            "Choose other layers or another --to-rgb.",
        )
    return chosen


def mean_w(checkpoint: Checkpoint, count: int = 1000) -> NDArray[np.float32]:
    """The mean w of a StyleGAN-like mapping network, in numpy: `(w_dim,)`.

    From the file where it is there, else over `count` rows of RandomState(0).randn(10000, z_dim):
    enough for a check; pictures are truncated towards the generator's own mean of all rows.
    """
    if "mapping.w_avg" in checkpoint.tensors:
        return checkpoint.tensors["mapping.w_avg"].float32()
    z = np.random.RandomState(0).randn(count, checkpoint.config["z_dim"]).astype(np.float32)
    x = z / np.sqrt(np.mean(z * z, axis=1, keepdims=True) + 1e-8)  # (count, z_dim)
    lr = checkpoint.config.get("lr_multiplier")  # None: folded into the weights already
    depth = 0
    while f"mapping.fc{depth}.weight" in checkpoint.tensors:
        weight = checkpoint.tensors[f"mapping.fc{depth}.weight"].float32()  # (out, in)
        bias = checkpoint.tensors[f"mapping.fc{depth}.bias"].float32()  # (out,)
        gain = 1.0 if lr is None else lr / np.sqrt(weight.shape[1])
        x = x @ (weight.T * np.float32(gain)) + bias * np.float32(1.0 if lr is None else lr)
        x = np.maximum(x, np.float32(0.2) * x) * np.float32(np.sqrt(2))
        depth += 1
    mean: NDArray[np.float32] = x.mean(axis=0)
    return mean


def model_card(checkpoint: Checkpoint) -> dict[str, Any]:
    """What a bundle remembers of its model, the fingerprint included."""
    config = checkpoint.config
    return {
        "ref": checkpoint.ref,
        "family": checkpoint.family,
        "resolution": config["resolution"],
        "z_dim": config["z_dim"],
        "w_dim": config["w_dim"],
        "num_layers": config["num_layers"],
        "layer_names": layer_names(checkpoint),
        "fingerprint": fingerprint(checkpoint),
    }
