"""Null space: directions of a region, projected off what moves the rest of the picture.

With vᵢ the leading right singular vectors of J inside the region (eigenvectors of M_f = JᵀJ there),
and V the r leading ones outside, the directions are n = (I − V Vᵀ) vᵢ, scaled to unit length.
ReSeFa's quotient is the soft form: it weighs every direction of the rest by how much that changes,
where these methods forbid the leading ones and take no note of the others. They differ in vᵢ and r.
"""

from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from sefa_cli.discovery.gram_matrices import Leading
from sefa_cli.discovery.resefa import as_factors, check_change, symmetric
from sefa_cli.discovery.sefa import Factors, Float64
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.ranges import is_whole

RANK = 5  # of the rest, as the code of LOCO Edit has it
SPARSITY = 512**0.5 / 60  # λ √dim: the λ of LowRankGAN's code, 1/60, for w of 512 dimensions

BLOCK, TURNS = 8, 5  # residuals of the region that a turn adds to a basis, at least; turns, at most
SMALL = 0.03  # residual in a basis, as a share of the eigenvalue; |cos| is then 0.999 or more
LARGE = 0.15  # the residual of a direction that is one of many as good

_LEFT = 1e-6  # length of a unit vector's projection below which it is rounding
_SAME = 1e-7  # ‖M − L − S‖ as a share of ‖M‖ at which the decomposition ends
_GROWS = 1.05  # how much μ grows with each step
_MOST = 1000  # steps of it


def null_space(M_f: Float64, M_b: Float64, rank: int = RANK, num: int | None = None) -> Factors:
    """Return the region's principal directions, projected off the leading `rank` of the rest.

    Principal directions that lie wholly within these are skipped.

    Args:
        M_f: Gram matrix `(dim, dim)` of the region.
        M_b: Gram matrix `(dim, dim)` of the background.
        rank: How many directions of the background are kept still: 1 to dim − 1.
        num: Keep the leading directions. Default: as many as the null space has dimensions.

    Returns:
        Directions `(num, dim)` in the order of M_f's eigenvalues `(num,)`.

    Raises:
        UsageError: for a rank out of range.
        SefaError: if a part does not change at all.

    Source:
        Chen et al., "Exploring Low-Dimensional Subspaces in Diffusion Models for Controllable
        Image Editing" (LOCO Edit), NeurIPS 2024, algorithm 1.

    Example:
        >>> M_f = np.array([[3.0, 2.0, 0.0], [2.0, 3.0, 0.0], [0.0, 0.0, 1.0]])
        >>> found = null_space(M_f, np.diag([1.0, 0.0, 0.0]), rank=1, num=1)
        >>> found.eigenvalues.round(6), found.directions
        (array([5.]), array([[0., 1., 0.]], dtype=float32))
    """
    check_rank(rank, len(M_b))
    check_change(float(np.trace(M_f)), float(np.trace(M_b)))
    with threadpool_limits(1, user_api="blas"):  # the same bits on any number of threads
        region, rest = principal(M_f), principal(M_b)
        return _projected(region, rest.vectors[:, :rank], num)


def low_rank(M_f: Float64, M_b: Float64, num: int | None = None) -> Factors:
    """Return the directions of LowRankGAN: principal in the region, null in the background.

    Both matrices are decomposed, M = L + S. The region's principal directions are the eigenvectors
    of its L, as many as L has ranks; they are projected off those of the background's L.

    Args:
        M_f: Gram matrix `(dim, dim)` of the region.
        M_b: Gram matrix `(dim, dim)` of the background.
        num: Keep the leading directions. Default: as many as L has ranks.

    Returns:
        Directions `(num, dim)` in the order of the eigenvalues `(num,)` of the region's L.

    Raises:
        SefaError: if the region's L is 0 or the background's has full rank, or if a part does not
            change at all.

    Source:
        Zhu et al., "Low-Rank Subspaces in GANs", NeurIPS 2021.

    Example:
        >>> still, moved = np.ones((40, 1)) / 40**0.5, np.ones((40, 1)) / 40**0.5
        >>> moved[::2] *= -1
        >>> both = still + moved
        >>> found = low_rank(both @ both.T, still @ still.T, num=1)
        >>> bool(abs(found.directions[0] @ moved) > 0.999)
        True
    """
    check_change(float(np.trace(M_f)), float(np.trace(M_b)))
    with threadpool_limits(1, user_api="blas"):
        region, rest = (low_rank_part(M) for M in (M_f, M_b))
        ranks = [len(part.values) for part in (region, rest)]
        if ranks[0] == 0 or ranks[1] == len(M_b):
            raise SefaError(
                f"the low-rank parts of region and background have ranks {ranks[0]} and {ranks[1]}",
                f"1 or more, and less than {len(M_b)}",
                "Use the method nullspace, or resefa.",
            )
        return _projected(region, rest.vectors, num)


