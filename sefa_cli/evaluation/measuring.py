"""Render one seed along every direction and measure the pictures; keep what was measured.

The unit of work is one seed and one bundle. Its measurements lie in the cache under a key of all
that changes them, so that an interrupted run goes on, and processes that share a cache add up.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.canonical import canonical_json
from sefa_cli.editing.moves import Move
from sefa_cli.errors import SefaError
from sefa_cli.evaluation.locality import change
from sefa_cli.evaluation.scorers import Picture, Scorer, score, version_of
from sefa_cli.files import open_atomically
from sefa_cli.interchange.containers import BROKEN
from sefa_cli.rendering.edits import Edits
from sefa_cli.rendering.scene import Scene

_FIRST = 10  # pictures that tell what the scorers measure
_FIELD = 16  # pixels of the side of a change field
_VERSION = 1  # of the measurements: change it with them


@dataclass(frozen=True)
class Measured:
    """The measurements of one seed along k directions, at `steps` steps α in increasing order."""

    before: NDArray[np.float64]  # (attributes,), NaN where there is no subject
    scores: NDArray[np.float64]  # (k, steps, attributes)
    away: NDArray[np.float64]  # (k, steps): root mean square from the picture before, of 255
    between: NDArray[np.float64]  # (k, steps): from each picture to the next, the one before too
    field: NDArray[np.float32]  # (k, 16, 16, channels): last picture minus first
    inside: NDArray[np.float64]  # (k, steps): mean square in the region, NaN without one
    outside: NDArray[np.float64]  # (k, steps)


@dataclass(frozen=True)
class Trial:
    """One bundle under measurement: its directions, steps, region and scorers."""

    scene: Scene
    bundle: Bundle
    ks: tuple[int, ...]
    alphas: tuple[float, ...]  # increasing, without 0
    scorers: Mapping[str, Scorer]
    attributes: tuple[str, ...]
    origin: Mapping[str, object] = field(default_factory=dict)  # how codes were made of seeds

    @cached_property
    def key(self) -> str:
        """A digest of everything that changes the measurements."""
        bundle, view, start = self.bundle, self.scene.view, self.scene.start
        arrays: list[NDArray[Any] | None]
        arrays = [bundle.directions[list(self.ks)], bundle.layers, bundle.mask, bundle.background]
        if start.kind != "seed":
            arrays.append(start.codes.cpu().numpy())
        digests = [None if a is None else hashlib.sha256(a.tobytes()).hexdigest() for a in arrays]
        facts = {
            "version": _VERSION,
            "arrays": digests,
            "model": bundle.model["fingerprint"],
            "alphas": list(self.alphas),
            "layers": None if self.scene.layers is None else list(self.scene.layers),
            "view": [getattr(view, one.name) for one in fields(view)],
            "origin": self.origin,
            "scorers": {name: version_of(scorer) for name, scorer in self.scorers.items()},
            "attributes": list(self.attributes),
        }
        return hashlib.sha256(canonical_json(facts).encode()).hexdigest()[:16]

    def measure(self, i: int, before: Picture) -> Measured:
        """Render and measure seed `i`, whose picture is `before`."""
        start = self.scene.start
        edits = Edits(replace(self.scene, start=start.only(i, i + 1)), self.bundle)
        rows = []
        for k in self.ks:
            after = [next(edits.render(Move(((k, alpha),)))) for alpha in self.alphas]
            rows.append(self._row(before, after, start.names[i]))
        columns = [np.array(column) for column in zip(*rows, strict=True)]
        return Measured(self._scores(before, start.names[i]), *columns)

    def _row(self, before: Picture, after: Sequence[Picture], where: str) -> Sequence[object]:
        lower = sum(alpha < 0 for alpha in self.alphas)
        film = [*after[:lower], before, *after[lower:]]
        away = [_distance(before, picture) for picture in after]
        between = [_distance(a, b) for a, b in itertools.pairwise(film)]
        moved = _small(film[-1]) - _small(film[0])
        parts = [self._local(before, picture) for picture in after]
        scores = [self._scores(picture, where) for picture in after]
        return scores, away, between, moved, [p[0] for p in parts], [p[1] for p in parts]

    def _scores(self, picture: Picture, where: str) -> NDArray[np.float64]:
        found = score(self.scorers, picture, where)
        return np.array([found.get(name, np.nan) for name in self.attributes])

    def _local(self, before: Picture, after: Picture) -> tuple[float, float]:
        if self.bundle.mask is None:
            return np.nan, np.nan
        fore, back = self._weights((before.shape[1], before.shape[0]))
        first, last = (np.moveaxis(p.astype(np.float64), 2, 0) for p in (before, after))
        return change(first, last, fore, back)

    def _weights(self, size: tuple[int, int]) -> tuple[NDArray[np.float64], ...]:
        """Return region and background at a size; the mean of a region that every seed has."""
        assert self.bundle.mask is not None
        fore = _resized(self.bundle.mask, size)
        back = self.bundle.background
        return fore, 255 - fore if back is None else _resized(back, size)


def attributes_of(scorers: Mapping[str, Scorer], pictures: Iterable[Picture]) -> tuple[str, ...]:
    """Return the names of the scores, from the first of ten pictures that shows each subject.

    Raises SefaError for a scorer that sees its subject in none of them.
    """
    names: dict[str, dict[str, float]] = {}
    for number, picture in enumerate(itertools.islice(pictures, _FIRST)):
        for name, scorer in scorers.items():
            if not names.get(name):
                names[name] = score({name: scorer}, picture, f"picture {number}")
        if all(names.values()):
            return tuple(itertools.chain(*names.values()))
    blind = ", ".join(name for name, found in names.items() if not found)
    raise SefaError(
        f"the scorer {blind} sees nothing in the first {_FIRST} pictures",
        remedy="Choose others with --scorers, such as colors.",
    )


def measure_all(
    trials: Sequence[Trial], cache: Path, done: Callable[[int], object] | None = None
) -> Iterator[list[Measured]]:
    """Yield the measurements of each seed, one per trial, from the cache or new.

    `done` is called with the number of pictures after each piece of work.
    """
    scene = trials[0].scene
    for i in range(len(scene.start.numbers)):
        before: Picture | None = None
        row = []
        for trial in trials:
            path = cache / trial.key / f"{scene.start.stem(i)}.npz"
            known = _read(path)
            if known is None:
                if before is None:
                    codes, number = scene.start.codes[i : i + 1], scene.start.numbers[i]
                    before = next(scene.view.pictures(scene.generator, codes, [number]))
                known = trial.measure(i, before)
                _write(path, known)
                if done:
                    done(len(trial.ks) * len(trial.alphas))
            row.append(known)
        yield row


def missing(trials: Sequence[Trial], cache: Path) -> int:
    """Return how many pictures of moves have to be rendered."""
    stems = [trials[0].scene.start.stem(i) for i in range(len(trials[0].scene.start.numbers))]
    return sum(
        len(trial.ks) * len(trial.alphas)
        for trial in trials
        for stem in stems
        if not (cache / trial.key / f"{stem}.npz").exists()
    )


def _read(path: Path) -> Measured | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            return Measured(**{one.name: file[one.name] for one in fields(Measured)})
    except (OSError, *BROKEN):
        return None  # not there, or broken: it is measured again


def _write(path: Path, measured: Measured) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_atomically(path, overwrite=True) as file:
        np.savez(file, **{one.name: getattr(measured, one.name) for one in fields(measured)})


def _distance(a: Picture, b: Picture) -> float:
    return float(np.sqrt(np.square(a.astype(np.float64) - b).mean()))


def _small(picture: Picture) -> NDArray[np.float32]:
    gray = picture.shape[2] == 1
    image = Image.fromarray(picture[..., 0] if gray else picture)
    small = np.asarray(image.resize((_FIELD, _FIELD), Image.Resampling.BOX), np.float32)
    return small.reshape(_FIELD, _FIELD, picture.shape[2])


def _resized(mask: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float64]:
    mean = mask.reshape(-1, *mask.shape[-2:]).mean(axis=0)
    image = Image.fromarray(mean.astype(np.uint8)).resize(size, Image.Resampling.BOX)
    return np.asarray(image, np.float64)
