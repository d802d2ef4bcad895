"""The scores of many seeds' pictures, kept in a file: they are the long part of `supervise`."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sefa_cli.canonical import canonical_json
from sefa_cli.editing.start import Start
from sefa_cli.evaluation.kept_scores import Kept, check_scores, of_others
from sefa_cli.evaluation.measuring import Begin, attributes_of
from sefa_cli.evaluation.scorers import Scorer, score, unmeasured, version_of
from sefa_cli.generators.base import Generator
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

    def __init__(self, path: Path | str | None, key: str, about: str) -> None:
        """Read the file, if it exists. Raises SefaError if it is not of these samples."""
        check_scores(path, about)
        self.path = None if path is None else Path(path)
        self.kept = Kept(key, about)
        if self.path is not None and self.path.exists():
            self.kept = Kept.read(self.path)
            if self.kept.key != key:
                raise of_others(self.path)

    @property
    def attributes(self) -> tuple[str, ...]:
        """What was measured; empty if nothing was."""
        return self.kept.attributes

    def of(
        self,
        generator: Generator,
        start: Start,
        view: View,
        scorers: Mapping[str, Scorer],
        wanted: Sequence[str],
        begin: Begin | None = None,
    ) -> NDArray[np.float64]:
        """Return the wanted scores of all seeds `(n, wanted)`, NaN without a subject.

        Raises UsageError for what no scorer measures. An interrupt (KeyboardInterrupt, SystemExit)
        carries a note if the file keeps what was done.
        """
        if not self.attributes:
            pictures = view.pictures(generator, start.codes, start.numbers)
            self.kept.attributes, _ = attributes_of(scorers, pictures)
        unknown = [name for name in wanted if name not in self.attributes]
        if unknown:
            raise unmeasured(unknown[0], self.attributes)
        missing = [i for i, seed in enumerate(start.numbers) if seed not in self.kept.rows]
        done = begin(len(missing)) if begin else None
        try:
            for count, i in enumerate(missing, 1):
                seed = start.numbers[i]
                picture = next(view.pictures(generator, start.codes[i : i + 1], [seed]))
                found = score(scorers, start.names[i], picture)
                self.kept.rows[seed] = np.array(
                    [found.get(name, np.nan) for name in self.attributes]
                )
                if done:
                    done(1)
                if count % _TOGETHER == 0:
                    self._write()
        except (KeyboardInterrupt, SystemExit) as interrupt:
            if self.path is not None:
                self._write()
                interrupt.add_note(
                    f"{self.path} keeps the scores of {len(self.kept.rows):,} samples; "
                    "the same command goes on from there"
                )
            raise
        if missing:
            self._write()
        places = [self.attributes.index(name) for name in wanted]
        return np.array([self.kept.rows[seed][places] for seed in start.numbers])

    def _write(self) -> None:
        if self.path is not None:
            self.kept.write(self.path)
