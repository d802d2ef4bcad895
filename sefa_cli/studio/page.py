"""The server's side of every open page: its state, and what it does on request."""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from nicegui import Client

from sefa_cli.errors import SefaError
from sefa_cli.rendering.view import View
from sefa_cli.studio.key_frames import KeyFrames
from sefa_cli.studio.library import Model
from sefa_cli.studio.localizing import CancelledError, Job
from sefa_cli.studio.renderer import Rendered, Renderer
from sefa_cli.studio.saving import Saved, address_of
from sefa_cli.studio.session import History, Sliders, State
from sefa_cli.studio.uploads import Uploads
from sefa_cli.studio.wording import said
from sefa_cli.studio.worker import QUICK, WHOLE

if TYPE_CHECKING:
    from sefa_cli.studio.elements import Complaint
    from sefa_cli.studio.layout import Layout
    from sefa_cli.studio.studio import Studio

T = TypeVar("T")
_KEPT_KEYS = 50  # changes of the key frames that can be undone
_KEPT = 8  # the pictures of a page that a browser can still fetch


class Page:
    """One person's page: its model, its history and its running work."""

    layout: "Layout"

    def __init__(self, studio: "Studio", client: Client, saved: Saved | None = None) -> None:
        self.studio, self.client, self.saved = studio, client, saved or Saved()
        self.key = secrets.token_urlsafe(16)
        self.model: Model | None = None
        self.renderer: Renderer | None = None
        self.history = History()
        self.keys = KeyFrames()
        self.keys_past: list[KeyFrames] = []  # before each change
        self.job: Job | None = None
        self.uploads = Uploads()
        self.pictures: OrderedDict[int, bytes] = OrderedDict()
        # Pictures asked for, the last one to paint, the one shown; whole ones asked for.
        self.asked = self.painted = self.count = self.shows = 0
        self.seen: tuple[Renderer, State] | None = None  # the picture that is shown
        self.before = False  # whether the page shows the picture without any move
        self.apart: int | None = None  # the bundle whose moves stand at the left of the wipe
        self.closed = False

    @property
    def state(self) -> State:
        """The state that the page shows, apart from a slider that is being dragged."""
        return self.history.present

    @property
    def steps(self) -> list[State]:
        """All states of the key frames and of the history, those used last first."""
        return [*(frame.state for frame in self.keys.frames), *reversed(self.history.states)]

    @property
    def shown(self) -> State:
        """The state of the picture: without any move while *before* is on."""
        if self.before:
            return self.state.before()
        return self.state if self.apart is None else self.state.resting(self.apart)

    def close(self) -> None:
        """Stop all work for a page that is gone, and let go of everything heavy."""
        self.closed = True
        if self.job:
            self.job.stop()
        self.model = self.renderer = self.seen = None
        self.history, self.keys, self.keys_past = History(), KeyFrames(), []
        self.pictures.clear()
        self.studio.forget(self.key)

    def go_on(self) -> None:
        """Raise CancelledError if the page is closed. Long work calls this now and then."""
        if self.closed:
            raise CancelledError

    def set_keys(self, keys: KeyFrames) -> None:
        """Take other key frames; `undo_keys` brings these back."""
        if keys != self.keys:
            self.keys_past = [*self.keys_past[-_KEPT_KEYS:], self.keys]
            self._show_keys(keys)

    def undo_keys(self) -> None:
        """Go back to the key frames before the last change."""
        if self.keys_past:
            self._show_keys(self.keys_past.pop())

    def _show_keys(self, keys: KeyFrames) -> None:
        self.keys = keys
        self.layout.timeline.refresh()
        self.layout.sliders.settled()  # small pictures
        self.save()

    def save(self) -> None:
        """Keep the page, so that a reload brings it back."""
        if self.model:
            self.saved.write(self.model.ref, self.history, self.keys)

    def show_model(self, model: Model, state: State) -> None:
        """Go to a state of a model, which may be another one than before."""
        if self.job:
            self.job.stop()
        if self.model is not model:
            self.model, self.renderer, self.history = model, Renderer(model), History(state)
            self.keys, self.keys_past = KeyFrames(), []
        else:
            self.history.do(state)

    def install(self, model: Model, sliders: Sliders) -> None:
        """Show a bundle of a model. If that is another one, only the seed stays."""
        if self.closed:
            return  # while the model was opened
        if self.job:
            self.job.stop()
        if self.model is not model:
            self.renderer = Renderer(model)
            label = 0 if model.generator.c_dim else None
            self.history = History(State(seed=self.state.seed, label=label))
            self.keys, self.keys_past = KeyFrames(), []
        self.model = model
        self.history.do(self.state.added(sliders))
        if len(self.history.past) == 1:
            self.history.past.clear()  # before the first sliders there was nothing to see

    async def do(self, change: Callable[[State], State], by: "Complaint | None" = None) -> None:
        """Go to another state and show it. Show an error `by` a field if it is refused."""
        self.layout.forgive()
        try:
            changed = change(self.state)
            if self.model:
                changed.codes(self.model.generator)
            self.before = self.before and changed.moves == self.state.moves
            self.history.do(changed)
        except SefaError as error:
            self.layout.complain(said(error), by)
        await self.show()

    async def go(self, index: int) -> None:
        """Go to a state of the history, if there is one, and show it."""
        self.layout.forgive()
        if 0 <= index < len(self.history.states):
            self.history.go(index)
        await self.show()

    async def factorize(self, layers: str) -> None:
        """Find global directions of other layers, and add them as another set of sliders."""
        assert self.model is not None
        try:
            sliders = await asyncio.to_thread(self.model.factorize, layers.strip())
        except Exception as error:
            self.layout.complain(said(error))
            return
        await self.do(lambda state: state.added(sliders))

    async def drag(self, k: int, alpha: float) -> None:
        """Show a quick picture while a slider moves. The history stays as it is."""
        if self.renderer and self.state.sliders and self.state.sliders.alpha(k) != round(alpha, 2):
            await self._paint(self.renderer, self.state.at(k, alpha), self.renderer.quick)

    async def show(self) -> None:
        """Show the present state: first the page and a quick picture, then the whole one."""
        if self.closed:
            return
        self.layout.refresh()
        if (renderer := self.renderer) is None or self.model is None:
            return
        self.save()
        self.layout.address(address_of(self.saved, self.model.ref, self.state))
        mine = self.shows = self.shows + 1
        self.layout.picture.busy(True)
        state = self.shown
        for view in renderer.views(state):
            if view == renderer.quick and self.seen == (renderer, state):
                continue  # the slider that was let go has shown it already
            if mine == self.shows:  # else it would take the place of a newer wish
                await self._paint(renderer, state, view)
        if mine == self.shows:
            self.layout.picture.busy(False)
            self.layout.sliders.settled()
            await self.layout.picture.faces.settled()

    async def _paint(self, renderer: Renderer, state: State, view: View) -> None:
        if self.closed:
            return
        number = self.asked = self.painted = self.asked + 1
        slow = view == renderer.whole != renderer.quick

        def go_on() -> None:
            if slow and number != self.painted:
                raise CancelledError  # a whole picture gives way to the next move

        work = partial(renderer.render, state, view, go_on)
        request = self.studio.worker.submit(self.key, work, WHOLE if slow else QUICK)
        try:
            rendered: Rendered | None = await asyncio.wrap_future(request)
        except CancelledError:
            return
        except Exception as error:  # the page must not wait forever
            self.layout.complain(said(error))
            return
        if rendered is None or self.closed or number < self.count:
            return
        self.count, self.seen = number, (renderer, state)
        self.keep(rendered.data, number)
        self.layout.picture.show(f"/picture/{self.key}/{number}", rendered)

    def keep(self, data: bytes, number: int | None = None) -> int:
        """Keep a picture for the browser under a number, which is returned. Drop older ones."""
        if number is None:
            number = self.asked = self.asked + 1
        self.pictures[number] = data
        while len(self.pictures) > _KEPT:
            self.pictures.popitem(last=False)
        return number

    async def work(
        self, work: Callable[[], T], aside: bool = False, by: "Complaint | None" = None
    ) -> T | None:
        """Do long work in turn with the pictures, or `aside`, in a thread of its own.

        Returns None if it was stopped, or failed, which the page shows `by` what asked for it.
        """
        try:
            if aside:
                return await asyncio.to_thread(work)
            request = self.studio.worker.submit((self.key, work), work, WHOLE)
            result: T | None = await asyncio.wrap_future(request)
        except CancelledError:
            return None
        except Exception as error:  # the page must not wait forever
            self.layout.complain(said(error), by)
            return None
        return result
