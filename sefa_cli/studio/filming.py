"""A film of one direction: the page saves the same file that `sefa animate` writes."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sefa_cli.errors import SefaError
from sefa_cli.file_kinds import why_not
from sefa_cli.rendering.animation import sweep
from sefa_cli.rendering.film import Film
from sefa_cli.scratch import scratch_beside
from sefa_cli.studio.session import State
from sefa_cli.studio.shell import FRAMES, film_start, quick_size

if TYPE_CHECKING:
    from sefa_cli.studio.library import Model

LENGTH = 2 * FRAMES - 2  # frames there and back


def film_of(
    model: "Model", state: State, k: int, progress: Callable[[], object] | None = None
) -> bytes:
    """Return a GIF that sweeps direction `k` of the active set there and back.

    All other sliders stay where they are. `progress` is called after each frame; an exception
    that it raises ends the film.
    """
    own, generator = state.sliders, model.generator
    assert own is not None
    film = sweep(
        own.bundle,
        k,
        codes=film_start(state, k).codes(generator),
        truncation=state.trunc if generator.conditioned else None,  # codes are truncated already
        label=state.label,
        layers=own.layers,
        model=generator,
        frames=FRAMES,
        bounce=True,
        size=quick_size(model),
        fast=True,
    )
    return saved(film, progress)


def saved(film: Film, progress: Callable[[], object] | None = None) -> bytes:
    """Return a film as GIF. An exception that `progress` raises ends it.

    Raises SefaError if the film cannot be written anywhere.
    """
    try:
        with scratch_beside(Path(tempfile.gettempdir()) / "film", folder=True) as folder:
            return film.save(folder / "film.gif", progress=progress).read_bytes()
    except (OSError, SefaError) as error:
        cause = error.__cause__ or error
        if not isinstance(cause, OSError):
            raise
        place = tempfile.tempdir or "the folder for temporary files"
        raise why_not(f"the film in {place}", cause) from cause  # not its file: nobody knows it
