"""What is evaluated: bundles of one model, by name, their directions, and seeds with a subject."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sefa_cli.arguments import check_kind
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.compare import check_same_model
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.discovery.interfacegan import LEAST
from sefa_cli.editing.mixing import parse_mix, parse_source
from sefa_cli.errors import MismatchError, SefaError, UsageError
from sefa_cli.inversion.photos import digest
from sefa_cli.projections import fingerprint
from sefa_cli.ranges import Indices, as_indices, check_once, is_whole
from sefa_cli.rendering.options import PictureOptions
from sefa_cli.rendering.scene import Scene, open_scene_of

if TYPE_CHECKING:
    from sefa_cli.editing.mixing import Mix

LEAST_SEEDS = 10  # fewer cannot predict other seeds
LOST = 0.5  # share of pictures without their subject from which on a table is refused
_LARGEST = 256  # pixels, if nothing else is asked for


Bundles = Mapping[str, Bundle] | Bundle | Path | str | Iterable[Path | str]


def by_name(bundles: Bundles) -> dict[str, Bundle]:
    """Return bundles by name, read from files. Raises UsageError for none, or one twice."""
    if isinstance(bundles, Mapping):
        read = dict(bundles)
    elif isinstance(bundles, Bundle):
        read = {"bundle": bundles}
    else:
        check_kind("bundles", bundles, "Bundle | str | Path | Iterable[str | Path]")
        paths = [Path(p) for p in ([bundles] if isinstance(bundles, Path | str) else bundles)]
        if Path("-") in paths:
            raise UsageError("a bundle from stdin", "a file: it is read more than once")
        stems = [path.stem for path in paths]
        names = [s if stems.count(s) == 1 else str(p) for s, p in zip(stems, paths, strict=True)]
        check_once(names, "bundle")
        read = {name: Bundle.load(path) for name, path in zip(names, paths, strict=True)}
    if not read:
        raise UsageError("no bundle is given", "one or more")
    return read


def scene_for(first: Bundle, read: Mapping[str, Bundle], options: PictureOptions) -> Scene:
    """Return the scene of the one model of all bundles, with small pictures.

    Raises MismatchError for bundles of several models, UsageError for too few seeds.
    """
    check_same_model(read.items())
    if (seeds := options.get("seeds")) is not None and options.get("codes") is None:
        check_count(len(as_indices(seeds, "seed", 2**32)))
    scene = open_scene_of(first, options, seeds="0-99")
    check_count(len(scene.start.numbers), scene.start.kind)
    return replace(scene, view=scene.view.at_most(scene.generator, _LARGEST))


def mix_text(mix: "Mix") -> str:
    """Return what tells a source of layers from any other: the digest of a file or an array."""
    source, layers = parse_mix(mix)
    if is_whole(source, 0):
        return str(mix)
    if not isinstance(source, int | str | Path):
        array = source if isinstance(source, np.ndarray) else source.detach().cpu().numpy()
        return f"{hashlib.sha256(array.tobytes()).hexdigest()}:{layers}"
    file, number = parse_source(source)
    return str(mix) if isinstance(file, int) else f"{digest(file)}:{number}:{layers}"


def check_count(count: int, kind: str = "seed") -> None:
    """Raise UsageError for too few seeds or codes."""
    if count < LEAST_SEEDS:
        raise UsageError(
            f"{count:,} {kind}s", f"{LEAST_SEEDS} or more: fewer cannot predict others"
        )


def check_distorted(count: int, seeds: int) -> None:
    """Raise UsageError unless the distortion is asked for on 2 to `seeds` seeds, or on none."""
    if count and not 2 <= count <= seeds:
        raise UsageError(f"distortion must be 0, or 2 to {seeds:,} of the seeds, got {count:,}")


def indices_of(bundle: Bundle, k: Indices) -> tuple[int, ...]:
    """Return the directions `k` of a bundle; by default the first ten, or as many as there are."""
    if isinstance(k, str) and k == "0-9":
        return tuple(range(min(10, bundle.k)))
    return bundle.indices(k) if isinstance(k, str) else as_indices(k, "direction", bundle.k)


def named_attributes(attributes: str | Iterable[str]) -> tuple[str, ...]:
    """Return the names of attributes. Raises UsageError for none, or one given twice."""
    given = attributes.split(",") if isinstance(attributes, str) else attributes
    named = tuple(filter(None, map(str.strip, given)))
    if not named:
        raise UsageError("no attribute is given", "one that a scorer measures, such as smile")
    check_once(named, "attribute")
    return named


def check_classes(samples: int, share: float) -> None:
    """Raise UsageError before the work for what `boundary` would refuse after it."""
    if not 0 < share <= 0.5:
        raise UsageError(f"share must be above 0 and at most 0.5, got {share:g}")
    count = int(samples * share)
    if count < LEAST:
        raise UsageError(
            f"{samples:,} seeds and a share of {share:g} leave {count:,} samples in each class",
            f"{LEAST} or more",
        )


def check_condition(condition: Bundle, checkpoint: Checkpoint) -> None:
    """Raise SefaError for directions that cannot be projected out of those of this model."""
    if condition.model["fingerprint"] != fingerprint(checkpoint):
        raise MismatchError(f"the condition belongs to {condition.model['ref']}", checkpoint.ref)
    if condition.directions.ndim == 3:
        raise UsageError("the condition's directions have a row for each layer", "one row for all")
    if condition.space != (space := checkpoint.config.space):
        raise MismatchError(f"the condition's directions are for {condition.space}", space)


def check_subjects(before: Sequence[NDArray[np.float64]], attributes: Sequence[str]) -> None:
    """Raise SefaError if most pictures so far do not show what a scorer looks for."""
    lost = int(np.isnan(before).any(axis=1).sum())
    if len(before) >= LEAST_SEEDS and lost > LOST * len(before):
        name = attributes[int(np.isnan(before).sum(axis=0).argmax())]
        raise SefaError(
            f"no {name} can be measured in {lost:,} of {len(before):,} pictures",
            "its subject in most of them",
            "Choose other scorers with scorers=, such as colors.",
        )
