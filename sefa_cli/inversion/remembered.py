"""Codes of photos that were found before, kept in the cache: an edit need not look again."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from sefa_cli.canonical import canonical_json
from sefa_cli.editing.codes import as_codes
from sefa_cli.errors import SefaError
from sefa_cli.inversion.batch import Progress
from sefa_cli.inversion.invert import Inverter
from sefa_cli.inversion.photos import digest, unlike
from sefa_cli.sources import cache


@dataclass(frozen=True)
class PhotoCodes:
    """Codes `(n, layers, dim)` with the names of their photos, as `codes=` takes them."""

    codes: torch.Tensor
    names: tuple[str, ...]


def codes_of(photos: Sequence[Path], inverter: Inverter, progress: Progress) -> PhotoCodes:
    """Return the codes of photos, found now or remembered from before.

    They are remembered by the photo's bytes, the model's fingerprint and how they were found.
    Raises SefaError for a photo that cannot be read.
    """
    names = unlike(path.stem for path in photos)
    codes = []
    for path, name in zip(photos, names, strict=True):
        file = _file(path, inverter)
        code = _remembered(file, inverter)
        if code is None:
            found = inverter.find(
                inverter.read(path, name),
                lambda done, loss, name=name: progress(name, done, loss),  # type: ignore[misc]
            )
            code = found.code[None]
            cache.keep_array(file, code.numpy())
        codes.append(code.cpu())
    return PhotoCodes(torch.cat(codes), tuple(names))


def _file(photo: Path, inverter: Inverter) -> Path:
    """Return the file of the cache that holds a photo's code."""
    how = {"photo": digest(photo), **inverter.task}
    key = hashlib.sha256(canonical_json(how).encode()).hexdigest()
    return cache.cache_folder() / "codes" / f"{key}.npy"


def _remembered(file: Path, inverter: Inverter) -> torch.Tensor | None:
    """Return the code in a file, or None if there is none that fits."""
    codes = cache.kept_array(file)
    try:
        return None if codes is None else as_codes(codes, inverter.generator)
    except SefaError:
        return None