def leading(M_f: Float64, M_b: Float64, basis: Float64, rank: int, num: int) -> Leading:
    """Return the principal directions that `null_space` needs, of matrices within a basis.

    Those of the background come first: M_b n = s n, then M_f n = s n.
    """
    with threadpool_limits(1, user_api="blas"):
        rest, region = principal(M_b), principal(M_f)
    vectors = np.concatenate([rest.vectors[:, :rank], region.vectors[:, :num]], axis=1)
    outside = np.repeat([1.0, 0.0], [rank, num])
    values = np.concatenate([rest.values[:rank], region.values[:num]])
    return Leading((basis @ vectors).T, 1 - outside, -outside, values)


def check_rank(rank: int, dim: int) -> None:
    """Raise UsageError unless a null space is left beside `rank` of `dim` directions."""
    if not is_whole(rank, 1, dim - 1):
        raise UsageError(f"rank must be between 1 and {dim - 1}, got {rank}")


class Principal(NamedTuple):
    """Eigenvalues `(k,)` of a symmetric matrix by descending magnitude, and its eigenvectors."""

    values: Float64
    vectors: Float64  # (dim, k)


def principal(M: Float64) -> Principal:
    """Return all eigenvalues and eigenvectors of a symmetric matrix."""
    values, vectors = np.linalg.eigh(symmetric(M))
    order = np.argsort(-np.abs(values), kind="stable")
    return Principal(values[order], vectors[:, order])


def low_rank_part(M: Float64, weight: float = SPARSITY) -> Principal:
    """Return the low-rank part L of M = L + S, whose other part is sparse.

    It minimizes ‖L‖_* + λ ‖S‖₁ (principal component pursuit) by the alternating direction method:
    L shrinks the eigenvalues of M − S − Y/μ by 1/μ, S shrinks the numbers of M − L − Y/μ by λ/μ,
    and Y ← Y + μ (L + S − M), until ‖M − L − S‖ < 1e-7 ‖M‖. μ begins with 1.25 / ‖M‖₂ and grows
    by 5 % a step. LowRankGAN's code keeps dim² / (4 ‖M‖₁), and takes ten times as many steps to
    the same minimum.

    Args:
        M: A symmetric matrix `(dim, dim)`.
        weight: λ √dim. Candès et al. take 1.

    Returns:
        The eigenvalues of L that are not 0, and their eigenvectors.

    Source:
        Lin et al., "The Augmented Lagrange Multiplier Method for Exact Recovery of Corrupted
        Low-Rank Matrices", 2010, algorithm 5; λ as in the code of LowRankGAN.
    """
    M = symmetric(M)
    step = float(np.linalg.norm(M, ord=2)) / 1.25  # 1/μ
    close = _SAME * np.linalg.norm(M)
    S, Y = np.zeros_like(M), np.zeros_like(M)  # Y stands for Y/μ
    for _ in range(_MOST):
        values, vectors = np.linalg.eigh(M - S - Y)
        values = _shrunk(values, step)
        L = (vectors * values) @ vectors.T
        S = _shrunk(M - L - Y, step * weight / len(M) ** 0.5)
        lacking = L + S - M
        Y, step = (Y + lacking) / _GROWS, step / _GROWS
        if np.linalg.norm(lacking) < close:
            break
    order = np.argsort(-np.abs(values), kind="stable")[: np.count_nonzero(values)]
    return Principal(values[order], vectors[:, order])


def _shrunk(numbers: Float64, by: float) -> Float64:
    """Return numbers moved toward 0 by at most `by`."""
    shrunk: Float64 = np.sign(numbers) * np.maximum(np.abs(numbers) - by, 0)
    return shrunk


def _projected(region: Principal, rest: Float64, num: int | None) -> Factors:
    """Return the region's principal directions, projected off the columns `rest` `(dim, r)`."""
    rows = region.vectors.T - (region.vectors.T @ rest) @ rest.T
    free = np.linalg.norm(rows, axis=1) > _LEFT  # some may lie wholly in what moves the background
    most = len(rest) - rest.shape[1]
    return as_factors(region.values[free][:most], rows[free][:most], num)
