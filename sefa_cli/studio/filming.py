"""A film of one direction, as the page saves it and `sefa animate` makes it."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sefa_cli.editing.moves import parse_span
from sefa_cli.rendering.animation import Film
from sefa_cli.rendering.edits import Edits
from sefa_cli.rendering.scene import Scene
from sefa_cli.rendering.sweeps import frame_alphas, shots
from sefa_cli.rendering.view import View
from sefa_cli.studio.session import State
from sefa_cli.studio.shell import FRAMES, SPAN, film_size, film_start

if TYPE_CHECKING:
    from sefa_cli.studio.library import Model


def film_of(
    model: "Model", state: State, k: int, progress: Callable[[], object] | None = None
) -> bytes:
    """Return a GIF that sweeps direction `k` of the active set there and back, all else as it is.

    `progress` is called after each frame; what it raises ends the film.
    """
    own, generator = state.sliders, model.generator
    assert own is not None
    still = film_start(state, k)
    start = replace(still.start(generator), codes=still.codes(generator))
    view = View(film_size(model), True, label=state.label, truncation=state.trunc)
    edits = Edits(Scene(generator, start, view, own.layers), own.bundle)
    film = Film(edits, shots([k], frame_alphas(*parse_span(SPAN), FRAMES, bounce=True).tolist()))
    with tempfile.TemporaryDirectory() as folder:
        return film.save(Path(folder) / "film.gif", progress=progress).read_bytes()
