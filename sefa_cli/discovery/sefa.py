"""SeFa: Closed-Form Factorization of Latent Semantics in GANs (Shen & Zhou, CVPR 2021).

The first projection takes the latent code z to A z + b. A step α n in the latent changes it by
α A n, whatever z is, so the directions that change most are the unit n that maximize ‖A n‖²:
the eigenvectors of AᵀA with the largest eigenvalues (equations 4 to 7 of the paper).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sefa_cli.errors import UsageError
from sefa_cli.ranges import is_whole

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


class Factors(NamedTuple):
    """Directions as unit rows, and the values they are ordered by, largest first."""

    directions: Float32  # (k, dim)
    eigenvalues: Float64  # (k,)


def factorize(
    matrices: Sequence[Float32],
    *,
    normalize: bool = True,
    center: bool = False,
    deflate: bool = False,
    num: int | None = None,
) -> Factors:
    """Return the eigenvectors of AᵀA, where A stacks the matrices.

    The same input gives the same bits whatever the number of threads: the last ones would
    depend on it, so the linear algebra runs on one (0.13 s for 7,000 × 512).

    Args:
        matrices: Float32, each `(outputs, dim)`.
        normalize: Scale each row of A to unit length, as the published code does.
        center: First subtract the mean row.
        deflate: Project the leading direction u of that A out of every row, A ← A − (A u)uᵀ,
            before the scaling, and factorize the rest.
        num: Keep the first directions only.

    Returns:
        Unit vectors `(k, dim)` by descending eigenvalue `(k,)`; the largest component of each is
        positive.

    Raises:
        UsageError: There are not `num` dimensions.

    Source: Shen & Zhou, CVPR 2021, equations 4 to 7.

    Example:
        >>> from sefa_cli.discovery.sefa import factorize
        >>> found = factorize([np.diag([1.0, 3.0, 2.0]).astype(np.float32)], normalize=False)
        >>> found.eigenvalues.tolist(), found.directions[0].tolist()
        ([9.0, 4.0, 1.0], [0.0, 1.0, 0.0])
    """
    mean = _mean_row(matrices) if center else None
    dim = matrices[0].shape[1]
    if num is not None and not is_whole(num, 1, dim):
        raise UsageError(f"num must be between 1 and {dim}, got {num}")
    with threadpool_limits(1, user_api="blas"):
        axis = None
        if deflate:
            _, vectors = np.linalg.eigh(_gram(matrices, mean, None, normalize))
            axis = vectors[:, -1]
        values, vectors = np.linalg.eigh(_gram(matrices, mean, axis, normalize))
    order = slice(None, None, -1)  # eigh sorts ascending
    directions = fix_sign(vectors.T[order].astype(np.float32))[:num]
    return Factors(np.ascontiguousarray(directions), np.ascontiguousarray(values[order][:num]))


def _mean_row(matrices: Sequence[Float32]) -> Float64:
    total = np.sum([matrix.sum(axis=0, dtype=np.float64) for matrix in matrices], axis=0)
    mean: Float64 = total / sum(len(matrix) for matrix in matrices)
    return mean


def _gram(
    matrices: Sequence[Float32], mean: Float64 | None, axis: Float64 | None, normalize: bool
) -> Float64:
    """Return AᵀA in float64 `(dim, dim)`, summed over the matrices so A is never stacked."""
    dim = matrices[0].shape[1]
    gram = np.zeros((dim, dim))
    # BLAS computes a triangle of AᵀA and numpy mirrors it, column by column: much faster if the
    # rows of the result are not 4 KB apart, which is all one place in a cache.
    product = np.empty((dim, (dim + 8) // 16 * 16 + 8))[:, :dim]
    for matrix in matrices:
        A = matrix.astype(np.float64)  # (outputs, dim)
        if mean is not None:
            A -= mean
        if axis is not None:
            A -= np.outer(A @ axis, axis)
        if normalize:
            norms = np.sqrt(np.einsum("md,md->m", A, A))[:, None]  # a third of linalg.norm's time
            A /= np.where(norms == 0, 1, norms)  # a row of zeros stays zero
        gram += np.matmul(A.T, A, out=product)
    return gram


def fix_sign(rows: Float32) -> Float32:
    """Turn every row so that its component of largest magnitude (the first on a tie) is positive.

    An eigenvector is known up to its sign; without a rule "α = 2" would mean different things
    on different machines.
    """
    largest = np.abs(rows).argmax(axis=1)
    signs = np.sign(rows[np.arange(len(rows)), largest])
    fixed: Float32 = rows * signs[:, None]
    return fixed


def style_gains(
    directions: Float32, matrices: Sequence[Float32], mean_styles: Sequence[Float32]
) -> Float64:
    """How far each direction is a common gain of the styles: `(k,)`, in 0 … 1.

    |mean over layers of cos(A n, A w̄ + b)|: 1 says that moving along n only makes the average
    style of every layer larger, or of every layer smaller. Where no demodulation follows, that
    is an exposure knob which soon leaves the range of pictures. Directions that raise some layers
    and lower others come out near 0: they are meaningful. `Bundle.style_gains` marks by it.
    `matrices` hold A `(outputs, dim)` and `mean_styles` A w̄ + b `(outputs,)`, layer by layer.
    """
    cosines = []
    with threadpool_limits(1, user_api="blas"):
        for matrix, style in zip(matrices, mean_styles, strict=True):
            change = directions @ matrix.T  # (k, outputs)
            scale = np.linalg.norm(change, axis=1) * np.linalg.norm(style)
            cosines.append(change @ style / np.where(scale == 0, 1, scale))
    gains: Float64 = np.abs(np.mean(cosines, axis=0, dtype=np.float64))
    return gains
