"""What the browser does while a slider moves."""

from playwright.sync_api import Page, expect

from tests.helpers.visiting import at, opened


def test_a_slider_on_its_way_draws_only_picture_and_number(tiny: str, page: Page) -> None:
    """Each update of an element redraws the whole page, and the picture waited for that."""
    opened(page, tiny)
    picture, number = page.locator(".canvas"), at(page, "row-0").locator(".alpha")
    page.evaluate(
        """() => {
            window.updated = [];
            window.socket.on("update", (all) => window.updated.push(...Object.keys(all)));
        }"""
    )
    before = picture.locator("img").get_attribute("src")
    at(page, "row-0").locator('.q-slider [tabindex="0"]').focus()
    page.keyboard.down("ArrowRight")
    expect(number).to_have_text("+0.1")
    expect(picture.locator("img")).not_to_have_attribute("src", str(before))
    updated = page.evaluate("window.updated")
    for one in (picture, number):
        assert str(one.get_attribute("id")).removeprefix("c") not in updated
    page.keyboard.up("ArrowRight")
    expect(at(page, "commands")).to_contain_text("--k 0 --alpha 0.1")
    expect(number).to_have_text("+0.1")
    at(page, "undo").click()
    expect(number).to_have_text("0")
