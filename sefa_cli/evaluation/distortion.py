"""Distortion of the space of w: how much faster its directions turn near a point than apart.

Choi et al., "Analyzing the Latent Space of GAN through Local Dimension Estimation", ICML 2023. The
k leading left singular vectors of the mapping network's derivative span the tangent space at w.
Distortion is the mean distance of the tangent spaces of unrelated w over that of w nearby. Where it
is near 1 a direction means something else a short way off; the larger, the better one direction
serves all of w. It needs no labels and no pictures, and belongs to the model, not to a direction.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sefa_cli.discovery.local_basis import local_basis
from sefa_cli.errors import UsageError
from sefa_cli.evaluation.asked import check_distorted

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator

Basis = NDArray[np.floating]  # (dim, k), orthonormal columns


class Distortion(NamedTuple):
    """The ratio, and the two mean distances that make it."""

    ratio: float
    apart: float
    near: float


def distortion(bases: Sequence[Basis], nearby: Sequence[Basis]) -> Distortion:
    """Return the distortion from tangent spaces at some w, and at a w near each.

    The distance is the Grassmannian's geodesic one, over √k: the root mean square of the
    principal angles.

    Args:
        bases: Of unrelated w, each `(dim, k)`.
        nearby: Of a w near each of them, in the same order.

    Raises:
        UsageError: There are fewer than two, or the counts differ.

    Example:
        >>> planes = [np.eye(3)[:, :2], np.eye(3)[:, 1:]]
        >>> other_basis = planes[0] @ np.array([[0.0, -1], [1, 0]])
        >>> round(distance(*planes), 3), distance(planes[0], other_basis)
        (1.111, 0.0)
    """
    if len(bases) != len(nearby) or len(bases) < 2:
        raise UsageError(f"{len(bases)} tangent spaces with {len(nearby)} nearby", "2 or more each")
    others = [*bases[1:], bases[0]]
    apart = float(np.mean([distance(a, b) for a, b in zip(bases, others, strict=True)]))
    near = float(np.mean([distance(a, b) for a, b in zip(bases, nearby, strict=True)]))
    return Distortion(apart / near if near else float("inf"), apart, near)


def measure_distortion(
    generator: "Generator", seeds: Sequence[int], k: int = 20, step: float = 0.1
) -> Distortion:
    """Return the distortion of a mapping network.

    Args:
        generator: A generator with a mapping network.
        seeds: Two seeds or more, a z each.
        k: The dimension of the tangent spaces. The paper estimates it for each w.
        step: How far the z nearby is from each, in a random direction.

    Raises:
        UsageError: The model has no mapping network, or there are too few seeds.
    """
    from sefa_cli.discovery.sampling import mapping_derivative

    check_distortion(generator, len(seeds), len(seeds))
    leading = min(k, generator.w_dim, generator.z_dim)
    spaces: tuple[list[Basis], list[Basis]] = [], []
    for seed in seeds:
        z = generator.sample([seed])[0]
        away = np.random.RandomState(seed).randn(2, len(z))[1]  # the first row is z itself
        moved = z + z.new_tensor(step * away / np.linalg.norm(away))
        for bases, place in zip(spaces, (z, moved), strict=True):
            bases.append(local_basis(mapping_derivative(generator, place), leading).directions.T)
    return distortion(*spaces)


def check_distortion(generator: "Generator", count: int, seeds: int) -> None:
    """Raise UsageError for a model without a mapping network, or not 2 to `seeds` seeds."""
    if generator.space != "w":
        raise UsageError(
            f"the distortion of a {generator.family} model", "a model with a mapping network"
        )
    check_distorted(count, seeds)


def distance(one: Basis, other: Basis) -> float:
    """Return the root mean square of the principal angles between two spans."""
    cosines = np.linalg.svd(one.T.astype(np.float64) @ other, compute_uv=False).clip(0, 1)
    return float(np.sqrt(np.mean(np.square(np.arccos(cosines)))))
