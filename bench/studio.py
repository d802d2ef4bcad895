"""From slider to picture at 256 px: with the layers below computed once, and without.

python bench/studio.py            the parts of it, in one process
python bench/studio.py --browser  from the mouse's move to the picture in a real Chromium
"""

import argparse
import statistics
import subprocess
import sys
import time

from sefa_cli.allocator import keep_blocks

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
    print("median seconds of a 256-px picture, and CPU seconds, which others' work changes less")
    print(f"{'level':8} {'from the bottom':>18} {'layers below kept':>20}")
    for level in LEVELS:
        state = State().added(model.factorize(level))
        cells = []
        for keeps in (False, True):
            easel, seconds, spent = Easel(model), [], []
            for step in range(MOVES + 2):
                easel = easel if keeps else Easel(model)  # a new one has kept nothing
                began = time.process_time()
                painted = easel.paint(state.at(0, 0.1 * (step + 1)), easel.quick)
                spent.append(time.process_time() - began)
                seconds.append(painted.seconds)
            medians = statistics.median(seconds[2:]), statistics.median(spent[2:])
            cells.append("{:.3f} ({:.3f})".format(*medians))
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


def _press(page: object) -> float:
    """One step of the first slider; when the next picture is loaded."""
    seconds: float = page.evaluate(  # type: ignore[attr-defined]
        """async () => {
            const slider = document.querySelector('[data-test="row-0"] [role=slider]');
            const image = document.querySelector('.canvas img');
            slider.focus();
            const began = performance.now();
            const loaded = new Promise(done => image.addEventListener('load', done, {once: true}));
            slider.dispatchEvent(new KeyboardEvent('keydown',
                {key: 'ArrowRight', keyCode: 39, code: 'ArrowRight', bubbles: true}));
            await loaded;
            const took = (performance.now() - began) / 1000;
            slider.dispatchEvent(new KeyboardEvent('keyup',
                {key: 'ArrowRight', keyCode: 39, code: 'ArrowRight', bubbles: true}));
            return took;
        }"""
    )
    time.sleep(0.2)
    page.wait_for_selector('.canvas[aria-busy="false"]', timeout=60_000)  # type: ignore[attr-defined]
    return seconds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", action="store_true")
    in_browser() if parser.parse_args().browser else in_process()
