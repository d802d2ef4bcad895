"""The search for a photo's code: the same as the command's, for models of z too."""

import io

import numpy as np
import pytest
from PIL import Image

from sefa_cli.errors import SefaError
from sefa_cli.families.build import build
from sefa_cli.studio.library import Model
from sefa_cli.studio.localizing import CancelledError
from sefa_cli.studio.photo_panel import as_it_is
from sefa_cli.studio.photos import Search, check_model
from sefa_cli.studio.renderer import Renderer
from sefa_cli.studio.session import State
from tests.helpers import networks

pytestmark = pytest.mark.slow


def photo() -> bytes:
    file = io.BytesIO()
    noise = np.random.RandomState(0).randint(0, 255, (64, 64, 3)).astype(np.uint8)
    Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()


def search(model: Model) -> Search:
    return Search(model, "my photo.png", photo(), False, lambda png: None, lambda: None)


@pytest.mark.parametrize("make", [networks.stylegan2, networks.dcgan])
def test_a_state_starts_from_the_code(make, workplace) -> None:
    checkpoint = make()
    model = Model("tiny.pth", checkpoint, build(checkpoint, "cpu"), "f")
    one = search(model)
    origin = one.run(one.prepare())
    assert origin.made_by == ("sefa invert 'my photo.png' --model tiny.pth -o my_photo.npz",)
    assert one.left == 0 and origin.about.startswith("loss ")
    state = State(seed=3).started(origin)
    codes = state.codes(model.generator)
    np.testing.assert_array_equal(codes.numpy(), origin.codes)
    picture = Renderer(model).picture(state, Renderer(model).whole)
    assert picture.shape[:2] == (model.generator.resolution,) * 2
    assert state.with_seed(4).origin is None


def test_a_search_ends_when_it_is_told(workplace) -> None:
    checkpoint = networks.stylegan2()
    one = search(Model("tiny.pth", checkpoint, build(checkpoint, "cpu"), "f"))
    inverter = one.prepare()
    one.stop.set()
    with pytest.raises(CancelledError):
        one.run(inverter)
    assert one.done == 0 and one.left is None


def test_a_photo_needs_a_model() -> None:
    with pytest.raises(SefaError, match="no model is open"):
        check_model(None)


def test_what_a_photo_without_its_face_aligned_says() -> None:
    shown = as_it_is(("sefa invert a--align.jpg --model m -o me.npz", "sefa edit x.dirs"))
    assert "without aligning its face" in shown
    assert as_it_is(("sefa invert me.jpg --align -o me.npz",)) == as_it_is(()) == ""
