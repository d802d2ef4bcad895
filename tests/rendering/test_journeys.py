"""Films between faces: their frames are the pictures of codes on the way."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import sefa_cli
from sefa_cli.editing.codes import codes_from_seeds
from sefa_cli.editing.moves import Move
from sefa_cli.editing.presets import Part
from sefa_cli.editing.storyboard import Key, Storyboard
from sefa_cli.errors import MismatchError, UsageError
from sefa_cli.families.build import build
from sefa_cli.generators.base import Generator
from tests.helpers.networks import stylegan2

sefa: Any = sefa_cli  # what a type checker would refuse is tried here too


def test_frames_are_on_the_straight_way(tiny: Generator) -> None:
    film = sefa.interpolate(tiny, 3, 7, frames=5)
    assert np.array_equal(film[0], sefa.sample(tiny, seeds=3)[0])
    assert np.array_equal(film[-1], sefa.sample(tiny, seeds=7)[0])
    codes = codes_from_seeds(tiny, [3, 7])
    quarter = (codes[:1] + (codes[1:] - codes[:1]) * 0.25).numpy()
    assert np.array_equal(film[1], sefa.sample(tiny, codes=quarter)[0])


def test_a_seed_and_a_code_mixed_with_a_third(tiny: Generator) -> None:
    code = codes_from_seeds(tiny, [7])
    film = sefa.interpolate(tiny, 3, code, frames=2, mix_from="5:0-1", captions=True)
    starts: list[dict[str, Any]] = [{"seeds": 3}, {"codes": code}]
    for frame, start in zip(film, starts, strict=True):
        picture = np.asarray(sefa.sample(tiny, mix_from="5:0-1", **start)[0])
        height, width = picture.shape[:2]
        assert np.array_equal(np.asarray(frame)[:height, :width], picture)
    assert film._texts == {"seed 3 + 5:0-1", "code + 5:0-1"}


def test_a_storyboard_has_its_frames_at_their_times(tiny: Generator) -> None:
    story = Storyboard((Key(0, 3), Key(0.5, 7), Key(1.5, 3)))
    film = sefa.film(story, tiny, fps=4)
    assert [(at, round(part, 3)) for at, part in film.shots] == [
        (0, 0), (0, 0.5), (1, 0), (1, 0.25), (1, 0.5), (1, 0.75), (1, 1),
    ]  # fmt: skip
    assert np.array_equal(film[2], sefa.sample(tiny, seeds=7)[0])
    back = sefa.film(story, tiny, fps=4, bounce=True, hold=0.5)
    assert back.shots == [film.shots[i] for i in (0, 0, *range(7), 6, 6, 5, 4, 3, 2, 1)]
    smooth = sefa.film(story, tiny, fps=4, ease="smooth")
    assert 0 < smooth.shots[3][1] < 0.25
    own = replace(story, ease="smooth")
    assert sefa.film(own, tiny, fps=4).shots == smooth.shots
    assert sefa.film(own, tiny, fps=4, ease="linear").shots == film.shots


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"seeds": 3}, "seeds with a film"),
        ({"codes": "a.npz"}, "codes with a film"),
        ({"frames": 0}, "frames must be between 2 and 100000, got 0"),
        ({"ease": "quick"}, "unknown ease"),
        ({"hold": -1}, "hold must be"),
        ({"fps": 0}, "fps must be at least 0.01, got 0"),
        ({"fps": -1}, "fps must be"),
        ({"fps": float("nan")}, "fps must be"),
        ({"fps": float("inf")}, "fps must be"),
        ({"size": 0}, "size"),
    ],
)
def test_what_has_no_effect_is_refused(tiny: Generator, words: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        sefa.interpolate(tiny, 3, 7, **words)[0]
    if "fps" in words:
        with pytest.raises(UsageError, match=said):
            sefa.film(Storyboard((Key(0, 3), Key(1, 7))), tiny, **words)
        with pytest.raises(UsageError, match=said):
            sefa.sweep(sefa.factorize(tiny.checkpoint, num=1), 0, model=tiny, **words)


def test_key_frames_need_no_other_face() -> None:
    """No class is asked for a seed that nothing shows."""
    generator = build(stylegan2(classes=3), "cpu")
    story = Storyboard((Key(0, 3, label=1), Key(1, 7, label=2)))
    film = sefa.film(story, generator, fps=4)
    for i, seed, label in ((0, 3, 1), (-1, 7, 2)):
        assert np.array_equal(film[i], sefa.sample(generator, seeds=seed, label=label)[0])
    codes = codes_from_seeds(generator, [3, 7], label=1)
    way = sefa.interpolate(generator, codes[:1], codes[1:], frames=3)
    assert np.array_equal(way[-1], sefa.sample(generator, codes=codes[1:])[0])


def test_layers_to_truncate(tiny: Generator) -> None:
    how: dict[str, Any] = {"truncation": 0.5, "truncation_layers": "0"}
    film = sefa.interpolate(tiny, 3, 7, frames=2, mix_from="5:1", **how)
    picture = sefa.sample(tiny, seeds=3, mix_from="5:1", **how)[0]
    assert np.array_equal(film[0], picture)


def test_moves_on_another_model_are_accepted_if_asked_for() -> None:
    bundle = sefa.factorize(stylegan2(seed=1), num=1)
    moved = (Part("x.dirs", bundle, Move(((0, 2.0),))),)
    story, other = Storyboard((Key(0, 3), Key(1, 3, parts=moved))), build(stylegan2(), "cpu")
    with pytest.raises(MismatchError, match="any_model=True"):
        sefa.film(story, other)
    frame = sefa.film(story, other, any_model=True, fps=2)[-1]
    assert np.array_equal(frame, sefa.edit(bundle, {0: 2}, seeds=3, model=other, any_model=True)[0])


def test_a_storyboard_needs_a_model() -> None:
    story = Storyboard((Key(0, 3), Key(1, 7)))
    with pytest.raises(UsageError, match="a storyboard without a model"):
        sefa.film(story)
    with pytest.raises(UsageError, match="mix_from with a storyboard"):
        sefa.film(story, mix_from="3:1")
    with pytest.raises(TypeError, match="'frame'"):
        sefa.film(story, frame=3)
