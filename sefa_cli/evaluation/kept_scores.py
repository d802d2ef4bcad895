"""The file of `supervise` that keeps scores by seed, and the check of it that needs no torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.canonical import canonical_json
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import SefaError
from sefa_cli.evaluation.scorers import MEASURES, scorer_names
from sefa_cli.file_kinds import LEFT, kind_at, why_not
from sefa_cli.files import check_writable, open_atomically
from sefa_cli.interchange.containers import BROKEN
from sefa_cli.projections import fingerprint
from sefa_cli.sealed import DamagedError, read_sealed, save_sealed

_SCORES = "a file of scores that supervise wrote"


@dataclass
class Kept:
    """What such a file holds: scores `(attributes,)` by seed, and what they depend on."""

    key: str
    about: str  # what can be compared without torch; the key covers everything
    attributes: tuple[str, ...] = ()
    rows: dict[int, NDArray[np.float64]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Kept:
        """Read a file. Raises SefaError."""
        try:
            file = read_sealed(path)
            attributes = tuple(map(str, file["attributes"]))
            rows = dict(zip(map(int, file["seeds"]), file["scores"], strict=True))
            return cls(str(file["key"]), str(file["about"]), attributes, rows)
        except DamagedError as error:
            raise SefaError(f"{path} is damaged", _SCORES, "Remove it.") from error
        except BROKEN as error:
            if isinstance(error, OSError) and error.errno:
                raise why_not(path, error, "read") from None
            what, remedy = kind_at(path)
            bare = isinstance(error, KeyError) and what != LEFT
            found = f"{path} holds no scores" if bare else f"{path} is {what}"
            remedy = remedy or "Name another file."
            raise SefaError(found, _SCORES, remedy) from error

    def write(self, path: Path) -> None:
        """Write a file, whole."""
        with open_atomically(path, overwrite=True) as file:
            arrays = {
                "key": self.key,
                "about": self.about,
                "attributes": self.attributes,
                "seeds": list(self.rows),
                "scores": list(self.rows.values()),
            }
            save_sealed(file, arrays)


def about_samples(
    checkpoint: Checkpoint,
    truncation: float | None,
    label: int | None,
    scorers: str | Iterable[str] | None,
) -> str:
    """Return what scores depend on, as far as it is known before the model is loaded."""
    asked, own = scorer_names(scorers)
    facts: dict[str, Any] = {
        "model": fingerprint(checkpoint),
        "truncation": truncation,
        "class": label,
        "scorers": sorted(name for name in asked if name in MEASURES or name in own),
    }
    return canonical_json(facts)


def check_scores(path: Path | str | None, about: str) -> None:
    """Raise SefaError for a file that cannot be written, or keeps other scores."""
    if path is None:
        return
    check_writable(path, True, [".npz"])
    if Path(path).exists() and Kept.read(Path(path)).about != about:
        raise of_others(path)


def of_others(path: Path | str) -> SefaError:
    """Return the error for a file with the scores of other samples."""
    return SefaError(
        f"{path} keeps scores of other samples",
        "the same model, truncation, class and scorers",
        "Name another file.",
    )
