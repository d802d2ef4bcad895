"""The history strip: a small picture for every step, and a click goes there."""

from playwright.sync_api import Locator, Page, expect

from tests.helpers.chromium import NewPage
from tests.helpers.visiting import at, drag, opened, settled, until


def steps(page: Page) -> Locator:
    return at(page, "history").get_by_role("button")


def test_a_click_on_a_step_goes_there(tiny: str, page: Page) -> None:
    opened(page, tiny)
    expect(at(page, "history")).to_be_hidden()  # one step has no past
    first = at(page, "commands").inner_text()
    drag(page, 0, 0.9)
    expect(steps(page)).to_have_count(2)
    name = at(page, "row-0").get_by_label("name of direction 0")
    name.fill("odd")
    name.press("Enter")
    drag(page, 2, 0.2)
    expect(steps(page)).to_have_count(3)  # a name shows nothing
    expect(steps(page).last).to_have_attribute("aria-current", "step")
    last = at(page, "commands").inner_text()
    pictures = steps(page).locator("img")
    until(lambda: all(loaded(pictures)), seconds=30)
    sources = pictures.evaluate_all("all => all.map(one => one.src)")
    assert len(set(sources)) == 3 and max(map(len, sources)) < 8000
    steps(page).first.click()
    expect(at(page, "commands")).to_have_text(first)
    expect(steps(page).first).to_have_attribute("aria-current", "step")
    expect(at(page, "undo")).to_be_disabled()
    expect(steps(page)).to_have_count(3)  # one can go forward
    settled(page)
    assert pictures.evaluate_all("all => all.map(one => one.src)") == sources  # kept
    steps(page).last.press("Enter")
    expect(at(page, "commands")).to_have_text(last)
    expect(at(page, "redo")).to_be_disabled()
    page.reload()
    expect(steps(page)).to_have_count(3)
    until(lambda: all(loaded(steps(page).locator("img"))), seconds=30)


def loaded(pictures: Locator) -> list[bool]:
    """Whether each picture is there."""
    found: list[bool] = pictures.evaluate_all("all => all.map(one => one.naturalWidth > 0)")
    return found


def test_the_present_step_is_in_sight(tiny: str, new_page: NewPage) -> None:
    page = opened(new_page(viewport={"width": 390, "height": 844}), tiny)
    for seed in range(1, 12):
        at(page, "seed").fill(str(seed))
        at(page, "seed").press("Enter")
        expect(at(page, "commands")).to_contain_text(f"--seeds {seed} ")
    strip = at(page, "history").bounding_box()
    assert strip is not None
    until(lambda: inside(steps(page).last, strip["x"], strip["x"] + strip["width"]))


def inside(step: Locator, left: float, right: float) -> bool:
    """Whether a step stands between two places of the page."""
    area = step.bounding_box()
    return area is not None and left <= area["x"] and area["x"] + area["width"] <= right
