"""Frames of several pictures, and captions that do not move."""

import numpy as np
import pytest

from sefa_cli.rendering.film_frames import Captions, gap_of, one_below_another, side_by_side
from sefa_cli.rendering.sheets import BACKGROUND


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_side_by_side(waves, channels):
    one, two, three = waves(3, 32, 256, channels)
    frame = side_by_side([one, two, three])
    assert frame.shape == (32, 3 * 256 + 2 * 4, channels) and frame.dtype == np.uint8
    assert np.array_equal(frame[:, :256], one) and np.array_equal(frame[:, 260:516], two)
    assert (frame[:, 256:260] > 240).all()
    assert np.array_equal(side_by_side([one]), one)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_rows(waves, channels):
    one, two = waves(2, 64, 128, channels)
    frame = one_below_another([one, two], gap_of(64))
    assert frame.shape == (64 + 2 + 64, 128, channels) and frame.dtype == np.uint8
    assert np.array_equal(frame[:64], one) and np.array_equal(frame[66:], two)
    assert np.array_equal(one_below_another([one], 2), one)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("side", [16, 64, 256])
def test_captions_have_the_same_room_in_every_frame(waves, side, channels):
    texts = ["smile  α -3.00", "hair, a long label that must be wrapped somewhere  α +3.00", "k 3"]
    row = waves(1, side, side, channels)[0]
    room = Captions.for_texts(frozenset(texts), side, side)
    frames = [room.under(row, text) for text in texts]
    assert len({frame.shape for frame in frames}) == 1
    picture = row.repeat(3, axis=2) if channels == 1 else row[..., :3]
    for frame in frames:
        assert np.array_equal(frame[:side, :side], picture)
        ink = (frame != BACKGROUND).any(axis=2)
        assert ink[side:].sum() > 30
        edges = ink[side:, 0], ink[side:, -1], ink[-1, :]
        assert not any(edge.any() for edge in edges)  # nothing is cut off


def test_a_number_that_changes_moves_nothing_else(waves):
    row = waves(1, 256, 256)[0]
    texts = ["smile  α +1.11", "smile  α -3.00"]
    room = Captions.for_texts(frozenset(texts), 256, 256)
    one, other = (room.under(row, text) for text in texts)
    changed = np.nonzero((one != other).any(axis=(0, 2)))[0]
    assert changed.min() > 80  # the word "smile" stands before it
