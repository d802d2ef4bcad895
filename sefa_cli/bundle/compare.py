"""How much two bundles have in common: same model, principal angles, best matches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sefa_cli.arguments import public
from sefa_cli.errors import MismatchError, UsageError
from sefa_cli.ranges import is_whole

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle


def check_same_model(bundles: Iterable[tuple[str, Bundle]]) -> None:
    """Raise MismatchError unless all bundles, each with its name, belong to one model."""
    (name, first), *others = bundles
    for other_name, other in others:
        models = [bundle.model["ref"] for bundle in (other, first)]
        prints = [bundle.model["fingerprint"] for bundle in (other, first)]
        if prints[0] != prints[1]:
            if models[0] == models[1]:
                models = [f"{models[0]} ({found[:16]})" for found in prints]
            raise MismatchError(
                f"{other_name} belongs to {models[0]}, {name} to {models[1]}",
                "bundles of one model",
            )


class Match(NamedTuple):
    """The direction of the second bundle that is most parallel to direction `k` of the first."""

    k: int
    other: int
    cosine: float  # signed; 1 is the same direction, -1 its opposite

    @property
    def angle(self) -> float:
        """The angle between the two lines, in degrees from 0 to 90."""
        return float(np.degrees(np.arccos(min(abs(self.cosine), 1))))


class Comparison(NamedTuple):
    """What `compare` found.

    Attributes:
        same_model: Whether both belong to the same model, by its fingerprint.
        same_space: Whether both are in z, or neither is.
        same_layers: Whether both move the same layers.
        num: How many leading directions were compared.
        angles: The principal angles in degrees, ascending, float64 `(min(num, k_a, k_b),)`.
        shared: What the spans of the leading 1, 2, … directions share: the mean cos² of their
            principal angles, 0 to 1, as many as `angles`.
        matches: For each leading direction of the first bundle the most parallel of the second.

    Example:
        >>> found = sefa.factorize(tiny).compare(sefa.factorize(tiny, layers="0-1"), num=3)
        >>> found.num, found.same_layers, found.angles.shape, 0 <= found.matches[0].angle <= 90
        (3, False, (3,), True)
    """

    same_model: bool
    same_space: bool
    same_layers: bool
    num: int
    angles: NDArray[np.float64]
    shared: NDArray[np.float64]
    matches: tuple[Match, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the same as plain data, for JSON."""
        return {
            "same_model": self.same_model,
            "same_space": self.same_space,
            "same_layers": self.same_layers,
            "num": self.num,
            "principal_angles": [round(float(angle), 4) for angle in self.angles],
            "shared": [round(float(share), 4) for share in self.shared],
            "matches": [
                {**match._asdict(), "angle": round(match.angle, 4)} for match in self.matches
            ],
        }


@public
def compare(a: Bundle, b: Bundle, num: int = 10) -> Comparison:
    """Compare the leading `num` directions of two bundles.

    If all directions of both are one row, the rows are compared, whatever layers they move.
    Otherwise what they do to the code is compared, on all layers of either bundle.

    Args:
        a: The first bundle.
        b: The second bundle, with a latent of the same dimension.
        num: How many leading directions to compare, from 1. A match for each is looked for
            among all directions of `b`.

    Returns:
        Principal angles between the two spans (all zero if the same changes can be composed from
        either), what the leading spans share, and the best match of each direction.

    Raises:
        MismatchError: The latents have different dimensions.
        UsageError: `num` is less than 1.

    Source: Björck & Golub, Mathematics of Computation 27 (1973), for the principal angles.

    Example:
        >>> bundle = sefa.factorize(tiny)
        >>> found = sefa.compare(bundle, bundle.pick("1-3"), num=3)
        >>> found.same_model, found.shared.round(2).tolist(), found.matches[1].other
        (True, [0.0, 0.5, 0.67], 0)
    """
    if not is_whole(num, 1):
        raise UsageError(f"num must be 1 or more, got {num}")
    if a.dim != b.dim:
        raise MismatchError(
            f"the latents have {a.dim} and {b.dim} dimensions", "bundles of one space"
        )
    if a.directions.ndim == b.directions.ndim == 2:
        rows_a, rows_b = a.directions.astype(np.float64), b.directions.astype(np.float64)
    else:
        layers = np.union1d(a.layers, b.layers)
        rows_a, rows_b = _on(layers, a), _on(layers, b)
    leading_a, leading_b = rows_a[:num], rows_b[:num]
    basis_a, basis_b = np.linalg.qr(leading_a.T)[0], np.linalg.qr(leading_b.T)[0]
    cosines = np.linalg.svd(basis_a.T @ basis_b, compute_uv=False)
    nested = np.square(basis_a.T @ basis_b).cumsum(axis=0).cumsum(axis=1).diagonal()
    overlap = leading_a @ rows_b.T  # (num, k_b)
    best = np.abs(overlap).argmax(axis=1)
    return Comparison(
        same_model=a.model["fingerprint"] == b.model["fingerprint"],
        same_space=(a.space == "z") == (b.space == "z"),
        same_layers=np.array_equal(a.layers, b.layers),
        num=min(num, max(a.k, b.k)),
        angles=np.degrees(np.arccos(np.clip(cosines, 0, 1))),
        shared=nested / np.arange(1, len(nested) + 1),
        matches=tuple(Match(k, int(j), round(float(overlap[k, j]), 6)) for k, j in enumerate(best)),
    )


def _on(layers: NDArray[np.int64], bundle: Bundle) -> NDArray[np.float64]:
    """Return directions as unit rows over `layers`, zero on other layers: (k, layers · dim)."""
    directions = bundle.directions.astype(np.float64)
    rows = np.zeros((bundle.k, len(layers), bundle.dim))
    at = np.searchsorted(layers, bundle.layers)
    rows[:, at] = directions if directions.ndim == 3 else directions[:, None]
    flat = rows.reshape(bundle.k, -1)
    unit: NDArray[np.float64] = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    return unit
