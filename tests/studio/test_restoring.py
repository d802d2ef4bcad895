"""What a saved picture showed: its seed and truncation, or its code, and every slider."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sefa_cli.errors import SefaError
from sefa_cli.interchange.notes import read_note
from sefa_cli.studio.library import Library, Model
from sefa_cli.studio.renderer import Renderer
from sefa_cli.studio.restoring import Restored, restored
from sefa_cli.studio.session import Origin, State
from tests.helpers import Sefa, biggan_by_author

pytestmark = pytest.mark.slow


def brought_back(model: Model, data: bytes, page: State, name: str = "saved.png") -> Restored:
    return restored(name, data, Library("cpu"), model, page)


@pytest.fixture
def moved(model: Model) -> State:
    """Two sets of sliders, both moved, one of them on other layers."""
    state = State(seed=3).added(model.factorize("all")).at(0, 1.5).at(4, -0.25)
    other = replace(model.factorize("0-3"), layers=(1, 2))
    return state.added(other).at(2, 2.0)


@pytest.mark.parametrize("trunc", [None, 0.35, 1.0, -0.5])
def test_seed_truncation_and_moves(model: Model, moved: State, trunc: float | None) -> None:
    state = replace(moved, trunc=trunc)
    found = brought_back(model, Renderer(model).save(state), moved.before())
    assert found == Restored(model, state)


def test_mixed_faces_and_several(model: Model, moved: State) -> None:
    """What a face was mixed with comes back, and so do the faces that were edited together."""
    for state in (
        replace(moved, mix="7:2-5"),
        replace(moved, mix="7:2-5", trunc=0.123),
        moved.of_faces(4),
        replace(moved.of_faces(9), mix="7:0-1", trunc=0.3),
    ):
        data = Renderer(model).save(state)
        assert brought_back(model, data, moved.before()) == Restored(model, state)


def test_commands_read_the_picture_of_several_faces(model: Model, moved: State, sefa: Sefa) -> None:
    data = Renderer(model).save(moved.of_faces(4))
    Path("four.png").write_bytes(data)
    assert "3-6" in sefa("inspect", "four.png").stdout
    sefa("sample", "tiny.pth", "--codes", "four.png", "-o", "made")
    renderer = Renderer(model)
    for i, path in enumerate(sorted(Path("made").iterdir())):
        expected = renderer.picture(moved.with_seed(3 + i), renderer.whole)
        np.testing.assert_array_equal(Image.open(path), expected)
    assert len(list(Path("made").iterdir())) == 4


def test_the_class_of_a_conditional_model(workplace: Path, sefa: Sefa) -> None:
    torch.save(biggan_by_author.state(), "G_ema.pth")
    model = Library("cpu").open_model("G_ema.pth")
    state = replace(State(seed=3, label=1).added(model.factorize("all")).at(0, 1.5), trunc=0.5)
    data = Renderer(model).save(state)
    assert brought_back(model, data, state.before()) == Restored(model, state)
    sefa("sample", "G_ema.pth", "--seeds", "3", "--class", "2", "--trunc", "0.4", "-o", "made")
    found = brought_back(model, Path("made/seed0003.png").read_bytes(), State(label=0)).state
    assert (found.seed, found.label, found.trunc) == (3, 2, 0.4)


def test_the_start_of_a_photo(model: Model, moved: State, sefa: Sefa) -> None:
    """The code before the moves is found again; its commands make the same file."""
    data = np.random.RandomState(0).randn(8, 32).astype("<f4")
    state = moved.started(Origin("me.jpg", "me.npz", data.tobytes(), data.shape, "loss 0.1"))
    Path("saved.png").write_bytes(Renderer(model).save(state))
    found = brought_back(model, Path("saved.png").read_bytes(), moved.before()).state
    assert found.sets == state.sets and found.origin is not None
    np.testing.assert_allclose(found.origin.codes[0], data, atol=1e-5)
    for line in found.origin.made_by:  # also the bundles, in an empty folder
        sefa(*line.split()[1:])
    np.testing.assert_array_equal(np.load(found.origin.path)["w"], found.origin.codes)


def test_a_bundle_of_the_folder_or_of_none(model: Model, moved: State) -> None:
    saved = Renderer(model).save(moved)
    first, last = moved.sets
    Path("mine.dirs").write_bytes(first.bundle.to_bytes())
    found = brought_back(model, saved, State())
    assert found.missing and len(found.missing) == 1
    assert [(own.path, own.alphas) for own in found.state.sets] == [("mine.dirs", first.alphas)]
    end, start = moved.codes(model.generator), found.state.codes(model.generator)
    assert torch.allclose(end, start, atol=1e-5)  # what has no sliders stays in the code
    Path("other.dirs").write_bytes(last.bundle.to_bytes())
    found = brought_back(model, saved, State())
    assert not found.missing and found.state.seed == 3 and found.state.origin is None
    assert found.state.sets[-1].applied == (1, 2)


def test_a_picture_of_edit(model: Model, sefa: Sefa) -> None:
    sefa("factorize", "tiny.pth", "-o", "tiny.dirs")
    sefa("edit", "tiny.dirs", "-k", "3", "-a", "2", "--seeds", "5", "--trunc", "0.4", "-o", "out")
    data = Path("out/seed0005_k3_+2.00.png").read_bytes()
    state = brought_back(model, data, State()).state
    assert (state.seed, state.trunc, state.sets[0].alphas) == (5, 0.4, ((3, 2.0),))


def test_a_model_that_is_not_open_is_not_fetched(model: Model, moved: State) -> None:
    data = Renderer(replace(model, ref="https://elsewhere.example/x.pkl")).save(moved)
    with pytest.raises(SefaError, match=r"made with https://elsewhere.example/x.pkl, which is not"):
        restored("saved.png", data, Library("cpu"), None, State())
    assert brought_back(model, data, moved.before()).state == moved  # the same fingerprint


@pytest.mark.parametrize("change", [{"k": 99}, {"k": -1}, {"alpha": float("inf")}])
def test_a_forged_move_is_refused(model: Model, moved: State, change: dict) -> None:
    import json

    from sefa_cli.interchange.notes import KEY, to_text
    from sefa_cli.rendering.pictures import png

    Path("saved.png").write_bytes(Renderer(model).save(moved))
    about, code = read_note("saved.png")
    about["moves"][0]["steps"][0] |= change
    text = to_text(json.loads(json.dumps(about)), code[0])
    data = png(np.zeros((8, 8, 3), np.uint8), {KEY: text})
    with pytest.raises(SefaError, match=r"forged\.png moves direction"):
        brought_back(model, data, moved.before(), "forged.png")
