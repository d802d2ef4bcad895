"""Presets of the studio: several are kept, none is replaced unasked, and commands read them."""

import errno
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from sefa_cli.editing.presets import Preset
from sefa_cli.errors import SefaError
from sefa_cli.studio.key_frames import KeyFrames, storyboard_of
from sefa_cli.studio.library import Model
from sefa_cli.studio.presets import Shelf, preset_of, with_parts
from sefa_cli.studio.session import State
from tests.helpers import Sefa
from tests.helpers.visiting import at, drag, fault_of, opened, run, settled


def keep(page: Page, name: str) -> None:
    at(page, "presets").click()
    at(page, "preset-name").fill(name)
    at(page, "save-preset").click()


@pytest.mark.slow
def test_presets_are_kept_listed_and_applied(tiny: str, page: Page, sefa: Sefa) -> None:
    opened(page, tiny)
    keep(page, "nothing")
    expect(fault_of(page, "preset-name")).to_contain_text("has no moves")
    page.get_by_role("button", name="Close", exact=True).last.click()
    drag(page, 0, 0.8)
    expect(at(page, "commands")).to_contain_text("--k 0")
    moved = settled(page)
    with page.expect_download() as download:
        keep(page, "my smile")
    assert download.value.suggested_filename == "my_smile.toml"
    download.value.save_as("my_smile.toml")
    expect(at(page, "commands")).to_contain_text("sefa edit --preset my_smile.toml")
    run(sefa, at(page, "commands").inner_text().splitlines())
    (made,) = Path("picture").glob("*.png")
    np.testing.assert_array_equal(Image.open(made), moved)
    at(page, "reset").click()
    expect(at(page, "commands")).to_contain_text("sefa sample")
    drag(page, 1, 0.3)
    expect(at(page, "commands")).to_contain_text("--k 1")
    other = settled(page)
    keep(page, "my smile")
    expect(fault_of(page, "preset-name")).to_contain_text("a preset 'my smile' exists")
    at(page, "preset-name").fill("other")
    at(page, "save-preset").click()
    expect(at(page, "commands")).to_contain_text("sefa edit --preset other.toml")
    opened(page, tiny)  # another page
    for name, picture in (("my_smile", moved), ("other", other)):
        at(page, "presets").click()
        expect(at(page, f"preset-{name}")).to_have_text(name.replace("_", " "))
        at(page, f"preset-{name}").click()
        expect(at(page, "preset-name")).to_be_hidden()
        np.testing.assert_array_equal(settled(page), picture)


def test_a_preset_is_replaced_and_forgotten(tiny: str, page: Page) -> None:
    opened(page, tiny)
    drag(page, 0, 0.8)
    expect(at(page, "commands")).to_contain_text("--k 0")
    with page.expect_download() as download:
        keep(page, "nod")
    download.value.save_as("nod.toml")
    moved = settled(page)
    at(page, "reset").click()
    expect(at(page, "commands")).to_contain_text("sefa sample")
    drag(page, 1, 0.3)
    expect(at(page, "commands")).to_contain_text("--k 1")
    other = settled(page)
    keep(page, "nod")
    at(page, "replace-preset").click()
    expect(at(page, "commands")).to_contain_text("sefa edit --preset nod.toml")
    at(page, "reset").click()
    expect(at(page, "commands")).to_contain_text("sefa sample")
    at(page, "presets").click()
    at(page, "preset-nod").click()
    expect(at(page, "commands")).to_contain_text("--k 1")
    np.testing.assert_array_equal(settled(page), other)
    at(page, "presets").click()
    page.get_by_label("Forget nod").click()
    expect(at(page, "preset-nod")).to_be_hidden()
    page.keyboard.press("Escape")
    at(page, "open").click()
    at(page, "drop").locator("input").set_input_files("nod.toml")
    expect(at(page, "commands")).to_contain_text("--k 0")
    np.testing.assert_array_equal(settled(page), moved)


def test_a_preset_finds_its_bundles(model: Model) -> None:
    state = State(seed=3).added(model.factorize("all")).at(0, 2)
    state = state.added(replace(model.factorize("0-1"), layers=(1,))).at(1, -1.5)
    text = preset_of(state, "both").to_text()
    known = {Path(own.path): own.bundle for own in state.sets}
    parts = Preset.parse(text, "both.toml", known).parts
    page = state.before()
    page = replace(page, sets=(page.sets[0], replace(page.sets[1], layers=None)))
    again = with_parts(model, page, parts)
    kept = {own.path: (own.alphas, own.layers) for own in again.sets}
    assert kept == {own.path: (own.alphas, own.layers) for own in state.sets}
    double = with_parts(model, page, (parts[0], parts[0]))
    assert double.sets[-1].alphas == ((0, 4.0),)
    with pytest.raises(SefaError, match="different layers at once"):
        with_parts(model, page, (parts[1], replace(parts[1], layers=None)))
    with pytest.raises(SefaError, match=r"tiny_all\.dirs"):
        Preset.parse(text, "both.toml", {})
    with pytest.raises(SefaError, match="has no moves"):
        preset_of(state.before(), "nothing")
    with pytest.raises(SefaError, match="1 key frame"):
        storyboard_of(model, KeyFrames().added(state))


def test_a_shelf(model: Model) -> None:
    state = State(seed=3).added(model.factorize("all")).at(0, 2)
    shelf = Shelf(model)
    assert shelf.names == []
    shelf.keep(preset_of(state, "a/b"))
    with pytest.raises(SefaError, match="exists"):
        shelf.keep(preset_of(state.at(0, 1), "a/b"))
    with pytest.raises(SefaError, match="cannot name a preset"):
        shelf.keep(preset_of(state, "../"))
    assert shelf.names == ["a_b"] and shelf.load("a_b").parts[0].move.steps == ((0, 2.0),)
    shelf.keep(preset_of(state.at(0, 1), "a/b"), overwrite=True)
    assert shelf.load("a_b").parts[0].move.steps == ((0, 1.0),)
    shelf.remove("a_b")
    assert shelf.names == []


def test_a_preset_that_cannot_be_removed(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(errno.EACCES, "no", str(path))

    shelf = Shelf(model)
    shelf.keep(preset_of(State(seed=3).added(model.factorize("all")).at(0, 2), "mine"))
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(SefaError, match=r"cannot remove .*mine\.toml"):
        shelf.remove("mine")
    assert shelf.names == ["mine"]
