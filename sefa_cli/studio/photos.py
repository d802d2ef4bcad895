"""The code of a photo that was dropped on the page: the same that `sefa invert` finds."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sefa_cli.errors import SefaError
from sefa_cli.interchange.labels import in_file_name
from sefa_cli.rendering.pictures import png, to_uint8
from sefa_cli.studio.localizing import CancelledError
from sefa_cli.studio.session import Origin
from sefa_cli.studio.shell import command

if TYPE_CHECKING:
    import torch

    from sefa_cli.inversion.invert import Inverter
    from sefa_cli.studio.library import Model

_EVERY = 0.5  # seconds between two pictures of a search


@dataclass
class Search:
    """The search for the code of one photo, and how far it is.

    Attributes:
        model: The model.
        name: The photo's file name.
        data: The file.
        align: Crop and turn the face, if the landmark package is there.
        show: Called now and then with the PNG of the best picture so far.
        go_on: Called after each pass; what it raises ends the search.
        stop: Ends the search once it is set.
        done: Passes so far.
        total: Passes at most.
        loss: The loss of the last pass.
    """

    model: "Model"
    name: str
    data: bytes
    align: bool
    show: Callable[[bytes], object]
    go_on: Callable[[], object]
    stop: threading.Event = field(default_factory=threading.Event)
    done: int = 0
    total: int = 1
    loss: float = 0.0
    _began: tuple[int, float] | None = None  # passes, and when they were done
    _shown: float = 0.0

    @property
    def left(self) -> float | None:
        """An estimate of the seconds left, by all passes but the first; None before."""
        if self._began is None or self.done == self._began[0]:
            return None
        done, began = self._began
        return (time.monotonic() - began) / (self.done - done) * (self.total - self.done)

    @property
    def lines(self) -> tuple[str, ...]:
        """The command that does the same."""
        align = ["--align"] if self.align else []
        words = (self.name, "--model", self.model.ref, *align, "-o", f"{self._stem}.npz")
        return (command("invert", *words),)

    @property
    def _stem(self) -> str:
        return in_file_name(Path(self.name).stem) or "photo"

    def prepare(self) -> "Inverter":
        """Return what can find codes, after a look at the photo. Raises SefaError."""
        from sefa_cli.inversion.how import How
        from sefa_cli.inversion.invert import Inverter

        inverter = Inverter(self.model.generator, How(align=self.align))
        inverter.read(self.data, self.name)
        self.total = inverter.how.passes
        return inverter

    def run(self, inverter: "Inverter") -> Origin:
        """Return the code, found now or kept from before. Raises CancelledError after `stop`."""
        from sefa_cli.inversion.remembered import code_of

        code = code_of(self.data, self.name, inverter, self._step, self._watch)
        self.done = self.total  # a search ends early where no step helps
        photo = inverter.read(self.data, self.name)
        found = inverter.found(photo, code[0].reshape(-1, code.shape[-1]))
        notes = "".join(f"; {note}" for note in photo.notes)
        return Origin(
            self.name,
            f"{self._stem}.npz",
            code[0].numpy().astype("<f4").tobytes(),
            tuple(code[0].shape),
            f"loss {found.loss:.3f}, {found.psnr:.1f} dB{notes}",
            self.lines,
        )

    def _step(self, done: int, loss: float) -> None:
        self.go_on()
        if self.stop.is_set():
            raise CancelledError
        self.done, self.loss = done, loss
        self._began = self._began or (done, time.monotonic())

    def _watch(self, picture: "torch.Tensor") -> None:
        if time.monotonic() - self._shown >= _EVERY:
            self.show(png(to_uint8(picture.cpu().numpy())[0], compression=1))
            self._shown = time.monotonic()


def check_model(model: "Model | None") -> "Model":
    """Return the open model. Raises SefaError if none is open: a photo is looked for in one."""
    if model is None:
        raise SefaError("no model is open", remedy="Open the one that should show the photo.")
    return model
