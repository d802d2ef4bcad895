"""Render one seed along every direction and measure the pictures; keep what was measured.

The unit of work is one seed and one bundle. Its measurements lie in the cache under a key of all
that changes them, so that an interrupted run goes on, and processes that share a cache add up. The
pictures can be kept too, as one tall PNG file, so that another scorer does not render them again.
"""

import hashlib
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.canonical import canonical_json
from sefa_cli.discovery.regions.changes import change_in
from sefa_cli.editing.moves import Move
from sefa_cli.errors import SefaError
from sefa_cli.evaluation.scorers import Picture, Scorer, comparing, embedder, score, version_of
from sefa_cli.files import make_folder, open_atomically
from sefa_cli.interchange.containers import BROKEN
from sefa_cli.projections import weights_digest
from sefa_cli.rendering.edits import Edits
from sefa_cli.rendering.scene import Scene
from sefa_cli.sealed import read_sealed, save_sealed

Advance = Callable[[int], object]  # hears how many pictures were made since
Begin = Callable[[int], Advance]  # hears how many pictures there are to make

_FIRST = 10  # pictures that tell what the scorers measure
_FIELD = 16  # pixels of the side of a change field
_VERSION = 1  # of the measurements: change it with them


@dataclass(frozen=True)
class Measured:
    """The measurements of one seed along k directions, at `steps` steps α in increasing order."""

    before: NDArray[np.float64]  # (attributes,), NaN without a subject
    features_before: NDArray[np.float32]  # (d,): what a scorer makes of it, d = 0 without one
    scores: NDArray[np.float64]  # (k, steps, attributes)
    away: NDArray[np.float64]  # (k, steps): root mean square from the picture before, of 255
    between: NDArray[np.float64]  # (k, steps): from each picture to the next, the one before too
    field: NDArray[np.float32]  # (k, 16, 16, channels): last picture minus first
    inside: NDArray[np.float64]  # (k, steps): mean square in the region, NaN without one
    outside: NDArray[np.float64]  # (k, steps)
    likeness: NDArray[np.float64]  # (k, steps, compared): from scorers of two pictures
    features: NDArray[np.float32]  # (k, steps, d)


@dataclass(frozen=True)
class Trial:
    """One bundle under measurement: its directions, steps, region and scorers."""

    scene: Scene
    bundle: Bundle
    ks: tuple[int, ...]
    alphas: tuple[float, ...]  # increasing, without 0
    scorers: Mapping[str, Scorer]
    attributes: tuple[str, ...]  # what scorers of one picture measure
    compared: tuple[str, ...] = ()  # what scorers of two pictures measure
    origin: Mapping[str, object] = field(default_factory=dict)  # how codes were made of seeds

    @cached_property
    def key(self) -> str:
        """A digest of everything that changes the measurements."""
        scorers = {name: version_of(scorer) for name, scorer in self.scorers.items()}
        own = {"scorers": scorers, "attributes": list(self.attributes)}
        bundle = self.bundle
        return _digest({**self._facts(bundle.mask, bundle.background), **own})

    @cached_property
    def pictures_key(self) -> str:
        """A digest of everything that changes the pictures: not the region."""
        return _digest(self._facts())

    def _facts(self, *region: NDArray[Any] | None) -> dict[str, object]:
        bundle, view, start = self.bundle, self.scene.view, self.scene.start
        arrays: list[NDArray[Any] | None]
        arrays = [bundle.directions[list(self.ks)], bundle.layers, *region]
        if start.kind != "seed":
            arrays.append(start.codes.cpu().numpy())
        return {
            "version": _VERSION,
            "arrays": [
                None if a is None else hashlib.sha256(a.tobytes()).hexdigest() for a in arrays
            ],
            "model": weights_digest(self.scene.generator.checkpoint),
            "alphas": list(self.alphas),
            "layers": None if self.scene.layers is None else list(self.scene.layers),
            "view": view.facts,
            "origin": self.origin,
        }

    def pictures(self, i: int) -> list[Picture]:
        """Render seed `i` after every move, direction by direction."""
        start = self.scene.start
        edits = Edits(replace(self.scene, start=start.only(i, i + 1)), self.bundle)
        return [next(edits.render(Move(((k, a),)))) for k in self.ks for a in self.alphas]

    def measure(self, i: int, before: Picture, after: Sequence[Picture]) -> Measured:
        """Measure seed `i` from its picture before and those after the moves."""
        name, steps = self.scene.start.names[i], len(self.alphas)
        rows = [
            self._row(before, after[first : first + steps], name)
            for first in range(0, len(after), steps)
        ]
        columns = [np.array(column) for column in zip(*rows, strict=True)]
        return Measured(self._scores(before, name), self._features(before), *columns)

    def _row(self, before: Picture, after: Sequence[Picture], where: str) -> Sequence[object]:
        lower = sum(alpha < 0 for alpha in self.alphas)
        film = [*after[:lower], before, *after[lower:]]
        away = [_distance(before, picture) for picture in after]
        between = [_distance(a, b) for a, b in itertools.pairwise(film)]
        moved = _small(film[-1]) - _small(film[0])
        parts = [self._local(before, picture) for picture in after]
        scores = [self._scores(picture, where) for picture in after]
        likeness = [self._likeness(before, picture, where) for picture in after]
        inside, outside = zip(*parts, strict=True)
        features = [self._features(picture) for picture in after]
        return scores, away, between, moved, inside, outside, likeness, features

    def _features(self, picture: Picture) -> NDArray[np.float32]:
        scorer = embedder(self.scorers)
        return np.zeros(0, np.float32) if scorer is None else np.asarray(scorer(picture))

    def _scores(self, picture: Picture, where: str) -> NDArray[np.float64]:
        found = score(comparing(self.scorers, False), where, picture)
        return np.array([found.get(name, np.nan) for name in self.attributes])

    def _likeness(self, before: Picture, after: Picture, where: str) -> NDArray[np.float64]:
        found = score(comparing(self.scorers), where, before, after)
        return np.array([found.get(name, np.nan) for name in self.compared])

    def _local(self, before: Picture, after: Picture) -> tuple[float, float]:
        return (
            (np.nan, np.nan) if self.bundle.mask is None else change_in(self.bundle, before, after)
        )


