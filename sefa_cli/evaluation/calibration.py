"""One unit of change: the α at which each direction changes pictures by the same visible amount.

Suggested steps come from eigenvalues or from first-order changes. Here they are measured: on many
seeds, at the steps that were rendered.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.steps import VISIBLE

Float64 = NDArray[np.float64]

LEVELS = 127.5  # gray levels for a change of 1 in pictures from -1 to 1


def unit(alphas: Float64, changes: Float64, target: float = VISIBLE) -> tuple[float, float]:
    """Return the α at which the median change over seeds is `target`, below and above 0.

    Between two steps the change is taken as linear. Beyond the last one it is taken to grow in
    proportion to α: render farther steps if a unit is beyond them. It is infinite if nothing
    changes.

    Args:
        alphas: Steps in increasing order, without 0, `(steps,)`.
        changes: Root mean square changes of the pixels from the picture before, `(n, steps)`.
        target: In the same unit.

    Example:
        >>> unit(np.array([-2.0, -1, 1, 2]), np.array([[0.8, 0.2, 0.1, 0.4]]), 0.3)
        (1.167, 1.667)
    """
    middle = np.median(changes, axis=0)
    ends = []
    for side in (-1, 1):
        mine = np.sign(alphas) == side
        order = np.argsort(np.abs(alphas[mine]))
        reached = np.r_[0.0, np.abs(alphas[mine])[order]]
        grown = np.maximum.accumulate(np.r_[0.0, middle[mine][order]])
        if grown[-1] < target:
            ends.append(reached[-1] * target / grown[-1] if grown[-1] else np.inf)
            continue
        past = int(np.argmax(grown >= target))
        share = (target - grown[past - 1]) / (grown[past] - grown[past - 1])
        ends.append(reached[past - 1] + share * (reached[past] - reached[past - 1]))
    return float(f"{ends[0]:.4g}"), float(f"{ends[1]:.4g}")


def change_per_alpha(
    alphas: Float64, inside: Float64, outside: Float64 | None = None
) -> dict[str, float]:
    """Return what `change` in a bundle holds: how fast pictures change inside and outside.

    The rate is that of one unit, the mean of both sides. The rate outside is in proportion to
    the change outside at the step nearest to a unit.

    Args:
        alphas: Steps in increasing order, without 0, `(steps,)`.
        inside: Root mean square changes, of 255 levels, of the region, or without one of the
            whole picture, `(n, steps)`.
        outside: The same outside, None without a region.
    """
    ends = unit(alphas, inside / LEVELS)
    rate = float(np.mean([VISIBLE / end for end in ends]))
    if outside is None:
        return {"inside": float(f"{rate:.4g}"), "outside": 0.0}
    nearest = int(np.argmin(np.abs(np.abs(alphas) - min(ends))))
    ratio = np.median(outside[:, nearest]) / max(float(np.median(inside[:, nearest])), 1e-12)
    return {"inside": float(f"{rate:.4g}"), "outside": float(f"{rate * ratio:.4g}")}


def calibrated(bundle: Bundle, rows: Mapping[int, Mapping[str, Any]]) -> Bundle:
    """Return the bundle with the measured change of each direction, which makes its suggested step.

    Args:
        bundle: The bundle.
        rows: Results of `evaluate` by direction.
    """
    info = [dict(about) for about in bundle.info]
    for k, row in rows.items():
        if row["change_per_alpha"]["inside"] > 0:
            info[k]["change"] = dict(row["change_per_alpha"])
    return replace(bundle, info=tuple(info))
