"""Evaluate directions: what each changes, on how many seeds, and how steadily."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from sefa_cli.arguments import public_with
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.sum import parse_alpha
from sefa_cli.errors import UsageError, either
from sefa_cli.evaluation import asked, statistics
from sefa_cli.evaluation.asked import LOST, Bundles, by_name, check_subjects, indices_of
from sefa_cli.evaluation.distortion import Distortion, check_distortion, measure_distortion
from sefa_cli.evaluation.measuring import (
    Begin,
    Measured,
    Trial,
    attributes_of,
    measure_all,
    missing,
)
from sefa_cli.evaluation.proposals import noticeable
from sefa_cli.evaluation.rows import holding, likenesses, number, pixel_changes, set_distances
from sefa_cli.evaluation.scorers import Scorer, check_scorers, close_scorers, open_scorers
from sefa_cli.files import check_folder
from sefa_cli.parts import Shard
from sefa_cli.ranges import Indices, is_whole
from sefa_cli.rendering.options import PICTURES, PictureOptions
from sefa_cli.rendering.scene import Scene


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """The measurements of several bundles on the same seeds.

    Attributes:
        names: The bundles' names.
        trials: What was measured, a bundle each.
        measured: The measurements, by bundle and seed.
        distortion: How much the space of w is distorted, None if it was not asked for.
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
        """Return how much each score of bundle `i` grows per α, `(seeds, k, attributes)`.

        It is the slope from the lowest to the highest step. It is NaN where a subject was lost.

        Args:
            i: The bundle's place in `names`, from 0.
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
        """Return the direction that moves an attribute most, of one bundle or of all; or None.

        A direction that breaks most pictures cannot be it.

        Args:
            attribute: One of `attributes`.
            bundle: One of `names`. Default: all of them.

        Raises:
            UsageError: Nothing measured this attribute, or no bundle has that name.
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


@public_with(**PICTURES, seeds="0-99")
def evaluate(  # noqa: PLR0913 - keywords, each with a default
    bundles: Bundles,
    *,
    k: Indices = "0-9",
    alpha: float = 3.0,
    steps: int = 2,
    scorers: str | Iterable[str] | None = None,
    cache: Path | str,
    distorted: int = 0,
    keep_pictures: bool = False,
    begin: Begin | None = None,
    shard: Shard | None = None,
    **options: Unpack[PictureOptions],
) -> Evaluation:
    """Measure what directions change, over many seeds.

    Args:
        bundles: One bundle or its file; files of bundles of one model; or bundles by name.
        k: The directions, as indices, ranges and labels; at most those that a bundle has.
        alpha: The farthest step, both ways.
        steps: How many steps each way.
        scorers: What measures the pictures: "colors", "face", "person", "identity", "lpips",
            "inception" (the distance of edited from unedited pictures as sets), or your own by
            entry point. Default: colors, and face and person if they are installed.
        cache: The folder that keeps the measurements of each seed. An interrupted evaluation goes
            on from there.
        distorted: On how many of the seeds to measure the distortion of w as well: 0 for none.
        keep_pictures: Whether the cache also keeps the pictures, about 100 KB each at 256 px.
            Another scorer then measures these and renders nothing.
        begin: Called with the number of pictures to render; returns what is called with the
            number of pictures after each piece of work.
        shard: Measure this share of the seeds alone, and no distortion: `evaluation_part` keeps
            them for a merge.
        **options: What to start from and how to render: see [sefa_cli.PictureOptions][]. The
            default seeds are 0 to 99. Pictures have at most 256 pixels unless `size` is given.

    Returns:
        The measurements: `results` has a row for each direction, `best` finds the one that moves
        an attribute most.

    Raises:
        UsageError: There are fewer than 10 seeds, or an option is not valid.
        MismatchError: The bundles belong to different models.
        SefaError: Most pictures show no subject, a scorer fails, or `cache` cannot be written to.

    Example:
        >>> sefa.factorize(tiny, num=4).save("a.dirs")
        >>> found = sefa.evaluate(
        ...     ["a.dirs"], k="0-1", seeds="0-9", scorers=["colors"], cache="cache", device="cpu"
        ... )
        >>> len(found.results), found.attributes[:2]
        (2, ('brightness', 'contrast'))
    """
    if parse_alpha(alpha) <= 0:
        raise UsageError(f"alpha must be above 0, got {alpha:g}")
    if not is_whole(steps, 1, 20):
        raise UsageError(f"steps must be between 1 and 20, got {steps}")
    if not is_whole(distorted, 0) or distorted == 1:
        raise UsageError(f"distortion must be 0, or 2 of the seeds or more, got {distorted}")
    check_scorers(scorers)
    read = by_name(bundles)
    for bundle in read.values():
        indices_of(bundle, k)
    first = next(iter(read.values()))
    cache = check_folder(cache)
    scene = asked.scene_for(first, read, options)
    if distorted:
        check_distortion(scene.generator, distorted, len(scene.start.numbers))
    origin = {
        name: None if (value := options.get(name)) is None else str(value)
        for name in ("truncation", "truncation_layers", "label")
    }
    if (mix := options.get("mix_from")) is not None:
        origin["mix_from"] = asked.mix_text(mix)
    opened = open_scorers(scorers, options.get("offline"))
    try:
        alphas = [alpha * i / steps for i in range(1, steps + 1)]
        trials = _trials(scene, read, opened, k, alphas, origin)
        share = None if shard is None else shard.share(len(scene.start.numbers))
        measured = _measured(trials, cache, begin, share, keep_pictures)
    finally:
        close_scorers(opened)
    seen = scene.start.numbers[:distorted]
    turned = measure_distortion(scene.generator, seen) if distorted and shard is None else None
    return Evaluation(tuple(read), trials, measured, turned)


def _trials(
    scene: Scene,
    bundles: Mapping[str, Bundle],
    scorers: Mapping[str, Scorer],
    k: Indices,
    alphas: Sequence[float],
    origin: Mapping[str, object],
) -> tuple[Trial, ...]:
    chosen = [indices_of(bundle, k) for bundle in bundles.values()]
    attributes, compared = attributes_of(scorers, scene.pictures(scene.view))
    both = tuple([-alpha for alpha in reversed(alphas)] + list(alphas))
    return tuple(
        Trial(scene, bundle, ks, both, scorers, attributes, compared, origin)
        for bundle, ks in zip(bundles.values(), chosen, strict=True)
    )


def _measured(
    trials: Sequence[Trial],
    cache: Path,
    begin: Begin | None,
    share: range | None,
    keep_pictures: bool,
) -> tuple[tuple[Measured, ...], ...]:
    """Return the measurements by bundle and seed."""
    done = begin(missing(trials, cache, share)) if begin else None
    rows: list[list[Measured]] = []
    try:
        for row in measure_all(trials, cache, done, share, keep_pictures):
            rows.append(row)
            check_subjects([row[0].before for row in rows], trials[0].attributes)
    except (KeyboardInterrupt, SystemExit) as interrupt:
        start = trials[0].scene.start
        if rows:
            interrupt.add_note(
                f"{len(rows):,} of {len(share or start.numbers):,} {start.kind}s are kept in "
                f"{cache}; the same command goes on from there"
            )
        raise
    return tuple(zip(*rows, strict=True))
