"""The page of a report, opened from the disk in a real browser."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from sefa_cli.rendering.report import Report, write_report
from tests.helpers.chromium import NewPage
from tests.helpers.visiting import until
from tests.rendering.conftest import EVIL


@pytest.fixture
def opened(page: Page, address: str) -> Page:
    page.goto(address)
    return page


def row(page: Page, k: int, sample: int) -> Locator:
    return page.locator(f"tr[data-k='{k}'][data-sample='{sample}']")


def stage(page: Page, k: int, sample: int) -> Locator:
    return row(page, k, sample).locator(".stage img")


def shows(page: Page, k: int, sample: int, file: str) -> None:
    """Check that the large picture of a row is this file and has loaded."""
    picture = stage(page, k, sample)
    expect(picture).to_have_attribute("src", re.compile(rf"pictures/{re.escape(file)}\.png$"))
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") == 64


def test_from_disk_in_both_views(opened: Page) -> None:
    expect(opened).to_have_title("my face.dirs")
    groups = opened.locator("section.group:visible")
    expect(groups).to_have_count(3)
    assert groups.locator("tbody tr").count() == 6
    assert opened.locator("section:visible h2").all_inner_texts() == [
        "smile",
        EVIL,
        "direction 4",
    ]
    assert groups.first.locator(".name:visible").all_inner_texts() == ["seed 0", "seed 7"]
    opened.click("text=By sample")
    expect(groups).to_have_count(2)
    assert opened.locator("section:visible h2").all_inner_texts() == ["seed 0", "seed 7"]
    names = groups.first.locator(".name").all_inner_texts()
    assert names == ["smile", EVIL, "direction 4"]
    assert groups.locator("tbody tr").count() == 6
    opened.click("text=By direction")
    assert opened.locator("#k4 tr[data-k]").count() == 2
    assert opened.locator("section:visible").count() == 3


def test_a_hostile_label_is_text(opened: Page) -> None:
    assert opened.locator("script").count() == 1
    expect(opened.locator("#k1 q")).to_have_text(EVIL)
    row(opened, 1, 0).locator("a.frame").first.click()
    expect(opened.locator("#viewer-title")).to_contain_text(EVIL)
    assert opened.locator("script").count() == 1


def test_an_injected_script_does_not_run(opened: Page, troubles: list[str]) -> None:
    opened.evaluate("document.body.append(Object.assign(document.createElement('script'), "
                    "{textContent: 'window.ran = true'}))")  # fmt: skip
    picture = "document.body.append(Object.assign(new Image(), {src: 'http://192.0.2.1/'}))"
    with opened.expect_console_message(lambda said: "Loading the image" in said.text):
        opened.evaluate(picture)
    assert opened.evaluate("window.ran") is None
    said = "\n".join(troubles)
    assert "Executing inline script violates" in said and "Loading the image" in said
    troubles.clear()


def test_pictures_load_when_visible(opened: Page) -> None:
    lazy = opened.locator("td img")
    assert lazy.evaluate_all("all => all.every(image => image.loading === 'lazy')")
    lazy.last.scroll_into_view_if_needed()
    expect(lazy.last).to_have_js_property("naturalWidth", 64)


def test_the_slider_drives_its_row(opened: Page) -> None:
    shows(opened, 1, 0, "seed0000")
    slider = row(opened, 1, 0).locator("input")
    slider.fill("4")
    shows(opened, 1, 0, "k1/seed0000_+2")
    expect(row(opened, 1, 0).locator("output")).to_have_text("α +2")
    expect(slider).to_have_attribute("aria-valuetext", "α +2")
    expect(row(opened, 1, 0).locator("td.now a")).to_have_attribute("data-step", "+2")
    shows(opened, 1, 1, "seed0007")
    slider.focus()
    opened.keyboard.press("ArrowLeft")
    shows(opened, 1, 0, "k1/seed0000_+1")


def test_one_slider_drives_all_rows(opened: Page) -> None:
    opened.locator("#all").fill("0")
    for k, seed in ((0, 0), (4, 1)):
        row(opened, k, seed).scroll_into_view_if_needed()
        shows(opened, k, seed, f"k{k}/seed000{7 * seed}_-2")
    expect(opened.locator(".all output")).to_have_text("α −2")


def test_hover_sweeps(opened: Page) -> None:
    row(opened, 4, 1).scroll_into_view_if_needed()
    box = stage(opened, 4, 1).bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    for share, file in ((0.05, "k4/seed0007_-2"), (0.5, "seed0007"), (0.95, "k4/seed0007_+2")):
        opened.mouse.move(box["x"] + share * box["width"], y)
        shows(opened, 4, 1, file)
    row(opened, 4, 1).locator("td").nth(1).hover()
    shows(opened, 4, 1, "k4/seed0007_-1")


def test_the_viewer(opened: Page) -> None:
    viewer = opened.locator("#viewer")
    row(opened, 0, 1).locator("a.frame").nth(3).click()
    expect(viewer).to_be_visible()
    expect(opened.locator("#viewer-title")).to_have_text("smile · seed 7")
    code = viewer.locator("code")
    expect(code).to_have_text("sefa edit --dirs 'my face.dirs' --k 0 --alpha 1 --seeds 7 -o cells")
    picture = viewer.locator("img")
    expect(picture).to_have_js_property("naturalWidth", 64)
    viewer.locator("input").fill("0")
    expect(picture).to_have_attribute("src", re.compile(r"k0/seed0007_-2\.png$"))
    expect(code).to_contain_text("--alpha=-2")
    viewer.locator(".close").click()
    expect(viewer).to_be_hidden()
    stage(opened, 0, 0).click()
    expect(viewer).to_be_visible()
    opened.mouse.click(5, 5)
    expect(viewer).to_be_hidden()


def test_by_keyboard_alone(opened: Page) -> None:
    opened.locator("td a.frame").first.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown"):
        opened.keyboard.press(key)
    focused = opened.locator("a.frame:focus")
    expect(focused).to_have_attribute("href", "pictures/k0/seed0007_+1.png")
    assert focused.evaluate("link => getComputedStyle(link).outlineStyle") == "solid"
    shows(opened, 0, 1, "k0/seed0007_+1")
    opened.keyboard.press("Enter")
    picture = opened.locator("#viewer img")
    expect(picture).to_be_visible()
    for key, file in (
        ("ArrowRight", "k0/seed0007_+2"),
        ("ArrowRight", "k0/seed0007_+2"),
        ("ArrowLeft", "k0/seed0007_+1"),
        ("ArrowDown", "k1/seed0000_+1"),
        ("ArrowUp", "k0/seed0007_+1"),
        ("0", "seed0007"),
    ):
        opened.keyboard.press(key)
        expect(picture).to_have_attribute("src", re.compile(rf"/{re.escape(file)}\.png$"))
    opened.keyboard.press("Escape")
    expect(opened.locator("#viewer")).to_be_hidden()
    expect(focused).to_have_attribute("href", "pictures/seed0007.png")


def test_the_arrows_follow_the_view(opened: Page) -> None:
    opened.click("text=By sample")
    opened.locator("section:visible td a.frame").first.focus()
    opened.keyboard.press("ArrowDown")
    expect(opened.locator("a.frame:focus")).to_have_attribute("href", "pictures/k1/seed0000_-2.png")


def test_commands_are_copied(opened: Page) -> None:
    opened.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.locator("header .copy").click()
    expect(opened.locator("header .copy")).to_have_text("Copied")
    assert opened.evaluate("navigator.clipboard.readText()") == "sefa report 'my face.dirs'"


def test_without_clipboard_access_the_command_is_selected(opened: Page) -> None:
    opened.evaluate("void (navigator.clipboard.writeText = async () => { throw new Error('no') })")
    opened.locator("header .copy").click()
    expect(opened.locator("header .copy")).to_have_text("Selected")
    assert opened.evaluate("getSelection().toString()").strip() == "sefa report 'my face.dirs'"


def test_light_and_dark(new_page: NewPage, address: str) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    light, dark = new_page(color_scheme="light"), new_page(color_scheme="dark")
    for page in (light, dark):
        page.goto(address)
    bright, deep = light.evaluate(paper), dark.evaluate(paper)
    assert bright != deep
    light.click("#theme")
    assert light.evaluate(paper) == deep
    expect(light.locator("#theme")).to_have_text("Light")
    light.click("#theme")
    assert light.evaluate(paper) == bright


def test_the_region_lies_over_the_pictures(opened: Page) -> None:
    after = "frame => (s => s.opacity + s.backgroundImage)(getComputedStyle(frame, '::after'))"
    frame = row(opened, 0, 0).locator(".stage")
    assert frame.evaluate(after).startswith("0")
    plain = frame.screenshot()
    opened.check("#region")
    assert frame.evaluate(after).startswith("1") and "pictures/region.png" in frame.evaluate(after)
    until(lambda: frame.screenshot() != plain)  # the region's picture is loaded
    frame.click()
    assert "region.png" in opened.locator("#viewer .frame").evaluate(after)


def test_the_plot_leads_to_the_rows(opened: Page) -> None:
    opened.click("text=By sample")
    opened.locator(".spectrum a[href='#k4']").click()
    expect(opened.locator("section#k4")).to_be_in_viewport()
    assert opened.locator(".spectrum a").count() == 3
    assert "common style gain 0.93" in (opened.locator(".spectrum a").first.text_content() or "")


@pytest.mark.parametrize("width", [390, 768, 3840])
def test_it_fits(new_page: NewPage, address: str, width: int) -> None:
    page = new_page(viewport={"width": width, "height": 900})
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
def test_a_face_is_above_the_fold(new_page: NewPage, address: str, width: int, height: int) -> None:
    page = new_page(viewport={"width": width, "height": height})
    page.goto(address)
    expect(page.locator("main td img").first).to_be_in_viewport(ratio=0.9)


def test_it_prints_every_picture(opened: Page) -> None:
    opened.wait_for_load_state("networkidle")
    assert opened.pdf(format="A4").count(b"/Subtype /Image") == 26
    opened.emulate_media(media="print")
    expect(opened.locator("nav.bar")).to_be_hidden()


def test_an_unfinished_page_opens_without_errors(
    page: Page, report: Report, tmp_path: Path
) -> None:
    made = 0

    def stop() -> None:
        nonlocal made
        made += 1
        if made == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_report(report, tmp_path / "r", progress=stop)
    page.goto((tmp_path / "r" / "index.html").as_uri())
    expect(page.locator(".notice")).to_contain_text("19 of 26 pictures are missing")
    expect(page.locator("td .missing")).to_have_count(19)
    row(page, 0, 0).locator("input").fill("4")
    expect(row(page, 0, 0).locator(".stage")).to_have_class(re.compile("empty"))
    row(page, 4, 0).locator("a.frame").last.click()
    expect(page.locator("#viewer .missing")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#viewer img")).to_be_visible()
