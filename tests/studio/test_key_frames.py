"""Key frames of a page: values, their times, and films of models with classes."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sefa_cli.errors import SefaError, UsageError
from sefa_cli.studio.key_frames import KeyFrames, film_look, storyboard_of, with_storyboard
from sefa_cli.studio.library import Library, Model
from sefa_cli.studio.session import Origin, State
from sefa_cli.studio.timeline import save_film, storyboard_commands
from tests.helpers import Sefa, biggan_by_author
from tests.helpers.visiting import run


def test_changes_make_new_ones() -> None:
    a, b, c = (State(seed=seed) for seed in (1, 2, 3))
    shown = KeyFrames().added(a).lasting(0, 2).added(b.of_faces(4)).added(c)
    assert [frame.state for frame in shown.frames] == [a, b, c] and shown.times == [0, 2, 4]
    assert [frame.state.seed for frame in shown.moved(0, 2).frames] == [2, 3, 1]
    assert [frame.state.seed for frame in shown.doubled(1).frames] == [1, 2, 2, 3]
    assert [frame.state.seed for frame in shown.without(1).frames] == [1, 3]
    assert KeyFrames().times == [] and KeyFrames().added(a).times == [0]
    for seconds in (0, -1, 61, float("nan")):
        with pytest.raises(UsageError, match=r"expected 0\.1 to 60"):
            shown.lasting(0, seconds)


def test_a_storyboard_of_every_kind_comes_back(model: Model) -> None:
    """A mixed seed, a truncated one, moves on other layers, and a photo's code."""
    sets = State(seed=3).added(model.factorize("all")).at(0, 2.0)
    photo = Origin(
        "me.jpg",
        "me.npz",
        model.generator.map(model.generator.sample([5]))
        .repeat(1, 8, 1)[0]
        .numpy()
        .astype("<f4")
        .tobytes(),
        (8, 32),
        "",
        ("sefa invert me.jpg",),
    )
    other = replace(model.factorize("0-3"), layers=(1, 2))
    shown = KeyFrames(ease="smooth")
    for state in (
        replace(sets, mix="7:2-5"),
        replace(sets.with_seed(9), trunc=0.25),
        sets.before().added(other).at(1, -1.5),
        sets.started(photo),
    ):
        shown = shown.added(state).lasting(len(shown.frames), 0.5)
    text = storyboard_of(model, shown).to_text()
    page = sets.added(other).before()
    again = with_storyboard(model, page, text, "story.toml", {"me.npz": photo})
    assert again.times == shown.times and again.ease == "smooth"
    for one, known in zip(again.frames, shown.frames, strict=True):
        codes = known.state.codes(model.generator)
        assert torch.equal(one.state.codes(model.generator), codes)
        assert one.state.origin == known.state.origin
    assert storyboard_of(model, again).to_text() == text
    with pytest.raises(SefaError, match=r"me\.npz does not exist"):
        with_storyboard(model, page, text, "story.toml", {})


def test_one_class_and_truncation_for_a_model_that_needs_them(workplace: Path, sefa: Sefa) -> None:
    torch.save(biggan_by_author.state(), "G_ema.pth")
    model = Library("cpu").open_model("G_ema.pth")
    state = replace(State(seed=3, label=2), trunc=0.5)
    shown = KeyFrames().added(state).added(state.with_seed(4)).lasting(0, 0.25)
    film = save_film(model, shown, lambda: None)
    Path("story.toml").write_text(storyboard_of(model, shown).to_text())
    run(sefa, storyboard_commands(model, shown, "story.toml", "film.gif"))
    assert Path("film.gif").read_bytes() == film
    with pytest.raises(UsageError, match="several classes or truncations"):
        film_look(model, shown.added(replace(state, label=1)))
