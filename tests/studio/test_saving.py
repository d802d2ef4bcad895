"""A page survives a reload and a restart, and its address says what it shows."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sefa_cli.errors import UsageError
from sefa_cli.studio.key_frames import KeyFrames
from sefa_cli.studio.library import Model
from sefa_cli.studio.saving import Saved, address_of, drop_old, state_at
from sefa_cli.studio.session import History, State
from sefa_cli.studio.shell import named
from tests.helpers.chromium import NewPage
from tests.helpers.visiting import Serve, at, drag, opened


@pytest.fixture
def history(model: Model) -> History:
    """Three states: moved and named, another bundle with other layers, and one that was undone."""
    made = History(State(seed=3).added(model.factorize("all")).at(2, 1.25))
    made.do(named(made.present, 2, "odd"))
    state = made.present.added(model.factorize("0-1"))
    state = state.with_sliders(replace(state.sets[1], layers=(0, 4)))
    made.do(replace(state, trunc=0.5))
    made.do(made.present.with_seed(4))
    made.undo()
    return made


def same(one: State, other: State) -> bool:
    """Whether two states are equal, bundles by their bytes."""
    bundles = [[own.bundle.to_bytes() for own in state.sets] for state in (one, other)]
    rest = [
        replace(state, sets=tuple(replace(own, bundle=None) for own in state.sets))
        for state in (one, other)
    ]
    return bundles[0] == bundles[1] and rest[0] == rest[1]


def test_a_history_comes_back(history: History) -> None:
    saved = Saved()
    keys = KeyFrames(ease="smooth").added(history.present).added(history.past[0]).lasting(0, 2.5)
    saved.write("tiny.pth", history, keys)
    model, read, frames = Saved(saved.name).read()
    assert frames.ease == "smooth" and [one.seconds for one in frames.frames] == [2.5, 1]
    for one, other in zip(frames.frames, keys.frames, strict=True):
        assert same(one.state, other.state)
    assert model == "tiny.pth" and same(read.present, history.present)
    for kept, given in ((read.past, history.past), (read.future, history.future)):
        assert len(kept) == len(given) > 0 and all(map(same, kept, given))


@pytest.mark.parametrize("name", ["../../../etc/passwd", "a", "x" * 23, "é" * 22, ""])
def test_a_name_that_is_not_ours_is_replaced(workplace: Path, name: str) -> None:
    assert Saved(name).name != name and Saved(name).read() is None


def test_a_damaged_page_is_forgotten(history: History, workplace: Path) -> None:
    saved = Saved()
    saved.write("tiny.pth", history)
    (bundle, *_) = (workplace / "cache" / "pages").glob("*.dirs")
    bundle.write_bytes(b"short")
    assert Saved(saved.name).read() is None
    (workplace / "cache" / "pages" / f"{saved.name}.json").write_text("[1]")
    assert Saved(saved.name).read() is None


def test_old_pages_and_their_bundles_are_dropped(history: History, workplace: Path) -> None:
    folder = workplace / "cache" / "pages"
    for _ in range(52):
        Saved().write("tiny.pth", History(State()))
    last = Saved()
    last.write("tiny.pth", history)
    (folder / ("0" * 64 + ".dirs")).write_bytes(b"nobody's")
    drop_old()
    assert len(list(folder.glob("*.json"))) == 50 and len(list(folder.glob("*.dirs"))) == 3
    assert last.read() is not None


def test_an_address_says_what_the_page_shows(history: History) -> None:
    saved = Saved("x" * 22)
    state = history.past[0]
    address = address_of(saved, "tiny.pth", state)
    assert address == f"/?page={'x' * 22}&model=tiny.pth&seed=3&dirs=tiny_all.dirs&moves=2:1.25"
    words = {"seed": "3", "dirs": "tiny_all.dirs", "moves": "2:1.25"}
    still = replace(state.before(), seed=0)
    assert same(state_at(words, still), state)
    assert same(state_at({**words, "dirs": "other.dirs"}, still), state.before())
    for word, bad in (("seed", "-1"), ("seed", "x"), ("moves", "99:1"), ("moves", "1")):
        with pytest.raises(UsageError):
            state_at({**words, word: bad}, still)


def test_a_page_survives_a_reload_and_a_restart(
    serve: Serve, page: Page, new_page: NewPage
) -> None:
    opened(page, serve("tiny.pth"))
    drag(page, 1, 0.8)
    name = at(page, "row-1").get_by_label("name of direction 1")
    name.fill("odd")
    name.press("Enter")
    expect(at(page, "commands")).to_contain_text("sefa name tiny_all.dirs 1 odd")
    commands = at(page, "commands").inner_text()
    page.reload()
    expect(at(page, "commands")).to_have_text(commands, timeout=20_000)
    at(page, "undo").click()
    at(page, "undo").click()
    expect(at(page, "commands")).to_contain_text("sefa sample")
    at(page, "redo").click()
    expect(at(page, "commands")).to_contain_text("--k 1 --alpha")
    page.wait_for_url("**moves=1:*")
    _, _, words = page.url.partition("?")
    restarted = serve("tiny.pth")
    again = opened(new_page(), f"{restarted}?{words}")
    expect(at(again, "commands")).to_contain_text("--k 1 --alpha")
    elsewhere = words.replace(words[5:27], "y" * 22)  # as if it were sent to somebody else
    shared = opened(new_page(), f"{restarted}?{elsewhere}")
    expect(at(shared, "commands")).to_contain_text("--k 1 --alpha")
