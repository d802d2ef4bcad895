"""Annotating in a real browser."""

import time

from playwright.sync_api import Page, expect

from tests.helpers import Sefa
from tests.helpers.visiting import at, opened


def test_annotating_by_keyboard(tiny: str, page: Page, sefa: Sefa) -> None:
    opened(page, tiny)
    at(page, "annotate").click()
    at(page, "annotate-num").fill("2")
    at(page, "annotate-seeds").fill("0")
    at(page, "begin").click()
    expect(at(page, "place")).to_have_text("bottom · direction 1 of 2")
    expect(at(page, "sheet")).to_be_visible()
    page.locator("body").press("y")
    expect(at(page, "question")).to_contain_text("that you can name")
    page.locator("body").press("y")
    at(page, "annotate-name").fill("odd")
    at(page, "annotate-name").press("Enter")
    expect(at(page, "place")).to_have_text("bottom · direction 2 of 2")
    page.locator("body").press("n")
    expect(at(page, "place")).to_have_text("middle · direction 1 of 2")
    page.locator("body").press("ArrowLeft")
    expect(at(page, "place")).to_have_text("bottom · direction 2 of 2")
    at(page, "answer-y").click()
    at(page, "answer-n").click()
    expect(at(page, "place")).to_have_text("middle · direction 1 of 2")
    at(page, "annotate-close").click()
    at(page, "bundles").click()
    page.get_by_role("option", name="tiny_bottom.dirs").click()
    expect(at(page, "row-0").get_by_label("name of direction 0")).to_have_value("odd")
    with page.expect_download() as download:
        at(page, "bundle-download").click()
    download.value.save_as("answers.dirs")
    assert "1 / 2" in sefa("inspect", "--annotations", "answers.dirs").stdout


def test_skipped_directions_cost_no_sweeps(tiny: str, page: Page) -> None:
    opened(page, tiny)
    at(page, "annotate").click()
    at(page, "annotate-seeds").fill("0-59")
    began = time.monotonic()
    at(page, "begin").click()
    expect(at(page, "sheet")).to_be_visible(timeout=30_000)
    one = time.monotonic() - began
    began = time.monotonic()
    for _ in range(18):
        page.locator("body").press("ArrowRight")
    expect(at(page, "place")).to_have_text("bottom · direction 19 of 20")
    expect(at(page, "sheet")).to_be_visible(timeout=60_000)
    assert time.monotonic() - began < 6 * one
