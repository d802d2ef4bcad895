"""Where pictures go: one sheet (a file or stdout), or a folder of single pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sefa_cli.errors import MismatchError, UsageError, either
from sefa_cli.files import check_folder, check_suffix, check_writable, free_name, is_folder
from sefa_cli.interchange.notes import text_in
from sefa_cli.rendering.pictures import PICTURE_SUFFIXES, save_picture, save_png


@dataclass(frozen=True)
class PictureTarget:
    """A checked output for pictures, as `picture_target` returns it."""

    path: Path | str  # a picture file, a folder, or "-"
    is_folder: bool
    overwrite: bool
    resume: bool = False  # leave pictures alone that are there, made with the same options

    def save_sheet(self, picture: NDArray[np.uint8], about: str) -> Path | str:
        """Write the sheet, with `about` as its comment, and return its path."""
        save_picture(self.path, picture, self.overwrite, {"Comment": about})
        return self.path

    def has(self, stem: str, about: str, note: Mapping[str, str]) -> Path | None:
        """Return the picture that an earlier run left, if this run goes on from it.

        Raises MismatchError for a file of that name that was made with other options.
        """
        path = Path(self.path) / f"{stem}.png"
        if not self.resume or self.overwrite or not path.exists():
            return None
        if any(text_in(path, key) != text for key, text in {"Comment": about, **note}.items()):
            raise MismatchError(
                f"{path} is there, made with other options, or it is not whole",
                remedy="Use overwrite=True to make it again.",
            )
        return path

    def save_one(
        self, picture: NDArray[np.uint8], stem: str, about: str, note: Mapping[str, str]
    ) -> Path:
        """Write one picture into the folder, numbered if its name is taken, and return its path.

        `about` becomes its comment, `note` further text (see rendering/note.py).
        """
        path = free_name(self.path, stem, ".png", self.overwrite)
        save_png(path, picture, self.overwrite, {"Comment": about, **note})
        return path


def picture_target(output: str | None, stem: str, overwrite: bool) -> PictureTarget:
    """Return the target that `-o` names, checked before anything is rendered.

    A .png, .jpg, .jpeg or .webp file is a sheet, `-` is stdout, and a name without suffix
    is a folder, made with its first picture. Without an output it is `stem.png` in the
    current folder, numbered if that exists and must not be overwritten.
    """
    if output is None:
        path = free_name(".", stem, ".png", overwrite)
        return PictureTarget(check_writable(path, overwrite), False, overwrite)
    if output == "-":
        return PictureTarget("-", False, overwrite)
    path = Path(output)
    if is_folder(path) or not path.suffix or output.endswith("/"):
        return PictureTarget(check_folder(path), True, overwrite)
    suffix = path.suffix.lower()
    if suffix not in PICTURE_SUFFIXES:
        expected = either([*PICTURE_SUFFIXES, "a folder", "-"])
        check_suffix(path, PICTURE_SUFFIXES, expected)
        raise UsageError(f"unknown picture suffix {suffix!r}", expected)
    return PictureTarget(check_writable(path, overwrite), False, overwrite)
