"""The timeline: key frames are changed, saved and opened, and the command makes the same film."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence
from playwright.sync_api import Page, expect

from tests.helpers import Sefa
from tests.helpers.visiting import at, drag, opened, run, settled, until


def turn_to(page: Page, seed: int) -> None:
    at(page, "seed").fill(str(seed))
    at(page, "seed").press("Enter")
    expect(at(page, "commands")).to_contain_text(f"--seeds {seed}")
    settled(page)


def names(page: Page) -> list[str]:
    """What the key frames show, in their order."""
    told = "cards => cards.map((card) => card.getAttribute('aria-label'))"
    labels = page.locator('[data-test^="show-key-"]').evaluate_all(told)
    return [label.partition(": ")[2] for label in labels]


@pytest.fixture
def three(tiny: str, page: Page) -> Page:
    """A page with key frames of seeds 0, 7 (moved) and 9."""
    opened(page, tiny)
    at(page, "add-key").click()
    expect(at(page, "keys")).to_have_text("1 key frame")
    expect(at(page, "save-story")).to_be_disabled()
    turn_to(page, 7)
    drag(page, 0, 0.8)
    expect(at(page, "commands")).to_contain_text("--k 0")
    at(page, "add-key").click()
    expect(at(page, "keys")).to_have_text("2 key frames, 1 s")
    at(page, "reset").click()
    expect(at(page, "commands")).to_contain_text("sefa sample")
    turn_to(page, 9)
    at(page, "add-key").click()
    expect(at(page, "keys")).to_have_text("3 key frames, 2 s")
    return page


def film_and_story(page: Page, sefa: Sefa) -> list[np.ndarray]:
    """Save the film, hold it against the command's, and return its frames."""
    saved = {}
    page.on("download", lambda download: saved.update({download.suggested_filename: download}))
    with page.expect_event("download", lambda _: len(saved) == 2):
        at(page, "save-story").click()
    expect(at(page, "commands")).to_contain_text("sefa animate --storyboard story.toml")
    saved["story.gif"].save_as("page.gif")
    saved["story.toml"].save_as("story.toml")
    run(sefa, at(page, "commands").inner_text().splitlines())
    assert Path("story.gif").read_bytes() == Path("page.gif").read_bytes()
    with Image.open("page.gif") as film:
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(film)]


def test_a_film_with_times_of_its_own(three: Page, sefa: Sefa) -> None:
    page = three
    at(page, "seconds-0").fill("0.5")
    at(page, "seconds-0").press("Enter")
    expect(at(page, "keys")).to_have_text("3 key frames, 1.5 s")
    at(page, "seconds-1").fill("0.25")
    at(page, "seconds-1").press("Enter")
    expect(at(page, "keys")).to_have_text("3 key frames, 0.75 s")
    at(page, "smooth").click()
    frames = film_and_story(page, sefa)
    assert len(frames) == 6 + 3 + 1
    story = Path("story.toml").read_text()
    assert 'ease = "smooth"' in story and "at = 0.75" in story


def test_a_time_out_of_range_is_refused(three: Page) -> None:
    at(three, "seconds-0").fill("0")
    at(three, "seconds-0").press("Enter")
    field = three.locator('.q-field:has([data-test="seconds-0"])')
    expect(field).to_contain_text("0 seconds; expected 0.1 to 60")
    expect(at(three, "keys")).to_have_text("3 key frames, 2 s")
    at(three, "seconds-0").fill("2")
    at(three, "seconds-0").press("Enter")
    expect(field).not_to_contain_text("expected")
    expect(at(three, "keys")).to_have_text("3 key frames, 3 s")


def test_key_frames_change_places(three: Page) -> None:
    page, first = three, names(three)
    assert [re.sub(r"_\+.*", "", name) for name in first] == ["seed 0", "seed 7, k0", "seed 9"]
    at(page, "key-2").drag_to(at(page, "key-0"))
    until(lambda: names(page) == [first[2], first[0], first[1]])
    at(page, "later-0").focus()
    page.keyboard.press("Enter")
    until(lambda: names(page) == [first[0], first[2], first[1]])
    until(lambda: at(page, "later-1").evaluate("e => e === document.activeElement"))
    page.keyboard.press("Enter")
    until(lambda: names(page) == first)
    at(page, "twice-1").click()
    until(lambda: names(page) == [first[0], first[1], first[1], first[2]])
    at(page, "remove-0").click()
    until(lambda: names(page) == [first[1], first[1], first[2]])
    at(page, "clear-keys").click()
    expect(at(page, "keys")).to_have_text("")
    for count in (3, 4, 3):
        page.get_by_label("Undo the last").click()
        expect(page.locator('[data-test^="show-key-"]')).to_have_count(count)
    assert names(page) == first


