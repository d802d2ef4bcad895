"""How much a move changes a picture inside and outside the region of a bundle."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.errors import SefaError
from sefa_cli.rendering.pictures import Picture


class Change(NamedTuple):
    """Mean squared change of the pixels, in the square of whatever unit the pictures are in."""

    inside: float
    outside: float

    @property
    def ratio(self) -> float:
        """Inside over outside: the larger, the better the edit stays where it should."""
        return self.inside / self.outside if self.outside else math.inf


def change(
    before: NDArray[np.floating],
    after: NDArray[np.floating],
    fore: ArrayLike,
    back: ArrayLike,
) -> Change:
    """Return the change between two pictures `(C, H, W)`; `fore`, `back` `(H, W)` weigh pixels.

    Raises SefaError if the weights of a part are all zero.
    """
    squares = np.square(after.astype(np.float64) - before).mean(axis=0)  # (H, W)
    return Change(_weighted(squares, fore, "region"), _weighted(squares, back, "background"))


def change_in(bundle: Bundle, before: Picture, after: Picture) -> Change:
    """Return the change between two pictures, in squared levels of 255, in and around a region.

    The region is the mask of the bundle: the mean of its masks, if each seed has its own.

    Raises SefaError if the region or its background is empty.
    """
    first, last = (np.moveaxis(p.astype(np.float64), 2, 0) for p in (before, after))
    size = before.shape[1], before.shape[0]
    fore, back = _resized(np.asarray(bundle.mask), size), bundle.background
    return change(first, last, fore, 255 - fore if back is None else _resized(back, size))


def _resized(mask: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float64]:
    mean = mask.reshape(-1, *mask.shape[-2:]).mean(axis=0)
    image = Image.fromarray(mean.astype(np.uint8)).resize(size, Image.Resampling.BOX)
    return np.asarray(image, np.float64)


def _weighted(squares: NDArray[np.float64], weights: ArrayLike, part: str) -> float:
    own = np.asarray(weights, np.float64)
    total = own.sum()
    if not total:
        raise SefaError(f"the {part} is empty", "at least one pixel with a weight above 0")
    return float((squares * own).sum() / total)
