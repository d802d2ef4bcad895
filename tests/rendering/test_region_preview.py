import numpy as np
import pytest

from sefa_cli.rendering.region_preview import region_preview
from sefa_cli.rendering.sheets import grid


def box(top=20, left=12, height=16, width=24, side=64):
    weights = np.zeros((side, side), np.uint8)
    weights[top : top + height, left : left + width] = 255
    return weights


def first_picture(sheet, side=64):
    """Return the first picture in a sheet, which has a margin of two pixels for a side of 64."""
    margin = 2 * max(2, round(side / 64))
    return sheet[margin : margin + side, margin : margin + side]


@pytest.mark.parametrize("level", [0, 90, 255])
def test_the_region_stays_and_the_rest_loses_contrast(level):
    picture = np.full((64, 64, 3), level, np.uint8)
    shown = first_picture(region_preview([picture], box()))
    assert (shown[20:36, 12:36] == level).all()
    far = int(shown[60, 60, 0])
    assert abs(far - 128) < 0.5 * max(1, abs(level - 128)) + 1
    assert shown.shape == picture.shape


@pytest.mark.parametrize("level", [0, 128, 255])
def test_the_outline_is_seen_on_any_ground(level):
    """White, with black around it, outside the region."""
    shown = first_picture(region_preview([np.full((64, 64, 3), level, np.uint8)], box()))
    assert (shown[19, 12:36] == 255).all() and (shown[18, 12:36] == 0).all()
    assert (shown[36, 12:36] == 255).all() and (shown[37, 12:36] == 0).all()
    assert (shown[20:36, 11] == 255).all() and (shown[20:36, 10] == 0).all()


def test_a_region_at_the_border_of_the_picture():
    shown = first_picture(region_preview([np.zeros((64, 64, 3), np.uint8)], box(0, 0, 8, 64)))
    assert (shown[:8] == 0).all() and (shown[8] == 255).all()


def test_gray_weights_fade_in_proportion():
    weights = np.tile(np.linspace(0, 100, 64).astype(np.uint8), (64, 1))
    shown = first_picture(region_preview([np.full((64, 64, 3), 255, np.uint8)], weights))
    assert (np.diff(shown[0, :, 0].astype(int)) >= 0).all() and shown[0, -1, 0] > shown[
        0, 0, 0
    ] + 20


def test_rows_are_rows():
    tall = box(0, 30, 60, 4)
    shown = first_picture(region_preview([np.full((64, 64, 3), 255, np.uint8)], tall))
    assert (shown[0:60, 31] == 255).all() and not (shown[31, 0:60] == 255).all()


def test_pixels_of_neither_mask_are_striped():
    picture = np.full((64, 64, 3), 255, np.uint8)
    held = np.zeros((64, 64), np.uint8)
    held[:, 50:] = 255
    plain = first_picture(region_preview([picture], box()))
    striped = first_picture(region_preview([picture], box(), held))
    np.testing.assert_array_equal(plain[:, 50:], striped[:, 50:])
    assert set(np.unique(striped[50:, :50])) == {128, int(plain[60, 0, 0])}


def test_a_mask_for_each_seed_and_captions():
    pictures = [np.full((64, 64, 3), 200, np.uint8)] * 2
    weights = np.stack([box(), box(40)])
    sheet = region_preview(pictures, weights, captions=["seed 0", "seed 1"])
    assert sheet.shape == grid(pictures, ["seed 0", "seed 1"]).shape
    alone = [first_picture(region_preview(pictures[:1], w)) for w in weights]
    np.testing.assert_array_equal(sheet[4:68, 4:68], alone[0])
    assert not np.array_equal(alone[0], alone[1])
    with pytest.raises(ValueError):
        region_preview(pictures, weights[:1])


def test_pictures_larger_than_the_working_size_and_gray_ones():
    picture = np.full((128, 128, 1), 90, np.uint8)
    shown = first_picture(region_preview([picture], box()), 128)
    assert (shown[40:72, 24:72] == 90).all() and (shown[39, 24:72] == 255).all()
