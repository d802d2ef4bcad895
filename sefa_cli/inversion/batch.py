"""A batch of photos: one after the other, each kept when it is done; a bad one stops nothing."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from sefa_cli.discovery.partial import Partial
from sefa_cli.errors import SefaError
from sefa_cli.files import why_not
from sefa_cli.inversion.invert import Found, Inverter
from sefa_cli.inversion.photos import unlike
from sefa_cli.projections import fingerprint

Progress = Callable[[str, int, float], object]  # name, passes so far of this photo, loss


class Batch:
    """The photos of one output. `partial` keeps the codes found so far, until all are written."""

    def __init__(self, inverter: Inverter, paths: Sequence[Path], output: Path | str) -> None:
        self.inverter, self.paths = inverter, paths
        output = Path(output)
        model = fingerprint(inverter.generator.checkpoint)
        task = {"model": model, **asdict(inverter.how), "space": inverter.space}
        self.partial = Partial(output.with_name(output.name + ".partial"), task)

    def run(self, progress: Progress, refused: Callable[[SefaError], object]) -> Iterator[Found]:
        """Yield what is found for each photo that can be read; tell `refused` about the others.

        What `partial` holds already is not looked for again.
        """
        names = unlike(path.stem for path in self.paths)
        for path, name in zip(self.paths, names, strict=True):
            try:
                photo = self.inverter.read(path, name)
                key = _digest(path)
            except SefaError as error:
                refused(error)
                continue
            kept = self.partial.found(key, 0)
            if kept is not None:
                yield self.inverter.found(photo, torch.from_numpy(kept[0]))
                continue
            found = self.inverter.find(photo, lambda n, loss, name=name: progress(name, n, loss))  # type: ignore[misc]
            self.partial.keep(key, 0, [found.code.expand(self._shape).numpy()])
            yield found

    @property
    def _shape(self) -> tuple[int, int]:
        return self.inverter.generator.num_layers, len(self.inverter.prior.mean)


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file. Raises SefaError."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise why_not(path, error, "read") from error
