"""What tests do on a page of the studio."""

import base64
import io
import shlex
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import urljoin

import numpy as np
from PIL import Image
from playwright.sync_api import APIResponse, Locator, Page, expect
from typer.testing import Result

Serve = Callable[..., str]
_DROP = """([name, data]) => {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0)), files = new DataTransfer();
    files.items.add(new File([bytes], name));
    for (const kind of ["dragover", "drop"])
        window.dispatchEvent(new DragEvent(kind, { dataTransfer: files, cancelable: true }));
}"""
expect.set_options(timeout=15_000)  # a busy machine is slow, not wrong


def until(holds: Callable[[], object], seconds: float = 10) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it does not come true"
        time.sleep(0.02)


def at(page: Page, name: str) -> Locator:
    return page.locator(f'[data-test="{name}"]')


def fault_of(page: Page, name: str) -> Locator:
    """What a field says is wrong with it."""
    return page.locator(f'.q-field:has([data-test="{name}"])').get_by_role("alert").last


def asked(page: Page, address: str) -> APIResponse:
    """What the studio answers. Like a browser, ask again if a kept connection was just closed."""
    return page.request.get(urljoin(page.url, address), max_retries=2)


def shown(page: Page, image: str = ".canvas img") -> np.ndarray:
    """The picture on the page, as the server has it."""
    address = page.locator(image).first.get_attribute("src")
    return np.asarray(Image.open(io.BytesIO(asked(page, str(address)).body())))


def settled(page: Page) -> np.ndarray:
    """The whole picture of what the page's command says."""
    expect(page.locator(".canvas")).to_have_attribute("aria-busy", "false", timeout=20_000)
    return shown(page)


def opened(page: Page, address: str) -> Page:
    page.goto(address)
    expect(at(page, "row-0")).to_be_visible(timeout=60_000)  # a model is opened first
    settled(page)
    return page


def dropped(page: Page, name: str, data: bytes | None = None) -> None:
    """Drop a file anywhere on the page."""
    data = Path(name).read_bytes() if data is None else data
    page.evaluate(_DROP, [Path(name).name, base64.b64encode(data).decode()])


def drag(page: Page, k: int, part: float, moves: int = 10) -> None:
    """Take the slider of direction `k` from the middle to `part` of its length, in steps.

    The mouse goes down only on a slider that stands still, and up only once the slider is there:
    on a busy machine the page may still be laid out, or be behind the mouse. Then the page takes
    it: its commands change.
    """
    before = at(page, "commands").inner_text()
    slider = at(page, f"row-{k}").get_by_role("slider")
    slider.hover()  # waits until it does not move
    area = slider.bounding_box()
    assert area is not None
    y = area["y"] + area["height"] / 2
    page.mouse.down()
    for i in range(moves):
        x = area["x"] + area["width"] * (0.5 + (part - 0.5) * (i + 1) / moves)
        page.mouse.move(x, y)
    page.mouse.move(x, y)  # the slider only starts at its first event
    low, high = (float(slider.get_attribute(f"aria-value{end}") or 0) for end in ("min", "max"))
    until(lambda: abs(_place(slider) - low - part * (high - low)) < 0.1)  # a step of the slider
    page.mouse.up()
    expect(at(page, "commands")).not_to_have_text(before)


def draw(page: Page, tool: str, *points: tuple[float, float]) -> None:
    """Take a tool and draw over the picture, through places in parts of its width and height.

    The picture takes strokes once the studio has heard of the tool; the studio then takes them.
    """
    at(page, "mode").get_by_text(tool).click()
    canvas = page.locator(".canvas.drawing")
    canvas.hover()
    area = canvas.bounding_box()
    assert area is not None
    for i, (x, y) in enumerate(points):
        page.mouse.move(area["x"] + x * area["width"], area["y"] + y * area["height"], steps=4)
        if i == 0:
            page.mouse.down()
    page.mouse.up()
    expect(at(page, "localize")).to_be_enabled()


def _place(slider: Locator) -> float:
    return float(slider.get_attribute("aria-valuenow") or 0)


def run(sefa: Callable[..., Result], lines: Iterable[str]) -> None:
    """Shell lines of the page, one after the other in an empty folder; all of them succeed."""
    for line in lines:
        program, *words = shlex.split(line)
        result = sefa(*words)
        assert program == "sefa" and result.exit_code == 0, (line, result.stderr)
