"""How much two bundles have in common: same model, principal angles, best matches."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.errors import SefaError


class Match(NamedTuple):
    """The direction of the second bundle that is most parallel to direction `k` of the first."""

    k: int
    other: int
    cosine: float  # signed; 1 is the same direction, -1 its opposite

    @property
    def angle(self) -> float:
        """Between the two lines, in degrees: 0 … 90."""
        return float(np.degrees(np.arccos(min(abs(self.cosine), 1))))


class Comparison(NamedTuple):
    """What `compare` found; angles in degrees, ascending."""

    same_model: bool
    same_space: bool  # both in z, or neither
    same_layers: bool
    num: int
    angles: NDArray[np.float64]  # (min(num, k_a, k_b),)
    shared: NDArray[np.float64]  # as angles: what the spans of the leading 1, 2, … share, 0 … 1
    matches: tuple[Match, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON."""
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


def compare(a: Bundle, b: Bundle, num: int = 10) -> Comparison:
    """Compare the leading `num` directions of two bundles.

    Principal angles (Björck & Golub, 1973) are those between the two spans: all zero when the
    same changes can be composed from either. `shared` is the mean cos² of those angles, for the
    leading one, two, … directions. A match is looked for among all directions of `b`.
    Where all directions of both are one row, the rows are compared, whatever layers they move;
    where some have a row per layer, what they do to the code on all layers of either bundle.
    Raises SefaError for bundles whose latents have different dimensions.
    """
    if a.dim != b.dim:
        raise SefaError(f"the latents have {a.dim} and {b.dim} dimensions", "bundles of one space")
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
        num=num,
        angles=np.degrees(np.arccos(np.clip(cosines, 0, 1))),
        shared=nested / np.arange(1, len(nested) + 1),
        matches=tuple(Match(k, int(j), round(float(overlap[k, j]), 6)) for k, j in enumerate(best)),
    )


def _on(layers: NDArray[np.int64], bundle: Bundle) -> NDArray[np.float64]:
    """Directions as unit rows over `layers`, zero on those they do not move: (k, layers · dim)."""
    directions = bundle.directions.astype(np.float64)
    rows = np.zeros((bundle.k, len(layers), bundle.dim))
    at = np.searchsorted(layers, bundle.layers)
    rows[:, at] = directions if directions.ndim == 3 else directions[:, None]
    flat = rows.reshape(bundle.k, -1)
    unit: NDArray[np.float64] = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    return unit
