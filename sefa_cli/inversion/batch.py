"""A batch of photos: one after the other, each kept when it is done; a bad one stops nothing."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sefa_cli.discovery.partial import Partial, partial_path
from sefa_cli.editing.codes import save_codes
from sefa_cli.errors import SefaError
from sefa_cli.files import check_writable
from sefa_cli.inversion.found import Found
from sefa_cli.inversion.invert import Inverter
from sefa_cli.inversion.photos import digest, unlike
from sefa_cli.inversion.table import COLUMNS, rows, save_rows
from sefa_cli.inversion.tune import Progress
from sefa_cli.parts import Job, Part, Shard

KIND = "codes"


@dataclass(frozen=True)
class Outcome:
    """What became of a photo: what was found, or why it cannot be read."""

    name: str
    path: Path
    result: Found | SefaError
    seconds: float = math.nan  # that the search took, also if it was kept from before


class Batch:
    """The photos of one output. `partial` keeps the codes found so far, until all are written.

    With a shard, `share` are the photos that are looked at, and the output is their part.
    """

    def __init__(
        self,
        inverter: Inverter,
        paths: Sequence[Path],
        output: Path | str,
        shard: Shard | None = None,
    ) -> None:
        self.inverter, self.paths, self.shard = inverter, paths, shard
        self.output = Path(output) if shard is None else shard.path(output)
        self.share = range(len(paths)) if shard is None else shard.share(len(paths))
        self.partial = Partial(partial_path(self.output), inverter.task)

    def run(self, progress: Progress) -> Iterator[Outcome]:
        """Yield what becomes of each photo. What `partial` holds is not looked for again."""
        names = unlike(path.stem for path in self.paths)
        for path, name in [(self.paths[i], names[i]) for i in self.share]:
            try:
                photo = self.inverter.read(path, name)
                key = digest(path)
            except SefaError as error:
                yield Outcome(name, path, error)
                continue
            kept = self.partial.found(key, 0)
            if kept is not None:
                code, took = kept
                found = self.inverter.found(photo, torch.from_numpy(code))
                yield Outcome(name, path, found, float(took))
                continue
            began = time.monotonic()
            found = self.inverter.find(photo, lambda n, loss, name=name: progress(name, n, loss))  # type: ignore[misc]
            seconds = time.monotonic() - began
            self.partial.keep(key, 0, [found.code.expand(self._shape).numpy(), np.array(seconds)])
            yield Outcome(name, path, found, seconds)

    @property
    def job(self) -> dict[str, Any]:
        """What all shards share."""
        return {"items": [path.name for path in self.paths], "search": self.inverter.task}

    def part(self, outcomes: Sequence[Outcome]) -> Part:
        """Return the part with the codes of this shard's photos, and a row for each photo."""
        assert self.shard is not None
        found = [one.result for one in outcomes if isinstance(one.result, Found)]
        arrays = {f"code/{i}": one.code.numpy() for i, one in enumerate(found)}
        return Part(KIND, self.shard, self.job, {"rows": rows(outcomes)}, arrays)

    @property
    def _shape(self) -> tuple[int, int]:
        return self.inverter.generator.num_layers, len(self.inverter.prior.mean)


def refusals(parts: Sequence[Part]) -> list[str]:
    """Return why photos of these parts could not be read; each text names its photo."""
    return [row["error"] for row in _rows(parts) if row["error"]]


def _rows(parts: Sequence[Part]) -> list[dict[str, str]]:
    found = []
    for part in parts:
        kept = part.notes.get("rows")
        if not isinstance(kept, list) or not all(
            isinstance(row, dict) and set(row) == set(COLUMNS) for row in kept
        ):
            raise SefaError(f"{part.path} is broken", remedy="Run its shard again.")
        found += kept
    return found


def merge_codes(job: Job, output: Path | str, overwrite: bool = False) -> None:
    """Write the codes of all parts to one file, and their table beside it.

    Raises:
        SefaError: A part is broken, no photo could be read, or a file cannot be written.
    """
    table = Path(output).with_suffix(".csv")
    check_writable(output, overwrite, [".npz"])
    check_writable(table, overwrite)
    found = _rows(job.parts)
    codes = [
        torch.from_numpy(part.array(f"code/{i}"))
        for part in job.parts
        for i in range(len(part.share) - len(refusals([part])))
    ]
    if not codes:
        raise SefaError("no photo could be read", "at least one picture")
    space = "z" if job.asked["search"]["space"] == "z" else None
    names = [row["name"] for row in found if not row["error"]]
    save_codes(output, torch.stack(codes), overwrite, space, names)
    save_rows(table, found, overwrite)