def attributes_of(
    scorers: Mapping[str, Scorer], pictures: Iterable[Picture]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the scores of one picture, and of those of two.

    They are taken from the first of ten pictures that shows each subject.

    Raises SefaError for a scorer that sees its subject in none of them.
    """
    alone, pairs = comparing(scorers, False), comparing(scorers)
    names: dict[str, dict[str, float]] = {}
    for number, picture in enumerate(itertools.islice(pictures, _FIRST)):
        for name, scorer in {**alone, **pairs}.items():
            if not names.get(name):
                given = [picture] * (2 if name in pairs else 1)
                names[name] = score({name: scorer}, f"picture {number}", *given)
        if all(names.values()):
            of_one = tuple(attribute for name in alone for attribute in names[name])
            return of_one, tuple(attribute for name in pairs for attribute in names[name])
    blind = ", ".join(name for name, found in names.items() if not found)
    raise SefaError(
        f"the scorer {blind} sees nothing in the first {_FIRST} pictures",
        remedy="Choose others with scorers=, such as colors.",
    )


def measure_all(
    trials: Sequence[Trial],
    cache: Path,
    done: Advance | None = None,
    share: range | None = None,
    keep_pictures: bool = False,
) -> Iterator[list[Measured]]:
    """Yield the measurements of each seed, one per trial, from the cache or new.

    `done` is called with the number of pictures after each piece of work. With `share`, only
    these of the seeds are measured. `keep_pictures` keeps the pictures in the cache as well.
    """
    scene, keys = trials[0].scene, [trial.pictures_key for trial in trials]
    for i in range(len(scene.start.numbers)) if share is None else share:
        before: Picture | None = None
        rendered: dict[str, list[Picture]] = {}  # what bundles of several regions share
        row = []
        for trial in trials:
            stem = scene.start.stem(i)
            path = cache / trial.key / f"{stem}.npz"
            known = _read(path)
            if known is None:
                if before is None:
                    codes, number = scene.start.codes[i : i + 1], scene.start.numbers[i]
                    before = next(scene.view.pictures(scene.generator, codes, [number]))
                kept = cache / trial.pictures_key / f"{stem}.png"
                after = rendered.get(trial.pictures_key)
                if after is None:
                    after = _read_pictures(kept, len(trial.ks) * len(trial.alphas), before.shape)
                if after is None:
                    after = trial.pictures(i)
                    if keep_pictures:
                        _write_pictures(kept, after)
                if keys.count(trial.pictures_key) > 1:
                    rendered[trial.pictures_key] = after
                known = trial.measure(i, before, after)
                keep(path, known)
                if done:
                    done(len(after))
            row.append(known)
        yield row


def missing(trials: Sequence[Trial], cache: Path, share: range | None = None) -> int:
    """Return how many pictures of moves have to be rendered, for all seeds or a share of them."""
    start = trials[0].scene.start
    stems = [start.stem(i) for i in (range(len(start.numbers)) if share is None else share)]
    return sum(
        len(trial.ks) * len(trial.alphas)
        for trial in trials
        for stem in stems
        if not (cache / trial.key / f"{stem}.npz").exists()
    )


def _read(path: Path) -> Measured | None:
    try:
        return Measured(**read_sealed(path, [one.name for one in fields(Measured)]))
    except BROKEN:
        return None  # not there, or broken: it is measured again


def keep(path: Path, measured: Measured) -> None:
    """Write the measurements of one seed where the cache looks for them."""
    make_folder(path.parent)
    with open_atomically(path, overwrite=True) as file:
        save_sealed(file, {one.name: getattr(measured, one.name) for one in fields(measured)})


def _read_pictures(path: Path, count: int, shape: tuple[int, ...]) -> list[Picture] | None:
    """Return kept pictures, None if they are not there or not those expected."""
    try:
        with PngImageFile(path) as image:  # Image.open refuses as a bomb what may be so large
            if image.size != (shape[1], count * shape[0]):
                return None
            tall = np.asarray(image)
    except (OSError, ValueError, SyntaxError):  # SyntaxError: Pillow's word for a broken PNG file
        return None
    if tall.size != count * math.prod(shape):
        return None
    return list(tall.reshape(count, *shape))


def _write_pictures(path: Path, pictures: Sequence[Picture]) -> None:
    make_folder(path.parent)
    tall = np.concatenate(pictures)
    image = Image.fromarray(tall[..., 0] if tall.shape[2] == 1 else tall)
    with open_atomically(path, overwrite=True) as file:
        image.save(file, "PNG", compress_level=1)


def _digest(facts: Mapping[str, object]) -> str:
    return hashlib.sha256(canonical_json(facts).encode()).hexdigest()[:16]


def _distance(a: Picture, b: Picture) -> float:
    return float(np.sqrt(np.square(a.astype(np.float64) - b).mean()))


def _small(picture: Picture) -> NDArray[np.float32]:
    gray = picture.shape[2] == 1
    image = Image.fromarray(picture[..., 0] if gray else picture)
    small = np.asarray(image.resize((_FIELD, _FIELD), Image.Resampling.BOX), np.float32)
    return small.reshape(_FIELD, _FIELD, picture.shape[2])
