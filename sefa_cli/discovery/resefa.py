"""ReSeFa: Region-Based Semantic Factorization in GANs (Zhu et al., ICML 2022).

Directions that change a region most while the rest changes least are the unit n that maximize
nᵀM_f n / nᵀM_b n, where M = JᵀJ / pixels over the region and over the rest: a generalized
Rayleigh quotient. All functions here take Gram matrices; `discovery.jacobian` makes them.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from sefa_cli.discovery.sefa import Factors, Float64, fix_sign
from sefa_cli.errors import SefaError, UsageError

MatrixPair = tuple[Float64, Float64]  # M_f and M_b of a picture, (dim, dim) each

# Values that tau="auto" tries. The background of a small region changes little, and a ridge that
# suits a large region hides this change: small regions need a smaller τ than the published 1e-3.
TAUS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)

# Gram matrices come from single-precision Jacobians: a smaller share is rounding.
_SMALLEST = float(np.finfo(np.float32).eps)


def resefa(M_f: Float64, M_b: Float64, tau: float = 1e-3, num: int | None = None) -> Factors:
    """Return the directions that change a region most while the background changes least.

    With M_b + τ tr(M_b) I = L Lᵀ, u are the eigenvectors of L⁻¹ M_f L⁻ᵀ and n = L⁻ᵀ u, scaled to
    unit length. Order and sign are those of `sefa.factorize`.

    Args:
        M_f: Gram matrix `(dim, dim)` of the region.
        M_b: Gram matrix `(dim, dim)` of the background.
        tau: Ridge on M_b, as a share of its trace: 0 or more. 0 is the quotient without a ridge.
        num: Keep the leading directions. Default: all of them.

    Returns:
        Directions `(num, dim)` and eigenvalues `(num,)`, the quotients nᵀM_f n / nᵀ(M_b + τ…)n.

    Raises:
        UsageError: for a negative τ.
        SefaError: if M_b is singular and τ is 0, or if region or background do not change at all.

    Source:
        Zhu et al., ICML 2022, eqs. 9 to 11.

    Example:
        >>> found = resefa(np.diag([4.0, 1.0]), np.diag([1.0, 1.0]), tau=0)
        >>> found.eigenvalues, found.directions[0]
        (array([4., 1.]), array([1., 0.], dtype=float32))
    """
    ridge = check_tau(tau) * float(np.trace(M_b))
    check_change(float(np.trace(M_f)), float(np.trace(M_b)))
    with threadpool_limits(1, user_api="blas"):  # the same bits on any number of threads
        if tau == 0:
            _refuse_singular(M_b)
        L = np.linalg.cholesky(symmetric(M_b) + ridge * np.eye(len(M_b)))
        half = np.linalg.solve(L, symmetric(M_f))
        values, vectors = np.linalg.eigh(symmetric(np.linalg.solve(L, half.T)))
        rows = np.linalg.solve(L.T, vectors).T[::-1]  # eigh sorts ascending
    return as_factors(values[::-1], rows, num)


def resefa_in_span(
    M_f: Float64,
    M_b: Float64,
    basis: Float64,
    trace: float,
    tau: float = 1e-3,
    num: int | None = None,
) -> Factors:
    """Return the directions of `resefa` for a large latent, without any dim × dim matrix.

    With M_b ≈ V S² Vᵀ and c = τ · trace, R = (I − V diag(1 − √(c / (S² + c))) Vᵀ) / √c is
    (M_b + c I)^(−1/2) by the Sherman–Morrison–Woodbury identity; u are the
    eigenvectors of R M_f R and n = R u. V and u lie in the span, so R is needed there alone.

    Args:
        M_f: Gram matrix `(k, k)` of J · basis, for the region.
        M_b: Gram matrix `(k, k)` of J · basis, for the background.
        basis: Orthonormal columns `(dim, k)` that span all that changes the picture much.
        trace: Trace of the whole M_b.
        tau: Ridge, as a share of `trace`: above 0.
        num: Keep the leading directions. Default: all of them.

    Returns:
        Directions `(num, dim)` and eigenvalues `(num,)`.

    Raises:
        UsageError: for a τ of 0 or less. Without a ridge, everything outside the span would count
            as still.

    Source:
        Zhu et al., ICML 2022, eq. 12.

    Example:
        >>> basis = np.eye(3)[:, :2]
        >>> found = resefa_in_span(np.diag([4.0, 1.0]), np.eye(2), basis, trace=2.0, num=1)
        >>> found.directions
        array([[1., 0., 0.]], dtype=float32)
    """
    if check_tau(tau) == 0:
        raise UsageError(
            "tau 0 with a sketch", "tau above 0", "The raw form needs a pass for every dimension."
        )
    check_change(float(np.trace(M_f)), float(np.trace(M_b)))
    c = tau * trace
    with threadpool_limits(1, user_api="blas"):
        squares, V = np.linalg.eigh(symmetric(M_b))  # S², V: in the span
        shrunk = 1 - np.sqrt(c / (squares.clip(min=0) + c))
        R = (np.eye(len(V)) - (V * shrunk) @ V.T) / math.sqrt(c)
        values, u = np.linalg.eigh(symmetric(R @ symmetric(M_f) @ R))
        rows = ((R @ u[:, ::-1][:, :num]).T) @ basis.T  # eigh sorts ascending
    return as_factors(values[::-1], rows, num)


def left_out(pictures: Sequence[MatrixPair], find: Callable[[Float64, Float64], Factors]) -> float:
    """Return how well directions keep to the region of a picture that they were not made from.

    Each picture is left out in turn: n is the leading direction for the mean of the others, and
    nᵀM_f n / nᵀM_b n its quotient on the one left out.

    Args:
        pictures: M_f and M_b `(dim, dim)` of two pictures or more, which count alike
            (`equal_weights`).
        find: Takes a mean M_f and M_b, returns directions.

    Returns:
        The median of the quotients.

    Raises:
        UsageError: for a single picture.

    Example:
        >>> pair = np.diag([4.0, 1.0]), np.eye(2)
        >>> left_out([pair, pair], resefa)
        4.0
    """
    if len(pictures) < 2:
        raise UsageError("a single picture", "two or more, one of which is left out in turn")
    weights = equal_weights([[np.trace(M) for M in picture] for picture in pictures])  # (s, 2)
    sums = [
        np.sum(
            [w * picture[part] for w, picture in zip(weights[:, part], pictures, strict=True)], 0
        )
        for part in (0, 1)
    ]
    quotients = []
    for (M_f, M_b), (f, b) in zip(pictures, weights, strict=True):
        rest = len(pictures) - 1
        found = find((sums[0] - f * M_f) / rest, (sums[1] - b * M_b) / rest)
        n = found.directions[0].astype(np.float64)
        quotients.append((n @ M_f @ n) / (n @ M_b @ n))
    return float(np.median(quotients))


def equal_weights(traces: ArrayLike) -> Float64:
    """Return the factors `(s, 2)` that give the M_f and M_b of s pictures the mean trace.

    So every picture counts as much as any other. One picture may change nine times as much as
    another for the same step, and a plain mean of the matrices then suits that one alone.

    Args:
        traces: The traces `(s, 2)` of M_f and M_b.

    Raises:
        SefaError: for a picture in which the region or the background does not change at all.

    Example:
        >>> equal_weights([[1, 2], [3, 2]])
        array([[2.        , 1.        ],
               [0.66666667, 1.        ]])
    """
    own = np.asarray(traces, np.float64)
    for fore, back in own:
        check_change(fore, back)
    weights: Float64 = own.mean(axis=0) / own
    return weights


def check_tau(tau: float) -> float:
    """Return τ if it is 0 or more. Raises UsageError."""
    if not (math.isfinite(tau) and tau >= 0):
        raise UsageError(f"tau must be 0 or more, got {tau:g}", "something like 0.001")
    return tau


def check_change(fore: float, back: float) -> None:
    """Refuse traces of Gram matrices that say that nothing changes. Raises SefaError."""
    if not fore > 0:
        raise SefaError("nothing in the region changes", "layers that reach it")
    if not back > 0:
        raise SefaError("nothing in the background changes", "layers that reach it")


def as_factors(values: Float64, rows: Float64, num: int | None) -> Factors:
    """Return descending eigenvalues, and rows of any length and sign, as `Factors`."""
    rows = rows[:num] / np.linalg.norm(rows[:num], axis=1, keepdims=True)
    directions = np.ascontiguousarray(fix_sign(rows.astype(np.float32)))
    return Factors(directions, np.ascontiguousarray(values[:num], np.float64))


def _refuse_singular(M_b: Float64) -> None:
    values = np.linalg.eigvalsh(symmetric(M_b))
    if values[0] <= values[-1] * _SMALLEST:
        raise SefaError(
            "the background's matrix is singular: some direction does not change it",
            "tau above 0",
            "Take tau 1e-3, or layers that all reach the background.",
        )


def symmetric(M: Float64) -> Float64:
    """Return a Gram matrix without the rounding of its products."""
    symmetric: Float64 = (M + M.T) / 2
    return symmetric
