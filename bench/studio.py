"""From slider to picture at 256 px: with the layers below computed once, and without.

python bench/studio.py            the parts of it, in one process
python bench/studio.py --browser  from a slider's key to the picture in a real Chromium
python bench/studio.py --memory   the memory of the studio after each five of fifty pages
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sefa_cli.allocator import keep_blocks

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from sefa_cli.rendering.pictures import Picture
    from sefa_cli.rendering.view import View
    from sefa_cli.studio.library import Model
    from sefa_cli.studio.session import State

MODEL = "mobilestylegan_ffhq"
LEVELS = ("bottom", "middle", "top")
SERVED = ("forgetful", "as it is")  # the studios that are compared in the browser
MOVES = 15


def in_process() -> None:
    """Seconds of a quick picture for moves of one slider, on every level."""
    keep_blocks()
    from sefa_cli.studio.library import Library
    from sefa_cli.studio.renderer import Renderer
    from sefa_cli.studio.session import State

    model = Library("cpu").open_model(MODEL)
    print("the quickest 256-px picture of a level in seconds: what else runs only adds to it")
    print(f"{'level':8} {'from the bottom':>18} {'layers below kept':>20}")
    for level in LEVELS:
        state = State().added(model.factorize(level))
        cells = []
        for keeps in (False, True):
            renderer, seconds = Renderer(model), []
            for step in range(MOVES + 2):
                renderer = renderer if keeps else Renderer(model)  # a new one has kept nothing
                seconds.append(
                    renderer.render(state.at(0, 0.1 * (step + 1)), renderer.quick).seconds
                )
            cells.append(f"{min(seconds[2:]):.3f}")
        print(f"{level:8} {cells[0]:>18} {cells[1]:>20}", flush=True)


def in_browser() -> None:
    """Seconds from a slider's key to the quick picture that it asked for, in the page itself.

    Two studios are asked in turn: one as it is, one that computes every picture from the bottom.
    """
    from playwright.sync_api import sync_playwright

    with contextlib.ExitStack() as stack:
        addresses = [stack.enter_context(_studio(name)) for name in SERVED]
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        pages = [_opened(browser, address) for address in addresses]
        print(f"seconds from a slider's key to the 256-px picture, median of {MOVES} (quickest)")
        print(f"{'level':8} {'from the bottom':>18} {'layers below kept':>20}")
        for level in LEVELS:
            for page in pages:
                _factorize(page, level)
            moves = [[_press(page) for page in pages] for _ in range(MOVES + 2)][2:]
            cells = [f"{statistics.median(s):.3f} ({min(s):.3f})" for s in zip(*moves, strict=True)]
            print(f"{level:8} {cells[0]:>18} {cells[1]:>20}", flush=True)
        browser.close()


def memory() -> None:
    """Megabytes of the studio's process, while pages are open and after all are closed."""
    from playwright.sync_api import sync_playwright

    with _studio(SERVED[1]) as address, sync_playwright() as playwright:
        (pid,) = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()[:1]
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        loads = 0
        for tabs in (1, *[5] * 10):
            pages = [_opened(browser, address) for _ in range(tabs)]
            loads, most = loads + tabs, _resident(pid)
            for page in pages:
                page.close()
            time.sleep(7)  # until they are dropped, and the memory has gone back
            print(f"{loads:2} loads: {most} MB with {tabs} open, {_resident(pid)} MB closed")
        browser.close()


def _resident(pid: str) -> int:
    """The megabytes that a process has in memory."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) >> 10


@contextlib.contextmanager
def _studio(name: str) -> Iterator[str]:
    """A studio as a process of its own: its address."""
    command = [sys.executable, __file__, "--serve", name]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait()


def serve(name: str) -> None:
    """`sefa studio`, as it is or with a renderer that keeps nothing between pictures."""
    from sefa_cli.cli import app
    from sefa_cli.studio import page
    from sefa_cli.studio.renderer import Renderer

    class Forgetful(Renderer):
        def __init__(self, model: "Model") -> None:
            super().__init__(model)
            self._model = model

        def picture(self, state: "State", view: "View", go_on: Any = lambda: None) -> "Picture":
            return Renderer(self._model).picture(state, view, go_on)

    if name == "forgetful":
        vars(page)["Renderer"] = Forgetful
    app(["studio", MODEL, "--no-open", "--port", "0"])


def _opened(browser: "Browser", address: str) -> "Page":
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(address)
    _wait(page)
    page.evaluate(_WATCH)
    return page


def _wait(page: "Page") -> None:
    """Until the whole picture is there."""
    page.wait_for_selector('.canvas[aria-busy="false"]', timeout=120_000)


def _factorize(page: "Page", level: str) -> None:
    """Put the sliders of a level on the page."""
    page.bring_to_front()
    page.click('[data-test="level"]')
    page.get_by_role("option", name=level).click()
    page.click('[data-test="factorize"]')
    page.get_by_text(f"mobilestylegan_{level}.dirs").first.wait_for()
    _wait(page)


_WATCH = """() => {
    const image = document.querySelector('.canvas img');
    addEventListener('keydown', () => { window.began = performance.now(); }, true);
    image.addEventListener('load', () => {
        const quick = image.naturalWidth === 256;
        if (window.began && quick) window.took = (performance.now() - window.began) / 1000;
        window.began = 0;
    });
}"""


def _press(page: "Page") -> float:
    """Seconds from a key that moves the first slider to its quick picture."""
    page.bring_to_front()
    page.evaluate("window.took = window.began = 0")
    page.focus('[data-test="row-0"] [tabindex="0"].q-slider__track-container')
    page.keyboard.down("ArrowRight")
    page.wait_for_function("window.took", timeout=60_000)
    seconds: float = page.evaluate("window.took")
    page.keyboard.up("ArrowRight")
    time.sleep(0.3)
    _wait(page)
    return seconds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--serve", choices=SERVED, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.serve)
    elif asked.memory:
        memory()
    else:
        in_browser() if asked.browser else in_process()
