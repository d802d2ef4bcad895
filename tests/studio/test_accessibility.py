"""Every view and dialog of the studio, checked by axe-core; and a picture that stays in sight."""

import pytest
from playwright.sync_api import expect

from tests.helpers.axe import violations
from tests.helpers.chromium import NewPage
from tests.helpers.visiting import at, opened

pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_view_or_dialog_shuts_people_out(tiny: str, new_page: NewPage, scheme: str) -> None:
    page = opened(new_page(color_scheme=scheme), tiny)
    assert page.locator("main").count() == 1 and page.get_by_role("heading", level=1).count() == 1
    assert violations(page) == []
    at(page, "mode").get_by_text("Brush").click()
    assert violations(page) == []
    dialog = "document.querySelector('.q-dialog')"
    at(page, "open").click()
    assert violations(page, dialog) == []
    page.keyboard.press("Escape")
    expect(at(page, "path")).to_be_hidden()
    at(page, "annotate").click()
    assert violations(page, dialog) == []
    at(page, "annotate-seeds").fill("0")
    at(page, "begin").click()
    expect(at(page, "sheet")).to_be_visible()
    assert violations(page, dialog) == []


def test_the_picture_stays_in_sight(tiny: str, new_page: NewPage) -> None:
    for width, height in ((390, 844), (1280, 800)):
        page = opened(new_page(viewport={"width": width, "height": height}), tiny)
        at(page, "more").click()
        row = at(page, "row-19")
        row.scroll_into_view_if_needed()
        expect(row).to_be_in_viewport()
        expect(page.locator(".canvas img")).to_be_in_viewport(ratio=0.9)


def test_a_wide_window_is_used(tiny: str, new_page: NewPage) -> None:
    page = opened(new_page(viewport={"width": 1920, "height": 1080}), tiny)
    first, second = (at(page, f"row-{k}").bounding_box() for k in (0, 1))
    assert second["x"] > first["x"] + first["width"]  # two columns
    assert second["x"] + second["width"] > 1850


def test_a_slider_does_not_glide(tiny: str, new_page: NewPage) -> None:
    """Each frame of a transition takes time from the picture that the slider asked for."""
    page = opened(new_page(), tiny)
    parts = page.locator(".q-slider, .q-slider *")
    lasting = parts.evaluate_all("all => all.map(one => getComputedStyle(one).transitionDuration)")
    assert len(lasting) > 50 and set(lasting) == {"0s"}
