"""Latent codes in other tools' files, for `--codes`, read with numpy alone.

NVIDIA's projector writes `w (1, layers, dim)` to an `.npz`, e4e and pSp write a tensor
`(n, layers, dim)` to `latents.pt`, rosinality's projector writes a dict of pictures with a code
for each, users of e4e and PTI keep a dict of codes by picture, and others write a plain array.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sefa_cli.containers.contents import Contents
from sefa_cli.errors import SefaError, either
from sefa_cli.file_kinds import not_here
from sefa_cli.interchange.containers import Archive, opened
from sefa_cli.interchange.notes import is_png, read_note
from sefa_cli.interchange.trees import numbers

_OTHER_KEYS = ("latent", "latents", "latent_code", "latent_codes", "codes")
_EXPECTED = (
    "an array (.npy), or an .npz or torch file with codes under {key!r}, 'latent' or 'latents', or "
    "one for each picture's name"
)
_SHOWN = 5  # names in an error
_LONGEST = 200  # letters of a name


class NamedCodes(NamedTuple):
    """Codes as a file has them, and the names of their pictures if it has these too."""

    array: NDArray[Any]  # (n, dim) or (n, layers, dim)
    names: tuple[str, ...] = ()  # n, or none
    found: str = ""  # in words, for errors


class _Entry(NamedTuple):
    """A named array of a file, not read yet."""

    shape: tuple[int, ...]
    read: Callable[[], NDArray[Any]]


def read_codes(path: Path | str, key: str, num_layers: int) -> NamedCodes:
    """Read the codes in a file.

    `key` is their name in archives: "w" or "z". A bare array `(dim,)` is one code, and so is a
    w array with `num_layers` rows. Arrays of one shape under other names are a code for each
    picture. A PNG picture that sefa made holds its own code.
    Raises SefaError for a file without codes; it lists names and shapes.
    """
    path = Path(path)
    if is_png(path):
        return NamedCodes(read_note(path)[1])
    if not path.exists():
        raise not_here(path)
    try:
        content = opened(path)
        if isinstance(content, np.ndarray):
            return NamedCodes(_as_codes(content, key, num_layers), (), _described(content))
        if isinstance(content, Contents) and (tensor := content.tensor(content.tree)) is not None:
            array = numbers(tensor)
            return NamedCodes(_as_codes(array, key, num_layers), (), _described(array))
        if isinstance(content, Archive | Contents):
            return _among(_entries(content), key, num_layers)
        raise SefaError("it is a control vector")
    except SefaError as error:
        if str(path) in error.found:  # it cannot be opened
            raise
        expected = _EXPECTED.format(key=key)
        raise SefaError(f"{path} holds no codes: {error.found}", expected) from error


def codes_for(path: Path | str, space: str, sizes: Mapping[str, Any]) -> NamedCodes:
    """Read the codes in a file for a model of these `sizes`, as `read_codes` and `checked` do."""
    read = read_codes(path, "w" if space == "w" else "z", sizes["num_layers"])
    return read._replace(array=checked(read.array, space, sizes, str(path), read.found))


def checked(
    codes: NDArray[Any], space: str, sizes: Mapping[str, Any], source: str, found: str = ""
) -> NDArray[Any]:
    """Return codes `(n, layers, dim)`, or `(n, dim)` if z is one code.

    Args:
        codes: Floats `(n, layers, dim)`, or `(n, dim)` to repeat for every layer.
        space: "w" or "z".
        sizes: `num_layers`, `w_dim` and `z_dim` of the model.
        source: Where they come from, for errors.
        found: What was found there, if not `codes` itself.

    Raises:
        SefaError: They have another shape or type, or are not finite.
    """
    layers, dim = sizes["num_layers"], sizes["w_dim" if space == "w" else "z_dim"]
    layered = space == "w" or layers > 1
    shapes = [f"(n, {dim})"] + [f"(n, {layers}, {dim})"] * layered
    fits = codes.shape[1:] in ((dim,), (layers, dim)[not layered :])
    if codes.dtype.kind != "f" or not fits or not len(codes):
        raise SefaError(
            f"{source} holds {found or _described(codes)}",
            f"floats of shape {either(shapes)} for this model",
        )
    if not np.isfinite(codes).all():
        raise SefaError(f"{source} holds codes that are not finite numbers")
    return np.repeat(codes[:, None], layers, axis=1) if layered and codes.ndim == 2 else codes


def _described(array: NDArray[Any], name: str = "") -> str:
    return f"{array.dtype} codes of shape {array.shape}" + f" under {name!r:.60}" * bool(name)


def _entries(content: Archive | Contents) -> dict[str, _Entry | None]:
    """Return what a file holds by name; None stands for anything but an array."""
    if isinstance(content, Archive):
        return {n: _Entry(content.shape(n), partial(content.__getitem__, n)) for n in content.names}
    tree = content.tree if isinstance(content.tree, Mapping) else {}
    entries: dict[str, _Entry | None] = {}
    for name, value in tree.items():
        tensor = content.tensor(value["latent"] if _is_projected(value) else value)
        entries[str(name)] = (
            None if tensor is None else _Entry(tensor.shape, partial(numbers, tensor))
        )
    return entries


def _is_projected(entry: Any) -> bool:
    """Return whether this is an entry of rosinality's projector: `{'img': …, 'latent': …}`."""
    return isinstance(entry, Mapping) and "latent" in entry


def _among(entries: Mapping[str, _Entry | None], key: str, num_layers: int) -> NamedCodes:
    """Return the array under a known key, or the codes of all pictures by name."""
    for name in (key, *_OTHER_KEYS):
        if entry := entries.get(name):
            array = entry.read()
            codes, found = _as_codes(array, key, num_layers), _described(array, name)
            return NamedCodes(codes, _names(entries.get("names"), len(codes)), found)
    arrays = [entry for entry in entries.values() if entry]
    other = "z" in entries or "w" in entries  # codes, but of the other space
    if not other and len(arrays) == len(entries) and len({entry.shape for entry in arrays}) == 1:
        each = [_as_codes(entry.read(), key, num_layers) for entry in arrays]
        if all(len(code) == 1 for code in each):
            return NamedCodes(np.concatenate(each), tuple(entries))
    raise SefaError(_listed(entries))


def _names(entry: _Entry | None, count: int) -> tuple[str, ...]:
    """Return the names that `sefa invert` keeps beside its codes; () for anything else."""
    try:
        names = entry.read() if entry and entry.shape == (count,) else np.zeros(0)
    except SefaError:  # of Python objects
        return ()
    if names.dtype.kind != "U":
        return ()
    found = tuple(str(name)[:_LONGEST] for name in names)
    return found if all(name and name.isprintable() for name in found) else ()


def _listed(entries: Mapping[str, _Entry | None]) -> str:
    """Return names and shapes in words."""
    if not entries:
        return "it holds neither an array nor arrays by name"
    first = list(entries.items())[:_SHOWN]
    shown = [
        f"{name!r:.60} " + (str(entry.shape) if entry else "(no array)") for name, entry in first
    ]
    more = f" and {len(entries) - _SHOWN:,} more" if len(entries) > _SHOWN else ""
    return f"it holds {', '.join(shown)}{more}"


def _as_codes(array: NDArray[Any], key: str, num_layers: int) -> NDArray[Any]:
    """Return an array with an axis over the codes."""
    if array.ndim == 1 or (key == "w" and array.ndim == 2 and len(array) == num_layers):
        return array[None]
    return array
