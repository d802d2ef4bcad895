"""Scores of faces: the angles by geometry, and all of it on real faces where mediapipe is."""

from typing import TYPE_CHECKING

import numpy as np
import pytest

from sefa_cli.discovery.regions.landmarks import OVAL
from sefa_cli.evaluation.faces import FaceFinder, FaceScorer, _pose, _skin
from sefa_cli.evaluation.scorers import MEASURES

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator


def turned(axis: int, degrees: float) -> np.ndarray:
    """A right-handed rotation about x (right), y (up) or z (toward the camera)."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i, j = [(1, 2), (2, 0), (0, 1)][axis]
    matrix = np.eye(3)
    matrix[[i, i, j, j], [i, j, i, j]] = c, -s, s, c
    return matrix


@pytest.mark.parametrize(
    ("axis", "degrees", "name", "expected"),
    [(1, 20, "yaw", 20), (0, -15, "pitch", 15), (2, 10, "roll", 10)],
)
def test_angles(axis: int, degrees: float, name: str, expected: float) -> None:
    pose = _pose(turned(axis, degrees))
    assert pose.pop(name) == pytest.approx(expected)
    assert list(pose.values()) == pytest.approx([0, 0])


def test_the_skin_is_the_median_within_the_outline() -> None:
    points = np.full((478, 2), 0.5)
    for i, place in enumerate(np.linspace(0, 2 * np.pi, len(OVAL), endpoint=False)):
        points[OVAL[i]] = 0.5 + 0.3 * np.cos(place), 0.5 + 0.2 * np.sin(place)
    picture = np.full((50, 60, 3), 255, np.uint8)
    picture[8:42, 12:48] = 180, 140, 100
    picture[22:28, 20:40] = 0  # eyes
    assert _skin(picture, points) == {
        "skin brightness": 140, "skin warmth": 80, "skin redness": 40,
    }  # fmt: skip
    assert _skin(picture, points + 5) == {}


def test_a_mirrored_face_looks_the_other_way(faces: "Generator", default_model: object) -> None:
    pytest.importorskip("mediapipe")
    from sefa_cli.editing.start import start_from
    from sefa_cli.rendering.view import View

    start = start_from(faces, [5001], psi=0.7)
    (picture,) = View(fast=True).pictures(faces, start.codes, start.numbers)
    scorer = FaceScorer(FaceFinder())
    plain, mirrored = scorer(picture), scorer(np.ascontiguousarray(picture[:, ::-1]))
    assert scorer(np.zeros_like(picture)) is None
    scorer.close()
    assert tuple(plain) == MEASURES["face"]
    assert plain["yaw"] > 15 and plain["yaw"] == pytest.approx(-mirrored["yaw"], abs=4)
    assert plain["smile"] > 0.3 and plain["smile"] == pytest.approx(mirrored["smile"], abs=0.15)
