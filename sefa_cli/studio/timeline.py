"""Presets and key frames of a page: the files that it saves, and the commands that read them."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sefa_cli.checkpoints import is_remote
from sefa_cli.editing.presets import Part, Preset
from sefa_cli.editing.storyboard import Key, Storyboard
from sefa_cli.errors import UsageError
from sefa_cli.scratch import scratch_beside
from sefa_cli.studio.session import State
from sefa_cli.studio.shell import command, quick_size, start_words

if TYPE_CHECKING:
    from sefa_cli.studio.library import Model

FPS = 12


def preset_of(state: State, name: str) -> Preset:
    """Return the moves of all sliders under a name. Raises SefaError if nothing is moved."""
    return Preset(name, parts_of(state))


def parts_of(state: State) -> tuple[Part, ...]:
    """Return the moves of all sliders, by bundle."""
    return tuple(Part(own.path, own.bundle, own.move, own.layers) for own in state.moved)


def preset_commands(model: "Model", state: State, file: str) -> list[str]:
    """Return the commands that make the picture with a preset's file."""
    own = [] if is_remote(model.ref) else ["--model", model.ref]
    words = ["edit", "--preset", file, *own, *start_words(state.alone), "-o", "picture"]
    return [*_made_by([state]), command(*words)]


def with_preset(model: "Model", state: State, text: str, name: str) -> State:
    """Return the state with the sliders where a preset puts them; all others go to 0.

    Its bundles are those of the page, or files in the folder where the studio runs. Raises
    SefaError if the preset cannot be read, or belongs to another model.
    """
    known = {Path(own.path): own.bundle for own in state.sets}
    state = state.before()
    for part in Preset.parse(text, name, known).parts:
        sets = {Path(own.path): own for own in state.sets}
        sliders = sets.get(Path(part.file)) or model.sliders_of(part.file, part.bundle)
        state = state.added(sliders)
        for k, alpha in part.move.steps:
            state = state.at(k, alpha)
    return state


def key_of(state: State, at: float) -> Key:
    """Return what the page shows as a key frame. Raises UsageError for a photo's code."""
    if state.origin:
        raise UsageError("a photo as a key frame of the page", "a face of a seed")
    return Key(at, state.seed, state.mix or None, state.trunc, parts_of(state))


def storyboard_of(model: "Model", states: Sequence[State], seconds: float) -> Storyboard:
    """Return key frames at equal times. Raises UsageError unless there are two or more."""
    keys = tuple(key_of(state, i * seconds) for i, state in enumerate(states))
    return Storyboard(keys, model.ref)


def storyboard_commands(
    model: "Model", states: Sequence[State], file: str, output: str
) -> list[str]:
    """Return the commands that make the film of a storyboard's file."""
    label = [] if states[0].label is None else ["--class", states[0].label]
    how = [*label, "--fps", FPS, "--size", quick_size(model), "--fast", "-o", output]
    return [*_made_by(states), command("animate", "--storyboard", file, *how)]


def film_along(
    model: "Model", story: Storyboard, label: int | None, progress: Callable[[], object]
) -> bytes:
    """Return a GIF along the key frames. An exception that `progress` raises ends it."""
    from sefa_cli.rendering.journeys import film

    made = film(story, model.generator, label=label, fps=FPS, size=quick_size(model), fast=True)
    with scratch_beside(Path(tempfile.gettempdir()) / "film", folder=True) as folder:
        return made.save(folder / "film.gif", progress=progress).read_bytes()


def _made_by(states: Sequence[State]) -> list[str]:
    lines = [line for state in states for own in state.moved for line in own.made_by]
    return list(dict.fromkeys(lines))
