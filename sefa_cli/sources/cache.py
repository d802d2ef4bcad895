"""The cache folder: what sefa keeps between runs, so nothing is fetched or computed twice.

Everything but a fetched model is a convenience: if it cannot be written or read, commands go on
without it.
"""

import contextlib
import hashlib
import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sefa_cli.errors import SefaError
from sefa_cli.files import open_atomically

if TYPE_CHECKING:
    from numpy.typing import NDArray


_SHA256 = 32  # bytes


def cache_folder() -> Path:
    """Return `SEFA_CACHE`, or the platform's cache folder for sefa. It may not exist yet."""
    if own := os.environ.get("SEFA_CACHE"):
        return Path(own).expanduser().absolute()
    import platformdirs

    return platformdirs.user_cache_path("sefa", appauthor=False)


def models_folder() -> Path:
    """Return the folder of fetched models; each has a folder of its own."""
    return cache_folder() / "models"


def remember(fingerprint: str, path: Path) -> None:
    """Note that the model with this fingerprint was last seen at `path` (a file or IR folder)."""
    place = str(path.absolute())
    # One file for each place: two processes that note two places never overwrite each other.
    entry = _index(fingerprint) / _entry_name(place)
    try:
        os.utime(entry)  # known already: only seen again
    except OSError:
        text = json.dumps({"path": place})
        write_quietly(entry, lambda file: file.write(text.encode()))


def recall(fingerprint: str) -> list[Path]:
    """Return the places where the model with this fingerprint was seen, latest first.

    They are hints: a file may have changed since. Notes about vanished files are dropped.
    """
    try:
        entries = sorted(_index(fingerprint).glob("*.json"), key=_age, reverse=True)
    except OSError:
        return []
    places = []
    for entry in entries:
        place = _read_entry(entry)
        if place is not None:
            places.append(place)
        else:
            with contextlib.suppress(OSError):
                entry.unlink()
    return places


def load_w_avg(fingerprint: str) -> "NDArray[Any] | None":
    """Return the mean style that `save_w_avg` kept under this key, or None."""
    import numpy as np

    array = kept_array(_w_avg_file(fingerprint))
    if array is None or array.dtype.kind != "f":
        return None
    return array if array.ndim and np.isfinite(array).all() else None


def save_w_avg(fingerprint: str, array: "NDArray[Any]") -> None:
    """Keep a computed mean style, if the cache can be written."""
    keep_array(_w_avg_file(fingerprint), array)


def keep_array(path: Path, array: "NDArray[Any]") -> None:
    """Write an array that `kept_array` reads, if the cache can be written."""
    import numpy as np

    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(array), allow_pickle=False)
    keep(path, file.getvalue())


def kept_array(path: Path) -> "NDArray[Any] | None":
    """Return the array in a file of the cache; None if it is missing or not as it was written."""
    import numpy as np

    data = kept(path)
    if data is None:
        return None
    array: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    return array


def keep(path: Path, data: bytes) -> None:
    """Write bytes that `kept` reads, if the cache can be written: after them, their SHA-256."""
    write_quietly(path, lambda file: file.write(data + hashlib.sha256(data).digest()))


def kept(path: Path) -> bytes | None:
    """Return the bytes in a file of the cache; None if it is missing or not as it was written."""
    try:
        whole = path.read_bytes()
    except OSError:
        return None
    data = whole[:-_SHA256]
    return data if hashlib.sha256(data).digest() == whole[-_SHA256:] else None


def write_quietly(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    """Write a small file of the cache whole or not at all; give up quietly."""
    with contextlib.suppress(OSError, SefaError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with open_atomically(path, overwrite=True) as file:
            write(file)


def _index(fingerprint: str) -> Path:
    return cache_folder() / "index" / _key(fingerprint)


def _w_avg_file(fingerprint: str) -> Path:
    return cache_folder() / "w_avg" / f"{_key(fingerprint)}.npy"


def _key(fingerprint: str) -> str:
    """Return a safe file name: fingerprints come from bundles, which come from anywhere."""
    return fingerprint if re.fullmatch(r"[0-9a-f]{64}", fingerprint) else _digest(fingerprint)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _age(entry: Path) -> int:
    with contextlib.suppress(OSError):
        return entry.stat().st_mtime_ns
    return 0


def _entry_name(place: str) -> str:
    return f"{_digest(place)[:16]}.json"


def _read_entry(entry: Path) -> Path | None:
    """Return the place that an entry names, or None if it is broken or nothing is there."""
    try:
        text = json.loads(entry.read_text("utf-8"))["path"]
        place = Path(text)
        known = entry.name == _entry_name(text) and place.is_absolute()
        return place if known and place.exists() else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
