"""A page's pictures: small and quick while a slider moves, whole when you let go."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sefa_cli.generators.resuming import Resuming
from sefa_cli.rendering.note import note, of_move
from sefa_cli.rendering.pictures import Picture, png, to_uint8
from sefa_cli.rendering.view import View
from sefa_cli.studio.library import Model
from sefa_cli.studio.session import State

QUICK = 256  # pixels: the size of a picture while a slider moves
SMALL = 80  # pixels: the size of the pictures beside a slider


@dataclass(frozen=True)
class Rendered:
    """A finished picture, as the page shows it."""

    png: bytes
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
        """Return the picture `(height, width, channels)` that `sefa edit` makes, bit for bit."""
        generator = self._model.generator
        codes = state.codes(generator)
        if generator.conditioned:
            view = View(view.size, view.fast, label=state.label, truncation=state.trunc)
            return next(view.pictures(generator, codes, [state.seed]))
        images = self._resuming[view].paint(codes, go_on)  # (1, channels, height, width)
        picture: Picture = to_uint8(images.cpu().numpy())[0]
        return picture

    def save(self, state: State) -> bytes:
        """Return the whole picture as PNG, with its model, seed, code and moves."""
        model = {"ref": self._model.ref, "fingerprint": self._model.fingerprint}
        moves = [
            {"file": own.path, **of_move(own.bundle, own.move, own.layers)} for own in state.moved
        ]
        code = state.codes(self._model.generator)[0]
        start = {"seed": state.seed} if state.origin is None else {"code": 0}
        return png(self.picture(state, self.whole), note(model, start, moves, code))

    def render(
        self, state: State, view: View, go_on: Callable[[], object] = lambda: None
    ) -> Rendered:
        """Render a state as PNG, and time it. `go_on` may end it between layers."""
        began = time.perf_counter()
        picture = self.picture(state, view, go_on)
        encoded = png(picture, compression=1)
        height, width = picture.shape[:2]
        about = view.about(self._model.generator)
        return Rendered(encoded, width, height, about, time.perf_counter() - began)
