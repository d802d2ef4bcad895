"""A picture as steps, so that the next one can begin in the middle (generators/resuming.py).

A family says how its picture is made step by step; the same steps make every picture, so one that
was begun in the middle has the same bits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Step:
    """One stretch of a network: what came before → what comes after; the last gives the picture.

    `codes` are the code indices it reads. It leaves what it is given as it was.
    """

    codes: tuple[int, ...]
    run: Callable[[Any, Tensor], Any]  # (features, codes (n, num_layers, dim)) → features


def run_steps(steps: list[Step], codes: Tensor) -> Tensor:
    """Return the picture that `steps` make from codes `(n, num_layers, dim)`."""
    state: Any = None
    for step in steps:
        state = step.run(state, codes)
    picture: Tensor = state
    return picture
