"""Edited faces back in their photos: where `--align` cut them out, with a soft edge."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sefa_cli.discovery.regions.landmarks import refusal
from sefa_cli.inversion.align import Find, face_finder, face_square
from sefa_cli.inversion.photos import Given, upright_photo
from sefa_cli.rendering.edits import Edits
from sefa_cli.rendering.gallery import Progress
from sefa_cli.rendering.outputs import PictureTarget
from sefa_cli.rendering.pictures import Picture, to_rgb
from sefa_cli.rendering.view import View

_SOFT = 0.7  # of the way from the middle to the edge, from where on the photo comes through


class Place(NamedTuple):
    """A photo, and the corners `(4, 2)` of the square that was cut out, from the top left."""

    photo: Image.Image
    square: NDArray[np.float64]


def place_of(given: Given, find: Find, face: int | None = None) -> Place:
    """Return where `--align` cuts a face out of a photo. Raises SefaError, as `read_photo`."""
    label = str(given) if isinstance(given, str | Path) else "the picture"
    photo = upright_photo(given, 3, label, [])
    return Place(photo, face_square(photo, find, face, label)[1])


def paste(place: Place, picture: Picture) -> Picture:
    """Return the whole photo `(height, width, 3)` with a picture in its square.

    The picture is whole in the middle and fades into the photo toward the edge, along a squircle.

    Example:
        >>> square = np.array([[10.0, 10], [10, 42], [42, 42], [42, 10]])
        >>> photo = Image.new("RGB", (64, 48), "white")
        >>> whole = paste(Place(photo, square), np.zeros((32, 32, 3), np.uint8))
        >>> whole.shape, whole[26, 26].tolist(), whole[11, 11].tolist(), whole[5, 60].tolist()
        ((48, 64, 3), [0, 0, 0], [255, 255, 255], [255, 255, 255])
    """
    photo, square = place
    side = max(1, round(float(np.linalg.norm(square[3] - square[0]))))
    face = Image.fromarray(to_rgb(picture))
    if side < face.width:  # or pixels between the sampled ones would be lost
        face = face.resize((side, side), Image.Resampling.BOX)
    n = face.width
    low = np.maximum(np.floor(square.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(square.max(axis=0)).astype(int), photo.size)
    if (high <= low).any():
        return np.asarray(photo).copy()
    right, down = (square[3] - square[0]) / n, (square[1] - square[0]) / n
    back = np.linalg.inv(np.stack([right, down], axis=1))  # from the photo's pixels to the face's
    shift = back @ (low - square[0])
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    turned = np.asarray(
        face.transform(
            size,
            Image.Transform.AFFINE,
            (*back[0], shift[0], *back[1], shift[1]),
            Image.Resampling.BICUBIC,
        )
    )
    columns, rows = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    u, v = (back[i, 0] * columns + back[i, 1] * rows + shift[i] for i in (0, 1))
    away = (np.abs(2 * u / n - 1) ** 4 + np.abs(2 * v / n - 1) ** 4) ** 0.25  # 1 at the edge
    share = np.clip((1 - away) / (1 - _SOFT), 0, 1)
    share = (share * share * (3 - 2 * share))[..., None]
    whole = np.asarray(photo).copy()
    part = whole[low[1] : high[1], low[0] : high[0]]
    part[:] = np.rint(share * turned + (1 - share) * part)
    return whole


@dataclass(frozen=True, eq=False, repr=False)
class Pasted(Edits):
    """Edits of photos, each picture in its whole photo.

    Attributes:
        places: Where each code's face is.
    """

    places: Sequence[Place] = ()

    @property
    def sheet_count(self) -> int:
        """The number of pictures: a file gets a single one."""
        return len(self)

    def about(self, target: PictureTarget) -> str:
        """Return what tells the pictures from those of the faces alone."""
        return f"{super().about(target)}; in its photo"

    def one(self, i: int) -> Picture:
        """Return picture `i` as uint8 `(height, width, 3)`."""
        return paste(self.places[i % len(self.places)], super().one(i))

    def paint_sheet(self, view: View, progress: Progress) -> Picture:
        """Return the only picture, at its own size."""
        picture = self.one(0)
        progress()
        return picture


def pasted(
    edits: Edits, photos: Sequence[Path], face: int | None, offline: bool | None = None
) -> Pasted:
    """Return edits that put the faces back into their photos, one for each code.

    Raises SefaError if the landmark package is missing.
    """
    if (refused := refusal()) is not None:
        raise refused
    find = face_finder(offline)
    assert find is not None
    places = [place_of(photo, find, face) for photo in photos]
    own = {field.name: getattr(edits, field.name) for field in fields(edits)}
    return Pasted(**own, places=places)
