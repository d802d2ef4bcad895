"""L-BFGS: it finds minima, and a step that goes too far only makes the next one shorter."""

import math
from collections import deque

import torch
from torch import Tensor

from sefa_cli.inversion.how import How
from sefa_cli.inversion.lbfgs import HISTORY, minimize


def test_a_step_into_nowhere_is_shortened() -> None:
    """Below 0 the value is NaN, as a picture's loss is when a code is too far away."""
    seen: list[float] = []

    def barrier(x: Tensor) -> tuple[float, Tensor]:
        seen.append(float((10 * x - x.log()).sum()))
        return seen[-1], 10 - 1 / x

    minimize(
        barrier, torch.tensor([0.9], dtype=torch.float64), deque()
    )  # the first step has length 1
    assert math.isnan(seen[1])
    least = 1 + math.log(10)  # at 0.1
    assert min(value for value in seen if not math.isnan(value)) - least < 1e-9


def test_a_narrow_valley_is_followed() -> None:
    seen: list[float] = []

    def rosenbrock(x: Tensor) -> tuple[float, Tensor]:
        own = x.clone().requires_grad_()
        value = (1 - own[0]) ** 2 + 100 * (own[1] - own[0] ** 2) ** 2
        (gradient,) = torch.autograd.grad(value, own)
        seen.append(float(value.detach()))
        return seen[-1], gradient

    minimize(rosenbrock, torch.tensor([-1.2, 1.0], dtype=torch.float64), deque(maxlen=HISTORY))
    assert min(seen) < 1e-10 and len(seen) < 80


def test_a_search_of_the_usual_length_forgets_no_step() -> None:
    """With 20 pairs, a photo's loss after 100 passes is a twentieth higher."""
    assert How().passes <= HISTORY
