"""The Gram matrices of region and background, of one picture or of the mean of several."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sefa_cli.discovery.resefa import equal_weights
from sefa_cli.discovery.sefa import Float64


class Grams(NamedTuple):
    """M = Σ m JᵀJ / Σ m over channels × positions, for the weights m of each part."""

    fore: Float64  # (dim, dim)
    back: Float64  # (dim, dim)


@dataclass(frozen=True)
class Spanned:
    """M_f and M_b within the span of a basis, and what is known beyond it."""

    grams: Grams  # (k, k): of J · basis
    basis: Float64  # (dim, k), orthonormal columns
    weights: tuple[float, float]  # of this picture's M_f and M_b in the mean: `equal_weights`
    trace: float  # of the whole mean M_b, estimated
    lacking: Float64  # the last residuals of the leading directions, as shares: `Leading`


Matrices = Grams | Spanned


class Leading(NamedTuple):
    """What a basis has to hold, and how to tell: (a M_f − b M_b) n is s n, up to a small residual.

    The residual counts as a share of s.
    """

    vectors: Float64  # n, unit (p, dim)
    fore: Float64  # a (p,)
    back: Float64  # b (p,)
    scale: Float64  # s (p,)


def mean_grams(pictures: Sequence[Matrices], weights: ArrayLike | None = None) -> Grams:
    """Return the average over pictures, each times its `weights` `(s, 2)` if they are given.

    It adds them up in order, one at a time: there may be thousands, read from files.

    Example:
        >>> one, other = (Grams(np.eye(2) * k, np.eye(2)) for k in (1, 3))
        >>> mean_grams([one, other]).fore
        array([[2., 0.],
               [0., 2.]])
    """
    weights = np.ones((len(pictures), 2)) if weights is None else np.asarray(weights)
    sums: Grams | None = None
    for own, (fore, back) in zip(pictures, weights, strict=True):
        within = own.grams if isinstance(own, Spanned) else own
        added = Grams(fore * within.fore, back * within.back)
        sums = added if sums is None else Grams(sums.fore + added.fore, sums.back + added.back)
    assert sums is not None
    return Grams(sums.fore / len(pictures), sums.back / len(pictures))


def mean(pictures: Sequence[Matrices]) -> Matrices:
    """Return the average over pictures, in which each counts as much as the others.

    It is more stable than any of them: see `resefa.equal_weights`. If the matrices are within a
    basis, it must be the same for all.
    """
    first = pictures[0]
    if isinstance(first, Spanned):
        own = mean_grams(pictures, [one.weights for one in pictures if isinstance(one, Spanned)])
        return replace(first, grams=own, weights=(1.0, 1.0))
    traces = [[np.trace(M) for M in one] for one in pictures if isinstance(one, Grams)]
    return mean_grams(pictures, equal_weights(traces))
