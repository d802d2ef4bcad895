"""Evaluate directions: what each changes, on how many seeds, and how steadily."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Unpack

from sefa_cli.arguments import public_with
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.sum import parse_alpha
from sefa_cli.errors import UsageError
from sefa_cli.evaluation import asked
from sefa_cli.evaluation.asked import Bundles, by_name, check_subjects, indices_of
from sefa_cli.evaluation.distortion import check_distortion, measure_distortion
from sefa_cli.evaluation.found import Evaluation
from sefa_cli.evaluation.measuring import (
    Begin,
    Measured,
    Trial,
    attributes_of,
    measure_all,
    missing,
)
from sefa_cli.evaluation.scorers import Scorer, check_scorers, close_scorers, open_scorers
from sefa_cli.files import check_folder
from sefa_cli.parts import Shard
from sefa_cli.ranges import Indices, is_whole
from sefa_cli.rendering.options import PICTURES, PictureOptions
from sefa_cli.rendering.scene import Scene


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
