"""What `evaluate` returns: the measurements, and what they say of each direction."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.errors import UsageError, either
from sefa_cli.evaluation import statistics
from sefa_cli.evaluation.asked import LOST
from sefa_cli.evaluation.distortion import Distortion
from sefa_cli.evaluation.measuring import Measured, Trial
from sefa_cli.evaluation.proposals import noticeable
from sefa_cli.evaluation.rows import holding, likenesses, number, pixel_changes, set_distances


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """The measurements of several bundles on the same seeds.

    Attributes:
        names: The bundles' names.
        trials: What was measured, a bundle each.
        measured: The measurements, by bundle and seed.
        distortion: How much the space of w is distorted, None if it was not asked for.

    Example:
        >>> bundle = sefa.factorize(tiny, num=3)
        >>> found = sefa.evaluate(bundle, seeds="0-9", scorers="colors", cache="c")
        >>> found
        <Evaluation of 3 directions of bundle on 10 seeds: brightness, contrast, saturation, ...>
        >>> [row["k"] for row in found.results], sorted(found.results[0]["effects"]["warmth"])
        ([0, 1, 2], ['dependency', 'high', 'low', 'mean', 'per_alpha', 'transfer'])
    """

    names: tuple[str, ...]
    trials: tuple[Trial, ...]
    measured: tuple[tuple[Measured, ...], ...]
    distortion: Distortion | None = None

    def __repr__(self) -> str:
        count = sum(len(trial.ks) for trial in self.trials)
        return (
            f"<Evaluation of {count} directions of {', '.join(self.names)} on "
            f"{len(self.measured[0]):,} {self.trials[0].scene.start.kind}s: "
            f"{', '.join(self.attributes)}>"
        )

    @property
    def attributes(self) -> tuple[str, ...]:
        """The names of the scores."""
        return self.trials[0].attributes

    @cached_property
    def spread(self) -> NDArray[np.float64]:
        """Standard deviation of each score over the pictures before any move `(attributes,)`."""
        before = np.array([one.before for one in self.measured[0]])
        spread: NDArray[np.float64] = np.nanstd(before, axis=0)
        return np.where(spread > 0, spread, np.nan)

    @property
    def _units(self) -> NDArray[np.float64]:
        """What makes changes of different scores comparable: the least that one notices."""
        least = np.array([noticeable(name) for name in self.attributes])
        return np.where(least > 0, least, self.spread)

    def effects(self, i: int) -> NDArray[np.float64]:
        """Return how much each score of a bundle's directions grows per α.

        Args:
            i: The bundle's place in `names`, from 0.

        Returns:
            The slope from the lowest to the highest step, float64 `(seeds, k, attributes)`; NaN
            where a subject was lost.

        Raises:
            IndexError: There are fewer bundles.

        Example:
            >>> bundle = sefa.factorize(tiny, num=3)
            >>> found = sefa.evaluate(bundle, seeds="0-9", scorers="colors", cache="c")
            >>> found.effects(0).shape == (10, 3, len(found.attributes))
            True
        """
        scores = np.array([one.scores for one in self.measured[i]])  # (n, k, steps, attributes)
        alphas = self.trials[i].alphas
        slope: NDArray[np.float64] = (scores[:, :, -1] - scores[:, :, 0]) / (alphas[-1] - alphas[0])
        return slope

    @cached_property
    def results(self) -> list[dict[str, Any]]:
        """The numbers of every direction, as plain data: what the JSON file holds."""
        return [row for i in range(len(self.trials)) for row in self._rows(i)]

    def best(self, attribute: str, bundle: str | None = None) -> dict[str, Any] | None:
        """Return the direction that moves an attribute most, of one bundle or of all.

        Args:
            attribute: One of `attributes`.
            bundle: One of `names`. Default: all of them.

        Returns:
            Its row of `results`, or None: a direction that breaks most pictures cannot be it.

        Raises:
            UsageError: Nothing measured this attribute, or no bundle has that name.

        Example:
            >>> bundle = sefa.factorize(tiny, num=3)
            >>> found = sefa.evaluate(bundle, seeds="0-9", scorers="colors", cache="c")
            >>> found.best("warmth")["k"] in (0, 1, 2)
            True
        """
        for name, known in ((attribute, self.attributes), (bundle or self.names[0], self.names)):
            if name not in known:
                raise UsageError(f"{name!r} was not evaluated", either(known))
        rows = [
            row
            for row in self.results
            if bundle in (None, row["bundle"])
            and row["lost"] <= LOST
            and row["effects"][attribute]["mean"] is not None
        ]
        return max(rows, key=lambda row: abs(row["effects"][attribute]["mean"]), default=None)

    def _rows(self, i: int) -> list[dict[str, Any]]:
        trial, measured = self.trials[i], self.measured[i]
        reach = max(map(abs, trial.alphas))
        effects = self.effects(i) * reach / self.spread  # standard deviations for the full step
        raw = statistics.interval(self.effects(i))
        normal, share = statistics.interval(effects), statistics.transfer(effects)
        depends = statistics.dependency(effects)
        scores = np.array([one.scores for one in measured])
        unseen: NDArray[np.bool_] = np.isnan(scores).any(axis=3)  # (n, k, steps)
        lost = unseen.any(axis=2).mean(axis=0)  # (k,)
        gone = np.isnan(self.effects(i).sum(axis=2))  # (n, k): the face was lost at an end
        profiles = np.nan_to_num(self.effects(i) * reach / self._units)
        rows = []
        for j, k in enumerate(trial.ks):
            steady, agreeing = statistics.consistency(profiles[~gone[:, j], j])
            about = {
                "bundle": self.names[i],
                "method": trial.bundle.method,
                "k": k,
                "label": trial.bundle.labels[k],
                "alpha": float(reach),
                "steadiness": steady,
                "agreeing": agreeing,
                "lost": float(lost[j]),
                "holds": holding(trial, [one.likeness[j] for one in measured], ~unseen[:, j]),
                **pixel_changes(trial, measured, j),
                "compared": {
                    **likenesses(trial, [one.likeness[j] for one in measured]),
                    **set_distances(measured, j),
                },
                "effects": {
                    name: {
                        "mean": number(normal.mean[j, a]),
                        "low": number(normal.low[j, a]),
                        "high": number(normal.high[j, a]),
                        "per_alpha": number(raw.mean[j, a]),
                        "transfer": number(share[j, a]),
                        "dependency": number(depends[j, a]),
                    }
                    for a, name in enumerate(self.attributes)
                },
            }
            rows.append(about)
        return rows
