"""L-BFGS that needs little more than one gradient for each step.

torch's own searches every step for the strong Wolfe conditions. On the one picture where both were
tried, that took 40 gradients, and this 27 (the table in docs/photographs.md): in well-scaled
coordinates the first try is mostly good.
"""

from collections import deque
from collections.abc import Callable

from torch import Tensor

HISTORY = 100  # pairs of steps and changes of the gradient: with 20, the end is slower
_ENOUGH = 1e-4  # Armijo: the share of the promised decrease that a step must bring
_SHORTER = 0.4
_SHORTEST = 1e-4

Pairs = deque[tuple[Tensor, Tensor]]


def minimize(
    value_and_gradient: Callable[[Tensor], tuple[float, Tensor]], x: Tensor, pairs: Pairs
) -> None:
    """Descend from `x` until no step helps; whatever `value_and_gradient` raises ends it.

    `pairs` are what is known of the curvature; new ones are added.

    Source: Nocedal, Mathematics of Computation 1980, with backtracking.

    Example:
        >>> seen = []
        >>> def bowl(x):
        ...     seen.append(float(x @ (x * torch.tensor([1.0, 9.0]))))
        ...     return seen[-1], 2 * x * torch.tensor([1.0, 9.0])
        >>> minimize(bowl, torch.tensor([3.0, -1.0]), deque(maxlen=HISTORY))
        >>> min(seen) < 1e-6, len(seen) < 30
        (True, True)
    """
    value, gradient = value_and_gradient(x)
    while gradient.any():
        step = _direction(gradient, pairs)
        slope = float((step * gradient).sum())
        length = 1.0
        while True:
            there = x + length * step
            found, slopes = value_and_gradient(there)
            if found < value + _ENOUGH * length * slope:
                break
            length *= _SHORTER
            if length < _SHORTEST:
                return
        change = slopes - gradient
        if float((change * (there - x)).sum()) > 0:
            pairs.append((there - x, change))
        x, value, gradient = there, found, slopes


def _direction(gradient: Tensor, pairs: Pairs) -> Tensor:
    """Return −H g by the two loops over the pairs; the first step has length 1."""
    if not pairs:
        return (-gradient).div(gradient.norm())
    step: Tensor = -gradient
    weights: list[Tensor] = []
    for s, y in reversed(pairs):
        weights.append((s * step).sum() / (s * y).sum())
        step = step - weights[-1] * y
    s, y = pairs[-1]
    step = step * ((s * y).sum() / (y * y).sum())
    for (s, y), weight in zip(pairs, reversed(weights), strict=True):
        step = step + s * (weight - (y * step).sum() / (s * y).sum())
    return step
