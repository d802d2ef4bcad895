"""The strength of an edit: how far to move so that a picture changes as much as asked."""

import math
from collections.abc import Callable

_TRIES = 12
_CLOSE = 0.02  # of the change asked for


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
