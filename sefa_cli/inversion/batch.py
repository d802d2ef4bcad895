"""A batch of photos: one after the other, each kept when it is done; a bad one stops nothing."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from sefa_cli.discovery.partial import Partial, partial_path
from sefa_cli.errors import SefaError
from sefa_cli.inversion.invert import Found, Inverter
from sefa_cli.inversion.photos import digest, unlike

Progress = Callable[[str, int, float], object]  # name, passes so far of this photo, loss


@dataclass(frozen=True)
class Outcome:
    """What became of a photo: what was found, or why it cannot be read."""

    name: str
    path: Path
    result: Found | SefaError
    seconds: float = math.nan  # that the search took, also if it was kept from before


class Batch:
    """The photos of one output. `partial` keeps the codes found so far, until all are written."""

    def __init__(self, inverter: Inverter, paths: Sequence[Path], output: Path | str) -> None:
        self.inverter, self.paths = inverter, paths
        self.partial = Partial(partial_path(output), inverter.task)

    def run(self, progress: Progress) -> Iterator[Outcome]:
        """Yield what becomes of each photo. What `partial` holds is not looked for again."""
        names = unlike(path.stem for path in self.paths)
        for path, name in zip(self.paths, names, strict=True):
            try:
                photo = self.inverter.read(path, name)
                key = digest(path)
            except SefaError as error:
                yield Outcome(name, path, error)
                continue
            kept = self.partial.found(key, 0)
            if kept is not None:
                code, took = kept
                yield Outcome(
                    name, path, self.inverter.found(photo, torch.from_numpy(code)), float(took)
                )
                continue
            began = time.monotonic()
            found = self.inverter.find(photo, lambda n, loss, name=name: progress(name, n, loss))  # type: ignore[misc]
            seconds = time.monotonic() - began
            self.partial.keep(key, 0, [found.code.expand(self._shape).numpy(), np.array(seconds)])
            yield Outcome(name, path, found, seconds)

    @property
    def _shape(self) -> tuple[int, int]:
        return self.inverter.generator.num_layers, len(self.inverter.prior.mean)
