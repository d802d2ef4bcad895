"""Scorers: colors, a user's own by entry point, and what they may not return."""

from importlib.metadata import EntryPoint
from typing import Any

import numpy as np
import pytest

from sefa_cli.errors import SefaError, UsageError
from sefa_cli.evaluation import scorers
from sefa_cli.evaluation.scorers import close_scorers, color_scores, open_scorers, score


def picture(red: int, green: int, blue: int) -> np.ndarray:
    return np.full((8, 8, 3), (red, green, blue), np.uint8)


def test_a_scorer_given_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="scorer colors is given twice; expected each scorer once"):
        open_scorers("colors, colors")


def test_colors() -> None:
    assert color_scores(picture(90, 60, 30)) == {
        "brightness": 60, "contrast": 0, "saturation": 60, "warmth": 60, "sharpness": 0,
    }  # fmt: skip
    stripes = np.zeros((8, 8, 1), np.uint8)
    stripes[:, ::2] = 100
    assert color_scores(stripes)["contrast"] == 50 and color_scores(stripes)["sharpness"] == 50
    assert color_scores(stripes)["warmth"] == 0
    assert tuple(color_scores(stripes)) == scorers.MEASURES["colors"]


def test_a_scorer_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    own = EntryPoint("mine", "tests.evaluation.mine:reds", scorers.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda self: lambda p: {"red": float(p[0, 0, 0])})
    monkeypatch.setattr(scorers, "entry_points", lambda group: [own])
    opened = open_scorers(["mine"])
    assert score(opened, "seed 3", picture(7, 0, 0)) == {"red": 7}
    with pytest.raises(
        UsageError,
        match=r"unknown scorer 'yours'; expected colors, face, .*, inception or mine",
    ):
        open_scorers(["yours"])


def broken(self: EntryPoint) -> Any:
    raise ImportError("no such module")


def test_a_scorer_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    own = EntryPoint("mine", "nowhere:reds", scorers.GROUP)
    monkeypatch.setattr(scorers, "entry_points", lambda group: [own])
    with pytest.raises(SefaError, match="the scorer mine cannot be loaded"):
        open_scorers(["mine"])


def fails(picture: np.ndarray) -> dict[str, float]:
    raise ZeroDivisionError("oops")


@pytest.mark.parametrize(
    ("scorer", "said"),
    [
        (
            lambda _: {"red": float("nan")},
            "says that red is nan on seed 3; expected a finite number",
        ),
        (lambda _: {"red": "much"}, "says that red is 'much' on seed 3"),
        (lambda _: {"brightness": 1.0}, "two scorers measure brightness"),
        (fails, "the scorer mine failed on seed 3: ZeroDivisionError"),
    ],
)
def test_a_scorer_that_misbehaves(scorer: Any, said: str) -> None:
    with pytest.raises(SefaError, match=said):
        score({"colors": color_scores, "mine": scorer}, "seed 3", picture(1, 2, 3))


def test_a_picture_without_the_subject_has_no_scores() -> None:
    assert score({"mine": lambda _: None}, "seed 3", picture(1, 2, 3)) == {}


def test_faces_need_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sefa_cli.discovery.regions.landmarks._version", lambda: "")
    assert list(open_scorers()) == ["colors"]
    with pytest.raises(SefaError, match=r"pip install 'sefa-cli\[eval\]'"):
        open_scorers(["face"])


def test_what_scorers_hold_is_released() -> None:
    class Holds:
        closed = False

        def __call__(self, picture: np.ndarray) -> None: ...

        def close(self) -> None:
            self.closed = True

    held = Holds()
    close_scorers({"colors": color_scores, "mine": held})
    assert held.closed
