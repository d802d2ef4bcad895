"""A page's pictures: small and quick while a slider moves, whole when you let go."""

import io
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sefa_cli.generators.resuming import Resuming
from sefa_cli.rendering.film_frames import gap_of, one_below_another, side_by_side
from sefa_cli.rendering.note import note, of_move
from sefa_cli.rendering.pictures import Picture, png, to_image, to_uint8
from sefa_cli.rendering.view import View
from sefa_cli.studio.library import Model
from sefa_cli.studio.session import State

if TYPE_CHECKING:
    from torch import Tensor

QUICK = 256  # pixels: the size of a picture while a slider moves
SMALL = 80  # pixels: the size of the pictures beside a slider


def jpeg(picture: Picture, quality: int = 95) -> bytes:
    """Return the JPEG file of a picture, in a tenth of the time of PNG."""
    file = io.BytesIO()
    to_image(picture).convert("RGB").save(file, "JPEG", quality=quality, subsampling=0)
    return file.getvalue()


@dataclass(frozen=True)
class Rendered:
    """A finished picture, as the page shows it."""

    data: bytes  # PNG, or JPEG if a larger one follows
    width: int
    height: int
    about: str  # its size, and whether it is exact
    seconds: float


class Renderer:
    """Renders the states of one page. Layers below those that move are computed once."""

    def __init__(self, model: Model) -> None:
        self._model, generator = model, model.generator
        self.quick = View(min(QUICK, generator.resolution), fast=True)
        self.whole = View()
        self.small = View(min(SMALL, generator.resolution), fast=True)
        self._resuming = {
            view: Resuming(generator, view.size, view.fast)
            for view in {self.quick, self.whole, self.small}
        }

    def seconds_anew(self, state: State) -> float:
        """Return the seconds for a quick picture with no layer kept: the best of three."""
        taken = []
        for _ in range(3):
            fresh = Renderer(self._model)
            began = time.perf_counter()
            fresh.picture(state, self.quick)
            taken.append(time.perf_counter() - began)
        return min(taken)

    def thumbnail(self, state: State, go_on: Callable[[], object]) -> Picture:
        """Return a small picture. `go_on` is called between layers and may raise to end it."""
        go_on()
        return self.picture(state, self.small, go_on)

    def picture(
        self, state: State, view: View, go_on: Callable[[], object] = lambda: None
    ) -> Picture:
        """Return the picture `(height, width, channels)` that `sefa edit` makes, bit for bit.

        Several faces stand in a square.
        """
        codes = state.codes(self._model.generator)
        faces = [
            self._face(state, seed, codes[i : i + 1], view, go_on)
            for i, seed in enumerate(state.seeds)
        ]
        wide = math.ceil(math.sqrt(len(faces)))
        rows = [side_by_side(faces[i : i + wide]) for i in range(0, len(faces), wide)]
        return one_below_another(rows, gap_of(faces[0].shape[1]))

    def _face(
        self, state: State, seed: int, code: "Tensor", view: View, go_on: Callable[[], object]
    ) -> Picture:
        generator = self._model.generator
        if generator.conditioned:
            view = View(view.size, view.fast, label=state.label, truncation=state.trunc)
            return next(view.pictures(generator, code, [seed]))
        images = self._resuming[view].paint(code, go_on)  # (1, channels, height, width)
        picture: Picture = to_uint8(images.cpu().numpy())[0]
        return picture

    def views(self, state: State) -> tuple[View, ...]:
        """Return how to render a state: first quickly, then whole. Several faces stay quick."""
        return (self.quick,) if state.more else (self.quick, self.whole)

    def save(self, state: State) -> bytes:
        """Return the whole picture as PNG, with its model, seed, code and moves."""
        model = {"ref": self._model.ref, "fingerprint": self._model.fingerprint}
        moves = [
            {"file": own.path, **of_move(own.bundle, own.move, own.layers)} for own in state.moved
        ]
        start, code = state.start(self._model.generator), state.codes(self._model.generator)
        faces = {"faces": len(code)} if state.more else {}
        code = code if faces else code[0]
        origin = start.origin(0) | faces
        text = note(model, origin, moves, code, state.trunc, state.label)
        return png(self.picture(state, self.views(state)[-1]), text)

    def render(
        self, state: State, view: View, go_on: Callable[[], object] = lambda: None
    ) -> Rendered:
        """Render a state, and time it. `go_on` may end it between layers."""
        began = time.perf_counter()
        picture = self.picture(state, view, go_on)
        height, width, channels = picture.shape
        better = view != self.views(state)[-1] and height < self._model.generator.resolution
        encoded = jpeg(picture) if better and channels < 4 else png(picture, compression=1)
        about = view.about(self._model.generator)
        return Rendered(encoded, width, height, about, time.perf_counter() - began)
