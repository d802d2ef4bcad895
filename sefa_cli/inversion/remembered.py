"""Codes of photos, and models tuned to them, kept in the cache: an edit need not look again."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from sefa_cli.canonical import canonical_json
from sefa_cli.checkpoints import TUNED
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.editing.codes import as_codes
from sefa_cli.editing.tuned import save_tuned
from sefa_cli.errors import SefaError
from sefa_cli.inversion.descent import Report, Watch
from sefa_cli.inversion.invert import Inverter
from sefa_cli.inversion.photos import digest, unlike
from sefa_cli.inversion.tune import Progress, tune_to
from sefa_cli.sources import cache


@dataclass(frozen=True)
class PhotoCodes:
    """Codes `(n, layers, dim)` with the names and files of their photos, as `codes=` takes them."""

    codes: torch.Tensor
    names: tuple[str, ...]
    photos: tuple[Path, ...] = ()


def codes_of(
    photos: Sequence[Path],
    inverter: Inverter,
    progress: Progress,
    refused: Callable[[SefaError], object],
) -> PhotoCodes:
    """Return the codes of the photos that can be read, found now or remembered from before.

    They are remembered by the photo's bytes, the model's weights and how they were found.
    Call `refused` for each of the others. Raises SefaError if none can be read.
    """
    codes, read = {}, []
    for path, name in zip(photos, unlike(path.stem for path in photos), strict=True):
        try:
            codes[name] = code_of(path, name, inverter, lambda n, loss: progress(name, n, loss))  # noqa: B023 - called at once
            read.append(path)
        except SefaError as error:
            refused(error)
    if not codes:
        raise SefaError("no photo could be read", "at least one picture")
    return PhotoCodes(torch.cat(list(codes.values())), tuple(codes), tuple(read))


def code_of(
    photo: Path | bytes, name: str, inverter: Inverter, report: Report, watch: Watch | None = None
) -> torch.Tensor:
    """Return the code `(1, layers, dim)` of a photo, on the CPU. Raises SefaError."""
    file = _file(photo, inverter)
    code = _remembered(file, inverter)
    if code is None:
        code = inverter.find(inverter.read(photo, name), report, watch).code[None]
        cache.keep_array(file, code.numpy())
    return code.cpu()


def tuned_to(
    of: PhotoCodes, inverter: Inverter, progress: Progress, offline: bool | None = None
) -> Checkpoint:
    """Return the model as it is tuned to these photos, by LPIPS too; the cache keeps the changes.

    Raises OfflineError if the weights of LPIPS may not be fetched, SefaError if the changes cannot
    be written, UsageError for a model that is tuned already.
    """
    photos = [digest(photo) for photo in of.photos]
    file = cache.cache_folder() / "codes" / f"{_key(inverter, photos=photos, tune=True)}{TUNED}"
    mark = file.with_suffix(".sha256")  # of the file as it was written
    try:
        whole = cache.kept(mark) == hashlib.sha256(file.read_bytes()).digest()
    except OSError:
        whole = False
    if not whole:
        # The photos are read by `inverter`, which aligns them.
        way = replace(inverter.how, loss="lpips", align=False, face=None)
        seeing = Inverter(inverter.generator, way, offline)
        read = zip(of.photos, of.names, of.codes, strict=True)
        found = [seeing.found(inverter.read(path, name), code) for path, name, code in read]
        _, tuned = tune_to(seeing, found, progress)
        file.parent.mkdir(parents=True, exist_ok=True)
        save_tuned(file, tuned.generator, tuned.changes, overwrite=True)
        cache.keep(mark, hashlib.sha256(file.read_bytes()).digest())
    return replace(inverter.generator.checkpoint, tuned=file)


def _file(photo: Path | bytes, inverter: Inverter) -> Path:
    """Return the file of the cache that holds a photo's code."""
    return cache.cache_folder() / "codes" / f"{_key(inverter, photo=digest(photo))}.npy"


def _key(inverter: Inverter, **asked: object) -> str:
    return hashlib.sha256(canonical_json({**inverter.task, **asked}).encode()).hexdigest()


def _remembered(file: Path, inverter: Inverter) -> torch.Tensor | None:
    """Return the code in a file, or None if there is none that fits."""
    codes = cache.kept_array(file)
    try:
        return None if codes is None else as_codes(codes, inverter.generator)
    except SefaError:
        return None
