"""What the browser does while a slider moves."""

import re

from playwright.sync_api import Page, expect

from tests.helpers.visiting import at, opened


def test_a_slider_on_its_way_draws_only_picture_and_number(tiny: str, page: Page) -> None:
    """Each update of an element redraws the whole page, and the picture waited for that."""
    opened(page, tiny)
    small = page.locator(".direction .thumbnail img[src^=data]")
    expect(small).to_have_count(20, timeout=60_000)  # each of them redraws the page
    picture, number = page.locator(".canvas"), at(page, "row-0").locator(".alpha")
    page.evaluate(
        """() => {
            window.touched = [];
            const own = ".canvas, .direction, [data-test=about]";
            new MutationObserver((all) => window.touched.push(...all.map((one) => one.target)
                .map((one) => one.closest ? one : one.parentElement)
                .filter((one) => !one.closest(own)).map((one) => one.outerHTML.slice(0, 200))
            )).observe(document.querySelector(".studio"),
                { subtree: true, attributes: true, childList: true, characterData: true });
        }"""
    )
    before = picture.locator("img").get_attribute("src")
    at(page, "row-0").locator('.q-slider [tabindex="0"]').focus()
    page.keyboard.down("ArrowRight")
    expect(number).to_have_text("+0.1")
    expect(picture.locator("img")).not_to_have_attribute("src", str(before))
    slider, thumb = (
        at(page, "row-0").get_by_role("slider"),
        at(page, "row-0").locator(".q-slider__thumb"),
    )
    expect(slider).to_have_attribute("aria-valuenow", "0.1")
    assert page.evaluate("window.touched") == []
    page.keyboard.up("ArrowRight")
    expect(at(page, "commands")).to_contain_text("--k 0 --alpha 0.1")
    expect(number).to_have_text("+0.1")
    expect(slider).to_have_attribute("aria-valuenow", "0.1")
    at(page, "undo").click()
    expect(number).to_have_text("0")
    expect(slider).to_have_attribute("aria-valuenow", "0")
    expect(thumb).to_have_attribute("style", re.compile("left: 50%"))
