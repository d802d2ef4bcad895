"""The page of `sefa invert --report`, opened from the disk in a real browser."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from sefa_cli.interchange.notes import read_note
from tests.helpers import Sefa
from tests.helpers.visiting import run

EVIL = "<script>alert('me')</script>"
WORDS = ("invert", "photos", "--model", "tiny.pth", "-o", "codes.npz", "--passes", "3")


@pytest.fixture
def photos(sefa: Sefa) -> Path:
    """A folder with a picture whose name is a script, and one that is broken."""
    assert sefa("sample", "tiny.pth", "--seeds", "3", "-o", "photos").exit_code == 0
    photos = Path("photos")
    (photos / "seed0003.png").rename(photos / f"{EVIL.replace('/', '-')}.png")
    (photos / "zero.jpg").write_text("no picture")
    return photos


def pixels(page: Page, alt: str) -> np.ndarray:
    address = page.get_by_alt_text(alt).evaluate("image => image.naturalWidth && image.src")
    return np.asarray(Image.open(address.removeprefix("file://").replace("%20", " "))).astype(int)


def test_photos_their_codes_and_differences(sefa: Sefa, photos: Path, page: Page) -> None:
    done = sefa(*WORDS, "--report", "page")
    assert done.exit_code == 1 and done.stdout.split() == [
        "codes.npz", "codes.csv", "page/index.html",
    ]  # fmt: skip
    page.goto(Path("page/index.html").absolute().as_uri())
    me = EVIL.replace("/", "-")
    expect(page.get_by_role("heading", name=me)).to_be_visible()
    photo, code = pixels(page, f"photo: {me}"), pixels(page, f"its code: {me}")
    away = pixels(page, f"difference, 3 ×: {me}")
    np.testing.assert_array_equal(away, np.minimum(3 * abs(photo - code), 255))
    expect(page.get_by_text("PSNR in dB")).to_have_count(1)
    expect(page.locator("article", has_text="zero")).to_contain_text("zero.jpg is not a picture")
    again = page.locator(".command code").inner_text()
    assert again.startswith("sefa invert photos --model tiny.pth --passes 3 -o codes.npz")


def test_edits_stand_below_the_photos(
    sefa: Sefa, photos: Path, page: Page, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Named directions only; each picture carries its note, and its command makes it again."""
    for words in (
        ("factorize", "tiny.pth", "-o", "tiny.dirs"),
        ("name", "tiny.dirs", "2", "smile"),
    ):
        assert sefa(*words).exit_code == 0
    assert sefa(*WORDS, "--report", "page", "--dirs", "tiny.dirs").exit_code == 1
    page.goto(Path("page/index.html").absolute().as_uri())
    expect(page.get_by_role("heading", name="smile")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator(".photos .beside img")).to_have_count(3)
    link = page.locator("tbody td a.frame").last
    command = link.get_attribute("data-command")
    made = Path("page") / str(link.get_attribute("href"))
    run(sefa, [str(command)])
    (again,) = Path("cells").glob("*.png")
    np.testing.assert_array_equal(Image.open(made), Image.open(again))
    assert read_note(made)[0]["moves"][0]["steps"][0]["label"] == "smile"
    assert sefa(*WORDS, "--report", "page", "--overwrite").exit_code == 1  # replaces only a report
    assert not list(Path("page/pictures").glob("k*"))
