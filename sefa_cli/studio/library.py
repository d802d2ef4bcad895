"""The models of all pages. Each is opened once and shared; nothing changes it."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.checkpoints import open_checkpoint
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import MismatchError, SefaError
from sefa_cli.projections import demodulates, fingerprint, levels
from sefa_cli.ranges import format_range
from sefa_cli.studio.session import Sliders
from sefa_cli.studio.shell import factorize_command

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator

_KEPT = 3  # models; one may take gigabytes
_FOUND = 8  # sets of directions of a model, 1 MB each


@dataclass(frozen=True)
class Model:
    """A model with its generator, and the name that commands give it."""

    ref: str
    checkpoint: Checkpoint
    generator: "Generator"
    fingerprint: str
    _found: dict[str, Sliders] = field(default_factory=dict, compare=False, repr=False)

    def sliders_of(self, path: str, bundle: Bundle) -> Sliders:
        """Return a bundle's sliders, all at 0. Raises MismatchError if its model is another one."""
        if bundle.model["fingerprint"] != self.fingerprint:
            raise MismatchError(
                f"{path} belongs to {bundle.model['ref']}, but the open model is {self.ref}",
                remedy="Open the bundle's model first.",
            )
        return Sliders(path, bundle)

    def factorize(self, layers: str) -> Sliders:
        """Return sliders of the global directions of these layers, a level or a range of indices.

        If the network does not normalize its features, the common gain is removed first. All pages
        share what was found once. Raises UsageError if the model does not have these layers.
        """
        from sefa_cli.discovery.factorize import factorize

        if layers in self._found:
            return self._found[layers]
        deflate = not demodulates(self.checkpoint)
        bundle = factorize(self.checkpoint, layers, deflate_gain=deflate)
        path = f"{self.stem}_{layers}.dirs".replace(",", "_")
        made_by = (factorize_command(self.ref, layers, deflate, path),)
        found = Sliders(path, bundle, made_by)
        return self._found.setdefault(layers, found) if len(self._found) < _FOUND else found

    @property
    def stem(self) -> str:
        """The first part of the names of files made from it."""
        return Path(self.ref).stem.split("_")[0] or "model"

    @property
    def levels(self) -> dict[str, tuple[int, ...]]:
        """The code indices of each level that has layers."""
        return {name: layers for name, layers in levels(self.checkpoint).items() if layers}

    @property
    def level_names(self) -> dict[str, str]:
        """The names of those levels in a menu: `middle (5-10)`."""
        return {name: f"{name} ({format_range(layers)})" for name, layers in self.levels.items()}


class Library:
    """Opens models, for any thread, and keeps those opened last."""

    def __init__(self, device: str = "auto", offline: bool | None = None) -> None:
        self._device, self._offline = device, offline
        self._lock = threading.Lock()
        self._models: OrderedDict[str, Model] = OrderedDict()

    def open_model(self, ref: str) -> Model:
        """Open a model by its zoo name, path or address. Raises SefaError if that fails."""
        with self._lock:
            return self._opened(open_checkpoint(ref, offline=self._offline), ref)

    def open_model_of(self, bundle: Bundle, beside: Path | None = None) -> Model:
        """Open the model that a bundle was made from, or take the one that somebody opened.

        Raises SefaError if it is not found.
        """
        from sefa_cli.editing.source import open_model_of

        with self._lock:
            try:
                checkpoint = open_model_of(bundle, None, beside, offline=self._offline)
            except SefaError:
                known = [] if "tensors" in bundle.params else reversed(self._models.values())
                for model in known:  # a file of another name
                    if model.fingerprint == bundle.model["fingerprint"]:
                        return model
                raise
            return self._opened(checkpoint, None)

    def _opened(self, checkpoint: Checkpoint, ref: str | None) -> Model:
        from sefa_cli.checkpoints import is_remote
        from sefa_cli.editing.source import load_generator

        name = ref or (checkpoint.ref if is_remote(checkpoint.ref) else str(checkpoint.path))
        known = fingerprint(checkpoint)
        key = f"{known} {checkpoint.tuned or checkpoint.path}"
        model = self._models.pop(key, None)
        if model is None or model.ref != name:
            generator = model.generator if model else load_generator(checkpoint, self._device)
            model = Model(name, checkpoint, generator, known)
        self._models[key] = model
        while len(self._models) > _KEPT:
            self._models.popitem(last=False)
        return model
