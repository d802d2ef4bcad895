"""How much two bundles have in common: same model, principal angles, best matches."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sefa_cli.bundle import Bundle
from sefa_cli.errors import SefaError


class Match(NamedTuple):
    """The direction of the second bundle that is most parallel to direction `k` of the first."""

    k: int
    other: int
    cosine: float  # signed; 1 is the same direction, -1 its opposite


class Comparison(NamedTuple):
    """What `compare` found; angles in degrees, ascending."""

    same_model: bool
    same_layers: bool
    num: int
    angles: NDArray[np.float64]  # (min(num, k_a, k_b),)
    shared: NDArray[np.float64]  # as angles: what the spans of the leading 1, 2, … share, 0 … 1
    matches: tuple[Match, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return {
            "same_model": self.same_model,
            "same_layers": self.same_layers,
            "num": self.num,
            "principal_angles": [round(float(angle), 4) for angle in self.angles],
            "shared": [round(float(share), 4) for share in self.shared],
            "matches": [match._asdict() for match in self.matches],
        }


def compare(a: Bundle, b: Bundle, num: int = 10) -> Comparison:
    """Compare the leading `num` directions of two bundles.

    Principal angles (Björck & Golub, 1973) are those between the two spans: all zero when the
    same changes can be composed from either. `shared` is the mean cos² of those angles, for the
    leading one, two, … directions. A match is looked for among all directions of `b`.
    Raises SefaError for bundles whose latents have different dimensions or, where a direction has
    rows for several layers, different layers.
    """
    if a.dim != b.dim:
        raise SefaError(f"the latents have {a.dim} and {b.dim} dimensions", "bundles of one space")
    rows_a, rows_b = _rows(a, b), _rows(b, a)
    leading_a, leading_b = rows_a[:num], rows_b[:num]
    basis_a, basis_b = np.linalg.qr(leading_a.T)[0], np.linalg.qr(leading_b.T)[0]
    cosines = np.linalg.svd(basis_a.T @ basis_b, compute_uv=False)
    nested = np.square(basis_a.T @ basis_b).cumsum(axis=0).cumsum(axis=1).diagonal()
    overlap = leading_a @ rows_b.T  # (num, k_b)
    best = np.abs(overlap).argmax(axis=1)
    return Comparison(
        same_model=a.model["fingerprint"] == b.model["fingerprint"],
        same_layers=np.array_equal(a.layers, b.layers),
        num=num,
        angles=np.degrees(np.arccos(np.clip(cosines, 0, 1))),
        shared=nested / np.arange(1, len(nested) + 1),
        matches=tuple(Match(k, int(j), round(float(overlap[k, j]), 6)) for k, j in enumerate(best)),
    )


def _rows(bundle: Bundle, other: Bundle) -> NDArray[np.float64]:
    """Directions as unit rows over one set of coordinates: (k, dim) or (k, layers · dim)."""
    directions = bundle.directions.astype(np.float64)
    if bundle.directions.ndim == other.directions.ndim == 2:
        return directions
    if not np.array_equal(bundle.layers, other.layers):
        raise SefaError(
            "the bundles have directions with a row per layer, for different layers",
            "the same layers in both",
        )
    if directions.ndim == 2:  # the one row moves every layer
        directions = np.repeat(directions[:, None], len(bundle.layers), axis=1)
    rows = directions.reshape(len(directions), -1)
    unit: NDArray[np.float64] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
