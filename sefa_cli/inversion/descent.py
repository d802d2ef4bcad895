"""The descent from the mean code to the code of one photo.

L-BFGS in the coordinates of the prior: first one vector for all layers (w), then, for w+, one for
each. A pass is one picture and its gradient, which costs about as much as 2.5 pictures.
"""

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from sefa_cli.errors import SefaError
from sefa_cli.generators.base import Generator
from sefa_cli.inversion.lbfgs import minimize
from sefa_cli.inversion.loss import picture_loss
from sefa_cli.inversion.prior import Prior

Report = Callable[[int, float], object]  # passes so far, the loss of the last one
Watch = Callable[[Tensor], object]


def _ignore(picture: Tensor) -> None:
    """Ignore a picture."""


class _SpentError(Exception):
    """All passes are used."""


class _Known(NamedTuple):
    """What is made small, at a code `(layers, dim)`, and its gradient there."""

    value: float
    code: Tensor
    slope: Tensor


@dataclass
class Descent:
    """The way to the code of one photo.

    Attributes:
        generator: The model.
        prior: Its prior.
        target: The photo `(1, channels, height, width)`, in [-1, 1].
        regularize: Weight of the distances from the mean code and between the layers.
        size: The longer side of the photo in pixels.
        report: Called after each pass.
        watch: Called with each picture that is the best so far, `(1, channels, height, width)`.
        history: The loss of every pass, without what `regularize` adds.
    """

    generator: Generator
    prior: Prior
    target: Tensor
    regularize: float
    size: int
    report: Report
    watch: Watch = _ignore

    def __post_init__(self) -> None:
        self.history: list[float] = []
        self._best: _Known | None = None

    def run(self, passes: int, space: str) -> Tensor:
        """Return the best code found within `passes`, float32 `(layers, dim)`."""
        d, layers = len(self.prior.mean), self.generator.num_layers
        start = self.prior.mean.expand(layers, d)
        first = passes if space != "w+" else (passes + 1) // 2
        self._descend(first, torch.zeros(d, dtype=start.dtype), lambda u: start + self._alike(u))
        assert self._best is not None
        if space == "w+":  # with what the first stage left
            begun = self._best.code
            zero = torch.zeros(layers, d, dtype=start.dtype)
            self._descend(passes, zero, lambda u: begun + self._apart(u))
        return self._best.code.float()

    def _alike(self, u: Tensor) -> Tensor:
        """Return the move of all layers for coordinates `(d,)`."""
        return self.prior.shared @ u

    def _apart(self, u: Tensor) -> Tensor:
        """Return the move of each layer for coordinates `(layers, d)`."""
        return torch.einsum("lij,lj->li", self.prior.layered, u)

    def _descend(self, end: int, u: Tensor, code_at: Callable[[Tensor], Tensor]) -> None:
        """Descend from coordinates `u` until `end` passes are used in all."""

        def evaluate(u: Tensor) -> tuple[float, Tensor]:
            own = u.detach().requires_grad_()
            code = code_at(own)
            known = self._best
            if known is None or not torch.equal(known.code, code):
                if len(self.history) == end:
                    raise _SpentError
                known = self._measure(code.detach())
            (gradient,) = torch.autograd.grad(code, own, known.slope)
            return known.value, gradient

        with contextlib.suppress(_SpentError):
            minimize(evaluate, u)

    def _measure(self, code: Tensor) -> _Known:
        """Spend a pass on a code `(layers, dim)`, float64 on the CPU."""
        generator, prior = self.generator, self.prior
        code.requires_grad_()
        own = code.to(generator.dtype).to(generator.device)[None]
        picture = generator.synthesize(own, size=self.size, preview=True)
        loss = picture_loss(picture, self.target)
        objective = loss.double().cpu()
        if self.regularize:
            away = prior.distance(code.mean(dim=0)) + prior.spread(code)
            objective = objective + self.regularize * away
        (slope,) = torch.autograd.grad(objective, code)
        known = _Known(float(objective.detach()), code.detach().clone(), slope)
        if not math.isfinite(known.value) and self._best is None:
            raise SefaError("the model's mean code has no picture", "a generator that is whole")
        if self._best is None or known.value < self._best.value:  # a step too far may be NaN
            self._best = known
            self.watch(picture.detach())
        self.history.append(float(loss.detach()))
        self.report(len(self.history), self.history[-1])
        return known
