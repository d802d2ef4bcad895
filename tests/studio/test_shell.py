"""For every control of the page, the commands that it shows make its picture, bit for bit."""

import math
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, expect

from sefa_cli.discovery.regions.landmarks import LEFT_EYE, OVAL, RIGHT_EYE
from sefa_cli.editing.presets import Preset
from sefa_cli.inversion import align
from sefa_cli.rendering.film_frames import gap_of, one_below_another, side_by_side
from sefa_cli.studio.dropping import first_code
from sefa_cli.studio.filming import film_of
from sefa_cli.studio.key_frames import KeyFrames, storyboard_of
from sefa_cli.studio.library import Library, Model
from sefa_cli.studio.localizing import Task, drawing_from
from sefa_cli.studio.photos import Search
from sefa_cli.studio.presets import preset_commands, preset_of, with_parts
from sefa_cli.studio.renderer import Renderer
from sefa_cli.studio.restoring import restored
from sefa_cli.studio.session import State, with_mix
from sefa_cli.studio.shell import film_commands, named, picture_commands
from sefa_cli.studio.timeline import save_film, storyboard_commands
from tests.helpers import Sefa, biggan_by_author
from tests.helpers.visiting import at, opened, run

Control = Callable[[Model, Sefa], tuple[Model, State]]
CONTROLS: dict[str, Control] = {}
ON_THE_PAGE: set[str] = set()  # the elements that somebody uses for these


def control(name: str, by: str = "") -> Callable[[Callable[..., State]], None]:
    """A control of the page, and a state after somebody used it on the model that is given.

    Its elements are named `by` their `data-test`, label or text, separated by commas.
    """
    ON_THE_PAGE.update(filter(None, by.split(", ")))

    def kept(use: Callable[..., State]) -> None:
        CONTROLS[name] = lambda model, sefa: (model, use(model, sefa))

    return kept


def started(model: Model) -> State:
    return State(seed=3).added(model.factorize("all"))


def moved(model: Model) -> State:
    return named(started(model), 1, "it's <b>odd</b>").at(1, 2.5).at(4, -1)


def two_bundles(model: Model) -> State:
    first = moved(model)
    first = first.with_sliders(replace(first.sets[0], layers=(0, 2)))
    return first.added(model.factorize("0-1,3")).at(0, 1.2)


def localized(
    model: Model,
    start: State,
    kind: str,
    strokes: list,
    layers: str = "middle",
    quick: bool = False,
) -> State:
    """A region was drawn, and a slider of its directions was moved."""
    drawing = drawing_from(kind, strokes, 0.2)
    task = Task(model, start, drawing, layers, quick, num=4, name="region")
    if kind == "brush":
        Path(task.mask_name).write_bytes(task.mask_png())  # as the page saves it
    return start.added(task.run(lambda passes: None, threading.Event())).at(2, 2.0)


BOX = [[(0.2, 0.6), (0.6, 0.9)]]
control("seed", by="seed, casino, undo, redo, history")(lambda model, _: started(model))
control("several seeds", by="faces")(lambda model, _: moved(model).of_faces(4))
control("gallery", by="gallery, seed-")(lambda model, _: moved(model).with_seed(5))
control("truncation", by="trunc")(lambda model, _: replace(moved(model), trunc=0.5))
control("no truncation")(lambda model, _: replace(started(model), trunc=1.0))
control("mix", by="mix")(lambda model, _: with_mix(started(model), "7:2-5"))
control("mix, moved")(lambda model, _: with_mix(moved(model), "7:2-5"))
control(
    "sliders of two bundles, one on other layers",
    by="row-, thumbnail-, layers, reach, more, bundles, bundle-close, level, factorize",
)(lambda model, _: two_bundles(model))
control("before", by="before, reset")(lambda model, _: two_bundles(model).before())
control("compared with a bundle", by="compare")(lambda model, _: two_bundles(model).resting(0))
control("box", by="mode, localize, cancel")(lambda m, _: localized(m, started(m), "box", BOX))
control("brush", by="brush")(lambda m, _: localized(m, started(m), "brush", BOX))
control("quick", by="alone")(lambda m, _: localized(m, started(m), "box", BOX, quick=True))
control("a region of other layers", by="region-layers")(
    lambda m, _: localized(m, started(m), "box", BOX, "top")
)


@control("a moved face is localized, then its first slider moves on")
def _(model: Model, sefa: Sefa) -> State:
    state = localized(model, started(model).at(0, 1.5), "box", BOX)
    own = state.sets[1]
    return replace(state, active=0).at(0, 0.5).without(1).added(own)


