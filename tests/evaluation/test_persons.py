"""Age, gender and identity: how a face is cut out, what is refused, and real faces."""

from importlib import metadata, util
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sefa_cli.errors import SefaError
from sefa_cli.evaluation import persons
from sefa_cli.evaluation.persons import cut_out, install_refusal

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator


@pytest.mark.parametrize("turn", [0, 30, -90])
def test_a_face_is_turned_and_scaled_to_its_place(turn: int) -> None:
    """Three spots of different colors end where they should, whatever the picture's angle."""
    angle = np.radians(turn)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    places = np.array([(8.0, 8), (24, 8), (16, 24)])
    points = (places - 16) @ rotation.T * 3 + (70, 64)
    picture = np.zeros((128, 140, 3), np.uint8)
    for channel, (x, y) in enumerate(points):
        rows, columns = np.ogrid[:128, :140]
        picture[(rows + 0.5 - y) ** 2 + (columns + 0.5 - x) ** 2 < 100, channel] = 255
    cut = cut_out(picture, points, places, 32)
    assert cut.shape == (32, 32, 3)
    for channel, (x, y) in enumerate(places.astype(int)):
        assert cut[y, x].argmax() == channel and cut[y, x].max() > 250
        spot = cut[..., channel] > 127
        assert spot.sum() == pytest.approx(np.pi * (10 / 3) ** 2, abs=4)


def test_points_that_do_not_fit_exactly_are_met_on_average() -> None:
    places = np.array([(8.0, 8), (24, 8), (16, 24)])
    points = places + np.array([(16.0, 16), (16, 16), (16, 22)])
    rows, columns = np.mgrid[:64, :64]
    picture = (rows + 2 * columns).astype(np.uint8)[..., None]
    (x, y), cut = points.mean(axis=0), cut_out(picture, points, places, 32)
    here = places.mean(axis=0).astype(int)
    assert cut[here[1], here[0], 0] == pytest.approx(y + 2 * x, abs=2)


def test_the_package_may_be_missing_or_report_its_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    assert "onnxruntime, is not installed. `pip install 'sefa-cli[eval]'`" in str(install_refusal())
    with pytest.raises(SefaError, match="not installed"):
        persons._fetched(persons.IDENTITY, offline=True)
    monkeypatch.setattr(util, "find_spec", lambda name: object())
    monkeypatch.setattr(metadata, "version", lambda name: "1.27.0")
    assert "onnxruntime 1.27.0 is not used" in str(install_refusal())
    monkeypatch.setattr(metadata, "version", lambda name: "1.26.1")
    assert install_refusal() is None


def test_persons_of_real_faces(faces: "Generator", default_model: object) -> None:
    """A girl, a man, and the girl under another light."""
    pytest.importorskip("mediapipe")
    pytest.importorskip("onnxruntime")
    from sefa_cli.editing.start import start_from
    from sefa_cli.evaluation.scorers import close_scorers, comparing, open_scorers, score
    from sefa_cli.rendering.view import View

    start = start_from(faces, [5021, 5022], psi=0.7)
    girl, man = View(fast=True).pictures(faces, start.codes, start.numbers)
    scorers = open_scorers("person,identity")
    alone, both = comparing(scorers, False), comparing(scorers)
    of_girl, of_man = score(alone, "girl", girl), score(alone, "man", man)
    dim = (girl * 0.6).astype(np.uint8)
    assert score(both, "the same", girl, dim)["identity"] > 0.8
    assert score(both, "two", girl, man)["identity"] < 0.35
    assert score(both, "nobody", girl, np.zeros_like(girl)) == {}
    close_scorers(scorers)
    assert of_girl["age"] < 20 < 30 < of_man["age"] and of_girl["male"] < 0.5 < of_man["male"]
