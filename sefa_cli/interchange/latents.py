"""Latent codes in other tools' files, for `--codes`, read with numpy alone.

NVIDIA's projector writes `w (1, layers, dim)` to an `.npz`, e4e and pSp write a tensor
`(n, layers, dim)` to `latents.pt`, rosinality's projector writes a dict of pictures with a code
for each, and others write a plain array.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.containers.contents import Contents
from sefa_cli.errors import SefaError
from sefa_cli.interchange.containers import Archive, opened
from sefa_cli.interchange.trees import numbers

_LONGEST_NAME = 200
_EXPECTED = "an .npz archive with an array {key!r}, an array (.npy) or a torch file of codes"


def read_codes(path: Path | str, key: str, num_layers: int) -> NDArray[Any]:
    """Read the codes in a file: `(n, dim)` or `(n, layers, dim)`, as the file has them.

    `key` is their name in archives: "w" or "z". A bare array `(dim,)` is one code, and so is a
    w array with `num_layers` rows. Raises SefaError for a file without codes.
    """
    path = Path(path)
    try:
        content = opened(path)
        if isinstance(content, Archive):
            if key not in content:
                raise SefaError(f"the archive has no array {key!r}")
            return content[key]  # as the projector wrote it: (n, layers, dim) or (n, dim)
        if isinstance(content, Contents):
            return _in_tree(content, key, num_layers)
        if isinstance(content, np.ndarray):
            return _as_codes(content, key, num_layers)
        raise SefaError("it is a control vector")
    except SefaError as error:
        if str(path) in error.found:  # it cannot be opened
            raise
        expected = _EXPECTED.format(key=key)
        raise SefaError(f"{path} holds no codes: {error.found}", expected) from error


def read_names(path: Path | str, count: int) -> tuple[str, ...]:
    """Return the names of the codes in an .npz that `sefa invert` wrote; () if it has none.

    Raises SefaError for a file that cannot be opened.
    """
    content = opened(Path(path))
    names = content.get("names") if isinstance(content, Archive) else None
    if names is None or names.dtype.kind != "U" or names.shape != (count,):
        return ()
    found = tuple(str(name)[:_LONGEST_NAME] for name in names)
    return found if all(name and name.isprintable() for name in found) else ()


def _in_tree(contents: Contents, key: str, num_layers: int) -> NDArray[Any]:
    tree = contents.tree
    if (tensor := contents.tensor(tree)) is not None:
        return _as_codes(numbers(tensor), key, num_layers)
    entries = list(tree.values()) if isinstance(tree, Mapping) else []
    codes = []
    for entry in entries:
        tensor = contents.tensor(entry["latent"]) if _is_projected(entry) else None
        if tensor is None:
            raise SefaError("it holds neither a tensor nor projected pictures")
        codes.append(numbers(tensor))  # (dim,) or (layers, dim)
    if not codes or len({code.shape for code in codes}) != 1:
        raise SefaError("its codes are missing, or differ in shape")
    return np.stack(codes)


def _is_projected(entry: Any) -> bool:
    """Return whether this is an entry of rosinality's projector: `{'img': …, 'latent': …}`."""
    return isinstance(entry, Mapping) and "latent" in entry


def _as_codes(array: NDArray[Any], key: str, num_layers: int) -> NDArray[Any]:
    if array.ndim == 1 or (key == "w" and array.ndim == 2 and len(array) == num_layers):
        return array[None]
    return array
