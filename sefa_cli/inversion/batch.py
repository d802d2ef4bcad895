"""A batch of photos: one after the other, each kept when it is done; a bad one stops nothing."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch

from sefa_cli.discovery.partial import Partial, partial_path
from sefa_cli.errors import SefaError
from sefa_cli.inversion.invert import Found, Inverter
from sefa_cli.inversion.photos import digest, unlike

Progress = Callable[[str, int, float], object]  # name, passes so far of this photo, loss


class Batch:
    """The photos of one output. `partial` keeps the codes found so far, until all are written."""

    def __init__(self, inverter: Inverter, paths: Sequence[Path], output: Path | str) -> None:
        self.inverter, self.paths = inverter, paths
        self.partial = Partial(partial_path(output), inverter.task)

    def run(self, progress: Progress, refused: Callable[[SefaError], object]) -> Iterator[Found]:
        """Yield what is found for each photo that can be read; tell `refused` about the others.

        What `partial` holds already is not looked for again.
        """
        names = unlike(path.stem for path in self.paths)
        for path, name in zip(self.paths, names, strict=True):
            try:
                photo = self.inverter.read(path, name)
                key = digest(path)
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