@control("photo", by="drop, drop-here, photo-cancel")
def _(model: Model, sefa: Sefa) -> State:
    sefa("sample", model.ref, "--seeds", "5", "-o", "samples")
    Image.open("samples/seed0005.png").convert("RGB").save("me.png")
    data = Path("me.png").read_bytes()
    search = Search(model, "me.png", data, False, lambda png: None, lambda: None)
    return moved(model).started(search.run(search.prepare()))


@control("file of codes")
def _(model: Model, sefa: Sefa) -> State:
    sefa("factorize", model.ref, "-o", "my.dirs")
    sefa(
        "edit",
        "my.dirs",
        "-k",
        "0",
        "-a",
        "2",
        "--seeds",
        "7",
        "--save-codes",
        "me.npz",
        "-o",
        "moved",
    )
    return moved(model).started(first_code(model, "me.npz", Path("me.npz").read_bytes()))


@control("saved picture")
def _(model: Model, sefa: Sefa) -> State:
    """Dropped where one of its bundles is not known: it starts from a code."""
    state = two_bundles(model)
    Path("saved.png").write_bytes(Renderer(model).save(state))
    data = Path("saved.png").read_bytes()
    return restored("saved.png", data, Library("cpu"), model, state.without(1)).state


def of_class(model: Model, sefa: Sefa) -> tuple[Model, State]:
    torch.save(biggan_by_author.state(), "G_ema.pth")
    model = Library("cpu").open_model("G_ema.pth")
    return model, replace(started(model).at(0, 1.5), label=2, trunc=0.5)


def of_tuned(model: Model, sefa: Sefa) -> tuple[Model, State]:
    sefa("sample", model.ref, "--seeds", "5", "-o", "samples")
    Image.open("samples/seed0005.png").convert("RGB").save("me.png")
    sefa("invert", "me.png", "--model", model.ref, "--tune", "-o", "me.npz")
    tuned = Library("cpu").open_model("me.tuned.safetensors")
    origin = first_code(tuned, "me.npz", Path("me.npz").read_bytes())
    return tuned, started(tuned).at(0, 1.5).started(origin)


CONTROLS |= {"class": of_class, "tuned model": of_tuned}
ON_THE_PAGE.add("class")


def check(sefa: Sefa, model: Model, state: State, commands: list[str]) -> None:
    """Run commands of the page in an empty folder, and hold what they make against its picture."""
    renderer = Renderer(model)
    picture = renderer.picture(state, renderer.views(state)[-1])
    run(sefa, commands)
    made = [np.asarray(Image.open(path)) for path in sorted(Path("picture").glob("*.png"))]
    wide, gap = math.ceil(math.sqrt(len(made))), gap_of(made[0].shape[1])
    rows = [side_by_side(made[i : i + wide]) for i in range(0, len(made), wide)]
    np.testing.assert_array_equal(one_below_another(rows, gap), picture)


# Elements that have tests of their own, below.
OF_A_PRESET = {"presets", "preset-name", "save-preset", "replace-preset"}
OF_A_FILM = {
    "add-key",
    "show-key-",
    "earlier-",
    "later-",
    "twice-",
    "remove-",
    "seconds-",
    "smooth",
}
OF_A_FILM |= {"undo-keys", "clear-keys", "save-story", "save-storyboard", "film"}
OF_A_PHOTO = {"align"}
# Elements that open, close, copy or save something, and the questions of Annotate.
NO_PICTURE = {"open", "path", "open-path", "close", "Close", "Clear", "hint", "gallery-more"}
NO_PICTURE |= {"content_copy", "save-picture", "bundle-download"}
NO_PICTURE |= {"annotate", "levels", "annotate-num", "annotate-seeds", "annotate-reach", "begin"}
NO_PICTURE |= {"answer-y", "answer-n", "annotate-name", "ArrowLeft", "ArrowRight", "annotate-close"}
_NAMES = """() => [...document.querySelectorAll(
    'button, input, textarea, [tabindex="0"], [role=button], [role=slider], [role=switch]')]
    .filter(one => !one.closest('.presets'))  // which are there depends on other tests
    .map(one => one.closest('[data-test]')?.dataset.test || one.ariaLabel || one.innerText)"""


def elements(page: Page) -> set[str]:
    """What a person can use on the page now, hidden or not, without the numbers of rows."""
    return {re.sub(r"[-+]?\d.*", "-", name.strip()) for name in page.evaluate(_NAMES)}


