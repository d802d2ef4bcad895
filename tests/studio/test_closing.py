"""A page that is closed is worked for no longer."""

import threading
from typing import Any, cast

import pytest
from visiting import until

from sefa_cli.studio.library import Library, Model
from sefa_cli.studio.localizing import Job, Task, drawing_from
from sefa_cli.studio.page import Page, Studio
from sefa_cli.studio.session import State


def test_a_closed_page_stops_its_search_and_its_pictures(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def endless(task: Task, progress: Any, stop: threading.Event) -> None:
        begun.set()
        assert stop.wait(10), "nobody stops it"

    monkeypatch.setattr(Task, "run", endless)
    studio = Studio(Library("cpu"))
    page = Page(studio, cast(Any, None))
    studio.pages[page.key] = page
    page.job = Job(Task(model, State(), drawing_from("box", [[(0, 0), (0.5, 0.5)]]))).start()
    assert begun.wait(10)
    held = threading.Event()
    studio.painter.wish("other", held.wait)
    wish = studio.painter.wish(page.key, lambda: "a picture")
    page.close()
    held.set()
    assert wish.result(10) is None and not studio.pages
    until(lambda: page.job is not None and not page.job.running)
    studio.painter.close()
