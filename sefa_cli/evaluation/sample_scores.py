"""The scores of many seeds' pictures, kept in a file: they are the long part of `supervise`."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sefa_cli.canonical import canonical_json
from sefa_cli.editing.start import Start
from sefa_cli.errors import SefaError
from sefa_cli.evaluation.measuring import attributes_of
from sefa_cli.evaluation.scorers import Scorer, score, unmeasured, version_of
from sefa_cli.files import check_writable, open_atomically
from sefa_cli.generators.base import Generator
from sefa_cli.interchange.containers import BROKEN
from sefa_cli.rendering.view import View

_TOGETHER = 20  # seeds after which the file is written again


def scores_key(
    weights: str,
    start: Start,
    view: View,
    truncation: float | None,
    scorers: Mapping[str, Scorer],
) -> str:
    """Return a digest of what changes the scores of a seed."""
    facts = {
        "model": weights,
        "space": start.space,
        "view": view.facts,
        "truncation": truncation,
        "scorers": {name: version_of(scorer) for name, scorer in scorers.items()},
    }
    return hashlib.sha256(canonical_json(facts).encode()).hexdigest()[:16]


class SampleScores:
    """Scores by seed, in memory and in a file if there is one."""

    def __init__(self, path: Path | str | None, key: str) -> None:
        """Read the file, if it exists. Raises SefaError if it is not of these samples."""
        self.path, self._key = None if path is None else Path(path), key
        self.attributes: tuple[str, ...] = ()
        self._rows: dict[int, NDArray[np.float64]] = {}
        if self.path is None:
            return
        check_writable(self.path, True, [".npz"])
        if self.path.exists():
            self._read(self.path)

    def of(
        self,
        generator: Generator,
        start: Start,
        view: View,
        scorers: Mapping[str, Scorer],
        wanted: Sequence[str],
        begin: Callable[[int], Callable[[int], object]] | None = None,
    ) -> NDArray[np.float64]:
        """Return the wanted scores of all seeds `(n, wanted)`, NaN without a subject.

        Raises UsageError for what no scorer measures. An interrupt (KeyboardInterrupt, SystemExit)
        carries a note if the file keeps what was done.
        """
        if not self.attributes:
            pictures = view.pictures(generator, start.codes, start.numbers)
            self.attributes, _ = attributes_of(scorers, pictures)
        unknown = [name for name in wanted if name not in self.attributes]
        if unknown:
            raise unmeasured(unknown[0], self.attributes)
        missing = [i for i, seed in enumerate(start.numbers) if seed not in self._rows]
        done = begin(len(missing)) if begin else None
        try:
            for count, i in enumerate(missing, 1):
                seed = start.numbers[i]
                picture = next(view.pictures(generator, start.codes[i : i + 1], [seed]))
                found = score(scorers, start.names[i], picture)
                self._rows[seed] = np.array([found.get(name, np.nan) for name in self.attributes])
                if done:
                    done(1)
                if count % _TOGETHER == 0:
                    self._write()
        except (KeyboardInterrupt, SystemExit) as interrupt:
            if self.path is not None:
                self._write()
                interrupt.add_note(
                    f"{self.path} keeps the scores of {len(self._rows)} samples; "
                    "the same command goes on from there"
                )
            raise
        if missing:
            self._write()
        places = [self.attributes.index(name) for name in wanted]
        return np.array([self._rows[seed][places] for seed in start.numbers])

    def _read(self, path: Path) -> None:
        try:
            with np.load(path, allow_pickle=False) as file:
                if str(file["key"]) != self._key:
                    raise SefaError(
                        f"{path} keeps scores of other samples",
                        "the same model, truncation and scorers",
                        "Name another file.",
                    )
                self.attributes = tuple(map(str, file["attributes"]))
                self._rows = dict(zip(map(int, file["seeds"]), file["scores"], strict=True))
        except BROKEN as error:
            raise SefaError(f"cannot read {path}", "scores", "Name another file.") from error

    def _write(self) -> None:
        if self.path is None:
            return
        with open_atomically(self.path, overwrite=True) as file:
            np.savez(
                file,
                key=self._key,
                attributes=np.array(self.attributes),
                seeds=np.array(list(self._rows)),
                scores=np.array(list(self._rows.values())),
            )
