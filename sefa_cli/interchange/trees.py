"""Directions from torch files and pickles, read as inert data: factors, components, boundaries."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.containers.checkpoint import LazyTensor
from sefa_cli.containers.contents import Contents
from sefa_cli.errors import SefaError
from sefa_cli.interchange.arrays import from_array
from sefa_cli.interchange.components import from_e4e_pca
from sefa_cli.interchange.foreign import Foreign, Latent, check_width

_LARGEST = 1 << 28  # numbers in one tensor; direction sets need a thousandth
_NETWORK_KEYS = ("state_dict", "g_ema", "g", "generator", "latent_avg", "opts", "model")


def numbers(tensor: LazyTensor) -> NDArray[Any]:
    """Read a tensor. Raises SefaError if it is far larger than any direction set."""
    if int(np.prod(tensor.shape, dtype=np.float64)) > _LARGEST:
        raise SefaError(f"a tensor of shape {tensor.shape} is too large for directions")
    return tensor.numpy()


def from_tree(contents: Contents, latent: Latent, wanted: str | None) -> Foreign:
    """Return the directions in a torch file. Raises SefaError that says what else it holds."""
    tree = contents.tree
    if (tensor := contents.tensor(tree)) is not None:
        found = from_array(numbers(tensor), latent, wanted)
        alone = wanted is None and found.format in ("interfacegan", "w+")
        return replace(found, format="e4e") if alone else found
    if not isinstance(tree, Mapping):
        raise _no_directions(contents)
    if "eigvec" in tree:
        return _rosinality(contents, latent)
    if "comp" in tree and "std" in tree:
        return from_e4e_pca(
            _entry(contents, "comp"),
            _entry(contents, "std"),
            _entry(contents, "mean") if "mean" in tree else None,
            latent,
        )
    if any(isinstance(value, Mapping) and "latent" in value for value in tree.values()):
        raise SefaError(
            "it holds the codes of projected pictures, not directions", remedy="Use it as --codes."
        )
    return _named(contents, latent)


def _entry(contents: Contents, key: str) -> NDArray[Any]:
    tensor = contents.tensor(contents.tree[key])
    if tensor is None:
        raise SefaError(f"its entry {key!r} is not a tensor")
    return numbers(tensor)


def _rosinality(contents: Contents, latent: Latent) -> Foreign:
    """Return the columns of `eigvec (dim, k)` as directions."""
    columns = _entry(contents, "eigvec")
    if columns.ndim != 2:
        raise SefaError(f"'eigvec' is of shape {columns.shape}", f"({latent.dim}, k)")
    rows = columns.T
    check_width(rows, latent, "'eigvec', transposed,")
    ckpt = contents.tree.get("ckpt")
    origin = {"ckpt": bare_name(ckpt)} if isinstance(ckpt, str) and ckpt else {}
    return Foreign(
        format="rosinality",
        vectors=rows.astype(np.float64),
        origins=tuple(dict(origin) for _ in rows),
    )


def bare_name(path: str) -> str:
    """Return the last part of a path of any system; bundles do not name folders."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]


def _named(contents: Contents, latent: Latent) -> Foreign:
    """Return named tensors of one shape, as AnyCost-GAN writes its boundaries."""
    tree = contents.tree
    tensors = {name: contents.tensor(value) for name, value in tree.items()}
    shapes = {tensor.shape for tensor in tensors.values() if tensor is not None}
    if (
        not tensors
        or None in tensors.values()
        or len(shapes) != 1
        or not all(isinstance(name, str) for name in tensors)
        or any(name in _NETWORK_KEYS for name in tensors)
    ):
        raise _no_directions(contents)
    vectors = [numbers(tensor) for tensor in tensors.values() if tensor is not None]
    rows = np.array([vector.reshape(-1, vector.shape[-1] if vector.ndim else 1)
                     for vector in vectors])  # (k, layers or 1, dim)  # fmt: skip
    check_width(rows, latent, "each of its tensors")
    if rows.shape[1] == 1:
        rows = rows[:, 0]
    return Foreign(
        format="anycost", vectors=rows.astype(np.float64), labels=tuple(str(n) for n in tensors)
    )


def _no_directions(contents: Contents) -> SefaError:
    """Return an error that says what a torch file or pickle without directions holds."""
    tree = contents.tree
    expected = "a tensor, or a dict of 'eigvec', of 'comp' and 'std', or of named boundaries"
    if isinstance(tree, list | tuple):
        return SefaError(
            "it is a list, as StyleCLIP and StyleSpace use for style statistics",
            "directions of latent codes",
            "Bundles cannot hold directions of styles, which move channels inside the network.",
        )
    if isinstance(tree, Mapping) and (
        any(key in tree for key in _NETWORK_KEYS)
        or any(contents.tensor(value) is not None for value in tree.values())
    ):
        return SefaError(
            "it holds the weights of a network (a generator, an encoder or a StyleCLIP mapper), "
            "not directions",
            expected,
        )
    if contents.called:
        return SefaError(
            f"it holds Python objects ({contents.called[0]!r:.60}); nothing was run",
            expected,
        )
    return SefaError("it does not hold directions", expected)
