"""Several faces, a gallery, mixing and a wipe, in the browser; their commands make the same."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.helpers import Sefa
from tests.helpers.visiting import at, drag, draw, opened, run, settled, shown, until


def made(folder: str = "picture") -> list[np.ndarray]:
    return [np.asarray(Image.open(path)) for path in sorted(Path(folder).glob("*.png"))]


@pytest.mark.parametrize("count", [4, 9])
def test_several_faces_are_edited_together(tiny: str, page: Page, sefa: Sefa, count: int) -> None:
    opened(page, tiny)
    at(page, "faces").get_by_text(str(count)).click()
    drag(page, 0, 0.8)
    expect(at(page, "commands")).to_contain_text(f"--seeds 0-{count - 1}")
    expect(at(page, "commands")).to_contain_text("--k 0")
    picture = settled(page)
    run(sefa, at(page, "commands").inner_text().splitlines())
    pictures, side = made(), round(count**0.5)
    assert len(pictures) == count
    for i, one in enumerate(pictures):  # gaps of 2 pixels
        top, left = 34 * (i // side), 34 * (i % side)
        np.testing.assert_array_equal(picture[top : top + 32, left : left + 32], one)
    expect(at(page, "mode").get_by_text("Box")).to_be_disabled()
    page.reload()
    expect(at(page, "commands")).to_contain_text(f"--seeds 0-{count - 1}")
    at(page, "faces").get_by_text("1", exact=True).click()
    expect(at(page, "commands")).to_contain_text("--seeds 0 ")


def test_a_mixed_face_is_moved_and_localized(tiny: str, page: Page, sefa: Sefa) -> None:
    opened(page, tiny)
    plain = settled(page)
    for wrong, said in (
        ("7", "mix_from must be a source"),
        ("7:99", "layer 99"),
        ("no.npz:1", "no.npz"),
    ):
        at(page, "mix").fill(wrong)
        at(page, "mix").press("Enter")
        expect(page.get_by_text(said).first).to_be_visible()
        expect(at(page, "mix")).to_have_value(wrong)
    at(page, "mix").fill("7:2-5")
    at(page, "mix").press("Enter")
    expect(at(page, "commands")).to_contain_text("sefa sample tiny.pth --seeds 0 --mix-from 7:2-5")
    assert (settled(page) != plain).any()
    draw(page, "Box", (0.25, 0.5), (0.6, 0.75))
    at(page, "localize").click()
    expect(at(page, "bundles")).to_contain_text("region1.dirs")
    drag(page, 0, 0.7)
    expect(at(page, "commands")).to_contain_text("sefa edit")
    picture = settled(page)
    with page.expect_download() as download:
        at(page, "bundle-download").click()
    download.value.save_as("page.dirs")
    run(sefa, at(page, "commands").inner_text().splitlines())
    assert Path("page.dirs").read_bytes() == Path("region1.dirs").read_bytes()
    np.testing.assert_array_equal(made()[0], picture)


def test_a_face_is_chosen_from_the_gallery(tiny: str, page: Page) -> None:
    opened(page, tiny)
    at(page, "gallery").click()
    expect(page.locator(".gallery img[src^=data]")).to_have_count(24, timeout=30_000)
    at(page, "seed-5").click()
    expect(at(page, "commands")).to_contain_text("--seeds 5")
    expect(at(page, "seed-5")).to_be_hidden()
    expect(at(page, "seed")).to_have_value("5")


OTHER = ".canvas .other"  # the picture at the left of the wipe


def test_a_wipe_between_before_and_after(tiny: str, page: Page) -> None:
    still = settled(opened(page, tiny))
    drag(page, 0, 0.8)
    expect(at(page, "commands")).to_contain_text("--k 0")
    moved = settled(page)
    at(page, "compare").click()
    page.get_by_role("option", name="before").click()
    wipe = page.get_by_label("compare: the other picture")
    expect(wipe).to_be_visible()
    assert page.locator(".canvas .side").all_inner_texts() == ["before", "after"]
    np.testing.assert_array_equal(shown(page, OTHER), still)
    np.testing.assert_array_equal(shown(page), moved)
    area = wipe.bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + area["width"] / 2, area["y"] + area["height"] / 2)
    page.mouse.down()
    page.mouse.move(area["x"] + 0.2 * area["width"], area["y"] + area["height"] / 2, steps=4)
    page.mouse.up()
    left = page.locator(".canvas .edge").evaluate("e => parseFloat(e.style.left)")
    assert left == pytest.approx(20, abs=4)
    wipe.press("ArrowRight")
    assert page.locator(".canvas .edge").evaluate("e => parseFloat(e.style.left)") == left + 1


def test_two_bundles_side_by_side(tiny: str, page: Page, sefa: Sefa) -> None:
    opened(page, tiny)
    drag(page, 0, 0.8)
    expect(at(page, "commands")).to_contain_text("--k 0")
    first = settled(page)
    at(page, "reset").click()
    expect(at(page, "commands")).to_contain_text("sefa sample")
    at(page, "level").click()
    page.get_by_role("option", name="middle").click()
    at(page, "factorize").click()
    expect(at(page, "bundles")).to_contain_text("tiny_middle.dirs")
    drag(page, 1, 0.2)
    expect(at(page, "commands")).to_contain_text("--k 1")
    second = settled(page)
    at(page, "bundles").click()
    page.get_by_role("option", name="tiny_all.dirs").click()
    expect(at(page, "layers")).to_have_value("0-7")
    drag(page, 0, 0.8)
    expect(at(page, "commands")).to_contain_text("codes1.npz")
    at(page, "compare").click()
    page.get_by_role("option", name="tiny_all.dirs alone").click()
    expect(page.locator(".canvas .other")).to_be_visible()
    until(lambda: np.array_equal(shown(page), second))
    sides = page.locator(".canvas .side").all_inner_texts()
    assert sides == ["tiny_all.dirs", "tiny_middle.dirs"]
    np.testing.assert_array_equal(shown(page, OTHER), first)
    expect(at(page, "commands")).not_to_contain_text("codes1.npz")  # what the right side shows
    run(sefa, at(page, "commands").inner_text().splitlines())
    np.testing.assert_array_equal(made()[0], second)
