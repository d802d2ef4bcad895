"""What the browser does while a slider moves, and while it fetches the pictures."""

import re

import numpy as np
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.helpers.visiting import at, opened, settled


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


def test_a_slider_stays_where_it_is_although_answers_are_late(tiny: str, page: Page) -> None:
    held: list[str | bytes] | None = None

    def hand_on(message: str | bytes) -> None:
        if held is None:
            routes[0].send(message)
        else:
            held.append(message)

    routes: list[WebSocketRoute] = []

    def route(socket: WebSocketRoute) -> None:
        routes.append(socket)
        socket.connect_to_server().on_message(hand_on)

    page.route_web_socket(re.compile("."), route)
    opened(page, tiny)
    slider = at(page, "row-1").get_by_role("slider")
    slider.hover()
    area = slider.bounding_box()
    assert area is not None
    middle = area["y"] + area["height"] / 2
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * 0.798, middle, steps=3)
    held = []
    expect(slider).to_have_attribute("aria-valuenow", "2.5")
    page.wait_for_timeout(300)  # what the server says to that comes late
    page.mouse.move(area["x"] + area["width"] * 0.202, middle)
    expect(slider).to_have_attribute("aria-valuenow", "-2.5")
    late, held = held, None
    for message in late:
        routes[0].send(message)
    page.wait_for_timeout(300)
    expect(slider).to_have_attribute("aria-valuenow", "-2.5")
    page.mouse.up()
    expect(at(page, "commands")).to_contain_text("--k 1 --alpha -2.5")


def test_a_page_is_busy_until_its_last_picture_is_there(tiny: str, page: Page) -> None:
    """It said that all was done while the browser still fetched the picture before the last."""
    opened(page, tiny)
    held: list[Route] = []
    hold = True
    page.route("**/picture/**", lambda route: held.append(route) if hold else route.continue_())
    slider = at(page, "row-1").locator('.q-slider [tabindex="0"]')
    for alpha in ("0.1", "0.2"):
        slider.press("ArrowRight")
        expect(at(page, "commands")).to_contain_text(f"--k 1 --alpha {alpha}")
        page.wait_for_timeout(500)  # the studio has made both pictures
        expect(page.locator(".canvas")).to_have_attribute("aria-busy", "true")
    assert len(held) == 1  # the browser fetches one at a time
    hold = False
    held[0].continue_()
    last = settled(page)
    opened(page, page.url)
    np.testing.assert_array_equal(settled(page), last)
