"""The studio in a real browser: a person's actions, and what the page then shows."""

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from sefa_cli.interchange.notes import read_note
from tests.helpers import CONTAINERS, Sefa
from tests.helpers.chromium import NewPage
from tests.helpers.reading import num_frames
from tests.helpers.visiting import (
    Serve,
    asked,
    at,
    drag,
    fault_of,
    opened,
    run,
    settled,
    shown,
    until,
)


def test_a_slider_is_dragged_and_the_command_gives_the_same_picture(
    tiny: str, page: Page, sefa: Sefa
) -> None:
    before = settled(opened(page, tiny))
    drag(page, 0, 0.9)
    expect(at(page, "commands")).to_contain_text("--k 0 --alpha")
    after = settled(page)
    assert (after != before).any()
    with page.expect_download() as download:
        at(page, "save-picture").click()
    assert re.fullmatch(r"seed0000_k0_\+\d\.\d\d\.png", download.value.suggested_filename)
    download.value.save_as("saved.png")
    run(sefa, at(page, "commands").inner_text().splitlines())
    (made,) = Path("picture").glob("*.png")
    np.testing.assert_array_equal(Image.open(made), Image.open("saved.png"))
    (told, code), (same, made_code) = read_note("saved.png"), read_note(made)
    assert told["moves"][0].pop("file") == "tiny_all.dirs" and told["moves"] == same["moves"]
    np.testing.assert_array_equal(code, made_code)
    np.testing.assert_array_equal(Image.open(made), after)


def test_a_hundred_moves_show_the_last(tiny: str, page: Page) -> None:
    opened(page, tiny)
    fetched: list[str] = []

    def note(request: Any) -> None:
        if "/picture/" in request.url:
            fetched.append(request.url)

    page.on("request", note)
    drag(page, 1, 0.202, moves=100)
    expect(at(page, "commands")).to_contain_text("--k 1 --alpha -2.5")
    last = settled(page)
    assert 0 < len(fetched) < 60  # every move asks for a picture, but most are overtaken
    other = opened(page, tiny)  # another page
    drag(other, 1, 0.202, moves=1)
    expect(at(other, "commands")).to_contain_text("--k 1 --alpha -2.5")
    np.testing.assert_array_equal(settled(other), last)


def test_undo_redo_before_and_reset(tiny: str, page: Page) -> None:
    still = settled(opened(page, tiny))
    commands = at(page, "commands")
    drag(page, 0, 0.8)
    expect(commands).to_contain_text("--k 0")
    drag(page, 2, 0.3)
    expect(commands).to_contain_text("--k 2")
    moved = settled(page)
    assert (moved != still).any()
    at(page, "before").click()
    until(lambda: (settled(page) == still).all())
    expect(commands).to_contain_text("sefa sample")  # which makes what the page shows
    at(page, "before").click()
    until(lambda: (settled(page) == moved).all())
    at(page, "undo").click()
    expect(commands).not_to_contain_text("--k 2")
    at(page, "undo").click()
    expect(commands).not_to_contain_text("--k 0")
    np.testing.assert_array_equal(settled(page), still)
    for keys in ("Control+y", "Control+Shift+z"):
        page.locator("body").press(keys)
    expect(commands).to_contain_text("--k 2")
    page.locator("body").press("Control+z")
    expect(commands).not_to_contain_text("--k 2")
    at(page, "redo").click()
    expect(commands).to_contain_text("--k 2")
    np.testing.assert_array_equal(settled(page), moved)
    at(page, "reset").click()
    expect(commands).to_contain_text("sefa sample")
    np.testing.assert_array_equal(settled(page), still)


