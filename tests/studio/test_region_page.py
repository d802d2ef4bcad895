"""Regions drawn in a real browser: the search, the outline, what a row says."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from sefa_cli.bundle.bundle import Bundle
from tests.helpers import Sefa
from tests.helpers.visiting import at, drag, draw, opened, run, settled


def test_a_region_is_drawn_localized_named_and_saved(tiny: str, page: Page, sefa: Sefa) -> None:
    opened(page, tiny)
    draw(page, "Box", (0.25, 0.5), (0.6, 0.75))
    expect(at(page, "cost")).to_contain_text("32 derivatives")
    at(page, "localize").click()
    expect(at(page, "bundles")).to_contain_text("region1.dirs")
    expect(at(page, "layers")).to_have_value("2-5")  # the middle ones keep to a region best
    expect(page.locator(".canvas .outline")).to_be_visible()
    expect(at(page, "change-0")).to_have_text(re.compile(r"≈ in 0\.25 · out 0\.\d\d"))
    still = settled(page)
    name = at(page, "row-0").get_by_label("name of direction 0")
    name.fill("<img src=x onerror=alert(1)>")
    name.press("Enter")
    expect(at(page, "commands")).to_contain_text("sefa name region1.dirs 0")
    drag(page, 0, 0.7)
    expect(at(page, "commands")).to_contain_text("sefa edit")
    with page.expect_download() as download:
        at(page, "bundle-download").click()
    download.value.save_as("page.dirs")
    picture = settled(page)
    bundle = Bundle.load("page.dirs")
    squares = np.square((picture.astype(float) - still) / 127.5).mean(axis=-1)
    inside, outside = (np.sqrt(squares[bundle.mask == own].mean()) for own in (255, 0))
    expect(at(page, "change-0")).to_have_text(f"in {inside:.2f} · out {outside:.2f}")
    run(sefa, at(page, "commands").inner_text().splitlines())
    assert Path("page.dirs").read_bytes() == Path("region1.dirs").read_bytes()
    assert Bundle.load("page.dirs").labels[0] == "<img src=x onerror=alert(1)>"
    (made,) = Path("picture").glob("*.png")
    np.testing.assert_array_equal(Image.open(made), picture)


def test_a_box_is_drawn_by_keys(tiny: str, page: Page) -> None:
    opened(page, tiny)
    at(page, "mode").get_by_role("button", name="Box").press("Enter")
    expect(at(page, "cost")).to_contain_text("use the arrow keys on it")
    picture = page.get_by_role("application", name="arrow keys move the box")
    for key in ("ArrowDown", "ArrowDown", "ArrowLeft", "Shift+ArrowRight", "Shift+ArrowUp"):
        picture.press(key)
    sides = page.locator(".canvas .outline").evaluate(
        "box => ['x', 'y', 'width', 'height'].map((side) => Number(box.getAttribute(side)))"
    )
    assert sides == pytest.approx([330, 390, 320, 280])
    for _ in range(30):
        picture.press("ArrowUp")
    expect(at(page, "cost")).to_contain_text("32 derivatives")
    at(page, "localize").press("Enter")
    expect(at(page, "bundles")).to_contain_text("region1.dirs")
    at(page, "row-0").get_by_role("slider").press("ArrowRight")
    expect(at(page, "commands")).to_contain_text("--box 0,11,9,10 ")  # of 32 pixels


def test_a_key_that_is_held_while_the_box_is_left_ends_it(tiny: str, page: Page) -> None:
    """Its release went to the next element, and the mouse then drew without a button."""
    opened(page, tiny)
    at(page, "mode").get_by_role("button", name="Box").press("Enter")
    page.get_by_role("application", name="arrow keys move the box").focus()
    page.keyboard.down("ArrowUp")
    page.keyboard.press("Tab")
    page.keyboard.up("ArrowUp")
    expect(at(page, "localize")).to_be_enabled()
    drawn = page.locator(".canvas .outline").bounding_box()
    page.locator(".canvas").hover(position={"x": 5, "y": 5})
    page.locator(".canvas").hover(position={"x": 9, "y": 9})
    assert page.locator(".canvas .outline").bounding_box() == drawn


def test_the_brush_gives_its_mask(tiny: str, page: Page, tmp_path: Path) -> None:
    opened(page, tiny)
    draw(page, "Brush", (0.5, 0.5), (0.58, 0.54))
    drag(page, 0, 0.6)
    expect(at(page, "commands")).to_contain_text("--k 0")
    settled(page)
    expect(page.locator(".canvas .veil")).to_be_visible()  # the drawing stays on a new picture
    with page.expect_download() as download:
        at(page, "localize").click()
    download.value.save_as(tmp_path / "region1.png")
    mask = np.asarray(Image.open(tmp_path / "region1.png"))
    assert mask.shape == (32, 32) and 0 < (mask == 255).sum() < 200
    expect(at(page, "bundles")).to_contain_text("region1.dirs")
