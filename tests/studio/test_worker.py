"""Only the newest request of a page counts, pages take turns, and a closed page gets nothing."""

import asyncio
import threading
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import AsyncMock, Mock

import pytest

from sefa_cli.errors import SefaError
from sefa_cli.generators.resuming import Resuming
from sefa_cli.rendering.view import View
from sefa_cli.studio.library import Library, Model
from sefa_cli.studio.page import Page
from sefa_cli.studio.renderer import Renderer
from sefa_cli.studio.session import State
from sefa_cli.studio.studio import Studio
from sefa_cli.studio.thumbnails import Thumbnails
from sefa_cli.studio.worker import SPARE, WHOLE, Worker
from tests.helpers.visiting import until


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker()
    yield made
    made.close()


@pytest.fixture
def gate(worker: Worker) -> Iterator[threading.Event]:
    """An event that holds the worker back until it is set."""
    opened, begun = threading.Event(), threading.Event()
    worker.submit("gate", lambda: (begun.set(), opened.wait(10)))
    assert begun.wait(10)
    yield opened
    opened.set()


def test_a_hundred_moves_make_one_picture(worker: Worker, gate: threading.Event) -> None:
    made: list[int] = []
    requests = [
        worker.submit("page", lambda i=i: made.append(i) or i)  # type: ignore[misc]
        for i in range(100)
    ]
    gate.set()
    assert requests[-1].result(10) == 99 and made == [99]
    assert [request.result(10) for request in requests[:-1]] == [None] * 99


def test_pages_take_turns(worker: Worker, gate: threading.Event) -> None:
    made: list[str] = []
    for word in ("one", "other", "one", "other", "one"):
        last = worker.submit(word, partial(made.append, word))
    gate.set()
    worker.submit("end", lambda: None).result(10)
    assert made == ["one", "other"] and last.done()


def test_slow_requests_wait_for_quick_ones_but_have_a_turn(
    worker: Worker, gate: threading.Event
) -> None:
    """Ten people moved sliders, and their whole pictures took the time of all quick ones."""
    made: list[str] = []
    for number in range(2):
        worker.submit(f"slow {number}", partial(made.append, "slow"), WHOLE)
    for number in range(7):
        worker.submit(f"page {number}", partial(made.append, "quick"))
    gate.set()
    until(lambda: len(made) == 9)
    assert made == [*["quick"] * 4, "slow", *["quick"] * 3, "slow"]  # the gate was quick, too


def test_what_nobody_waits_for_comes_last(worker: Worker, gate: threading.Event) -> None:
    """Small pictures of other pages once took the turns of whole ones."""
    made: list[str] = []
    worker.submit("idle page", partial(made.append, "spare"), SPARE)
    assert not worker.is_wanted
    for number in range(7):
        worker.submit(f"page {number}", partial(made.append, "whole"), WHOLE)
    assert worker.is_wanted
    gate.set()
    until(lambda: len(made) == 8)
    assert made == [*["whole"] * 7, "spare"]


def test_a_move_takes_the_place_of_a_waiting_whole_picture(
    worker: Worker, gate: threading.Event
) -> None:
    made: list[str] = []
    worker.submit("page", partial(made.append, "whole"), WHOLE)
    worker.submit("other", partial(made.append, "other"))
    worker.submit("page", partial(made.append, "quick"))
    gate.set()
    until(lambda: len(made) == 2)
    assert made == ["quick", "other"]


def test_a_forgotten_page_gets_nothing(worker: Worker, gate: threading.Event) -> None:
    request = worker.submit("page", lambda: 1)
    worker.forget("page")
    worker.forget("page")
    gate.set()
    assert request.result(10) is None


def test_a_forgotten_page_leaves_no_request_behind(worker: Worker, gate: threading.Event) -> None:
    """A small picture that waited held all the page's features, until nobody moved a slider."""
    own = [worker.submit(("page", what), lambda: 1, SPARE) for what in ("thumbnail", "faces")]
    other = worker.submit(("other", "thumbnail"), lambda: 1, SPARE)
    worker.forget("page")
    assert [request.result(0) for request in own] == [None, None] and not other.done()
    gate.set()
    assert other.result(10) == 1


def test_a_request_can_be_canceled(worker: Worker, gate: threading.Event) -> None:
    requests = [worker.submit(word, lambda: 1) for word in ("one", "other", "third")]
    requests[0].cancel()
    requests[1].cancel()
    again = worker.submit("other", lambda: 2)
    gate.set()
    assert requests[2].result(10) == 1 and again.result(10) == 2


