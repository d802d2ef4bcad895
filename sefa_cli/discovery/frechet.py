"""Fréchet basis: what the local bases of many w have in common (Choi et al., ICLR 2023).

"Finding the Global Semantic Representation in GAN through Fréchet Mean". First the subspace: the
Fréchet mean, in the Grassmannian, of the spans of the local bases. Then the basis within it: the
Fréchet mean, in the special orthogonal group, of the local bases projected onto the subspace. A
Fréchet mean minimizes Σ d(xᵢ, m)² for the geodesic distance d; both are found by m ← exp_m of the
mean of log_m(xᵢ).

The paper does not say how it settles what a singular value decomposition leaves open. Here every
local vector takes the sign that agrees with the basis so far.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sefa_cli.discovery.sefa import Factors, Float64, fix_sign

Basis = NDArray[np.floating[Any]]  # (dim, k), orthonormal columns

_TURNS, _STILL = 100, 1e-8  # the most steps toward a mean, and the mean square that ends them


def frechet(local: Sequence[Basis], spread: Float64, subspace: Basis | None = None) -> Factors:
    """Return the Fréchet basis of local bases.

    Args:
        local: Local bases, each `(dim, k)`: the leading left singular vectors of df.
        spread: The mean of df dfᵀ over the samples, `(dim, dim)`. The variance nᵀ spread n orders
            the directions.
        subspace: An orthonormal basis `(dim, k)` whose span is kept, to refine another method's
            directions. Default: the mean of the local spans.

    Example:
        >>> axes = np.eye(4)[:, :2]
        >>> found = frechet([axes, axes], np.diag([4.0, 3, 2, 1]))
        >>> found.directions.tolist()
        [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]
    """
    with threadpool_limits(1, user_api="blas"):
        span = grassmann_mean(local) if subspace is None else np.asarray(subspace, np.float64)
        columns = span @ rotation_mean([_nearest(span.T @ basis) for basis in local])
        values = np.einsum("dk,de,ek->k", columns, spread, columns)
    order = np.argsort(-values, kind="stable")
    rows = np.ascontiguousarray(columns.T[order], np.float32)
    return Factors(fix_sign(rows), values[order])


def grassmann_mean(bases: Sequence[Basis]) -> Float64:
    """Return an orthonormal basis `(dim, k)` of the Fréchet mean of the spans of `bases`.

    Example:
        >>> tilted = [np.array([[np.cos(a)], [np.sin(a)]]) for a in (-0.2, 0.2)]
        >>> np.abs(grassmann_mean(tilted)).round(6).tolist()
        [[1.0], [0.0]]
    """
    spans = [np.asarray(basis, np.float64) for basis in bases]
    total = sum(span @ span.T for span in spans)  # its leading span is the chordal mean
    mean: Float64 = np.linalg.eigh(total)[1][:, -spans[0].shape[1] :]
    for _ in range(_TURNS):
        step = np.mean([_grassmann_log(mean, span) for span in spans], axis=0)
        u, angles, vh = np.linalg.svd(step, full_matrices=False)
        mean = (mean @ vh.T * np.cos(angles) + u * np.sin(angles)) @ vh
        mean = np.linalg.qr(mean)[0]
        if np.mean(np.square(angles)) < _STILL:
            break
    return mean


def rotation_mean(rotations: Sequence[Float64]) -> Float64:
    """Return the Fréchet mean `(k, k)` of orthogonal matrices, up to the signs of their columns.

    Example:
        >>> turn = lambda a: np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
        >>> rotation_mean([turn(-0.1), turn(0.3)]).round(3).tolist()
        [[0.995, -0.1], [0.1, 0.995]]
    """
    mean = rotations[0].copy()
    for _ in range(_TURNS):
        aligned = [_same_side(mean, rotation) for rotation in rotations]
        step = np.mean([_rotation_log(mean.T @ one) for one in aligned], axis=0)
        mean = _nearest(mean @ _rotation_exp(step))
        if np.mean(np.square(step)) < _STILL:
            break
    return mean


def _grassmann_log(base: Float64, span: Float64) -> Float64:
    """Return the tangent `(dim, k)` at `base` that leads to `span`."""
    inside = base.T @ span
    outside = np.linalg.solve(inside.T, (span - base @ inside).T).T  # (I − BBᵀ) S (BᵀS)⁻¹
    u, tangents, vh = np.linalg.svd(outside, full_matrices=False)
    log: Float64 = u * np.arctan(tangents) @ vh
    return log


def _same_side(mean: Float64, rotation: Float64) -> Float64:
    """Turn columns over until they agree with the mean's, and the determinants are the same."""
    agreement = np.einsum("ij,ij->j", mean, rotation)
    signs = np.where(agreement < 0, -1.0, 1.0)
    aligned = rotation * signs
    if np.linalg.det(mean.T @ aligned) < 0:  # the least certain column gives way
        aligned[:, np.argmin(np.abs(agreement))] *= -1
    return aligned


def _rotation_log(rotation: Float64) -> Float64:
    """Return the skew-symmetric logarithm of a rotation, of angles below π.

    The eigenvectors come from a Hermitian matrix that commutes with the rotation: e^{iθ} becomes
    cos θ + √2 sin θ there, which two angles share only by chance.
    """
    even, odd = (rotation + rotation.T) / 2, (rotation - rotation.T) / 2
    _, vectors = np.linalg.eigh(even - np.sqrt(2) * 1j * odd)
    angles = np.angle(np.einsum("ik,ij,jk->k", vectors.conj(), rotation, vectors))
    log: Float64 = (vectors * (1j * angles) @ vectors.conj().T).real
    return log


def _rotation_exp(skew: Float64) -> Float64:
    values, vectors = np.linalg.eigh(1j * skew)
    rotation: Float64 = (vectors * np.exp(-1j * values) @ vectors.conj().T).real
    return rotation


def _nearest(matrix: Float64) -> Float64:
    """Return the nearest orthogonal matrix."""
    u, _, vh = np.linalg.svd(matrix, full_matrices=False)
    nearest: Float64 = u @ vh
    return nearest
