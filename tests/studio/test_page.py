"""The studio in a real browser: what a person does, and what they see."""

import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect
from typer.testing import Result
from visiting import Serve, at, drag, opened, shown, until

Sefa = Callable[..., Result]


def test_a_slider_is_dragged_and_the_command_gives_the_same_picture(
    serve: Serve, page: Page, sefa: Sefa
) -> None:
    opened(page, serve("tiny.pth"))
    before = shown(page)
    drag(page, 0, 0.9)
    expect(at(page, "commands")).to_contain_text("--k 0 --alpha")
    until(lambda: (shown(page) != before).any())
    with page.expect_download() as download:
        at(page, "save-picture").click()
    download.value.save_as("saved.png")
    for line in at(page, "commands").inner_text().splitlines():
        sefa(*shlex.split(line)[1:])
    (made,) = Path("picture").glob("*.png")
    np.testing.assert_array_equal(Image.open(made), Image.open("saved.png"))
    until(lambda: (shown(page) == np.asarray(Image.open(made))).all())
