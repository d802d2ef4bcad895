"""GANSpace: principal components of sampled latents (Härkönen et al., NeurIPS 2020).

With a mapping network, the components V of many w are the directions: w′ = w + V x. Without one,
the features y = A z + b of the first layer take the place of w, and each of their components is
carried back to z by least squares: U = argmin Σᵢ ‖U xᵢ − (zᵢ − z̄)‖², where xᵢ = Vᵀ(yᵢ − ȳ).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sefa_cli.discovery.sefa import Float32, Float64, fix_sign

_SMALLEST = 1e-9  # share of the largest variance below which it is rounding


class Components(NamedTuple):
    """Unit rows by descending variance, and how far one standard deviation goes in the latent."""

    directions: Float32  # (k, dim)
    variances: Float64  # (k,)
    lengths: Float64  # (k,)


def ganspace(codes: NDArray[np.floating], num: int | None = None) -> Components:
    """Return the principal components of codes `(n, dim)`.

    Example:
        >>> codes = np.array([[3.0, 0], [-3, 0], [0, 1], [0, -1]])
        >>> found = ganspace(codes)
        >>> found.directions.tolist(), found.lengths.round(2).tolist()
        ([[1.0, 0.0], [0.0, 1.0]], [2.12, 0.71])
    """
    with threadpool_limits(1, user_api="blas"):
        variances, axes = np.linalg.eigh(_covariance(codes))
    return _leading(axes, variances, np.sqrt(np.maximum(variances, 0)), num)


def ganspace_by_regression(
    codes: NDArray[np.floating], matrix: Float32, num: int | None = None
) -> Components:
    """Return the components of the features A z, carried back to z.

    With the covariance C = L Lᵀ of z, the components V and variances S² of A z come from the
    singular value decomposition A L = V S Wᵀ, and the regression has the closed form U = L W S⁻¹.

    Args:
        codes: Samples of z, `(n, dim)`.
        matrix: A `(outputs, dim)`.
        num: Keep the leading ones.
    """
    with threadpool_limits(1, user_api="blas"):
        own, axes = np.linalg.eigh(_covariance(codes))
        root = axes * np.sqrt(np.maximum(own, 0))  # L (dim, dim), also of a singular C
        features = matrix.astype(np.float64) @ root  # A L (outputs, dim)
        variances, axes = np.linalg.eigh(features.T @ features)  # S², W
        moves = root @ axes  # U S: where one standard deviation of each component leads
    lengths = np.linalg.norm(moves, axis=0)
    return _leading(moves / np.where(lengths == 0, 1, lengths), variances, lengths, num)


def _covariance(codes: NDArray[np.floating]) -> Float64:
    centered = np.asarray(codes, np.float64) - np.mean(codes, axis=0, dtype=np.float64)
    covariance: Float64 = centered.T @ centered / len(centered)
    return covariance


def _leading(axes: Float64, variances: Float64, lengths: Float64, num: int | None) -> Components:
    """Return unit columns as rows by descending variance, without those that never vary."""
    order = np.argsort(-variances, kind="stable")
    order = order[variances[order] > _SMALLEST * variances.max()][:num]
    rows = np.ascontiguousarray(axes.T[order], np.float32)
    return Components(fix_sign(rows), variances[order], lengths[order])
