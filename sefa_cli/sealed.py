"""Row 0. Archives of arrays of our own, with a digest of each: no damage goes unseen."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.canonical import canonical_json
from sefa_cli.file_kinds import check_ordinary

_DIGESTS = "digests"


class DamagedError(ValueError):
    """The archive was changed after `save_sealed` wrote it."""


def save_sealed(file: IO[bytes], arrays: Mapping[str, Any]) -> None:
    """Write arrays and texts as an .npz that `read_sealed` reads, in their order."""
    whole = {name: np.asarray(array) for name, array in arrays.items()}
    digests = canonical_json({name: _digest(array) for name, array in whole.items()})
    np.savez(file, allow_pickle=False, **whole, **{_DIGESTS: np.array(digests)})


def read_sealed(path: Path, names: Iterable[str] | None = None) -> dict[str, NDArray[Any]]:
    """Return the arrays of these names, or all.

    Raises DamagedError for one that was changed, KeyError for one of something else, or another
    of `interchange.containers.BROKEN`.
    """
    check_ordinary(path)
    with np.load(path, allow_pickle=False) as archive:
        digests = json.loads(str(archive[_DIGESTS]))
        if names is None and {*archive} != {*digests, _DIGESTS}:
            raise DamagedError("other arrays than were written")
        found = {name: archive[name] for name in (digests if names is None else names)}
    for name, array in found.items():
        if not isinstance(array, np.ndarray) or _digest(array) != digests[name]:
            raise DamagedError(f"the array {name!r} was changed")
    return found


def _digest(array: NDArray[Any]) -> str:
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape} ".encode())
    digest.update(np.ascontiguousarray(array).data.cast("B") if array.size else b"")
    return digest.hexdigest()
