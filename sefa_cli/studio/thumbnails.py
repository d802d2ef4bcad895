"""Small pictures of the sliders and the history, made while nobody waits for one, and kept."""

import asyncio
import base64
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from sefa_cli.editing.moves import FARTHEST
from sefa_cli.rendering.pictures import Picture
from sefa_cli.studio.changes import measured
from sefa_cli.studio.localizing import CancelledError
from sefa_cli.studio.renderer import Renderer, jpeg
from sefa_cli.studio.session import Sliders, State
from sefa_cli.studio.worker import SPARE

if TYPE_CHECKING:
    from sefa_cli.studio.page import Page

Wish = tuple[Hashable, Callable[[Callable[[], object]], str], int]  # its key, how, for slider k
PAUSE = 0.4  # seconds without a wish before the first one is made
_KEPT = 600  # addresses of small pictures, 3 kB each


class Thumbnails:
    """The small pictures of one page, by what they show.

    They give way at once: one that is being made stops at the next layer of the network as soon as
    somebody waits for a picture. Those of several pages are made in turn.
    """

    def __init__(self, page: "Page") -> None:
        self._page = page
        self._kept: OrderedDict[Hashable, str] = OrderedDict()
        self._wanted = 0  # counts up: only the newest loop goes on

    def of(self, state: State, k: int, side: int) -> str:
        """Return the address of a picture of direction `k` at −2 or +2 steps; "" until it is made.

        `side` is −1 or 1. All other sliders are at 0.
        """
        return self._kept.get(_key(state, k, side), "")

    def of_step(self, state: State) -> str:
        """Return the address of a picture of a state; "" until it is made."""
        return self._kept.get(shown_by(state), "")

    def change(self, state: State, k: int) -> str:
        """Return how much slider `k` changes in and around its region; "" until it is measured."""
        own = state.sliders
        return self._kept.get((own.path, k, shown_by(state)), "") if own else ""

    async def make(self, ks: Iterable[int]) -> None:
        """Make what is missing for the history and the present sliders, one by one."""
        self._wanted += 1
        page, mine, renderer = self._page, self._wanted, self._page.renderer
        if page.closed or renderer is None:
            return  # before this task began
        asked = page.asked
        missing = [wish for wish in _wishes(page, renderer, ks) if wish[0] not in self._kept]

        def go_on() -> None:
            if page.closed or page.asked != asked or page.studio.worker.is_wanted:
                raise CancelledError

        pause = PAUSE
        while missing and mine == self._wanted:
            await asyncio.sleep(pause)
            if page.closed or page.asked != asked:
                return
            key, make, k = missing[0]
            work = partial(make, go_on)
            request = page.studio.worker.submit((page.key, "thumbnail"), work, SPARE)
            pause = PAUSE
            try:
                made = await asyncio.wrap_future(request)
            except CancelledError:
                continue
            except Exception:
                del missing[0]  # the page says why when this slider moves
                continue
            if made is not None:
                self._keep(key, made)
                del missing[0]
                pause = 0
                page.layout.show_thumbnails(k)

    def _keep(self, key: Hashable, made: str) -> None:
        self._kept[key] = made
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


def _wishes(page: "Page", renderer: Renderer, ks: Iterable[int]) -> Iterator[Wish]:
    """Yield what the page can show: changes of regions, the history, both sides of sliders `ks`."""

    def small(state: State, go_on: Callable[[], object]) -> str:
        return address_of_picture(renderer.thumbnail(state, go_on))

    state, own, ks = page.state, page.state.sliders, list(ks)
    for k in ks:
        if own and own.bundle.mask is not None and own.alpha(k):
            yield (own.path, k, shown_by(state)), partial(measured, renderer, state, k), k
    for step in page.steps:
        yield shown_by(step), partial(small, step), -1
    for k in ks:
        for side in (-1, 1):
            yield _key(state, k, side), partial(small, moved_alone(state, k, side)), k


def address_of_picture(picture: Picture) -> str:
    """Return an address that holds a small picture itself, as JPEG."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg(picture, quality=85)).decode()}"


def end_of(sliders: Sliders, k: int, side: int) -> float:
    """Return where the small picture of direction `k` is: two suggested steps to one side."""
    return round(side * FARTHEST * sliders.bundle.step(k), 2)


def moved_alone(state: State, k: int, side: int) -> State:
    """Return the state with direction `k` of the active set moved, and all else at 0."""
    own = state.sliders
    assert own is not None
    return state.alone.before().at(k, end_of(own, k, side))


def shown_by(state: State) -> Hashable:
    """Return what a state's picture depends on, besides the model: no names, no open bundles."""
    moves = tuple(
        (hash(own.bundle.directions[k].tobytes()), alpha, own.applied)
        for own in state.moved
        for k, alpha in own.alphas
    )
    return moves, replace(state, sets=(), active=0)


def _key(state: State, k: int, side: int) -> Hashable:
    own = state.sliders
    assert own is not None
    direction = hash(own.bundle.directions[k].tobytes())  # names may change
    return direction, own.applied, end_of(own, k, side), replace(state.alone, sets=(), active=0)
