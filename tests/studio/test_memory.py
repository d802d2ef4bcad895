"""The memory of the studio's process: pages that were closed leave nothing behind."""

import threading
import time
import weakref
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Page, expect

from sefa_cli.studio import page as pages
from sefa_cli.studio import studio as studios
from sefa_cli.studio.library import Library, Model
from sefa_cli.studio.renderer import Renderer
from sefa_cli.studio.thumbnails import PAUSE
from tests.helpers.visiting import Serve, asked, until

WARM, LOADS = 8, 20  # the first few loads set things up once: 12 MB, then 2 for the next twenty
MORE = 6  # MB; twenty pages that stay have 26 or more, with a model as small as this


def resident() -> float:
    """The megabytes that the process of the studio, this test's child, has in memory."""
    (studio,) = (
        path.parent
        for path in Path("/proc").glob("[0-9]*/cwd")
        if path.readlink() == Path.cwd() and b"sefa_cli" in (path.parent / "cmdline").read_bytes()
    )
    fields = dict(line.split(":", 1) for line in (studio / "status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) / 1024


def load(page: Page, address: str, times: int) -> None:
    """Load the studio again and again, leave it, and wait until it has dropped the last page."""
    for _ in range(times):
        page.goto(address)
        shown = page.locator('.canvas img[src^="/picture"]')
        expect(shown).to_be_visible(timeout=60_000)
    picture = urljoin(page.url, shown.get_attribute("src"))
    page.goto("about:blank")
    until(lambda: asked(page, picture).status == 404, seconds=30)


def test_memory_after_many_loads_is_that_after_a_few(serve: Serve, page: Page) -> None:
    """Each page once stayed for ever, 385 MB with the default model."""
    address = serve("tiny.pth")
    load(page, address, WARM)
    time.sleep(2)  # then the memory goes back
    first = resident()
    load(page, address, LOADS)
    until(lambda: resident() - first < MORE)


def test_memory_goes_back_once_nothing_holds_a_page(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Freed a moment later, it would stay in the process until the next page is closed."""
    studio, given = studios.Studio(Library("cpu")), threading.Event()
    held: list[Renderer] = []
    went: weakref.WeakSet[Renderer] = weakref.WeakSet()
    monkeypatch.setattr(studios, "give_back", lambda: (held.extend(went), given.set()))
    page = pages.Page(studio, cast(Any, None))
    page.renderer = Renderer(model)
    went.add(page.renderer)
    small = threading.Thread(target=lambda own: time.sleep(PAUSE), args=(page.renderer,))
    small.start()  # as a task between two small pictures
    page.close()
    assert given.wait(10) and not held
    small.join()
    studio.worker.close()


def test_memory_goes_back_from_a_studio_that_is_never_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waited for a moment without requests, which two people who move sliders never leave."""
    studio, given = studios.Studio(Library("cpu")), threading.Event()
    monkeypatch.setattr(studios, "give_back", given.set)
    monkeypatch.setattr(studios, "_NOTICED", 0.0)

    def move(page: str) -> None:
        time.sleep(0.01)
        studio.worker.submit(page, partial(move, page))

    for page in ("one", "other"):
        move(page)
    studio.forget("a page that is gone")
    assert given.wait(5)
    studio.worker.close()
