"""The page of a report: what one sees first, and for everybody."""

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.axe import violations
from tests.helpers.chromium import NewPage
from tests.rendering.test_report_page import row, stage


@pytest.fixture
def opened(page: Page, address: str) -> Page:
    page.goto(address)
    return page


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_a_picture_is_above_the_fold(
    new_page: NewPage, address: str, size: tuple[int, int]
) -> None:
    page = new_page(viewport={"width": size[0], "height": size[1]})
    page.goto(address)
    expect(stage(page, 0, 0)).to_be_in_viewport(ratio=0.9)


def test_pictures_have_their_size_before_they_load(page: Page, address: str) -> None:
    page.route("**/*.png", lambda route: None)  # they never come
    page.goto(address, wait_until="domcontentloaded")
    sides = page.locator("td img, .stage img").evaluate_all(
        "all => all.map(i => [i.getAttribute('width'), i.getAttribute('height')].join())"
    )
    assert set(sides) == {"64,64"}


def test_headings_on_a_phone_do_not_hide(new_page: NewPage, address: str) -> None:
    page = new_page(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page.goto(address)
    page.locator(".spectrum a[href='#k1']").click()
    heading = page.locator("#k1 h2")
    expect(heading).to_be_in_viewport(ratio=1)
    assert heading.evaluate(
        "h => { const a = h.getBoundingClientRect();"
        " return h.contains(document.elementFromPoint(a.x + 10, a.y + a.height / 2)) }"
    )


def test_keys_are_told_where_they_work(opened: Page) -> None:
    hint = opened.locator(".hint:visible")
    expect(hint).to_contain_text("Arrow keys move")
    assert hint.bounding_box()["y"] < stage(opened, 0, 0).bounding_box()["y"]
    row(opened, 0, 0).locator("a.frame").first.click()
    expect(opened.locator("#viewer .hint")).to_contain_text("← → sweep")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(new_page: NewPage, address: str, scheme: str) -> None:
    pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")
    page = new_page(color_scheme=scheme)
    page.goto(address)
    assert violations(page, least="moderate") == []
    row(page, 0, 0).locator("a.frame").first.click()
    assert violations(page, "document.querySelector('#viewer')", "moderate") == []
