"""The film along a page's key frames, and the commands that make it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sefa_cli.studio.filming import saved
from sefa_cli.studio.key_frames import KeyFrames, film_look, storyboard_of
from sefa_cli.studio.presets import made_by
from sefa_cli.studio.shell import command, quick_size

if TYPE_CHECKING:
    from sefa_cli.rendering.film import Film
    from sefa_cli.studio.library import Model

FPS = 12


def film_along(model: "Model", shown: KeyFrames) -> "Film":
    """Return the film along the key frames. Raises SefaError unless there are two or more."""
    from sefa_cli.rendering.journeys import film

    label, psi = film_look(model, shown)
    story = storyboard_of(model, shown, inside=True)
    size = quick_size(model)
    how = {"label": label, "truncation": psi, "fps": FPS, "size": size, "fast": True}
    return film(story, model.generator, **how)  # type: ignore[arg-type]


def save_film(model: "Model", shown: KeyFrames, progress: Callable[[], object]) -> bytes:
    """Return a GIF along the key frames. An exception that `progress` raises ends it."""
    return saved(film_along(model, shown), progress)


def storyboard_commands(model: "Model", shown: KeyFrames, file: str, output: str) -> list[str]:
    """Return the commands that make the film of a storyboard's file."""
    label, psi = film_look(model, shown)
    how: list[object] = [] if label is None else ["--class", label]
    how += [] if psi is None else ["--trunc", f"{psi:g}"]
    how += ["--fps", FPS, "--size", quick_size(model), "--fast", "-o", output]
    lines = made_by([frame.state for frame in shown.frames])
    return [*lines, command("animate", "--storyboard", file, *how)]
