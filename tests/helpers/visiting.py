"""What tests do on a page of the studio."""

import io
import shlex
import time
from collections.abc import Callable, Iterable
from urllib.parse import urljoin

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from typer.testing import Result

Serve = Callable[..., str]


def until(holds: Callable[[], object], seconds: float = 10) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it does not come true"
        time.sleep(0.02)


def at(page: Page, name: str) -> Locator:
    return page.locator(f'[data-test="{name}"]')


def shown(page: Page) -> np.ndarray:
    """The picture on the page, as the server has it."""
    address = page.locator(".canvas img").get_attribute("src")
    answer = page.request.get(urljoin(page.url, str(address)))
    return np.asarray(Image.open(io.BytesIO(answer.body())))


def settled(page: Page) -> np.ndarray:
    """The whole picture of what the page's command says."""
    expect(page.locator(".canvas")).to_have_attribute("aria-busy", "false", timeout=20_000)
    return shown(page)


def opened(page: Page, address: str) -> Page:
    page.goto(address)
    expect(at(page, "row-0")).to_be_visible(timeout=20_000)  # a model is opened first
    settled(page)
    return page


def drag(page: Page, k: int, part: float, moves: int = 10) -> None:
    """Take the slider of direction `k` from the middle to `part` of its length, in steps."""
    slider = at(page, f"row-{k}").get_by_role("slider")
    slider.scroll_into_view_if_needed()
    area = slider.bounding_box()
    assert area is not None
    y = area["y"] + area["height"] / 2
    page.mouse.move(area["x"] + area["width"] / 2, y)
    page.mouse.down()
    for i in range(moves):
        page.mouse.move(area["x"] + area["width"] * (0.5 + (part - 0.5) * (i + 1) / moves), y)
    page.mouse.up()


def run(sefa: Callable[..., Result], lines: Iterable[str]) -> None:
    """Shell lines of the page, one after the other in an empty folder; all of them succeed."""
    for line in lines:
        program, *words = shlex.split(line)
        result = sefa(*words)
        assert program == "sefa" and result.exit_code == 0, (line, result.stderr)
