"""Pictures rendered on demand: one by one, as a sheet, or into files."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from sefa_cli.arguments import public
from sefa_cli.errors import SefaError
from sefa_cli.rendering.outputs import PictureTarget, picture_target
from sefa_cli.rendering.pictures import Picture, check_fits, png, to_image
from sefa_cli.rendering.view import View

if TYPE_CHECKING:
    from sefa_cli.rendering.scene import Scene

Progress = Callable[[], object]  # called after each picture
Watch = Callable[[Picture], Picture]  # wraps each picture on its way to a file


def _nothing() -> None:
    """Ignore progress."""


def counted(pictures: Iterable[Picture], progress: Progress) -> list[Picture]:
    """Return the pictures; call `progress` after each."""
    made = []
    for picture in pictures:
        made.append(picture)
        progress()
    return made


def checked_index(i: object, count: int, what: str) -> int:
    """Return an index from 0; raises as a list does, but says what was expected."""
    if not hasattr(i, "__index__"):
        raise TypeError(f"a {what} has an index, got {i!r}")
    k = operator.index(i)
    if not -count <= k < count:
        raise IndexError(f"{what} {k} is out of range; expected 0-{count - 1}")
    return k % count


def _same(picture: Picture) -> Picture:
    return picture


class Pictures(ABC):
    """A sequence of pictures that a notebook shows as one sheet.

    `len(pictures)` is their number, `pictures[0]` is a Pillow image at the requested size, and
    iterating renders them in order.
    """

    scene: Scene
    sheet_size: int  # pixels of a picture in the sheet, unless a size is given

    @property
    def sheet_rows(self) -> int:
        """The least number of rows of the sheet."""
        return 1

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of pictures."""

    @abstractmethod
    def one(self, i: int) -> Picture:
        """Return picture `i` as uint8 `(height, width, channels)`."""

    @abstractmethod
    def stem(self, i: int) -> str:
        """Return the file name of picture `i`, without its suffix."""

    @abstractmethod
    def paint_sheet(self, view: View, progress: Progress) -> Picture:
        """Return all pictures in one, uint8 `(height, width, 3)`."""

    @abstractmethod
    def note(self, i: int) -> dict[str, str]:
        """Return the note in the PNG file of picture `i`: model, seed, code, moves."""

    @property
    @abstractmethod
    def sheet_count(self) -> int:
        """The number of pictures in a sheet: more than `len` if it shows those before an edit."""

    def __getitem__(self, i: int) -> Image.Image:
        """Return picture `i` as a Pillow image; −1 is the last.

        Raises:
            IndexError: The picture does not exist.
            TypeError: It is not an index.
        """
        return to_image(self.one(checked_index(i, len(self), "picture")))

    def __iter__(self) -> Iterator[Image.Image]:
        """Render the pictures in order."""
        return (self[i] for i in range(len(self)))

    @public
    def sheet(self, progress: Progress | None = None) -> Image.Image:
        """Return one Pillow image of all pictures, with headings.

        Args:
            progress: Called after each picture.

        Returns:
            The image. Its pictures have at most 512 pixels (256 for samples), unless `size` was
            given.

        Example:
            >>> sefa.sample(tiny, seeds="0-1", device="cpu").sheet().mode
            'RGB'
        """
        return to_image(self.paint_sheet(self._sheet_view, progress or _nothing))

    @public
    def save(
        self, path: Path | str, overwrite: bool = False, progress: Progress | None = None
    ) -> list[Path | str]:
        """Write a sheet, or every picture into a folder.

        Args:
            path: A .png, .jpg, .jpeg or .webp file for a sheet, "-" for a sheet on standard
                output, or a name without suffix for a folder of PNG files.
            overwrite: Replace existing files.
            progress: Called after each picture.

        Returns:
            The files written.

        Raises:
            SefaError: A file exists or cannot be written.
            UsageError: The suffix is unknown.

        Example:
            >>> sefa.sample(tiny, seeds="0-1", device="cpu").save("both.png")
            [PosixPath('both.png')]
        """
        return list(self.write(picture_target(str(path), "", overwrite), progress))

    def write(
        self, target: PictureTarget, progress: Progress | None = None, watch: Watch = _same
    ) -> Iterator[Path | str]:
        """Yield each file of a checked target once it is written."""
        progress = progress or _nothing
        if not target.is_folder:
            self._check_fits(target)
            sheet = watch(self.paint_sheet(self._sheet_view, progress))
            yield target.save_sheet(sheet, self.about(target))
            return
        for i in range(len(self)):
            texts = self.stem(i), self.about(target), self.note(i)
            yield target.has(*texts) or target.save_one(watch(self.one(i)), *texts)
            progress()

    def _check_fits(self, target: PictureTarget) -> None:
        """Refuse a sheet too large for its format. Only one that may be costs a picture."""
        most = self.sheet_rows * self._sheet_view.side(self.scene.generator)
        try:
            check_fits(target.path, most)
        except SefaError:
            height, width = self.one(0).shape[:2]
            check_fits(target.path, most * height // max(height, width))

    def count(self, target: PictureTarget) -> int:
        """Return the number of pictures to render for a target."""
        return len(self) if target.is_folder else self.sheet_count

    def about(self, target: PictureTarget) -> str:
        """Return in words the size of the pictures in a target, and whether they are exact."""
        view = self.scene.view if target.is_folder else self._sheet_view
        return view.about(self.scene.generator)

    @property
    def _sheet_view(self) -> View:
        return self.scene.view.at_most(self.scene.generator, self.sheet_size)

    @cached_property
    def _png(self) -> bytes:
        return png(self.paint_sheet(self._sheet_view, _nothing))

    def _repr_png_(self) -> bytes:
        """Return the sheet as PNG, for notebooks."""
        return self._png
