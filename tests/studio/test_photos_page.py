"""A photo that is dropped on the page appears and moves; a saved picture comes back."""

import io
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.helpers import CONTAINERS, Sefa
from tests.helpers.visiting import at, drag, draw, dropped, fault_of, opened, run, settled, until


@pytest.fixture
def photo(sefa: Sefa) -> str:
    """A picture of the small model, without the note that would bring it back at once."""
    sefa("sample", "tiny.pth", "--seeds", "5", "-o", "samples")
    Image.open("samples/seed0005.png").convert("RGB").save("me.png")
    return "me.png"


def test_a_photo_appears_and_moves_and_the_commands_do_the_same(
    tiny: str, page: Page, sefa: Sefa, photo: str
) -> None:
    told: list[
        str | bytes
    ] = []  # what the server says; the browser may skip a picture that is late
    page.on("websocket", lambda socket: socket.on("framereceived", lambda said: told.append(said)))
    before = settled(opened(page, tiny))
    told.clear()
    dropped(page, photo)
    expect(at(page, "photo")).to_contain_text("me.png: loss", timeout=60_000)
    expect(at(page, "commands")).to_contain_text("sefa invert me.png --model tiny.pth -o me.npz")
    expect(at(page, "photo-hint")).to_be_hidden()  # nobody knows that this model shows faces
    found = settled(page)
    assert (found != before).any()
    assert (
        sum('"/picture/' in str(said).replace("\\", "") for said in told) >= 3
    )  # while it was looked for, and after
    drag(page, 0, 0.9)
    expect(at(page, "commands")).to_contain_text(re.compile("--k 0 .*--codes me.npz"))
    moved = settled(page)
    assert (moved != found).any()
    run(sefa, at(page, "commands").inner_text().splitlines())
    (made,) = Path("picture").glob("*.png")
    assert re.fullmatch(r"code0000_me_k0_\+\d\.\d\d\.png", made.name)
    np.testing.assert_array_equal(Image.open(made), moved)
    page.reload()
    expect(at(page, "photo")).to_contain_text("me.png: loss")
    until(lambda: (settled(page) == moved).all())
    at(page, "seed").fill("0")
    page.get_by_label("Back to the seed").click()
    expect(at(page, "photo")).to_be_hidden()
    expect(at(page, "photo-hint")).to_be_hidden()
    expect(at(page, "commands")).to_contain_text("--seeds 0")
    at(page, "undo").click()
    expect(at(page, "photo")).to_be_visible()


def test_a_tuned_model_with_its_code(tiny: str, page: Page, sefa: Sefa, photo: str) -> None:
    """What `sefa invert --tune` writes is opened, and its code is dropped; commands do the same."""
    sefa("invert", photo, "--model", "tiny.pth", "--tune", "-o", "me.npz")
    opened(page, f"{tiny}?model={Path('me.tuned.safetensors').resolve()}")
    dropped(page, "me.npz")
    expect(at(page, "photo")).to_contain_text("me.npz")
    still = settled(page)
    drag(page, 0, 0.9)
    expect(at(page, "commands")).to_contain_text("me.tuned.safetensors")
    expect(at(page, "commands")).to_contain_text(re.compile("--k 0 .*--codes me.npz"))
    moved = settled(page)
    assert (moved != still).any()
    run(sefa, at(page, "commands").inner_text().splitlines())
    (picture,) = Path("picture").glob("*.png")
    np.testing.assert_array_equal(Image.open(picture), moved)
    sefa("sample", "tiny.pth", "--codes", "me.npz", "-o", "untuned")
    (untuned,) = Path("untuned").glob("*.png")
    assert (np.asarray(Image.open(untuned)) != still).any()


def test_a_photo_is_localized(tiny: str, page: Page, sefa: Sefa, photo: str) -> None:
    """The search starts from the photo's code, and its command makes the same bundle."""
    opened(page, tiny)
    dropped(page, photo)
    expect(at(page, "photo")).to_contain_text("me.png: loss", timeout=60_000)
    draw(page, "Box", (0.2, 0.2), (0.6, 0.6))
    at(page, "localize").click()
    expect(at(page, "bundles")).to_contain_text("region1.dirs", timeout=60_000)
    lines = at(page, "commands").inner_text().splitlines()
    assert any("sefa localize tiny.pth --box" in line for line in lines)
    assert any("--codes me.npz" in line for line in lines if "localize" in line)
    run(sefa, lines)
    assert Path("region1.dirs").exists()


