"""From slider to picture at 256 px: with the layers below computed once, and without.

python bench/studio.py            the parts of it, in one process
python bench/studio.py --browser  from the mouse's move to the picture in a real Chromium
"""

import argparse
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from sefa_cli.allocator import keep_blocks

if TYPE_CHECKING:
    from playwright.sync_api import Page

MODEL = "mobilestylegan_ffhq"
LEVELS = ("bottom", "middle", "top")
MOVES = 15


def in_process() -> None:
    """Seconds of a quick picture for moves of one slider, on every level."""
    keep_blocks()
    from sefa_cli.studio.easel import Easel
    from sefa_cli.studio.library import Library
    from sefa_cli.studio.session import State

    model = Library("cpu").open_model(MODEL)
    print("the quickest 256-px picture of a level in seconds: what else runs only adds to it")
    print(f"{'level':8} {'from the bottom':>18} {'layers below kept':>20}")
    for level in LEVELS:
        state = State().added(model.factorize(level))
        cells = []
        for keeps in (False, True):
            easel, seconds = Easel(model), []
            for step in range(MOVES + 2):
                easel = easel if keeps else Easel(model)  # a new one has kept nothing
                seconds.append(easel.paint(state.at(0, 0.1 * (step + 1)), easel.quick).seconds)
            cells.append(f"{min(seconds[2:]):.3f}")
        print(f"{level:8} {cells[0]:>18} {cells[1]:>20}", flush=True)


def in_browser() -> None:
    """Seconds from a slider's key to the picture that it asked for, in the page itself."""
    from playwright.sync_api import sync_playwright

    command = [sys.executable, "-m", "sefa_cli", "studio", MODEL, "--no-open", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout is not None
    address = server.stdout.readline().strip()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox"]
            )
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(address)
            page.wait_for_selector('.canvas[aria-busy="false"]', timeout=120_000)
            page.evaluate(_WATCH)
            for level in LEVELS:
                page.click('[data-test="level"]')
                page.get_by_role("option", name=level).click()
                page.click('[data-test="factorize"]')
                page.get_by_text(f"mobilestylegan_{level}.dirs").first.wait_for()
                page.wait_for_selector('.canvas[aria-busy="false"]', timeout=60_000)
                took = [_press(page) for _ in range(MOVES)]
                print(f"{level:8} {statistics.median(took):6.3f} s from key to picture (median)")
            browser.close()
    finally:
        server.terminate()
        server.wait()


_WATCH = """() => {
    const image = document.querySelector('.canvas img');
    addEventListener('keydown', () => { window.began = performance.now(); }, true);
    image.addEventListener('load', () => {
        if (window.began) window.took = (performance.now() - window.began) / 1000;
        window.began = 0;
    });
}"""


def _press(page: "Page") -> float:
    """Seconds from a key that moves the first slider to the next picture."""
    page.evaluate("window.took = window.began = 0")
    page.focus('[data-test="row-0"] [tabindex="0"].q-slider__track-container')
    page.keyboard.down("ArrowRight")
    page.wait_for_function("window.took", timeout=60_000)
    seconds: float = page.evaluate("window.took")
    page.keyboard.up("ArrowRight")
    time.sleep(0.3)
    page.wait_for_selector('.canvas[aria-busy="false"]', timeout=60_000)
    return seconds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", action="store_true")
    in_browser() if parser.parse_args().browser else in_process()
