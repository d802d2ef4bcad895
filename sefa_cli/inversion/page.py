"""A page of photos: each beside its code's picture and their difference, with edits below."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.moves import FARTHEST
from sefa_cli.errors import SefaError
from sefa_cli.files import folder_beside, make_folder
from sefa_cli.generators.base import Generator
from sefa_cli.inversion.batch import Outcome
from sefa_cli.inversion.table import rows
from sefa_cli.rendering.options import PictureOptions
from sefa_cli.rendering.pictures import Picture, save_png
from sefa_cli.rendering.report import report_of, sweep_steps, write_report
from sefa_cli.rendering.report_folder import PAGE, PICTURES, check_report_folder
from sefa_cli.rendering.report_page import write_template

Begin = Callable[[int], Callable[[], object]]

_BRIGHTER = 3  # times
_STEPS = 5
_FIRST = 5  # directions of a bundle without names
_WORDS = {
    "loss": "loss",
    "psnr": "PSNR in dB",
    "lpips": "LPIPS",
    "seconds": "seconds",
    "notes": "what was done",
}


@dataclass(frozen=True)
class Edits:
    """The directions whose edits a page shows."""

    bundle: Bundle
    dirs: str  # the bundle as the user named it

    @property
    def ks(self) -> list[int]:
        """The directions with names, or the first ones of a bundle without any."""
        named = [k for k, label in enumerate(self.bundle.labels) if label]
        return named or list(range(min(_FIRST, self.bundle.k)))

    @property
    def sweeps(self) -> dict[int, tuple[float, ...]]:
        """The steps of each direction, on both sides."""
        ends = {k: FARTHEST * self.bundle.step(k) for k in self.ks}
        return {k: sweep_steps(-end, end, _STEPS) for k, end in ends.items()}


@dataclass(frozen=True)
class PhotoPage:
    """A page of photos, for the folder `path`."""

    path: Path | str
    outcomes: Sequence[Outcome]
    command: str  # makes the page again
    model: str  # as the user named it
    overwrite: bool = False

    def write(self) -> Path:
        """Write the page without edits, and return it."""
        values = {
            "title": "Photographs",
            "facts": [("model", self.model)],
            "command": self.command,
            "photos": list(_photos(self.outcomes)),
        }
        path = Path(self.path)
        with folder_beside(path, lambda: check_report_folder(path, self.overwrite)) as folder:
            make_folder(folder / PICTURES)
            for name, picture in _files(self.outcomes).items():
                save_png(folder / name, picture)
            write_template("inversion.html", folder / PAGE, values)
        return path / PAGE

    def write_edited(self, edits: Edits, generator: Generator, codes: str, begin: Begin) -> Path:
        """Write the page of a report with the photos above their edits, and return it.

        Args:
            edits: The directions.
            generator: Their model.
            codes: The file that holds the codes of the photos that could be read.
            begin: Gets the number of pictures, and returns what is called after each.
        """
        start: PictureOptions = {"codes": codes, "model": generator}
        report = report_of(edits.bundle, edits.sweeps, edits.dirs, {}, start)
        report = replace(
            report,
            command=self.command,
            look={**report.look, "--model": self.model},
            photos=list(_photos(self.outcomes)),
            photo_files=_files(self.outcomes),
        )
        return write_report(report, self.path, self.overwrite, begin(report.total))


def _files(outcomes: Sequence[Outcome]) -> dict[str, Picture]:
    """Return the pictures of photos, of codes, and of their differences, by file."""
    made: dict[str, Picture] = {}
    for i, one in enumerate(outcomes):
        if isinstance(one.result, SefaError):
            continue
        photo, found = one.result.photo.pixels, one.result.picture
        away = np.abs(photo.astype(int) - found) * _BRIGHTER
        difference = away.clip(0, 255).astype(np.uint8)
        for label, picture in (("photo", photo), ("found", found), ("difference", difference)):
            made[_file(label, i)] = picture
    return made


def _photos(outcomes: Sequence[Outcome]) -> Iterator[Mapping[str, Any]]:
    """Yield what photos.html shows of each photo."""
    for i, (one, row) in enumerate(zip(outcomes, rows(outcomes), strict=True)):
        if row["error"]:
            yield {"name": one.name, "pictures": [], "facts": [("not read", row["error"])]}
            continue
        labels = {"photo": "photo", "found": "its code", "difference": f"difference, {_BRIGHTER} ×"}
        yield {
            "name": one.name,
            "pictures": [(label, _file(kind, i)) for kind, label in labels.items()],
            "facts": [(word, row[key]) for key, word in _WORDS.items() if row[key]],
        }


def _file(kind: str, number: int) -> str:
    return f"{PICTURES}/{kind}{number:04d}.png"
