"""The descent from the mean code to the code of one photo.

L-BFGS in the coordinates of the prior: first one vector for all layers (w), then, for w+, one for
each. A pass is one picture and its gradient, which costs about as much as 2.5 pictures.
"""

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from sefa_cli.errors import SefaError
from sefa_cli.generators.base import Generator
from sefa_cli.inversion.lbfgs import minimize
from sefa_cli.inversion.loss import picture_loss
from sefa_cli.inversion.prior import Prior

Report = Callable[[int, float], object]  # passes so far, the loss of the last one


class _SpentError(Exception):
    """All passes are used."""


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
        history: The loss of every pass, without what `regularize` adds.
    """

    generator: Generator
    prior: Prior
    target: Tensor
    regularize: float
    size: int
    report: Report

    def __post_init__(self) -> None:
        self.history: list[float] = []
        self._best: tuple[float, Tensor] | None = None

    def run(self, passes: int, space: str) -> Tensor:
        """Return the best code found within `passes`, float32 `(layers, dim)`."""
        d, layers = len(self.prior.mean), self.generator.num_layers
        start = self.prior.mean.expand(layers, d)
        first = passes if space != "w+" else (passes + 1) // 2
        self._descend(first, torch.zeros(d, dtype=start.dtype), lambda u: start + self._alike(u))
        assert self._best is not None
        if space == "w+" and passes > first:
            begun = self._best[1]
            zero = torch.zeros(layers, d, dtype=start.dtype)
            self._descend(passes - first, zero, lambda u: begun + self._apart(u))
        return self._best[1].float()

    def _alike(self, u: Tensor) -> Tensor:
        """Return the move of all layers for coordinates `(d,)`."""
        return self.prior.shared @ u

    def _apart(self, u: Tensor) -> Tensor:
        """Return the move of each layer for coordinates `(layers, d)`."""
        return torch.einsum("lij,lj->li", self.prior.layered, u)

    def _descend(self, passes: int, u: Tensor, code_at: Callable[[Tensor], Tensor]) -> None:
        end = len(self.history) + passes

        def evaluate(u: Tensor) -> tuple[float, Tensor]:
            if len(self.history) == end:
                raise _SpentError
            own = u.detach().requires_grad_()
            objective = self._objective(code_at(own))
            (gradient,) = torch.autograd.grad(objective, own)
            return float(objective.detach()), gradient

        with contextlib.suppress(_SpentError):
            minimize(evaluate, u)

    def _objective(self, code: Tensor) -> Tensor:
        """Return what is made small for a code `(layers, dim)`, float64 on the CPU."""
        generator, prior = self.generator, self.prior
        own = code.to(generator.dtype).to(generator.device)[None]
        picture = generator.synthesize(own, size=self.size, preview=True)
        loss = picture_loss(picture, self.target)
        objective = loss.double().cpu()
        if self.regularize:
            away = prior.distance(code.mean(dim=0)) + prior.spread(code)
            objective = objective + self.regularize * away
        value = float(objective.detach())
        if not math.isfinite(value) and self._best is None:
            raise SefaError("the model's mean code has no picture", "a generator that is whole")
        if self._best is None or value < self._best[0]:  # a step too far may be NaN
            self._best = value, code.detach().clone()
        self.history.append(float(loss.detach()))
        self.report(len(self.history), self.history[-1])
        return objective
