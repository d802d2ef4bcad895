"""The descent from the mean code, or from a guess, to the code of one photo.

L-BFGS in the coordinates of the prior: first one vector for all layers (w), then, for w+, one for
each, which starts from the curvature that the first stage has seen. A pass is one picture and its
gradient, which costs about as much as 2.5 pictures. Without a guess, the first steps look at rough
pictures, if the model paints them: four for a pass.
"""

import contextlib
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from sefa_cli.errors import SefaError
from sefa_cli.generators.base import Generator
from sefa_cli.inversion.lbfgs import HISTORY, Pairs, minimize
from sefa_cli.inversion.loss import Loss, loss_to
from sefa_cli.inversion.prior import Prior

Report = Callable[[int, float], object]  # passes so far, the loss of the last one
Watch = Callable[[Tensor], object]


def _ignore(picture: Tensor) -> None:
    """Ignore a picture."""


_LOOKS = 4  # at rough pictures, for a pass
_ROUGH = 4  # passes; more bring nothing: a rough picture is 25 dB from the mean of the fine one
_SHARED = 10  # in w+, a tenth of the passes looks at exact pictures of one code for all layers


class _SpentError(Exception):
    """All passes are used."""


class _Known(NamedTuple):
    """What is made small, at a code `(layers, dim)`, and its gradient there."""

    value: float
    code: Tensor
    slope: Tensor


class _Look(NamedTuple):
    """A way to look at a code."""

    paint: Callable[[Tensor], Tensor]  # codes (1, layers, dim) to a picture
    loss: Loss
    cost: float  # in passes


@dataclass
class Descent:
    """The way to the code of one photo.

    Attributes:
        generator: The model.
        prior: Its prior.
        target: The photo `(1, channels, height, width)`, in [-1, 1].
        loss: How far a picture of the same shape is from it, a scalar.
        regularize: Weight of the distances from the mean code and between the layers.
        report: Called after each look.
        start: Where to begin `(d,)`. Default: the mean code, and rough pictures first.
        share: How much the error of each pixel `(height, width)` counts, as in `loss`.
        watch: Called with each picture that is the best so far, `(1, channels, height, width)`.
        spent: Passes used.
    """

    generator: Generator
    prior: Prior
    target: Tensor
    loss: Loss
    regularize: float
    report: Report
    watch: Watch = _ignore
    start: Tensor | None = None
    share: Tensor | None = None

    def __post_init__(self) -> None:
        self.spent = 0.0
        self._best: _Known | None = None
        self._steps: Pairs = deque(maxlen=HISTORY)  # between codes that were the best (layers, dim)
        self._size = max(self.target.shape[-2:])

    def run(self, passes: int, space: str) -> Tensor:
        """Return the best code found within `passes`, float32 `(layers, dim)`."""
        d, layers = len(self.prior.mean), self.generator.num_layers
        mean = self.prior.mean.expand(layers, d)
        alike = lambda u: mean + self.prior.shared @ u  # noqa: E731
        side = self.generator.rough_size if self.start is None else None
        seen = side is not None and self._size % side == 0 and passes > 1
        begin = min(_ROUGH, passes / 2) if seen else 0
        first = passes if space != "w+" else begin + max(1, passes // _SHARED)
        fine = _Look(
            lambda w: self.generator.synthesize(w, size=self._size, preview=True), self.loss, 1.0
        )
        pairs: Pairs = deque(maxlen=HISTORY)
        u = torch.zeros(d, dtype=mean.dtype)
        if self.start is not None:
            u = torch.linalg.solve(self.prior.shared, self.start - self.prior.mean)
        if side is not None and seen:
            factor, share = self._size // side, self.share
            small = F.avg_pool2d(self.target, factor)
            share = None if share is None else F.avg_pool2d(share[None], factor)[0]
            rough = _Look(self.generator.rough, loss_to(small, None, share), 1 / _LOOKS)
            u = self._descend(begin, u, alike, rough, pairs)
            self._best = None
        self._descend(first, u, alike, fine, pairs)
        if space == "w+":  # with what the first stage left
            begun = self._code
            u = torch.zeros(layers, d, dtype=mean.dtype)
            apart = lambda u: begun + torch.einsum("lij,lj->li", self.prior.layered, u)  # noqa: E731
            self._descend(passes, u, apart, fine, self._layered_pairs())
        return self._code.float()

    def _layered_pairs(self) -> Pairs:
        """Return the steps so far in the coordinates of the layers, with the gradients' changes."""
        basis = self.prior.layered
        pairs: Pairs = deque(maxlen=HISTORY)
        for step, change in self._steps:
            s = torch.linalg.solve(basis, step[..., None])[..., 0]
            y = torch.einsum("lij,li->lj", basis, change)
            if float((s * y).sum()) > 0:
                pairs.append((s, y))
        return pairs

    @property
    def _code(self) -> Tensor:
        assert self._best is not None
        return self._best.code

    def _descend(
        self, end: float, u: Tensor, code_at: Callable[[Tensor], Tensor], look: _Look, pairs: Pairs
    ) -> Tensor:
        """Descend from coordinates `u` until `end` passes are used in all; return the best."""
        best, lowest = u, math.inf

        def evaluate(u: Tensor) -> tuple[float, Tensor]:
            nonlocal best, lowest
            own = u.detach().requires_grad_()
            code = code_at(own)
            known = self._best
            if known is None or not torch.equal(known.code, code):
                if self.spent + look.cost > end:
                    raise _SpentError
                known = self._measure(code.detach(), look)
            if known.value < lowest:
                best, lowest = u, known.value
            (gradient,) = torch.autograd.grad(code, own, known.slope)
            return known.value, gradient

        with contextlib.suppress(_SpentError):
            minimize(evaluate, u, pairs)
        return best

    def _measure(self, code: Tensor, look: _Look) -> _Known:
        """Look at a code `(layers, dim)`, float64 on the CPU."""
        generator, prior = self.generator, self.prior
        code.requires_grad_()
        picture = look.paint(code.to(generator.dtype).to(generator.device)[None])
        loss = look.loss(picture)
        objective = loss.double().cpu()
        if self.regularize:
            away = prior.distance(code.mean(dim=0)) + prior.spread(code)
            objective = objective + self.regularize * away
        (slope,) = torch.autograd.grad(objective, code)
        known = _Known(float(objective.detach()), code.detach().clone(), slope)
        if not math.isfinite(known.value) and self._best is None:
            raise SefaError("the model's mean code has no picture", "a generator that is whole")
        if self._best is None or known.value < self._best.value:  # a step too far may be NaN
            if self._best is not None:
                steps = known.code - self._best.code, known.slope - self._best.slope
                self._steps.append(steps)
            self._best = known
            self.watch(picture.detach())
        self.spent += look.cost
        self.report(math.ceil(self.spent), float(loss.detach()))
        return known
