"""The first visit: a hint that does not come back, and a place for files on the empty page."""

from playwright.sync_api import Page, expect

from tests.helpers import Sefa
from tests.helpers.visiting import at


def test_a_hint_and_a_place_for_files(empty: str, page: Page, sefa: Sefa) -> None:
    sefa("factorize", "tiny.pth", "-o", "tiny.dirs")
    page.goto(empty)
    page.keyboard.press("Escape")
    expect(at(page, "path")).to_be_hidden()
    assert at(page, "hint").locator("p").count() == 3
    at(page, "hint").get_by_role("button").click()
    expect(at(page, "hint")).to_be_hidden()
    at(page, "drop-here").locator("input").set_input_files("tiny.dirs")
    expect(at(page, "row-0")).to_be_visible()
    expect(at(page, "drop-here")).to_be_hidden()
    page.reload()
    expect(at(page, "row-0")).to_be_visible()
    expect(at(page, "hint")).to_be_hidden()


def test_the_address_finds_the_page_from_the_start(empty: str, page: Page, sefa: Sefa) -> None:
    """A reload may come between the first sliders and the address that says what they show."""
    sefa("factorize", "tiny.pth", "-o", "tiny.dirs")
    page.goto(empty)
    page.wait_for_url("**page=*")
    page.evaluate("history.replaceState = () => {}")
    at(page, "drop").locator("input").set_input_files("tiny.dirs")
    expect(at(page, "row-0")).to_be_visible()
    page.reload()
    expect(at(page, "row-0")).to_be_visible()
