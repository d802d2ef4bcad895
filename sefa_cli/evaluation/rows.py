"""Parts of the row of one direction: what its pictures say, without scores of one picture."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.evaluation import statistics
from sefa_cli.evaluation.calibration import LEVELS, change_per_alpha, unit
from sefa_cli.evaluation.inception import frechet_distance, kernel_distance
from sefa_cli.evaluation.measuring import Measured, Trial

Float64 = NDArray[np.float64]

SAME_PERSON = 0.35  # cosine of identity; different persons of one model are seldom above
_SIDES = ("inside", "outside")
_RATIO = "inside_over_outside"
_NOWHERE = dict.fromkeys((*_SIDES, _RATIO, f"{_RATIO}_low", f"{_RATIO}_high"))


def pixel_changes(trial: Trial, measured: Sequence[Measured], j: int) -> dict[str, Any]:
    """Return what the pixels say about direction number `j` of a trial."""
    alphas = np.array(trial.alphas)
    away = np.array([one.away[j] for one in measured])
    inside, outside = (np.array([getattr(one, side)[j] for one in measured]) for side in _SIDES)
    whole = bool(np.isnan(inside).any())  # without a region
    changes = [away] if whole else [np.sqrt(inside), np.sqrt(outside)]
    same, positive = statistics.consistency(np.array([one.field[j] for one in measured]))
    return {
        "change": [float(x) for x in np.median(away, axis=0)],
        "consistency": same,
        "same_way": positive,
        "uniformity": statistics.uniformity(np.array([one.between[j] for one in measured])),
        "monotone": list(statistics.monotone_range(alphas, away)),
        "unit": [number(end) for end in unit(alphas, changes[0] / LEVELS)],
        "change_per_alpha": change_per_alpha(alphas, *changes),
        **(_NOWHERE if whole else _in_region(inside, outside)),
    }


def _in_region(inside: Float64, outside: Float64) -> dict[str, Any]:
    """Return medians at each step from mean squares `(n, steps)`, in levels and as a ratio."""
    ratio = statistics.median_interval(inside / np.maximum(outside, 1e-12))
    levels = [np.sqrt(np.median(part, axis=0)) for part in (inside, outside)]
    found = zip(_NOWHERE, (*levels, *ratio), strict=True)
    return {name: [number(x) for x in values] for name, values in found}


def holding(
    trial: Trial, likeness: Sequence[Float64], seen: NDArray[np.bool_]
) -> list[float] | None:
    """Return the range of α that keeps the subject, and the person if identity was measured.

    Args:
        trial: What was measured.
        likeness: Of one direction, for each seed `(steps, compared)`.
        seen: Whether each picture shows its subject, `(n, steps)`.

    Returns:
        The lowest and the highest α, None if no scorer looks for a subject.
    """
    if set(trial.scorers) == {"colors"}:
        return None
    if "identity" in trial.compared:
        found = np.array(likeness)[..., trial.compared.index("identity")]
        seen = seen & (found >= SAME_PERSON)  # NaN is not
    return list(statistics.holding_range(np.array(trial.alphas), seen))


def likenesses(trial: Trial, likeness: Sequence[Float64]) -> dict[str, dict[str, Any]]:
    """Return, for each score of two pictures, its mean at each step and at the ends together.

    `low` and `high` are the 95 % interval of the mean of both ends.
    """
    values = np.array(likeness)  # (n, steps, compared)
    each = statistics.interval(values).mean
    ends = statistics.interval(values[:, [0, -1]].mean(axis=1))
    return {
        name: {
            "steps": [number(x) for x in each[:, i]],
            "mean": number(ends.mean[i]),
            "low": number(ends.low[i]),
            "high": number(ends.high[i]),
        }
        for i, name in enumerate(trial.compared)
    }


def set_distances(measured: Sequence[Measured], j: int) -> dict[str, dict[str, Any]]:
    """Return how far the edited pictures as a set are from those before, at each step.

    `frechet` and `kernel` name the distances of their features. Empty without features.
    """
    before = np.array([one.features_before for one in measured])
    if not before.shape[1]:
        return {}
    after = np.array([one.features[j] for one in measured])  # (n, steps, d)
    found = {}
    for name, distance in (("frechet", frechet_distance), ("kernel", kernel_distance)):
        steps = [distance(before, after[:, i]) for i in range(after.shape[1])]
        mean = (steps[0] + steps[-1]) / 2
        found[name] = {"steps": steps, "mean": mean, "low": None, "high": None}
    return found


def number(value: float) -> float | None:
    """Return a number for JSON, which has no NaN and no infinity."""
    return float(value) if np.isfinite(value) else None
