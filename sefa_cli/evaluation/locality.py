"""How well an edit stays in its region: change inside and outside, at equal change inside."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sefa_cli.errors import SefaError

_TRIES = 12
_CLOSE = 0.02  # of the change asked for


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


def strength(change_at: Callable[[float], float], target: float, first: float) -> float | None:
    """Return the α at which `change_at(α)`, a root mean square, is `target` within 2 %.

    The search begins at `first`, keeps its sign, and scales α as if changes grew in proportion.
    Once an α is too strong, it alternates with bisection. Returns None after 12 tries: the
    picture is saturated, or the direction changes nothing there.
    """
    lower, upper = 0.0, math.inf  # |α| known to be too weak, and too strong
    alpha, sign = abs(first), math.copysign(1, first)
    for turn in range(_TRIES):
        found = change_at(sign * alpha)
        if abs(found - target) <= _CLOSE * target:
            return sign * alpha
        if found < target:
            lower = alpha
        else:
            upper = alpha
        step = min(4.0, max(0.25, target / found)) if found > 0 else 4.0
        alpha *= step
        bracketed = lower > 0 and upper < math.inf
        if not lower < alpha < upper or (bracketed and turn % 2):
            alpha = math.sqrt(lower * upper)
    return None


def _weighted(squares: NDArray[np.float64], weights: ArrayLike, part: str) -> float:
    own = np.asarray(weights, np.float64)
    total = own.sum()
    if not total:
        raise SefaError(f"the {part} is empty", "at least one pixel with a weight above 0")
    return float((squares * own).sum() / total)
