"""The commands on the page make its picture, bit for bit."""

import io
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sefa_cli.studio.filming import film_of
from sefa_cli.studio.library import Model
from sefa_cli.studio.localizing import Task, drawing_from
from sefa_cli.studio.renderer import Renderer
from sefa_cli.studio.session import State
from sefa_cli.studio.shell import film_commands, named, picture_commands
from tests.helpers import Sefa
from tests.helpers.visiting import run


def states(model: Model) -> dict[str, State]:
    start = State(seed=3).added(model.factorize("all"))
    two = named(start, 1, "it's <b>odd</b>").at(1, 2.5).at(4, -1)
    first = two.with_sliders(replace(two.sets[0], layers=(0, 2)))
    both = first.added(model.factorize("0-1,3")).at(0, 1.2)
    return {
        "still": start,
        "untruncated": replace(start, trunc=1.0),
        "two directions": replace(two, trunc=0.5),
        "two bundles": both,
    }


@pytest.mark.parametrize("name", ["still", "untruncated", "two directions", "two bundles"])
def test_the_commands_make_the_same_picture(sefa: Sefa, model: Model, name: str) -> None:
    state, renderer = states(model)[name], Renderer(model)
    rendered = renderer.render(state, renderer.whole)
    run(sefa, picture_commands(model, state))
    (made,) = Path("picture").glob("*.png")
    np.testing.assert_array_equal(Image.open(made), Image.open(io.BytesIO(rendered.png)))
    assert (rendered.height, rendered.width) == (32, 32)


@pytest.mark.parametrize("later", [1.5, 0.5])
def test_a_moved_face_that_was_localized_and_moved_on(
    sefa: Sefa, model: Model, later: float
) -> None:
    """The codes that the search started from stay, whatever the first slider does later."""
    state = State(seed=3).added(model.factorize("all")).at(0, 1.5)
    drawing = drawing_from("box", [[(0.2, 0.6), (0.6, 0.9)]])
    found = Task(model, state, drawing, num=4).run(lambda passes: None, threading.Event())
    state = state.at(0, later).added(found).at(2, 2.0)
    renderer = Renderer(model)
    rendered = renderer.render(state, renderer.whole)
    run(sefa, picture_commands(model, state))
    (made,) = Path("picture").glob("*.png")
    np.testing.assert_array_equal(Image.open(made), Image.open(io.BytesIO(rendered.png)))
    run(sefa, [line for line in film_commands(model, state, 2, "film.gif") if "animate" in line])
    assert Path("film.gif").read_bytes() == film_of(model, state, 2)


def test_the_commands_make_the_same_film(sefa: Sefa, model: Model) -> None:
    state = states(model)["two bundles"].at(2, 1)
    run(sefa, film_commands(model, state, 2, "film.gif"))
    assert Path("film.gif").read_bytes() == film_of(model, state, 2)


def test_the_real_model_needs_no_model_option(default_model: Path) -> None:
    from sefa_cli.studio.library import Library

    real = Library("cpu").open_model("mobilestylegan_ffhq")
    lines = picture_commands(real, State(seed=3).added(real.factorize("bottom")).at(0, 2))
    assert lines == [
        "sefa factorize mobilestylegan_ffhq -L bottom --deflate-gain -o mobilestylegan_bottom.dirs",
        "sefa edit --dirs mobilestylegan_bottom.dirs --k 0 --alpha 2 --seeds 3 -o picture",
    ]
