"""The models that pages look at: opened once, read only, shared by all."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.checkpoints import open_checkpoint
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import MismatchError
from sefa_cli.projections import demodulates, fingerprint, levels
from sefa_cli.ranges import format_range
from sefa_cli.studio.session import Sliders
from sefa_cli.studio.shell import factorize_command

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator

_KEPT = 3  # models; one may take gigabytes


@dataclass(frozen=True)
class Model:
    """A model with its generator, and what commands call it."""

    ref: str
    checkpoint: Checkpoint
    generator: "Generator"
    fingerprint: str

    def sliders_of(self, path: str, bundle: Bundle) -> Sliders:
        """A bundle's sliders, all at 0. Raises MismatchError for one of another model."""
        if bundle.model["fingerprint"] != self.fingerprint:
            raise MismatchError(
                f"{path} belongs to {bundle.model['ref']}, the model open here is {self.ref}",
                remedy="Open its own model first.",
            )
        return Sliders(path, bundle)

    def factorize(self, layers: str) -> Sliders:
        """Sliders of the global directions of these layers (a level or a range of indices).

        Where nothing normalizes the features the common gain is taken out first. Raises UsageError
        for layers that the model does not have.
        """
        from sefa_cli.discovery.factorize import factorize

        deflate = not demodulates(self.checkpoint)
        bundle = factorize(self.checkpoint, layers, deflate_gain=deflate)
        path = f"{self.stem}_{layers}.dirs".replace(",", "_")
        return Sliders(path, bundle, (factorize_command(self.ref, layers, deflate, path),))

    @property
    def stem(self) -> str:
        """How files made from it begin."""
        return Path(self.ref).stem.split("_")[0] or "model"

    @property
    def levels(self) -> dict[str, tuple[int, ...]]:
        """The levels that have any layer: code indices."""
        return {name: layers for name, layers in levels(self.checkpoint).items() if layers}

    @property
    def level_names(self) -> dict[str, str]:
        """What those levels are called where one is chosen: `middle (5-10)`."""
        return {name: f"{name} ({format_range(layers)})" for name, layers in self.levels.items()}


class Library:
    """Opens models for any thread; those opened last are kept."""

    def __init__(self, device: str = "auto", offline: bool | None = None) -> None:
        self._device, self._offline = device, offline
        self._lock = threading.Lock()
        self._models: OrderedDict[str, Model] = OrderedDict()

    def open_model(self, ref: str) -> Model:
        """The model of a zoo name, path or address. Raises SefaError for what is none."""
        with self._lock:
            return self._opened(open_checkpoint(ref, offline=self._offline), ref)

    def open_model_of(self, bundle: Bundle, beside: Path | None = None) -> Model:
        """The model a bundle was made from; raises SefaError where it is not found."""
        from sefa_cli.editing.source import open_model_of

        with self._lock:
            checkpoint = open_model_of(bundle, None, beside, offline=self._offline)
            return self._opened(checkpoint, None)

    def _opened(self, checkpoint: Checkpoint, ref: str | None) -> Model:
        from sefa_cli.checkpoints import is_remote
        from sefa_cli.editing.source import load_generator

        said = ref or (checkpoint.ref if is_remote(checkpoint.ref) else str(checkpoint.path))
        known = fingerprint(checkpoint)
        key = f"{known} {checkpoint.path}"
        model = self._models.pop(key, None)
        if model is None or model.ref != said:
            generator = model.generator if model else load_generator(checkpoint, self._device)
            model = Model(said, checkpoint, generator, known)
        self._models[key] = model
        while len(self._models) > _KEPT:
            self._models.popitem(last=False)
        return model
