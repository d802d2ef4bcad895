"""SeFa directions of any matrices in a file, chosen by name; the network need not be known."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sefa_cli.arguments import public
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.canonical import shown
from sefa_cli.checkpoints import is_remote
from sefa_cli.containers.checkpoint import LazyTensor
from sefa_cli.discovery import sefa
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.families.family import Layer
from sefa_cli.families.reading import read_checkpoint, read_matching
from sefa_cli.projections import fingerprint_of
from sefa_cli.ranges import format_range, is_whole
from sefa_cli.sources.locate import locate

Shape = tuple[int, ...]

_LARGEST = 16_384  # dimensions; their AᵀA takes 2 GB
_NUMBERS = ("float16", "bfloat16", "float32", "float64")
_SHOWN = 4


@public
def factorize_tensors(
    model: str | Path,
    pattern: str,
    *,
    latent_axis: int | None = None,
    num: int | None = None,
    normalize: bool = True,
    center: bool = False,
    deflate_gain: bool = False,
    offline: bool | None = None,
) -> Bundle:
    """Return the SeFa directions of tensors chosen by name; the network need not be known.

    Every axis but the latent's becomes rows: a linear layer `(out, in)` has `out` of them, a
    convolution `(out, in, h, w)` out · h · w, a transposed convolution `(in, out, h, w)` likewise.
    Biases and other vectors that match are skipped. The bundle can be read and compared, but not
    used for editing: nothing says where the latent enters.

    Args:
        model: A zoo name, a path, or an address.
        pattern: A shell pattern for the names in the file, such as "G_ema.*affine.weight".
        latent_axis: The axis over the latent. Default: the one whose length all tensors share.
        num: Keep the leading directions, 1 to the latent's dimension. Default: all.
        normalize: Scale each row to unit length, as the published code does.
        center: First subtract the mean row.
        deflate_gain: First project the leading direction out of every row.
        offline: Fetch nothing. Default: what SEFA_OFFLINE says.

    Returns:
        A bundle whose layers count the tensors, in the file's order.

    Raises:
        UsageError: The shapes fit no common latent, or several; no tensor is a matrix.
        SefaError: Nothing matches, or the file cannot be found or read.

    Source: Shen & Zhou, CVPR 2021, equations 4 to 7.

    Example:
        >>> sefa.factorize_tensors(tiny, "*layer0.style.weight", latent_axis=1, num=2).k
        2
    """
    path = locate(str(model), offline=offline)
    own = str(model) if is_remote(str(model)) else Path(model).name
    tensors = {
        name: tensor
        for name, tensor in read_matching(path, str(model), pattern).items()
        if len(tensor.shape) >= 2 and 0 not in tensor.shape and tensor.dtype in _NUMBERS
    }
    if not tensors:
        raise UsageError(
            f"none of the tensors that match {pattern!r:.80} in {path} is a matrix",
            "tensors of two axes or more",
        )
    about = _recognized(path)
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    axes = latent_axes(shapes, latent_axis, {about["z_dim"], about["w_dim"]})
    layers = [
        Layer(index, name, about["resolution"], "dense", _as_matrix(tensor, axis), None)
        for index, ((name, tensor), axis) in enumerate(zip(tensors.items(), axes, strict=True))
    ]
    dim = layers[0].matrix.shape[1]
    if dim > _LARGEST:
        raise UsageError(f"the latent would have {dim} dimensions", f"at most {_LARGEST}")
    factors = sefa.factorize(
        [layer.matrix.finite(layer.name) for layer in layers],
        normalize=normalize,
        center=center,
        deflate=deflate_gain,
        num=num,
    )
    space = "w" if dim == about["w_dim"] and about["space"] == "w" else "z"
    return Bundle(
        directions=factors.directions,
        eigenvalues=factors.eigenvalues,
        layers=np.arange(len(layers)),
        method="sefa",
        params={
            "tensors": pattern,
            "latent_axis": latent_axis,
            "layers": format_range(range(len(layers))),
            "to_rgb": "all",
            "normalize": normalize,
            "center": center,
            "deflate_gain": deflate_gain,
            "num": num,
        },
        space=space,
        model={
            "ref": own,
            "family": about["family"],
            "resolution": about["resolution"],
            "z_dim": about["z_dim"] if space == "w" else dim,
            "w_dim": about["w_dim"] if space == "w" else dim,
            "num_layers": len(layers),
            "layer_names": [_line(layer.name) for layer in layers],
            "fingerprint": fingerprint_of(layers),
        },
        info=tuple({} for _ in factors.directions),
    )


def _recognized(path: Path) -> Mapping[str, Any]:
    """Return family and sizes of a known network; for others "unknown" and no sizes."""
    try:
        checkpoint = read_checkpoint(path)
    except SefaError:
        return {"family": "unknown", "resolution": 1, "z_dim": 0, "w_dim": 0, "space": "z"}
    return {**checkpoint.config, "family": checkpoint.family}


def latent_axes(
    shapes: Mapping[str, Shape], axis: int | None, known: Collection[int]
) -> Sequence[int]:
    """Return for each tensor the axis of the latent, whose length they all share.

    `axis` is the user's choice; `known` are latent dimensions of a recognized network. Raises
    UsageError for shapes without a common length, and for those that leave a choice.
    """
    if axis is not None:
        fits = [s for s in shapes.values() if is_whole(axis, -len(s), len(s) - 1)]
        if len({shape[axis] for shape in fits}) != 1 or len(fits) < len(shapes):
            raise _refusal(shapes, f"do not agree in axis {axis}", "Narrow the pattern.")
        return [axis] * len(shapes)
    common = set.intersection(*({shape[0], shape[1]} for shape in shapes.values()))
    if not common:
        raise _refusal(shapes, "share no dimension", "Narrow the pattern.")
    if len(common) > 1:
        common = common & set(known) if len(common & set(known)) == 1 else common
    if len(common) > 1:
        remedy = (
            "Set latent_axis=1 (linear, convolution) or latent_axis=0 (transposed convolution)."
        )
        raise _refusal(shapes, "may be turned either way", remedy)
    (dim,) = common
    sides = [_sides(shape, dim) for shape in shapes.values()]
    certain = {side[0] for side in sides if len(side) == 1}
    if (len(certain) == 2 and any(len(side) == 2 for side in sides)) or not certain:
        remedy = (
            "Set latent_axis=1 (linear, convolution) or latent_axis=0 (transposed convolution)."
        )
        raise _refusal(shapes, "are square, and may be turned either way", remedy)
    return [side[0] if len(side) == 1 else next(iter(certain)) for side in sides]


def _sides(shape: Shape, dim: int) -> list[int]:
    return [axis for axis in (0, 1) if shape[axis] == dim]


def _refusal(shapes: Mapping[str, Shape], why: str, remedy: str) -> UsageError:
    first = {shape: name for name, shape in reversed([*shapes.items()])}  # one of each shape leads
    led = sorted(shapes.items(), key=lambda item: first[item[1]] != item[0])
    few = led[:_SHOWN]
    listed = ", ".join(f"{shown(name)} {shape}" for name, shape in few)
    more = f" and {len(shapes) - _SHOWN:,} more" if len(shapes) > _SHOWN else ""
    return UsageError(f"{listed}{more} {why}", "matrices over one latent", remedy)


def _as_matrix(tensor: LazyTensor, axis: int) -> LazyTensor:
    """Reshape `(…, latent, …)` to `(rows, latent)`."""
    dim = tensor.shape[axis]
    rows = int(np.prod(tensor.shape)) // dim
    turned = tensor.then(lambda a: np.moveaxis(a, axis, -1).reshape(rows, dim), (rows, dim))
    return turned.kept()  # read by the fingerprint and by the method


def _line(name: str) -> str:
    """Return a tensor's name as a bundle may hold it."""
    return name if name and name.isprintable() else shown(name)[1:-1] or "tensor"
