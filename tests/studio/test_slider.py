"""What the browser does while a slider moves, and while it fetches the pictures."""

import re

import numpy as np
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.helpers.visiting import at, opened, settled


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
