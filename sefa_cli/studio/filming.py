"""A film of one direction, as the page saves it and `sefa animate` makes it."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sefa_cli.editing.moves import parse_span
from sefa_cli.rendering.edits import Edits
from sefa_cli.rendering.films import write_film
from sefa_cli.rendering.sweeps import frame_alphas, shots
from sefa_cli.rendering.view import View
from sefa_cli.studio.session import State
from sefa_cli.studio.shell import FRAMES, SPAN, film_size, film_start

if TYPE_CHECKING:
    from sefa_cli.studio.library import Model


def film_of(
    model: "Model", state: State, k: int, progress: Callable[[], object] | None = None
) -> bytes:
    """A GIF that sweeps direction `k` of the active set there and back, all else as it is.

    `progress` is called after each frame; what it raises ends the film.
    """
    own, generator = state.sliders, model.generator
    assert own is not None
    still = film_start(state, k)
    start = replace(still.start(generator), codes=still.codes(generator))
    view = View(film_size(model), True, label=state.label, truncation=state.trunc)
    edits = Edits(generator, own.bundle, start, [], own.layers)
    alphas = frame_alphas(*parse_span(SPAN), FRAMES, bounce=True)
    film = shots([k], alphas.tolist())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.gif"
        frames = edits.frames(view.at_most(generator, 512), film)
        write_film(path, frames, count=len(film), progress=progress)
        return path.read_bytes()
