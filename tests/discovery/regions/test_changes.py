"""How much a move changes a picture inside and outside a region, for `evaluate` and the studio."""

import math

import numpy as np
import pytest

from sefa_cli.discovery.regions.changes import change
from sefa_cli.errors import SefaError

FORE = np.array([[255, 0], [0, 0]], np.uint8)


def test_change_is_the_mean_square_over_channels_and_weights() -> None:
    before = np.zeros((3, 2, 2), np.float32)
    after = before.copy()
    after[:, 0, 0] = (3, 0, 0)
    after[:, 1, 1] = (0, 1, 1)
    found = change(before, after, FORE, 255 - FORE)
    assert found.inside == pytest.approx(3) and found.outside == pytest.approx(2 / 9)
    assert found.ratio == pytest.approx(13.5)


def test_gray_weights_count_in_proportion() -> None:
    before, after = np.zeros((1, 1, 2)), np.array([[[2.0, 4.0]]])
    fore = np.array([[255, 85]])
    found = change(before, after, fore, 255 - fore)
    assert found.inside == pytest.approx((4 * 3 + 16 * 1) / 4) and found.outside == 16


def test_nothing_outside_is_an_infinite_ratio() -> None:
    before = np.zeros((1, 2, 2))
    after = before.copy()
    after[0, 0, 0] = 1
    assert change(before, after, FORE, 255 - FORE).ratio == math.inf


def test_a_region_without_pixels_is_refused() -> None:
    with pytest.raises(SefaError, match="the region is empty"):
        change(np.zeros((1, 2, 2)), np.zeros((1, 2, 2)), FORE * 0, FORE)