def test_no_control_of_the_page_is_forgotten(tiny: str, page: Page) -> None:
    """A new element is either listed with what it does above, or fails here."""
    found = elements(opened(page, tiny))
    for _ in range(2):
        at(page, "add-key").click()
    expect(at(page, "key-1")).to_be_visible()
    for button in ("presets", "gallery", "annotate", "open"):
        found |= elements(page)
        at(page, button).click()
        expect(page.locator(".q-dialog")).to_have_count(1)
        found |= elements(page)
        page.keyboard.press("Escape")
        expect(page.locator(".q-dialog")).to_have_count(0)
    listed = ON_THE_PAGE | OF_A_PRESET | OF_A_FILM | OF_A_PHOTO | NO_PICTURE
    assert not found ^ listed


@pytest.mark.parametrize("name", CONTROLS)
def test_the_commands_make_the_same_picture(sefa: Sefa, model: Model, name: str) -> None:
    model, state = CONTROLS[name](model, sefa)
    check(sefa, model, state, picture_commands(model, state))


def test_the_command_of_an_aligned_photo(
    sefa: Sefa, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The landmark package need not be here: its place is taken by a finder of one face."""
    mesh = np.full((478, 2), 0.5)  # y and x, as fractions of the picture
    mesh[list(OVAL)] += np.array([[0.2, 0.2], [-0.2, -0.2]] * (len(OVAL) // 2))
    mesh[list(LEFT_EYE)], mesh[list(RIGHT_EYE)] = (0.4, 0.4), (0.42, 0.6)
    mesh[[61, 291]] = (0.6, 0.45), (0.6, 0.55)  # the corners of the mouth
    monkeypatch.setattr(align, "refusal", lambda: None)
    monkeypatch.setattr(align, "every_face", lambda picture, offline: [mesh])
    sefa("sample", model.ref, "--seeds", "5", "-o", "samples")
    with Image.open("samples/seed0005.png") as face:
        face.convert("RGB").resize((256, 256)).save("me.png")
    data, codes = Path("me.png").read_bytes(), {}
    for aligns in (False, True):
        search = Search(model, "me.png", data, aligns, lambda png: None, lambda: None)
        state = moved(model).started(search.run(search.prepare()))
        codes[aligns] = state.codes(model.generator)
    assert (codes[True] != codes[False]).any()  # else it could not fail
    commands = picture_commands(model, state)
    assert "sefa invert me.png --model tiny.pth --align -o me.npz" in commands
    check(sefa, model, state, commands)


def test_the_commands_of_a_preset(sefa: Sefa, model: Model) -> None:
    kept = preset_of(two_bundles(model), "odd").to_text()
    Path("odd.toml").write_text(kept)
    known = {Path(own.path): own.bundle for own in two_bundles(model).sets}
    parts = Preset.parse(kept, "odd.toml", known).parts
    state = with_parts(model, two_bundles(model).before().with_seed(9), parts)
    check(sefa, model, state, preset_commands(model, state, "odd.toml"))


@pytest.mark.parametrize("start", ["sliders of two bundles, one on other layers", "box"])
def test_the_commands_make_the_same_film(sefa: Sefa, model: Model, start: str) -> None:
    model, state = CONTROLS[start](model, sefa)
    run(sefa, film_commands(model, state.at(2, 1), 2, "film.gif"))
    assert Path("film.gif").read_bytes() == film_of(model, state.at(2, 1), 2)


def test_the_commands_of_the_timeline(sefa: Sefa, model: Model) -> None:
    """From a truncated face to a mixed one, to a code, to two bundles."""
    shown = KeyFrames()
    for name in ("truncation", "mix, moved", "file of codes", "compared with a bundle"):
        shown = shown.added(CONTROLS[name](model, sefa)[1]).lasting(len(shown.frames), 0.2)
    Path("story.toml").write_text(storyboard_of(model, shown).to_text())
    run(sefa, storyboard_commands(model, shown, "story.toml", "film.gif"))
    assert Path("film.gif").read_bytes() == save_film(model, shown, lambda: None)


def test_the_real_model_needs_no_model_option(default_model: Path) -> None:
    real = Library("cpu").open_model("mobilestylegan_ffhq")
    lines = picture_commands(real, State(seed=3).added(real.factorize("bottom")).at(0, 2))
    assert lines == [
        "sefa factorize mobilestylegan_ffhq -L bottom --deflate-gain -o mobilestylegan_bottom.dirs",
        "sefa edit --dirs mobilestylegan_bottom.dirs --k 0 --alpha 2 --seeds 3 -o picture",
    ]
