"""Annotating in a real browser."""

from playwright.sync_api import Page, expect

from tests.helpers import Sefa
from tests.helpers.chromium import NewPage
from tests.helpers.visiting import at, fault_of, opened


def test_annotating_by_keyboard(tiny: str, page: Page, sefa: Sefa) -> None:
    opened(page, tiny)
    at(page, "annotate").click()
    at(page, "annotate-num").fill("2")
    at(page, "annotate-seeds").fill("0")
    at(page, "begin").click()
    expect(at(page, "place")).to_have_text("bottom · direction 1 of 2")
    expect(at(page, "sheet")).to_be_visible(timeout=30_000)
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
    at(page, "ArrowRight").click()  # a phone has no keys
    expect(at(page, "place")).to_have_text("middle · direction 1 of 2")
    at(page, "ArrowLeft").click()
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


def test_closing_returns_to_the_bundle_one_came_from_and_keeps_the_name(
    tiny: str, page: Page
) -> None:
    opened(page, tiny)
    at(page, "annotate").click()
    expect(at(page, "intro")).to_contain_text("Does the picture change obviously")
    expect(at(page, "intro")).to_contain_text("y and n")
    at(page, "annotate-seeds").fill("0")
    at(page, "begin").click()
    expect(at(page, "sheet")).to_be_visible(timeout=30_000)
    expect(at(page, "intro")).to_be_hidden()
    for _ in range(2):
        page.locator("body").press("y")
    at(page, "annotate-name").fill("odd")
    page.keyboard.press("Escape")  # without Enter
    expect(at(page, "annotate-name")).to_be_hidden()
    expect(at(page, "bundles")).to_contain_text("tiny_all.dirs")  # as before
    at(page, "annotate").click()
    expect(at(page, "place")).to_have_text("bottom · direction 2 of 20")  # where one was
    expect(at(page, "sheet")).to_be_visible(timeout=30_000)
    at(page, "annotate-close").click()
    at(page, "bundles").click()
    page.get_by_role("option", name="tiny_bottom.dirs · 1 annotated").click()
    expect(at(page, "row-0").get_by_label("name of direction 0")).to_have_value("odd")


def test_headings_of_a_sweep_are_readable_on_a_phone(tiny: str, new_page: NewPage) -> None:
    """In the picture they shrank with it, to a height of 5 pixels."""
    page = opened(new_page(viewport={"width": 390, "height": 844}), tiny)
    at(page, "annotate").click()
    at(page, "begin").click()
    expect(at(page, "sheet")).to_be_visible(timeout=30_000)
    picture = at(page, "sheet").locator("img").bounding_box()
    assert picture and picture["width"] > 300 and picture["x"] + picture["width"] <= 390
    columns = at(page, "sheet").locator(".columns > *")
    assert columns.all_inner_texts() == ["-5", "-2.5", "before", "+2.5", "+5"]
    for i, column in enumerate(columns.all()):
        area = column.bounding_box()
        middle = picture["x"] + picture["width"] * (i + 0.5) / 5
        assert area and abs(area["x"] + area["width"] / 2 - middle) < 2
        assert column.evaluate("e => parseFloat(getComputedStyle(e).fontSize)") >= 12
    for i, row in enumerate(at(page, "sheet").locator(".beside > *").all()):
        area = row.bounding_box()
        middle = picture["y"] + picture["height"] * (i + 0.5) / 3
        assert area and abs(area["y"] + area["height"] / 2 - middle) < 2


def test_a_reload_keeps_the_answers(tiny: str, page: Page) -> None:
    opened(page, tiny)
    at(page, "annotate").click()
    at(page, "annotate-seeds").fill("0")
    at(page, "begin").click()
    expect(at(page, "sheet")).to_be_visible(timeout=30_000)
    page.locator("body").press("n")
    expect(at(page, "place")).to_have_text("bottom · direction 2 of 20")
    page.reload()
    at(page, "bundles").click()
    expect(page.get_by_role("option", name="tiny_bottom.dirs · 1 annotated")).to_be_visible()


def test_what_is_wrong_stands_by_its_field(tiny: str, page: Page) -> None:
    opened(page, tiny)
    at(page, "annotate").click()
    at(page, "annotate-seeds").fill("x")
    at(page, "begin").click()
    expect(fault_of(page, "annotate-seeds")).to_contain_text("seeds must be a range, got 'x'")
    at(page, "annotate-seeds").fill("0")
    at(page, "begin").click()
    expect(at(page, "sheet")).to_be_visible(timeout=30_000)
    expect(fault_of(page, "annotate-seeds")).to_be_hidden()
    for number, name in enumerate(("odd", "3"), start=1):  # an index cannot be a name
        expect(at(page, "place")).to_contain_text(f"direction {number} of")
        expect(at(page, "annotate-name")).to_be_hidden()  # its field would take the keys
        for _ in range(2):
            page.locator("body").press("y")
        at(page, "annotate-name").fill(name)
        at(page, "annotate-name").press("Enter")
    expect(fault_of(page, "annotate-name")).to_contain_text("3")
    page.keyboard.press("Escape")  # the dialog stays: the name would be lost
    expect(at(page, "annotate-name")).to_have_value("3")
    at(page, "annotate-name").fill("")
    page.keyboard.press("Escape")
    expect(at(page, "annotate-name")).to_be_hidden()


def test_skipped_directions_cost_no_sweeps(tiny: str, page: Page) -> None:
    opened(page, tiny)
    at(page, "annotate").click()
    at(page, "annotate-seeds").fill("0-59")  # a sweep that takes longer than eighteen keys
    at(page, "begin").click()
    expect(at(page, "sheet")).to_be_visible(timeout=60_000)
    first = _number(page)
    for _ in range(18):
        page.locator("body").press("ArrowRight")
    expect(at(page, "place")).to_have_text("bottom · direction 19 of 20")
    expect(at(page, "sheet")).to_be_visible(timeout=60_000)
    assert _number(page) - first <= 3  # the one that was under way, at most another, and this one


def _number(page: Page) -> int:
    """How many pictures the page had made when it made this sheet."""
    address = at(page, "sheet").locator("img").get_attribute("src")
    assert address is not None
    return int(address.rsplit("/", 1)[1])
