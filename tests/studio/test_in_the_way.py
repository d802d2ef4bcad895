"""What the page says about work and errors covers nothing that one wants to press."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.axe import violations
from tests.helpers.chromium import NewPage
from tests.helpers.visiting import at, draw, dropped, fault_of, opened

# What is drawn over the middle of a control, although the control is on the screen.
_COVERED = """() => [...document.querySelectorAll('button, input, [role=switch], [role=checkbox]')]
    .filter(one => one.checkVisibility({visibilityProperty: true, opacityProperty: true}))
    .filter(one => {
        one.scrollIntoView({block: 'center'});
        const area = one.getBoundingClientRect();
        const top = document.elementFromPoint(area.x + area.width / 2, area.y + area.height / 2);
        const field = one.closest('.q-field') ?? one;
        return area.width && top && !field.contains(top) && !top.contains(one);
    })
    .map(one => one.outerHTML.slice(0, 200))"""


def test_a_refused_value_stays_beside_its_error(tiny: str, page: Page) -> None:
    """It can be mended where it is; whatever is done next brings back what the page shows."""
    opened(page, tiny)
    for _ in range(2):
        at(page, "add-key").click()
    for field, wrong in (("seed", "-5"), ("mix", "7:99"), ("layers", "40"), ("seconds-0", "61")):
        before = at(page, field).input_value()
        at(page, field).fill(wrong)
        at(page, field).press("Tab")
        expect(fault_of(page, field)).to_be_visible()
        expect(at(page, field)).to_have_value(wrong)
        at(page, "casino").click()
        expect(at(page, field)).not_to_have_value(wrong)
        if field != "seed":
            expect(at(page, field)).to_have_value(before)
        expect(fault_of(page, field)).to_have_count(0)


def test_a_refused_value_does_not_outlive_its_error(tiny: str, page: Page) -> None:
    """A file that was refused, too, once took the error away and left the value."""
    opened(page, tiny)

    def drop() -> None:
        dropped(page, "notes.text", b"no picture")

    def open_nothing() -> None:
        at(page, "open").click()
        at(page, "path").fill("none.pth")
        at(page, "open-path").click()

    before = at(page, "layers").input_value()
    for do_something in (
        drop,
        at(page, "add-key").click,
        at(page, "undo-keys").click,
        open_nothing,
    ):
        at(page, "layers").fill("40")
        at(page, "layers").press("Tab")
        expect(fault_of(page, "layers")).to_be_visible()
        do_something()
        expect(fault_of(page, "layers")).to_have_count(0)
        expect(at(page, "layers")).to_have_value(before)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_errors_and_answers_cover_no_control(tiny: str, new_page: NewPage, scheme: str) -> None:
    page = opened(new_page(color_scheme=scheme), tiny)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for field in ("seed", "layers"):
        at(page, field).fill("-1")
        at(page, field).press("Enter")
        expect(fault_of(page, field)).to_be_visible()
        assert violations(page) == []
    at(page, "content_copy").click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_be_visible()
    page.goto(page.url.partition("/?")[0] + "/?model=none.pth")
    expect(at(page, "trouble").get_by_role("alert")).to_contain_text("none.pth does not exist")
    assert violations(page) == []
    assert page.evaluate(_COVERED) == []
    assert page.locator(".q-notification").count() == 0
    page.keyboard.press("Tab")


def test_a_search_that_fails_says_so_by_its_button(tiny: str, page: Page) -> None:
    opened(page, tiny)
    draw(page, "Box", (0.002, 0.002), (0.998, 0.998))
    at(page, "localize").click()
    expect(at(page, "region-fault")).to_contain_text("covers all")
    assert page.evaluate(_COVERED) == []


@pytest.mark.slow
def test_a_film_shows_its_progress_and_can_be_canceled(
    tiny: str, default_model: Path, page: Page
) -> None:
    opened(page, f"{tiny}?model={default_model}")
    commands = at(page, "commands").inner_text()
    at(page, "row-3").get_by_label("film of direction 3").click()
    film = at(page, "film")
    expect(film).to_contain_text("of 46 frames")
    expect(film.get_by_role("progressbar")).to_have_attribute(
        "aria-valuenow",
        re.compile("0.[1-9]"),
        timeout=60_000,  # a busy machine: 5 s a frame
    )
    assert violations(page) == [] and page.evaluate(_COVERED) == []
    film.get_by_role("button", name="Cancel").click()
    expect(film).to_be_hidden()
    assert at(page, "commands").inner_text() == commands
    assert page.locator(".q-notification").count() == 0


def test_an_upload_shows_no_bar_without_a_name(tiny: str, page: Page) -> None:
    opened(page, tiny)
    bar = "<div class='q-loading-bar q-loading-bar--top bg-primary' role=progressbar>.</div>"
    page.evaluate("bar => document.body.insertAdjacentHTML('beforeend', bar)", bar)
    assert violations(page) == []