def test_a_saved_picture_brings_back_model_seed_and_moves(
    tiny: str, page: Page, sefa: Sefa
) -> None:
    opened(page, tiny)
    at(page, "seed").fill("7")
    at(page, "seed").press("Enter")
    expect(at(page, "commands")).to_contain_text("--seeds 7")
    drag(page, 1, 0.8)
    expect(at(page, "commands")).to_contain_text("--k 1 --alpha")
    picture, commands = settled(page), at(page, "commands").inner_text()
    with page.expect_download() as download:
        at(page, "save-picture").click()
    download.value.save_as("saved.png")
    at(page, "reset").click()
    at(page, "casino").click()
    expect(at(page, "commands")).not_to_contain_text(re.compile(r"--seeds 7\b"), timeout=20_000)
    dropped(page, "saved.png")
    expect(at(page, "commands")).to_have_text(commands, timeout=20_000)
    until(lambda: (settled(page) == picture).all())
    at(page, "undo").click()
    expect(at(page, "commands")).not_to_contain_text("--k 1")


def test_what_cannot_be_dropped(tiny: str, page: Page, sefa: Sefa) -> None:
    opened(page, tiny)
    commands = at(page, "commands").inner_text()
    shutil.copy(CONTAINERS / "ckpt_hammer_stylegan2.pth", "other.pth")
    sefa("sample", "other.pth", "--seeds", "1", "-o", "others")
    others = Path("others/seed0001.png").read_bytes()
    small = io.BytesIO()
    Image.new("RGB", (8, 8)).save(small, "PNG")
    alert = at(page, "trouble").get_by_role("alert")  # by the picture, in sight on a phone too
    for name, data, words in (
        ("me.jpg", b"no picture", "me.jpg is not a picture"),
        ("page.eps", b"%!PS-Adobe-3.0 EPSF-3.0", "page.eps is not a picture"),
        ("me.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "me.heic is a HEIC photo"),
        ("small.png", small.getvalue(), "small.png has 8 x 8 pixels"),
        ("other.png", others, "other.png was made with other.pth, which is not open"),
    ):
        dropped(page, name, data)
        expect(alert).to_contain_text(words)
    assert at(page, "commands").inner_text() == commands
    at(page, "trouble").get_by_label("Close").click()
    expect(at(page, "trouble")).to_be_hidden()
    dropped(page, "me.jpg", b"no picture")
    expect(alert).to_contain_text("me.jpg is not a picture")
    sefa("sample", "tiny.pth", "--seeds", "9", "-o", "more")
    dropped(page, "more/seed0009.png")
    expect(at(page, "seed")).to_have_value("9")
    expect(at(page, "trouble")).to_be_hidden()  # the next file is another matter


# Notes that a text was on the page, which may be gone before anybody looks.
WATCH = """(text) => {
  const look = () => { window.was_shown ||= document.body.textContent.includes(text); };
  new MutationObserver(look).observe(document.body,
    {childList: true, subtree: true, characterData: true});
}"""


def test_a_search_is_canceled(tiny: str, page: Page, photo: str) -> None:
    still = settled(opened(page, tiny))
    pixels = np.random.RandomState(0).randint(0, 255, (64, 64, 3)).astype(np.uint8)
    Image.fromarray(pixels).save("noise.png")
    at(page, "compare").click()
    page.get_by_role("option", name="before").click()
    expect(page.locator(".canvas .other")).to_be_visible()
    page.evaluate(WATCH, "Reading noise.png …")
    dropped(page, "noise.png")
    expect(at(page, "about")).to_have_text("looking for noise.png …")
    assert page.evaluate("window.was_shown")
    expect(page.locator(".canvas .other")).to_have_count(0)  # that is another face
    at(page, "photo-cancel").click()
    expect(at(page, "photo-cancel")).to_be_hidden()
    expect(page.locator(".canvas .other")).to_be_visible()
    until(lambda: (settled(page) == still).all())
    expect(at(page, "photo")).to_be_hidden()


def test_a_photo_without_a_model(empty: str, page: Page, photo: str) -> None:
    page.goto(empty)
    expect(at(page, "path")).to_be_visible()
    Path("notes.text").write_text("no picture")
    page.get_by_label("drop a bundle").set_input_files("notes.text")
    expect(at(page, "drop").get_by_role("alert")).to_contain_text("notes.text is not a picture")
    at(page, "path").fill("none.pth")
    at(page, "open-path").click()
    expect(fault_of(page, "path")).to_contain_text("none.pth does not exist")
    page.get_by_label("drop a bundle").set_input_files(photo)
    expect(at(page, "drop").get_by_role("alert")).to_contain_text("no model is open")
    expect(fault_of(page, "path")).to_have_count(0)  # that was about something else
