"""The row of a slider: small pictures that give way, its filling, and a proposed name."""

import base64
import io
import re
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.studio.library import Model
from sefa_cli.studio.localizing import CancelledError
from sefa_cli.studio.renderer import Renderer
from sefa_cli.studio.session import State
from sefa_cli.studio.thumbnails import Thumbnails, end_of, moved_alone
from sefa_cli.studio.worker import Worker
from tests.helpers import Sefa
from tests.helpers.visiting import at, drag, opened, settled

MADE = re.compile("^data:image/jpeg")


def picture_of(page: Page, name: str) -> np.ndarray:
    address = at(page, name).locator("img").get_attribute("src")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(str(address).partition(",")[2]))))


def test_each_row_shows_what_its_slider_does(tiny: str, page: Page) -> None:
    opened(page, tiny)
    last = at(page, "thumbnail+1-9").locator("img")
    expect(last).to_have_attribute("src", MADE, timeout=30_000)
    assert at(page, "row-0").locator(".thumbnail img[src^=data]").count() == 2
    at(page, "thumbnail+1-0").click()
    expect(at(page, "commands")).to_contain_text("--k 0 --alpha")
    moved = settled(page)[..., :3].astype(float)
    near, far = (
        np.abs(picture_of(page, f"thumbnail{side}-0") - moved).mean() for side in ("+1", "-1")
    )
    assert near < 12 < far  # JPEG is not exact


def test_a_slider_is_filled_from_its_middle(tiny: str, page: Page) -> None:
    opened(page, tiny)
    measure = """k => {
      const bar = document.querySelector(`[data-test="row-${k}"] .q-slider__selection`);
      const track = bar.parentElement.clientWidth, own = getComputedStyle(bar, "::after");
      return [parseFloat(own.left) / track, (parseFloat(own.left) + parseFloat(own.width)) / track];
    }"""
    drag(page, 0, 0.75)
    drag(page, 1, 0.1)
    expect(at(page, "commands")).to_contain_text("--k 1")
    assert page.evaluate(measure, 0) == pytest.approx([0.5, 0.75], abs=0.03)
    assert page.evaluate(measure, 1) == pytest.approx([0.1, 0.5], abs=0.03)
    assert page.evaluate(measure, 2) == pytest.approx([0.5, 0.5], abs=0.03)


def test_a_measured_name_is_proposed_and_taken(tiny: str, page: Page, sefa: Sefa) -> None:
    sefa("factorize", "tiny.pth", "-o", "tiny.dirs")
    found = {"label": "bigger smile", "attribute": "smile", "note": "smile +0.1 a unit"}
    bundle = Bundle.load("tiny.dirs")
    info = ({**bundle.info[0], "annotation": {"proposal": found}}, *bundle.info[1:])
    replace(bundle, info=info).save("named.dirs")
    opened(page, f"{tiny}?dirs={Path('named.dirs').resolve()}")
    name = page.get_by_label("name of direction 0", exact=True)
    expect(name).to_have_attribute("placeholder", "bigger smile?")
    expect(at(page, "take-1")).to_be_hidden()
    at(page, "take-0").click()
    expect(name).to_have_value("bigger smile")
    expect(at(page, "take-0")).to_be_hidden()
    expect(at(page, "commands")).to_contain_text("named.dirs 0 'bigger smile'")
    at(page, "row-1").locator(".k").hover()
    expect(page.get_by_role("tooltip", name="eigenvalue")).to_be_visible()


def test_a_small_picture_gives_way_within_a_layer(model: Model) -> None:
    """A wish that comes while it is made ends it before the next layer."""
    state, renderer, ran = State(seed=3).added(model.factorize("all")), Renderer(model), []

    def go_on() -> None:
        ran.append(1)
        if len(ran) == 4:
            raise CancelledError

    with pytest.raises(CancelledError):
        renderer.thumbnail(moved_alone(state, 0, 1), go_on)
    assert len(ran) == 4
    whole = renderer.thumbnail(moved_alone(state, 0, 1), lambda: None)
    own = state.sliders
    assert own is not None
    same = renderer.picture(state.at(0, end_of(own, 0, 1)), renderer.small)
    np.testing.assert_array_equal(whole, same)


def test_a_page_that_was_closed_gets_none() -> None:
    """The task that makes them begins later than it is asked for; this once left a traceback."""
    page: Any = SimpleNamespace(closed=True, renderer=1, state=State(), asked=0, steps=[])
    with pytest.raises(StopIteration):  # done at once
        Thumbnails(page).make(range(10)).send(None)


def test_the_worker_says_that_somebody_waits() -> None:
    worker, hold = Worker(), threading.Event()
    first = worker.submit("a", hold.wait)
    while not first.running():
        pass
    assert not worker.is_wanted
    second = worker.submit("b", lambda: 3)
    assert worker.is_wanted
    hold.set()
    assert second.result(5) == 3 and not worker.is_wanted
    worker.close()
