"""Presets and key frames in the browser: the files that are saved, and their commands."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from sefa_cli.errors import SefaError
from sefa_cli.studio.library import Model
from sefa_cli.studio.session import State
from sefa_cli.studio.timeline import preset_of, storyboard_of, with_preset
from tests.helpers import Sefa
from tests.helpers.visiting import at, drag, opened, run, settled


def test_a_preset_is_saved_and_dropped(tiny: str, page: Page, sefa: Sefa) -> None:
    opened(page, tiny)
    drag(page, 0, 0.8)
    expect(at(page, "commands")).to_contain_text("--k 0")
    moved = settled(page)
    with page.expect_download() as download:
        at(page, "save-preset").click()
    download.value.save_as("preset.toml")
    expect(at(page, "commands")).to_contain_text("sefa edit --preset preset.toml")
    run(sefa, at(page, "commands").inner_text().splitlines())
    (made,) = Path("picture").glob("*.png")
    np.testing.assert_array_equal(Image.open(made), moved)
    at(page, "reset").click()
    expect(at(page, "commands")).to_contain_text("sefa sample")
    at(page, "open").click()
    at(page, "drop").locator("input").set_input_files("preset.toml")
    expect(at(page, "commands")).to_contain_text("--k 0")
    np.testing.assert_array_equal(settled(page), moved)


def test_a_film_along_key_frames(tiny: str, page: Page, sefa: Sefa) -> None:
    opened(page, tiny)
    at(page, "add-key").click()
    expect(at(page, "keys")).to_have_text("1 key frame")
    expect(at(page, "save-story")).to_be_disabled()
    at(page, "seed").fill("7")
    at(page, "seed").press("Enter")
    expect(at(page, "commands")).to_contain_text("--seeds 7")
    drag(page, 0, 0.8)
    expect(at(page, "commands")).to_contain_text("--k 0")
    at(page, "add-key").click()
    expect(at(page, "keys")).to_have_text("2 key frames")
    saved = {}
    page.on("download", lambda download: saved.update({download.suggested_filename: download}))
    at(page, "save-story").click()
    expect(at(page, "commands")).to_contain_text("sefa animate --storyboard story.toml")
    page.wait_for_timeout(500)
    saved["story.gif"].save_as("page.gif")
    saved["story.toml"].save_as("story.toml")
    run(sefa, at(page, "commands").inner_text().splitlines())
    assert Path("story.gif").read_bytes() == Path("page.gif").read_bytes()


def test_a_preset_finds_its_bundles(model: Model) -> None:
    state = State(seed=3).added(model.factorize("all")).at(0, 2).added(model.factorize("0-1"))
    state = state.at(1, -1.5)
    text = preset_of(state, "both").to_text()
    again = with_preset(model, state.before().at(3, 1), text, "both.toml")
    assert [(own.path, own.alphas) for own in again.sets] == [
        (own.path, own.alphas) for own in state.sets
    ]
    with pytest.raises(SefaError, match=r"tiny_all\.dirs"):
        with_preset(model, State(seed=3), text, "both.toml")
    with pytest.raises(SefaError, match="has no moves"):
        preset_of(state.before(), "nothing")
    with pytest.raises(SefaError, match="1 key frames"):
        storyboard_of(model, [state], 1)
