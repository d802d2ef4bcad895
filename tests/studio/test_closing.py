"""Closing a page stops its work."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from operator import attrgetter
from pathlib import Path
from typing import Any, cast
from unittest.mock import AsyncMock, Mock

import pytest
from playwright.sync_api import Page as Browsed
from playwright.sync_api import expect

from sefa_cli.studio.filming import film_of
from sefa_cli.studio.library import Library, Model
from sefa_cli.studio.localizing import Job, Task, drawing_from
from sefa_cli.studio.opening import open_named
from sefa_cli.studio.page import Page
from sefa_cli.studio.session import State
from sefa_cli.studio.studio import Studio
from tests.helpers.visiting import at, opened, until

MOMENTS = ("picture.say", "refresh", "address", "picture.busy", "picture.show")


@pytest.fixture
def studio(model: Model, monkeypatch: pytest.MonkeyPatch) -> Studio:
    """A studio with one page, whose search ends only when it is stopped."""
    begun = threading.Event()

    def endless(task: Task, progress: Any, stop: threading.Event) -> None:
        begun.set()
        assert stop.wait(10), "the search was not stopped"
        time.sleep(0.2)  # the passes at work

    monkeypatch.setattr(Task, "run", endless)
    made = Studio(Library("cpu"))
    page = Page(made, cast(Any, None))
    made.pages[page.key] = page
    page.job = Job(Task(model, State(), drawing_from("box", [[(0, 0), (0.5, 0.5)]]))).start()
    assert begun.wait(10)
    return made


def test_a_closed_page_stops_its_search_and_its_pictures(studio: Studio) -> None:
    (page,) = studio.pages.values()
    held = threading.Event()
    studio.worker.submit("other", held.wait)
    request = studio.worker.submit(page.key, lambda: "a picture")
    page.close()
    held.set()
    assert request.result(10) is None and not studio.pages
    until(lambda: page.job is not None and not page.job.running)
    studio.worker.close()


def test_a_closed_page_gets_no_film(studio: Studio, model: Model) -> None:
    (page,) = studio.pages.values()
    state = State().added(model.factorize("all"))
    made: list[Any] = []

    def frame() -> None:
        made.append(page.go_on())
        page.close()

    assert asyncio.run(page.work(lambda: film_of(model, state, 0, frame), aside=True)) is None
    assert len(made) == 1
    studio.worker.close()


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_page_may_close_at_any_moment_of_its_opening(workplace: Path, moment: str) -> None:
    studio = Studio(Library("cpu"))
    page = Page(studio, cast(Any, None))
    page.layout = Mock()
    page.layout.picture.faces.settled = AsyncMock()
    attrgetter(moment)(page.layout).side_effect = lambda *_: page.close()
    asyncio.run(open_named(page, "tiny.pth"))
    assert page.closed and page.model is None and page.renderer is None and not page.pictures
    studio.worker.close()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_studio_ends_at_once_while_work_runs(
    workplace: Path, page: Browsed, troubles: list[str], number: int, code: int
) -> None:
    """A sweep over many seeds cannot be stopped halfway: it ends with the process."""
    command = [sys.executable, "-m", "sefa_cli", "studio", "tiny.pth", "--no-open", "--port", "0"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert process.stdout is not None and process.stderr is not None
    opened(page, process.stdout.readline().strip())
    at(page, "annotate").click()
    at(page, "annotate-seeds").fill("0-4999")
    at(page, "begin").click()
    expect(at(page, "place")).to_contain_text("direction 1 of")
    time.sleep(0.5)
    process.send_signal(number)
    began = time.monotonic()
    assert process.wait(60) == code
    assert time.monotonic() - began < 2
    closed = "The studio is closed.\n" if number == signal.SIGINT else ""
    assert process.stderr.read() == f"Press Ctrl-C to stop.\n{closed}"
    page.wait_for_timeout(500)
    page.context.close()  # or it would go on to look for its studio
    assert all("REFUSED" in trouble for trouble in troubles)
    troubles.clear()