def test_a_key_frame_is_shown_and_the_page_reloaded(three: Page) -> None:
    page, first = three, names(three)
    at(page, "show-key-1").click()
    expect(at(page, "commands")).to_contain_text("--seeds 7")
    expect(at(page, "commands")).to_contain_text("--k 0")
    expect(at(page, "show-key-1").locator("img")).to_have_attribute("src", re.compile("^data"))
    at(page, "seconds-1").fill("3")
    at(page, "seconds-1").press("Enter")
    expect(at(page, "keys")).to_have_text("3 key frames, 4 s")
    page.reload()
    expect(at(page, "keys")).to_have_text("3 key frames, 4 s")
    assert names(page) == first


def test_a_storyboard_comes_back(three: Page) -> None:
    page, first = three, names(three)
    at(page, "smooth").click()
    at(page, "seconds-1").fill("3")
    at(page, "seconds-1").press("Enter")
    with page.expect_download() as download:
        at(page, "save-storyboard").click()
    download.value.save_as("story.toml")
    expect(at(page, "commands")).to_contain_text("sefa animate --storyboard story.toml")
    at(page, "clear-keys").click()
    expect(at(page, "keys")).to_have_text("")
    at(page, "open").click()
    at(page, "drop").locator("input").set_input_files("story.toml")
    expect(at(page, "keys")).to_have_text("3 key frames, 4 s")
    expect(at(page, "smooth")).to_be_checked()
    assert names(page) == first
    with page.expect_download() as download:
        at(page, "save-storyboard").click()
    download.value.save_as("again.toml")
    assert Path("again.toml").read_text() == Path("story.toml").read_text()


def test_codes_are_key_frames(tiny: str, page: Page, sefa: Sefa) -> None:
    """A file of codes is dropped, and a film goes from a seed to it."""
    sefa("sample", "tiny.pth", "--seeds", "5", "--trunc", "0.3", "-o", "samples")
    sefa("factorize", "tiny.pth", "-o", "my.dirs")
    words = ["-k", "0", "-a", "2", "--codes", "samples/seed0005.png", "--save-codes", "me.npz"]
    sefa("edit", "my.dirs", *words, "-o", "moved")
    opened(page, tiny)
    at(page, "add-key").click()
    at(page, "open").click()
    at(page, "drop").locator("input").set_input_files("me.npz")
    expect(at(page, "photo")).to_contain_text("me.npz")
    expect(at(page, "commands")).to_contain_text("--codes me.npz")
    (moved,) = Path("moved").glob("*.png")
    np.testing.assert_array_equal(settled(page), Image.open(moved))
    drag(page, 1, 0.8)
    expect(at(page, "commands")).to_contain_text("--k 1")
    at(page, "add-key").click()
    expect(at(page, "keys")).to_have_text("2 key frames, 1 s")
    film_and_story(page, sefa)
    assert 'codes = "me.npz"' in Path("story.toml").read_text()
    at(page, "clear-keys").click()
    at(page, "open").click()
    at(page, "drop").locator("input").set_input_files("story.toml")
    expect(at(page, "keys")).to_have_text("2 key frames, 1 s")
    assert names(page)[1].startswith("me.npz, k1")


def test_a_film_is_canceled(three: Page) -> None:
    page = three
    for i in (0, 1):
        at(page, f"seconds-{i}").fill("60")
        at(page, f"seconds-{i}").press("Enter")
    expect(at(page, "keys")).to_have_text("3 key frames, 120 s")
    at(page, "save-story").click()
    expect(at(page, "film-progress")).to_contain_text(
        re.compile(r"film: \d+ of 1441 frames, \d+ s left")
    )
    at(page, "film").get_by_text("Cancel").click()
    expect(at(page, "film")).to_be_hidden()
    expect(at(page, "commands")).not_to_contain_text("animate")