def test_a_film_is_saved(tiny: str, page: Page, sefa: Sefa) -> None:
    """The film button and the command make the same film, with the other sliders where they are."""
    opened(page, tiny)
    drag(page, 1, 0.7)
    expect(at(page, "commands")).to_contain_text("--k 1")
    with page.expect_download() as download:
        at(page, "row-0").get_by_label("film of direction 0").click()
    assert download.value.suggested_filename == "seed0000_k0.gif"
    download.value.save_as("page.gif")
    expect(at(page, "film")).to_be_hidden()
    film = Image.open("page.gif")
    assert (num_frames(film), film.size, film.info["loop"]) == (46, (32, 32), 0)  # there and back
    film.seek(23)
    assert (np.asarray(film.convert("RGB")) != settled(page)).any()
    expect(at(page, "commands")).to_contain_text("sefa animate")
    run(sefa, at(page, "commands").inner_text().splitlines())
    assert Path("seed0000_k0.gif").read_bytes() == Path("page.gif").read_bytes()
    drag(page, 0, 0.7)
    expect(at(page, "commands")).not_to_contain_text("sefa animate")


def test_two_people_do_not_disturb_each_other(tiny: str, new_page: NewPage) -> None:
    address = tiny
    one, other = opened(new_page(), address), opened(new_page(), address)
    still = shown(other)
    drag(one, 0, 0.9)
    drag(other, 1, 0.1)
    expect(at(one, "commands")).to_contain_text("--k 0")
    expect(at(other, "commands")).to_contain_text("--k 1")
    expect(at(other, "commands")).not_to_contain_text("--k 0")
    until(lambda: (shown(one) != shown(other)).any() and (shown(other) != still).any())
    address = str(one.locator(".canvas img").get_attribute("src"))
    assert asked(other, address).status == 200
    one.context.close()
    until(lambda: asked(other, address).status == 404, seconds=20)  # the page is gone
    drag(other, 1, 0.6, moves=3)
    expect(at(other, "commands")).to_contain_text("--k 1")