def test_an_error_reaches_the_page_that_asked(worker: Worker) -> None:
    def fail() -> None:
        raise SefaError("no")

    with pytest.raises(SefaError, match="no"):
        worker.submit("page", fail).result(10)
    assert worker.submit("page", lambda: 2).result(10) == 2


def test_only_layers_above_the_move_are_computed(model: Model) -> None:
    renderer = Renderer(model)
    state = State(seed=1).added(model.factorize("6-7"))
    renderer.render(state, renderer.quick)
    resuming = renderer._resuming[renderer.quick]
    everything = resuming.ran
    renderer.render(state.at(0, 2), renderer.quick)
    assert resuming.ran == 2 < everything  # the last block, and the picture
    assert renderer.seconds_anew(state) > 0 and resuming.ran == 2


def test_a_whole_picture_gives_way_to_the_next_move(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key pressed while the whole picture was made once waited for all of it."""
    page = Page(Studio(Library("cpu")), cast(Any, None))
    page.layout, page.model, page.renderer = Mock(), model, Renderer(model)
    page.layout.picture.faces.settled = AsyncMock()
    page.history.do(State().added(model.factorize("all")))
    begun, held, made = threading.Event(), threading.Event(), []
    renderer, paint = page.renderer, page.renderer.picture

    def picture(state: State, view: View, *go_on: Any) -> Any:
        if view == renderer.whole and not held.is_set():
            begun.set()
            assert held.wait(10)
        painted = paint(state, view, *go_on)
        made.append((view == renderer.whole, state.moves))
        return painted

    async def act() -> None:
        showing = asyncio.create_task(page.show())
        assert await asyncio.to_thread(begun.wait, 10)
        moving = asyncio.create_task(page.drag(0, 1.0))
        await asyncio.sleep(0)
        held.set()
        await asyncio.gather(showing, moving)
        await page.show()

    monkeypatch.setattr(renderer, "picture", picture)
    asyncio.run(act())
    assert made == [(False, ""), (False, "k0_+1.00"), (False, ""), (True, "")]
    page.studio.worker.close()


def test_a_slider_that_is_let_go_repaints_only_the_whole_picture(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(Studio(Library("cpu")), cast(Any, None))
    page.layout, page.model, page.renderer = Mock(), model, Renderer(model)
    page.layout.picture.faces.settled = AsyncMock()
    page.history.do(State().added(model.factorize("all")))
    renderer, paint, made = page.renderer, page.renderer.picture, []

    def picture(state: State, view: View, *go_on: Any) -> Any:
        made.append((view, state.moves))
        return paint(state, view, *go_on)

    async def act() -> None:
        await page.drag(0, 1.0)
        await page.do(lambda state: state.at(0, 1.0))
        await page.do(lambda state: state.before())

    monkeypatch.setattr(renderer, "quick", View(16, fast=True))
    renderer._resuming[renderer.quick] = Resuming(model.generator, 16, preview=True)
    monkeypatch.setattr(renderer, "picture", picture)
    asyncio.run(act())
    quick, whole = renderer.quick, renderer.whole
    assert made == [(quick, "k0_+1.00"), (whole, "k0_+1.00"), (quick, ""), (whole, "")]
    page.studio.worker.close()


def test_pages_at_rest_do_not_stop_each_other(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a second page open, neither got any."""
    monkeypatch.setattr("sefa_cli.studio.thumbnails.PAUSE", 0.01)
    worker, state = Worker(), State(seed=1).added(model.factorize("all"))

    def idle(key: str) -> Any:
        studio = SimpleNamespace(worker=worker)
        own = {"closed": False, "asked": 0, "layout": Mock(), "studio": studio, "key": key}
        return SimpleNamespace(renderer=Renderer(model), state=state, steps=[state], **own)

    made = [Thumbnails(idle(key)) for key in ("one", "other")]

    async def rest() -> None:
        await asyncio.wait_for(asyncio.gather(*(own.make(range(3)) for own in made)), 30)

    asyncio.run(rest())
    worker.close()
    assert all(own.of(state, 2, 1) and own.of_step(state) for own in made)


def test_a_quick_picture_is_jpeg_only_if_a_larger_one_follows(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = State(seed=3)
    small = Renderer(model)
    assert small.render(state, small.quick).data.startswith(b"\x89PNG")  # of 32 pixels, as whole
    monkeypatch.setattr("sefa_cli.studio.renderer.QUICK", 16)
    renderer = Renderer(model)
    assert renderer.render(state, renderer.quick).data.startswith(b"\xff\xd8")
    assert renderer.render(state, renderer.whole).data.startswith(b"\x89PNG")
    several = state.of_faces(4)
    assert renderer.render(several, renderer.quick).data.startswith(b"\x89PNG")
