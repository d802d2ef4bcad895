"""Work that fails says so by what asked for it, and can be tried again."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast
from unittest.mock import AsyncMock, Mock

import pytest
from playwright.sync_api import Page as Browsed
from playwright.sync_api import expect

from sefa_cli.errors import SefaError
from sefa_cli.studio.filming import film_of
from sefa_cli.studio.library import Library, Model
from sefa_cli.studio.localizing import Job, Task, drawing_from
from sefa_cli.studio.opening import open_named
from sefa_cli.studio.page import Page
from sefa_cli.studio.session import State
from sefa_cli.studio.studio import Studio
from sefa_cli.studio.wording import said
from tests.helpers.axe import violations
from tests.helpers.visiting import at, drag, opened, until
from tests.studio.conftest import TINY, studio

FAULTS = [
    (OSError(28, "No space left on device"), "the disk is full. Free some space, and try again."),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "not enough memory for one pass"),
    (MemoryError(), "there is not enough memory for one pass. Close other"),
    (ValueError("an odd shape"), "This failed: ValueError: an odd shape. Try again"),
]
# The third frame fails as long as the studio's folder has a file that names the error.
IN_A_FRAME = """
from pathlib import Path
from sefa_cli.rendering.film import Film
frames = Film.frames
def failing(film):
    for number, frame in enumerate(frames(film)):
        if number == 2 and Path("fault").exists():
            raise eval(Path("fault").read_text())
        yield frame
Film.frames = failing
"""


@pytest.mark.parametrize(("fault", "words"), FAULTS)
def test_every_error_has_words(fault: Exception, words: str) -> None:
    assert words in said(fault)


@pytest.fixture
def shown(model: Model) -> Iterator[Page]:
    """A page without a browser, at a first state of the small model."""
    page = Page(Studio(Library("cpu")), cast(Any, None))
    page.layout = Mock()
    page.layout.picture.faces.settled = AsyncMock()
    page.show_model(model, State().added(model.factorize("all")))
    yield page
    page.studio.worker.close()


def fail(*_: Any, **__: Any) -> Any:
    raise ValueError("an odd shape")


async def paint(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page.renderer, "render", fail)
    await page.show()
    assert cast(Mock, page.layout).picture.busy.call_args.args == (False,)


async def work(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await page.work(fail) is None


async def work_aside(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await page.work(fail, aside=True) is None


async def factorize(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Model, "factorize", fail)
    await page.factorize("all")


async def open_model(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Library, "open_model", fail)
    await open_named(page, "tiny.pth")
    assert cast(Mock, page.layout).picture.say.call_args.args == ("",)


@pytest.mark.parametrize("how", [paint, work, work_aside, factorize, open_model])
def test_the_page_says_what_failed(
    shown: Page, monkeypatch: pytest.MonkeyPatch, how: Callable[..., Any]
) -> None:
    """It once waited forever, or did nothing."""
    asyncio.run(how(shown, monkeypatch))
    complained = cast(Mock, shown.layout.complain)
    assert "This failed: ValueError: an odd shape" in complained.call_args.args[0]


def test_a_search_says_what_failed(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Task, "run", fail)
    job = Job(Task(model, State(), drawing_from("box", [[(0, 0), (0.5, 0.5)]]))).start()
    until(lambda: not job.running)
    assert job.error and "an odd shape" in said(job.error)


def test_a_film_without_a_place_to_write_it(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(SefaError, match=r"cannot write the film in .*gone"):
        film_of(model, State().added(model.factorize("all")), 0)


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[str]:
    """The address of a studio whose films fail while there is a file `fault`."""
    (tmp_path / "tiny.pth").write_bytes(TINY.read_bytes())
    with studio(tmp_path, "tiny.pth", fault=IN_A_FRAME) as address:
        yield address


def test_a_film_on_the_timeline_that_fails(faulty: str, page: Browsed) -> None:
    """The error stands by its button, the progress is gone, and the next try works."""
    opened(page, faulty)
    at(page, "add-key").click()
    expect(at(page, "keys")).to_have_text("1 key frame")
    drag(page, 0, 0.8)
    at(page, "add-key").click()
    expect(at(page, "keys")).to_have_text("2 key frames, 1 s")
    saved: list[str] = []
    page.on("download", lambda download: saved.append(download.suggested_filename))
    before, commands = list_scratch(), at(page, "commands").inner_text()
    alert = at(page, "timeline-fault").get_by_role("alert")
    for fault, words in FAULTS:
        Path("fault").write_text(repr(fault))
        at(page, "save-story").click()
        expect(alert).to_contain_text(words)
        expect(alert).to_be_in_viewport(ratio=0.99)
        expect(alert).not_to_contain_text("sefa-")  # a folder that is gone
        expect(at(page, "film")).to_be_hidden()
        expect(at(page, "film-fault")).to_be_hidden()
        assert violations(page) == []
    assert not saved and list_scratch() == before
    assert at(page, "commands").inner_text() == commands
    at(page, "row-0").get_by_label("film of direction 0").click()
    expect(at(page, "film-fault").get_by_role("alert")).to_contain_text("an odd shape")
    Path("fault").unlink()
    with page.expect_event("download", lambda _: len(saved) == 2):
        at(page, "save-story").click()
    expect(alert).to_be_hidden()
    expect(at(page, "film-fault")).to_be_hidden()
    assert sorted(saved) == ["story.gif", "story.toml"]


def list_scratch() -> set[str]:
    """What films leave in the folder for temporary files."""
    return {path.name for path in Path(tempfile.gettempdir()).glob(".sefa-*")}