def test_a_model_that_cannot_be_opened_says_why(tiny: str, page: Page, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pth"
    broken.write_bytes(b"\x80\x04<script>alert(1)</script>")
    page.goto(f"{tiny}?model={broken}")
    trouble = at(page, "trouble")
    expect(trouble.get_by_role("alert")).to_contain_text(str(broken))
    trouble.get_by_role("button", name="Close").click()
    expect(trouble).to_be_hidden()
    at(page, "open").click()
    at(page, "path").fill(str(broken))
    at(page, "open-path").click()
    expect(fault_of(page, "path")).to_have_text(re.compile(f"^{broken} [^/]*$"))  # named once
    expect(trouble).to_be_hidden()
    at(page, "path").fill("tiny.pth")
    at(page, "open-path").click()
    expect(at(page, "row-0")).to_be_visible()
    expect(at(page, "path")).to_be_hidden()
    expect(trouble).to_be_hidden()


def test_a_bundle_of_another_model_is_refused(tiny: str, page: Page, sefa: Sefa) -> None:
    golden = CONTAINERS / "ckpt_hammer_stylegan2.pth"
    shutil.copy(golden, "other.pth")
    sefa("factorize", "other.pth", "-o", "other.dirs")
    sefa("factorize", "tiny.pth", "-L", "0-2", "-o", "<b>own.dirs")
    opened(page, tiny)
    before = at(page, "bundles").inner_text()
    at(page, "open").click()
    file = page.get_by_label("drop a bundle")
    for name, text in (
        ("other.dirs", "other.dirs belongs to other.pth"),
        ("other.pth", "other.pth"),
    ):
        file.set_input_files(name)
        expect(at(page, "drop").get_by_role("alert")).to_contain_text(text)
    assert at(page, "bundles").inner_text() == before
    file.set_input_files("<b>own.dirs")
    expect(at(page, "bundles")).to_contain_text("<b>own.dirs")


def test_an_empty_page_asks_what_to_open(empty: str, page: Page) -> None:
    page.goto(empty)
    at(page, "path").fill("tiny.pth")
    for what in ("seed", "localize", "save-picture"):  # nothing to use them on yet
        expect(at(page, what)).to_be_hidden()
    at(page, "path").press("Enter")
    expect(at(page, "row-0")).to_be_visible()


def test_seed_truncation_layers_and_levels(tiny: str, page: Page) -> None:
    opened(page, tiny)
    commands = at(page, "commands")
    at(page, "seed").fill("41")
    at(page, "seed").press("Enter")
    expect(commands).to_contain_text("--seeds 41 ")
    at(page, "casino").click()
    expect(commands).not_to_contain_text(re.compile(r"--seeds 41\b"))  # it may be 4100
    drag(page, 0, 0.7)
    at(page, "layers").fill("2,0-1")
    at(page, "layers").press("Enter")
    expect(commands).to_contain_text("-L 0-2")
    at(page, "layers").fill("99")
    at(page, "layers").press("Enter")
    expect(page.get_by_text("layer 99 is out of range")).to_be_visible()
    at(page, "level").click()
    page.get_by_role("option", name="middle").click()
    at(page, "factorize").click()
    expect(at(page, "bundles")).to_contain_text("tiny_middle.dirs")
    at(page, "more").click()
    expect(at(page, "row-12")).to_be_visible()
    at(page, "bundle-close").click()
    expect(at(page, "bundles")).to_contain_text("tiny_all.dirs")
    at(page, "bundle-close").click()
    expect(at(page, "bundles")).to_have_count(0)
    at(page, "factorize").click()
    expect(at(page, "bundles")).to_contain_text("tiny_all.dirs")


def test_a_refusal_is_shown_once_and_changes_nothing(tiny: str, page: Page) -> None:
    opened(page, tiny)
    seed, commands = at(page, "seed"), at(page, "commands")
    for number in ("-1", "99999999999"):
        seed.fill(number)
        seed.press("Enter")
        expect(fault_of(page, "seed")).to_contain_text(f"seed {number} is out of range")
        expect(seed).to_have_value(number)
    seed.fill("1.5")
    seed.press("Enter")
    expect(fault_of(page, "seed")).to_contain_text("seed must be a whole number, got 1.5")
    seed.fill("")
    seed.press("Enter")
    expect(seed).to_have_value("0")
    at(page, "layers").fill("abc")
    at(page, "layers").press("Enter")
    expect(fault_of(page, "layers")).to_contain_text("layers must be a range, got 'abc'")
    expect(fault_of(page, "seed")).to_be_hidden()  # another action
    expect(at(page, "layers")).to_have_value("abc")
    expect(commands).to_contain_text("--seeds 0 ")
    expect(at(page, "undo")).to_be_disabled()


def test_with_a_token(serve: Serve, page: Page, new_page: NewPage) -> None:
    address = serve("tiny.pth", "--token", "open-sesame")
    assert address.endswith("?token=open-sesame")
    page.goto(f"data:text/html,<a href='{address}'>a link on another site</a>")
    page.get_by_role("link").click()
    expect(at(page, "row-0")).to_be_visible(timeout=20_000)
    assert "token" not in page.url
    answer = asked(new_page(), page.url)  # of a stranger; a page would also ask for its icon
    assert answer.status == 403 and "token" in answer.text()


def test_a_narrow_screen(tiny: str, new_page: NewPage) -> None:
    page = opened(new_page(viewport={"width": 390, "height": 844}), tiny)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    drag(page, 0, 0.8)
    expect(at(page, "commands")).to_contain_text("--k 0")


def test_a_slider_is_moved_by_keys(tiny: str, page: Page) -> None:
    opened(page, tiny)
    at(page, "row-3").locator('.q-slider [tabindex="0"]').press("ArrowRight")
    expect(at(page, "commands")).to_contain_text("--k 3 --alpha 0.1")


def test_a_slider_moved_during_before_ends_it(tiny: str, page: Page) -> None:
    opened(page, tiny)
    drag(page, 0, 0.8)
    expect(at(page, "commands")).to_contain_text("--k 0")
    at(page, "before").click()
    expect(at(page, "commands")).to_contain_text("sefa sample")
    drag(page, 2, 0.3)
    expect(at(page, "commands")).to_contain_text("--k 2")
    expect(at(page, "before")).to_have_attribute("aria-checked", "false")
