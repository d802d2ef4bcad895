"""Of many wishes the last is fulfilled, pages take turns, and a page that is gone has none."""

import threading
from collections.abc import Iterator
from functools import partial

import pytest

from sefa_cli.errors import SefaError
from sefa_cli.studio.easel import Easel
from sefa_cli.studio.library import Model
from sefa_cli.studio.painter import Painter
from sefa_cli.studio.session import State


@pytest.fixture
def painter() -> Iterator[Painter]:
    made = Painter()
    yield made
    made.close()


@pytest.fixture
def gate(painter: Painter) -> Iterator[threading.Event]:
    """Holds the painter back until it is set."""
    opened, begun = threading.Event(), threading.Event()
    painter.wish("gate", lambda: (begun.set(), opened.wait(10)))
    assert begun.wait(10)
    yield opened
    opened.set()


def test_a_hundred_moves_make_one_picture(painter: Painter, gate: threading.Event) -> None:
    made: list[int] = []
    wishes = [
        painter.wish("page", lambda i=i: made.append(i) or i)  # type: ignore[misc]
        for i in range(100)
    ]
    gate.set()
    assert wishes[-1].result(10) == 99 and made == [99]
    assert [wish.result(10) for wish in wishes[:-1]] == [None] * 99


def test_pages_take_turns(painter: Painter, gate: threading.Event) -> None:
    made: list[str] = []
    for word in ("one", "other", "one", "other", "one"):
        last = painter.wish(word, partial(made.append, word))
    gate.set()
    painter.wish("end", lambda: None).result(10)
    assert made == ["one", "other"] and last.done()


def test_who_is_gone_gets_nothing(painter: Painter, gate: threading.Event) -> None:
    wish = painter.wish("page", lambda: 1)
    painter.forget("page")
    painter.forget("page")
    gate.set()
    assert wish.result(10) is None


def test_a_wish_may_be_taken_back(painter: Painter, gate: threading.Event) -> None:
    wishes = [painter.wish(word, lambda: 1) for word in ("one", "other", "third")]
    wishes[0].cancel()
    wishes[1].cancel()
    again = painter.wish("other", lambda: 2)
    gate.set()
    assert wishes[2].result(10) == 1 and again.result(10) == 2


def test_errors_come_to_who_wished(painter: Painter) -> None:
    def fail() -> None:
        raise SefaError("no")

    with pytest.raises(SefaError, match="no"):
        painter.wish("page", fail).result(10)
    assert painter.wish("page", lambda: 2).result(10) == 2


def test_only_what_lies_above_the_move_is_computed(model: Model) -> None:
    easel = Easel(model)
    state = State(seed=1).added(model.factorize("6-7"))
    easel.paint(state, easel.quick)
    resuming = easel._resuming[easel.quick]
    everything = resuming.ran
    easel.paint(state.at(0, 2), easel.quick)
    assert resuming.ran == 2 < everything  # the last block, and the picture
    assert easel.seconds_anew(state) > 0 and resuming.ran == 2
