"""How far to go: a suggested step α for each direction of a bundle.

A step is the α that changes the pixels of the region by 0.25 (root mean square, in [-1, 1]) if the
change was measured: by `localize` to first order, or by `evaluate --calibrate` on many seeds, for
the whole picture if the bundle has no region. Otherwise it is the α that changes the styles as
much as α = 2 does along the leading direction that is not a common gain: 2 √(λ_max / λ_k). It
is 2 for directions that are ordered by how far codes vary along them: those eigenvalues do not
measure the change.
"""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle

VISIBLE = 0.25  # change of the pixels inside the region that makes a step
_LEADING = 2.0  # along the leading direction, and without eigenvalues
_BY_SPREAD = ("ganspace", "local-basis", "frechet")
_MOST = 10.0  # farther from a code, networks leave what they were trained on


def suggested_steps(bundle: "Bundle") -> tuple[float, ...]:
    """Return the suggested step α of each direction: two digits, at most 10."""
    inside = [float(info.get("change", {}).get("inside", 0)) for info in bundle.info]
    steps = (
        VISIBLE / change if change > 0 else _LEADING * ratio
        for change, ratio in zip(inside, _against_leading(bundle), strict=True)
    )
    return tuple(float(f"{min(step, _MOST):.2g}") for step in steps)


def _against_leading(bundle: "Bundle") -> list[float]:
    """Return √(λ_max / λ_k) of each direction, or 1 if these are not positive numbers."""
    values = [] if bundle.eigenvalues is None else bundle.eigenvalues.tolist()
    gains = set(bundle.style_gains)  # looked up once: the property goes through all directions
    leading = max((v for i, v in enumerate(values) if i not in gains), default=0)
    if leading <= 0 or bundle.method in _BY_SPREAD:
        return [1.0] * bundle.k
    return [math.sqrt(leading / value) if value > 0 else math.inf for value in values]
