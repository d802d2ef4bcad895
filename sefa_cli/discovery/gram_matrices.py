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
    lacking: float  # the largest residual of the leading directions, as a share: `Leading`


Matrices = Grams | Spanned


class Leading(NamedTuple):
    """What a basis has to hold, and how to tell: (a M_f − b M_b) n is s n, up to a small residual.

    The residual counts as a share of s.
    """

    vectors: Float64  # n, unit (p, dim)
    fore: Float64  # a (p,)
    back: Float64  # b (p,)
    scale: Float64  # s (p,)


def mean_grams(pictures: Sequence[Grams], weights: ArrayLike | None = None) -> Grams:
    """Return the average over pictures, each times its `weights` `(s, 2)` if they are given.

    Example:
        >>> one, other = (Grams(np.eye(2) * k, np.eye(2)) for k in (1, 3))
        >>> mean_grams([one, other]).fore
        array([[2., 0.],
               [0., 2.]])
    """
    weights = np.ones((len(pictures), 2)) if weights is None else np.asarray(weights)
    return Grams(*(
        np.mean([w * own[part] for w, own in zip(weights[:, part], pictures, strict=True)], axis=0)
        for part in (0, 1)
    ))  # fmt: skip


def mean(pictures: Sequence[Matrices]) -> Matrices:
    """Return the average over pictures, in which each counts as much as the others.

    It is more stable than any of them: see `resefa.equal_weights`. If the matrices are within a
    basis, it must be the same for all.
    """
    spanned = [picture for picture in pictures if isinstance(picture, Spanned)]
    if spanned:
        weights = [picture.weights for picture in spanned]
        own = mean_grams([picture.grams for picture in spanned], weights)
        return replace(spanned[0], grams=own, weights=(1.0, 1.0))
    exact = [picture for picture in pictures if isinstance(picture, Grams)]
    return mean_grams(exact, equal_weights([[np.trace(M) for M in picture] for picture in exact]))
