"""Every view and dialog of the studio, checked by axe-core; and a picture that stays in sight."""

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.helpers import Sefa
from tests.helpers.axe import shuts_out
from tests.helpers.chromium import NewPage
from tests.helpers.visiting import at, drag, opened, settled

pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")


def gone(page: Page) -> None:
    """Close the open dialog, and wait until it has faded."""
    page.keyboard.press("Escape")
    expect(page.locator(".q-dialog")).to_have_count(0)


def test_picture_and_region_shut_nobody_out(tiny: str, page: Page) -> None:
    opened(page, tiny)
    assert page.locator("main").count() == 1 and page.get_by_role("heading", level=1).count() == 1
    assert shuts_out(page) == []
    at(page, "hint").get_by_role("button").click()
    at(page, "mode").get_by_text("Brush").click()
    assert shuts_out(page) == []
    at(page, "mode").get_by_text("Box").click()
    page.locator(".canvas[tabindex]").press("ArrowUp")
    assert shuts_out(page) == []
    at(page, "localize").click()
    expect(at(page, "bundles")).to_contain_text("region1.dirs")
    drag(page, 0, 0.8)
    expect(at(page, "commands")).to_contain_text("--k 0")
    settled(page)
    assert shuts_out(page) == []
    for menu in ("bundles", "level"):
        at(page, menu).click()
        expect(page.get_by_role("option").first).to_be_visible()
        assert shuts_out(page) == []
        page.keyboard.press("Escape")
        expect(page.get_by_role("option")).to_have_count(0)


def test_nor_do_several_faces(tiny: str, page: Page) -> None:
    opened(page, tiny)
    drag(page, 0, 0.8)
    at(page, "compare").click()
    page.get_by_role("option", name="before").click()
    expect(page.get_by_label("compare: the other picture")).to_be_visible()
    assert shuts_out(page) == []
    at(page, "faces").get_by_text("4").click()
    expect(at(page, "commands")).to_contain_text("--seeds 0-3")
    at(page, "mix").fill("7")
    at(page, "mix").press("Enter")
    expect(page.get_by_text("mix_from must be a source").first).to_be_visible()
    assert shuts_out(page) == []
    at(page, "gallery").click()
    expect(page.locator(".gallery img[src^=data]")).to_have_count(24, timeout=30_000)
    assert shuts_out(page) == []


def test_nor_do_timeline_and_presets(tiny: str, page: Page) -> None:
    opened(page, tiny)
    drag(page, 0, 0.8)
    expect(at(page, "commands")).to_contain_text("--k 0")
    at(page, "add-key").click()
    expect(at(page, "keys")).to_have_text("1 key frame")
    at(page, "reset").click()
    expect(at(page, "commands")).to_contain_text("sefa sample")
    at(page, "add-key").click()
    at(page, "seconds-0").fill("60")
    at(page, "seconds-0").press("Enter")
    expect(at(page, "keys")).to_have_text("2 key frames, 60 s")
    at(page, "save-story").click()
    expect(at(page, "film-progress")).to_contain_text("s left")
    assert shuts_out(page) == []
    at(page, "undo").click()
    expect(at(page, "commands")).to_contain_text("--k 0")
    at(page, "presets").click()
    at(page, "preset-name").fill("smile")
    assert shuts_out(page) == []
    at(page, "save-preset").click()
    expect(page.locator(".q-dialog")).to_have_count(0)
    at(page, "presets").click()
    at(page, "preset-name").fill("smile")
    at(page, "save-preset").click()
    expect(at(page, "replace-preset")).to_be_visible()
    assert shuts_out(page) == []


def test_nor_do_photos_and_annotations(tiny: str, page: Page, sefa: Sefa) -> None:
    opened(page, tiny)
    at(page, "open").click()
    at(page, "path").fill("nothing.pth")
    at(page, "open-path").click()
    expect(page.get_by_text("nothing.pth does not exist").first).to_be_visible()
    assert shuts_out(page) == []
    sefa("sample", "tiny.pth", "--seeds", "5", "-o", "samples")
    Image.open("samples/seed0005.png").convert("RGB").save("me.png")
    at(page, "drop").locator("input").set_input_files("me.png")
    expect(at(page, "photo-progress")).to_contain_text("me.png")
    gone(page)
    assert shuts_out(page) == []
    expect(at(page, "photo")).to_contain_text("me.png: loss", timeout=60_000)
    assert shuts_out(page) == []
    at(page, "annotate").click()
    assert shuts_out(page) == []
    at(page, "annotate-seeds").fill("0")
    at(page, "begin").click()
    expect(at(page, "sheet")).to_be_visible()
    assert shuts_out(page) == []


def test_nor_does_the_empty_page(empty: str, page: Page) -> None:
    page.goto(empty)
    expect(at(page, "path")).to_be_visible()
    assert shuts_out(page) == []
    gone(page)
    assert shuts_out(page) == []


def test_the_picture_stays_in_sight(tiny: str, new_page: NewPage) -> None:
    for width, height in ((390, 844), (1280, 800)):
        page = opened(new_page(viewport={"width": width, "height": height}), tiny)
        at(page, "more").click()
        row = at(page, "row-19")
        row.scroll_into_view_if_needed()
        expect(row).to_be_in_viewport()
        expect(page.locator(".canvas img")).to_be_in_viewport(ratio=0.9)


def test_nothing_jumps_when_the_line_below_the_picture_grows(tiny: str, new_page: NewPage) -> None:
    page = opened(new_page(viewport={"width": 390, "height": 844}), tiny)
    place = at(page, "before").bounding_box()
    at(page, "about").evaluate(
        "line => { line.textContent = 'as long as a quick picture '.repeat(3) }"
    )
    assert at(page, "before").bounding_box() == place
    seed = at(page, "seed").bounding_box()
    assert place and seed and place["y"] + place["height"] < seed["y"]


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


def test_what_takes_the_focus_says_what_it_is(tiny: str, page: Page) -> None:
    """A screen reader reads the focused element alone, not the one around it."""
    opened(page, tiny)
    drag(page, 0, 0.8)
    settled(page)
    silent = page.evaluate("""() => [...document.querySelectorAll('[tabindex="0"]')].filter(
        (one) => one.checkVisibility() && !one.closest("[inert]")
            && !["BUTTON", "A", "INPUT", "TEXTAREA"].includes(one.tagName)
            && !(one.role && (one.ariaLabel || one.textContent.trim()))
    ).map((one) => one.outerHTML.slice(0, 120))""")
    assert silent == []
    page.locator('[data-test="row-0"] .q-slider [tabindex="0"]').focus()
    page.keyboard.press("ArrowRight")
    spoken = "(name) => document.activeElement.getAttribute(name)"
    assert page.evaluate(spoken, "role") == "slider"
    assert page.evaluate(spoken, "aria-label") == "direction 0"
    named = page.get_by_label("name of direction 0")
    named.fill("wide")
    named.press("Enter")
    row = at(page, "row-0")
    expect(row.get_by_role("slider", name="direction 0, wide")).to_be_visible()
    names = [one.get_attribute("aria-label") or "" for one in row.get_by_role("button").all()]
    assert len(names) == 3 and all("direction 0, wide" in name for name in names)
    page.locator('[data-test="row-0"] .q-slider [tabindex="0"]').focus()
    now = float(page.evaluate(spoken, "aria-valuenow"))
    page.keyboard.press("ArrowRight")
    more = "(now) => +document.activeElement.getAttribute('aria-valuenow') > now"
    page.wait_for_function(more, arg=now)
