"""From the measurements of many seeds to numbers with intervals. Pure functions of arrays.

Seeds go along the first axis. A missing measurement, such as of a lost face, is NaN.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

_RESAMPLES = 1000


class Interval(NamedTuple):
    """Means or medians over seeds, and the ends of their 95 % intervals."""

    mean: Float64
    low: Float64
    high: Float64


def interval(values: Float64, resamples: int = _RESAMPLES) -> Interval:
    """Return the mean over seeds of `(n, …)` with percentile bootstrap intervals.

    Example:
        >>> found = interval(np.array([1.0, 2, 3, 4]))
        >>> float(found.mean), bool(1 <= found.low < 2.5 < found.high <= 4)
        (2.5, True)
    """
    random = np.random.RandomState(0)
    flat = values.reshape(len(values), -1)
    known = ~np.isnan(flat)
    filled = np.where(known, flat, 0)
    means = []
    for _ in range(resamples):  # every seed counts as often as it was drawn
        counts = np.bincount(random.randint(len(flat), size=len(flat)), minlength=len(flat))
        total = counts @ known
        means.append(np.where(total > 0, counts @ filled / np.maximum(total, 1), np.nan))
    total = known.sum(axis=0)
    mean = np.where(total > 0, filled.sum(axis=0) / np.maximum(total, 1), np.nan)
    low, high = np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    some = total > 0
    if some.any():
        low[some], high[some] = np.nanpercentile(np.array(means)[:, some], [2.5, 97.5], axis=0)
    shape = values.shape[1:]
    return Interval(mean.reshape(shape), low.reshape(shape), high.reshape(shape))


def median_interval(values: Float64) -> Interval:
    """Return the median over seeds of `(n, …)` with 95 % intervals from the ranks of the values.

    A value is below the median with probability 1/2, so the number of those below it is binomial.
    Fewer than six values cannot tell: their interval is NaN.

    Example:
        >>> found = median_interval(np.arange(101.0))
        >>> [float(x) for x in found]
        [50.0, 40.0, 60.0]
    """
    count = len(values)
    if count < 6:  # their least and largest enclose the median less often than that
        unknown = np.full(values.shape[1:], np.nan)
        return Interval(np.median(values, axis=0), unknown, unknown)
    rank = max(0, math.floor(count / 2 - 1.96 * math.sqrt(count) / 2))
    ordered = np.sort(values, axis=0)
    return Interval(np.median(values, axis=0), ordered[rank], ordered[count - 1 - rank])


def transfer(values: Float64) -> Float64:
    """Return the share of seeds whose value has the sign of the mean; of seeds that have one.

    Example:
        >>> float(transfer(np.array([1.0, 2, -0.1, np.nan])))
        0.6666666666666666
    """
    known = ~np.isnan(values)
    same = np.sign(values) == np.sign(np.nansum(values, axis=0))
    share: Float64 = (same & known).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return share


def consistency(fields: NDArray[np.floating]) -> tuple[float, float]:
    """Return how far the change of the picture is the same on all seeds, from `(n, …)`.

    The first number is the mean cosine between the change fields of two seeds: 1 for the same
    change on every seed, about 0 for unrelated ones. The second is the share of seeds whose
    cosine with the sum of the others is positive. Both are 0 for fewer than two seeds.

    Example:
        >>> consistency(np.array([[1.0, 0], [1, 0], [-1, 0]]))
        (-0.3333333333333333, 0.0)
    """
    if len(fields) < 2:
        return 0.0, 0.0
    flat = fields.reshape(len(fields), -1).astype(np.float64)
    norms = np.linalg.norm(flat, axis=1, keepdims=True)
    unit = flat / np.where(norms == 0, 1, norms)
    total = unit.sum(axis=0)
    count = len(unit)
    pairs = (total @ total - np.square(unit).sum()) / (count * (count - 1))
    others = np.einsum("nd,nd->n", unit, total - unit)
    return float(pairs), float(np.mean(others > 1e-9))


def uniformity(between: Float64) -> float:
    """Return the least over the largest change from one step to the next, the median over seeds.

    `between` is `(n, steps)`. 1 means that every step changes the picture by the same amount.
    """
    largest = between.max(axis=1)
    ratios = between.min(axis=1) / np.where(largest == 0, 1, largest)
    return float(np.median(ratios))


def monotone_range(alphas: Float64, away: Float64, share: float = 0.9) -> tuple[float, float]:
    """Return the lowest and highest α up to which pictures move farther away with every step.

    Args:
        alphas: Steps in increasing order, without 0, `(steps,)`.
        away: Distance from the picture before, `(n, steps)`.
        share: The share of seeds on which the distance has to grow.

    Example:
        >>> alphas = np.array([-2.0, -1, 1, 2])
        >>> monotone_range(alphas, np.array([[1.0, 3, 2, 4]]))
        (-1.0, 2.0)
    """
    order = np.argsort(np.abs(alphas))
    grows = np.empty(len(alphas), bool)
    for side in (-1, 1):
        before = np.zeros(len(away))
        for i in order[np.sign(alphas[order]) == side]:
            grows[i] = np.mean(away[:, i] > before) >= share
            before = away[:, i]
    return _reach(alphas, grows)


def holding_range(
    alphas: Float64, kept: NDArray[np.bool_], share: float = 0.9
) -> tuple[float, float]:
    """Return the lowest and highest α up to which most pictures still show their subject.

    Args:
        alphas: Steps in increasing order, without 0, `(steps,)`.
        kept: Whether a picture shows its subject, `(n, steps)`.
        share: The share of seeds that have to.

    Example:
        >>> alphas = np.array([-2.0, -1, 1, 2])
        >>> holding_range(alphas, np.array([[False, True, True, True]]))
        (-1.0, 2.0)
    """
    return _reach(alphas, kept.mean(axis=0) >= share)


def _reach(alphas: Float64, good: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the farthest α on both sides of 0 up to which every step is good."""
    ends = []
    for side in (-1, 1):
        reached = 0.0
        for i in np.argsort(np.abs(alphas)):
            if np.sign(alphas[i]) == side:
                if not good[i]:
                    break
                reached = float(alphas[i])
        ends.append(reached)
    return ends[0], ends[1]


def dependency(effects: Float64) -> Float64:
    """Return attribute dependency: the others' mean change for one unit of an attribute's own.

    Args:
        effects: Changes in standard deviations of each attribute, `(n, …, attributes)`.

    Returns:
        `(…, attributes)`: mean over seeds and other attributes of their magnitude, over the mean
        magnitude of the attribute's own. The smaller, the better the attribute is isolated.
        An attribute that is NaN on all seeds is NaN, and not among the others.

    Source: Wu et al., "StyleSpace Analysis", CVPR 2021, attribute dependency.
    """
    known = ~np.isnan(effects)
    counts = known.sum(axis=0)
    sizes = np.where(known, np.abs(effects), 0).sum(axis=0) / np.where(counts, counts, np.nan)
    count = (~np.isnan(sizes)).sum(axis=-1, keepdims=True)
    others = (np.nansum(sizes, axis=-1, keepdims=True) - sizes) / np.maximum(count - 1, 1)
    found: Float64 = others / np.where(sizes == 0, np.nan, sizes)
    return found
