"""The presets of a page: moves with a name, kept for all pages of a model."""

import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.checkpoints import is_remote
from sefa_cli.editing.presets import Part, Preset
from sefa_cli.errors import SefaError
from sefa_cli.file_kinds import why_not
from sefa_cli.interchange.labels import in_file_name
from sefa_cli.sources.cache import cache_folder, write_quietly
from sefa_cli.studio.session import Sliders, State
from sefa_cli.studio.shell import command, start_words

if TYPE_CHECKING:
    from sefa_cli.studio.library import Model


class Shelf:
    """The presets of one model, each a small file in sefa's cache beside its bundles."""

    def __init__(self, model: "Model") -> None:
        self.model = model
        self._folder = cache_folder() / "presets" / model.fingerprint

    @property
    def names(self) -> list[str]:
        """The names of the presets, sorted."""
        return sorted(path.stem for path in self._folder.glob("*.toml"))

    def title(self, name: str) -> str:
        """Return what a preset is called; the name of its file if that cannot be read."""
        try:
            return str(tomllib.loads(self._path(name).read_text())["name"])
        except (OSError, ValueError, KeyError):
            return name

    def keep(self, preset: Preset, overwrite: bool = False) -> None:
        """Keep a preset.

        Raises SefaError if one of this name is kept, or the folder cannot be written.
        """
        if stem_of(preset.name) in self.names and not overwrite:
            raise SefaError(f"a preset {preset.name!r} exists", "another name, or Replace")
        parts = [self._kept(part) for part in preset.parts]
        Preset(preset.name, tuple(parts)).save(self._path(preset.name), overwrite)

    def load(self, name: str) -> Preset:
        """Return a preset. Raises SefaError if it cannot be read."""
        return Preset.load(self._path(name))

    def remove(self, name: str) -> None:
        """Forget a preset. Raises SefaError if its file cannot be removed."""
        path = self._path(name)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise why_not(path, error, "remove") from error

    def _path(self, name: str) -> Path:
        return self._folder / f"{stem_of(name)}.toml"

    def _kept(self, part: Part) -> Part:
        """Return the moves with the bundle's own copy, which the preset can be read with."""
        data = part.bundle.to_bytes()
        digest = hashlib.sha256(data).hexdigest()[:16]
        path = self._folder / digest / Path(part.file).name
        if not path.exists():
            write_quietly(path, lambda file: file.write(data))
        return Part(str(path), part.bundle, part.move, part.layers)


def stem_of(name: str) -> str:
    """Return the name of a preset's file without its suffix. Raises SefaError if there is none."""
    stem = in_file_name(name.strip())
    if not stem:
        raise SefaError(f"cannot name a preset {name!r}", "letters or digits")
    return stem


def parts_of(state: State) -> tuple[Part, ...]:
    """Return the moves of all sliders, by bundle."""
    return tuple(Part(own.path, own.bundle, own.move, own.layers) for own in state.moved)


def preset_of(state: State, name: str) -> Preset:
    """Return the moves of all sliders under a name. Raises SefaError if nothing is moved."""
    return Preset(name, parts_of(state))


def preset_commands(model: "Model", state: State, file: str) -> list[str]:
    """Return the commands that make the picture with a preset's file."""
    own = [] if is_remote(model.ref) else ["--model", model.ref]
    words = ["edit", "--preset", file, *own, *start_words(state.alone), "-o", "picture"]
    return [*made_by([state]), command(*words)]


def with_parts(model: "Model", state: State, parts: Sequence[Part]) -> State:
    """Return the state after these moves; names of directions do not tell bundles apart.

    Raises MismatchError for bundles of another model, SefaError if one bundle should move on
    different layers.
    """
    moved: dict[str, Part] = {}
    for part in parts:
        sliders = _sliders(model, state, part)
        before = moved.setdefault(sliders.path, part)
        if before.layers != part.layers:
            raise SefaError(f"{part.file} moves on different layers at once", "one table of moves")
        state = state.added(sliders)
        for k, alpha in part.move.steps:
            state = state.at(k, sliders.alpha(k) + alpha)
            sliders = state.sets[state.active]
    return state


def made_by(states: Sequence[State]) -> list[str]:
    """Return the commands that make the files which these states start from, each once."""
    lines = [line for state in states if state.origin for line in state.origin.made_by]
    lines += [line for state in states for own in state.moved for line in own.made_by]
    return list(dict.fromkeys(lines))


def _sliders(model: "Model", state: State, part: Part) -> Sliders:
    """Return the page's sliders of this bundle, or new ones, on the layers that the part moves."""
    for own in state.sets:
        if own.path == part.file or _same(own.bundle, part.bundle):
            return replace(own, layers=part.layers)
    return replace(model.sliders_of(part.file, part.bundle), layers=part.layers)


def _same(one: Bundle, other: Bundle) -> bool:
    """Return whether two bundles of one model move the same way; their names may differ."""
    same = np.array_equal(one.layers, other.layers)
    return same and np.array_equal(one.directions, other.directions)
