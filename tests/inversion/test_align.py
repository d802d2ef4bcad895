"""A face is cropped and turned as FFHQ's were, from the places of its eyes and mouth."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw

from sefa_cli.discovery.regions.landmarks import LEFT_EYE, OVAL, RIGHT_EYE
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.inversion import align
from sefa_cli.inversion.align import ffhq_square
from sefa_cli.inversion.how import How
from sefa_cli.inversion.loss import loss_to, share_of, target_of
from sefa_cli.inversion.photos import Photo, read_photo

EYES, MOUTH = ((300.0, 400.0), (500.0, 400.0)), (400.0, 600.0)  # x and y of an upright face


def mesh(turn: float = 0, grow: float = 1, move: tuple[float, float] = (0, 0)) -> np.ndarray:
    """Landmarks `(478, 2)` in pixels, of the upright face after a turn about the origin."""
    points = np.zeros((478, 2))
    points[list(LEFT_EYE)], points[list(RIGHT_EYE)] = EYES
    points[[61, 291]] = (MOUTH[0] - 50, MOUTH[1]), (MOUTH[0] + 50, MOUTH[1])
    cos, sin = np.cos(turn), np.sin(turn)
    return grow * points @ np.array([[cos, sin], [-sin, cos]]) + move


def finder(*faces: np.ndarray, size: tuple[int, int]) -> Callable:
    """A finder that sees these faces in any photo of `size`."""
    return lambda picture: [points[:, ::-1] / size[::-1] for points in faces]


def photo(turn: float, size: tuple[int, int], move: tuple[float, float]) -> Image.Image:
    """Red left eye, green right eye and blue mouth on gray."""
    image = Image.new("RGB", size, "gray")
    canvas = ImageDraw.Draw(image)
    points = mesh(turn, 1, move)
    spots = (points[LEFT_EYE[0]], points[RIGHT_EYE[0]], points[[61, 291]].mean(axis=0))
    for (x, y), color in zip(spots, ("red", "lime", "blue"), strict=True):
        canvas.ellipse((x - 30, y - 30, x + 30, y + 30), fill=color)
    return image


def test_the_square_of_an_upright_face() -> None:
    corners = [[0, 20], [0, 820], [800, 820], [800, 20]]
    assert np.allclose(ffhq_square(mesh()), corners)
    assert np.allclose(ffhq_square(mesh(grow=0.5)), np.array(corners) / 2)
    turned = np.array([[0.0, 1.0], [-1.0, 0.0]])  # by a quarter
    assert np.allclose(ffhq_square(mesh(np.pi / 2)), np.array(corners) @ turned)


@pytest.mark.parametrize("turn", [0.0, 0.5, -0.8])
def test_eyes_and_mouth_come_where_the_model_has_them(turn: float) -> None:
    size, move = (1400, 1300), (300.0, 300.0)
    find = finder(mesh(turn, 1, move), size=size)
    found = read_photo(photo(turn, size, move), (256, 256), find=find)
    assert found.notes == ("aligned",)
    for (y, x), color in (((122, 96), 0), ((122, 160), 1), ((186, 128), 2)):
        pixel = found.pixels[y, x].astype(int)
        assert pixel[color] > 200 > 60 > np.delete(pixel, color).max()


def test_what_lies_outside_the_photo_is_mirrored_and_fades() -> None:
    """As in FFHQ, whose script blurs it, and lets it turn into the median color."""
    find = finder(mesh(0, 1, (0, -300)), size=(800, 400))
    found = read_photo(photo(0, (800, 400), (0, -300)), (256, 256), find=find)
    top = 256 * 280 / 800  # the photo's edge
    column = found.pixels[:, 96].astype(int)
    mirrored = column[int(top) - 31]  # of the eye, 100 pixels below it
    assert mirrored[0] > 180 > 90 > mirrored[1:].max()
    seen = column[int(top) + 31]
    assert seen[0] > 200 > 60 > seen[1:].max()
    assert np.abs(found.pixels[0].astype(int) - 128).max() <= 2  # gray, as most of the photo


def test_a_face_at_the_edge_gets_no_twin() -> None:
    size, move = (900, 900), (-150.0, 0.0)
    find = finder(mesh(0, 1, move), size=size)
    image = photo(0, size, move)
    ImageDraw.Draw(image).rectangle((100, 0, 150, 899), fill="black")
    found = read_photo(image, (256, 256), find=find).pixels[128].astype(int)
    edge = 256 * 150 / 800
    assert found[int(edge) + 40].max() < 10  # black, as in the photo
    assert found[:8].min() > 50  # a mirrored twin would be black there


def test_one_face_of_several() -> None:
    size = (1600, 900)
    small, large = mesh(0, 0.5), mesh(0, 1, (700, 0))
    image = photo(0, size, (700, 0))
    find = finder(small, large, size=size)
    largest = read_photo(image, (64, 64), find=find)
    assert largest.notes == ("aligned by face 1 of 2, counted from 0",)
    assert (read_photo(image, (64, 64), find=find, face=1).pixels == largest.pixels).all()
    other = read_photo(image, (64, 64), find=find, face=0)
    assert (other.pixels != largest.pixels).any()
    with pytest.raises(SefaError, match="the picture has 2 faces; expected face 0 to 1"):
        read_photo(image, (64, 64), find=find, face=2)


def test_a_photo_without_a_face() -> None:
    with pytest.raises(SefaError, match=r"no face found in the picture.* Without align=True"):
        read_photo(photo(0, (900, 900), (0, 0)), (64, 64), find=lambda picture: [])


def test_without_the_landmark_package_photos_are_taken_as_they_are(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(align, "refusal", lambda: SefaError("mediapipe is missing"))
    assert align.face_finder() is None
    assert "photos are taken as they are: mediapipe is missing" in caplog.text


def test_a_small_face_is_enlarged_and_said_so() -> None:
    find = finder(mesh(0, 0.1), size=(100, 100))
    found = read_photo(photo(0, (100, 100), (0, 0)), (256, 256), find=find)
    assert found.notes == ("aligned", "enlarged: it has only 80 pixels")


@pytest.mark.parametrize("turn", [0.0, 0.7])
def test_where_the_face_is_in_the_crop(turn: float) -> None:
    size, move = (1400, 1300), (300.0, 300.0)
    points = mesh(turn, 1, move)
    middle = points[[LEFT_EYE[0], RIGHT_EYE[0], 61, 291]].mean(axis=0)
    angles = np.linspace(0, 2 * np.pi, len(OVAL), endpoint=False)
    points[list(OVAL)] = middle + 200 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    inside = read_photo(photo(turn, size, move), (256, 256), find=finder(points, size=size)).inside
    assert inside is not None and inside.shape == (256, 256)
    y, x = np.indices(inside.shape)
    away = np.hypot(x + 0.5 - 128, y + 0.5 - 153.6)  # eyes at row 122, mouth at 186, square of 800
    assert inside[away < 60].min() > 0.95 and inside[away > 90].max() < 0.05  # 1.15 * 64 = 74
    tall = read_photo(photo(turn, size, move), (256, 128), find=finder(points, size=size)).inside
    assert np.array_equal(tall, inside[:, 64:192])


def test_errors_outside_the_face_count_less() -> None:
    pixels = np.full((32, 32, 3), 127, np.uint8)
    inside = np.zeros((32, 32), np.float32)
    inside[8:24, 8:24] = 1
    here = Photo("me", pixels, inside=inside)
    target, only = target_of(here), share_of(here, 0)
    face, around = target + 0.2 * only, target + 0.2 * (1 - only)
    plain, half, none = (loss_to(target, share=share_of(here, x)) for x in (1, 0.5, 0))
    assert float(plain(face)) == float(half(face)) == float(none(face)) > 0
    assert float(half(around)) == pytest.approx(float(plain(around)) / 4)
    assert float(none(around)) == 0 < float(plain(around))
    assert float(share_of(Photo("me", pixels), 0.5).min()) == 1  # not aligned


def test_a_face_is_chosen_only_with_align() -> None:
    with pytest.raises(UsageError, match="face has no effect without align"):
        How(face=1)
    with pytest.raises(UsageError, match="face must be 0 or more, got -1"):
        How(align=True, face=-1)


def near_sighted(part: np.ndarray) -> list[np.ndarray]:
    """Squares of one level each, if they are a sixth as high as what is looked at."""
    found = []
    for level in np.unique(part[part > 0]):
        y, x = np.nonzero(part[..., 0] == level)
        if np.ptp(y) + 1 >= len(part) / 6:
            begin, end = (y.min(), x.min()), (y.max() + 1, x.max() + 1)
            found.append(np.linspace(begin, end, 478) / part.shape[:2])
    return found


def test_small_faces_are_looked_for_in_parts_of_the_photo() -> None:
    picture = np.zeros((200, 300, 1), np.uint8)
    places = [(90, 10, 24), (10, 50, 24), (60, 120, 60), (120, 250, 24)]  # top, left, side
    for level, (top, left, side) in enumerate(places, start=1):
        picture[top : top + side, left : left + side] = level
    assert len(near_sighted(picture)) == 1
    found = [points[[0, -1]] * (200, 300) for points in align.look_closer(near_sighted, picture)]
    expected = [[(top, left), (top + side, left + side)] for top, left, side in places]
    np.testing.assert_allclose(found, expected)


def test_a_face_that_parts_cut_is_the_whole_photo_s() -> None:
    picture = np.zeros((100, 100, 1), np.uint8)
    picture[10:90, 10:90] = 1
    (points,) = align.look_closer(near_sighted, picture)
    np.testing.assert_allclose(points[[0, -1]], [(0.1, 0.1), (0.9, 0.9)])
