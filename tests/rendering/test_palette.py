import numpy as np
import pytest
from reading import psnr

from sefa_cli.rendering.palette import SIZE, Palette


def redrawn(palette, film):
    """The film in the palette's colours."""
    return palette.colours[np.stack(list(palette.drawn(film)))]


def test_few_colours_are_kept_exactly(waves):
    film = waves(3, 16, 16) // 64 * 64
    palette = Palette.of(film)
    assert palette.error == 0 and np.array_equal(redrawn(palette, film), film)


def test_more_colours_than_there_is_room_for(waves):
    film = waves(3, 64, 64)
    palette = Palette.of(film)
    assert len(np.unique(palette.colours, axis=0)) > 240
    squares = np.square(redrawn(palette, film).astype(float) - film).sum(axis=-1).mean()
    assert squares == pytest.approx(palette.error, rel=0.15)


def test_k_means_ends_near_its_optimum():
    """Uniform levels of one channel: 255 even steps have an error of (256 / 255)² / 12 at best."""
    film = np.zeros((1, 64, 64, 3), np.uint8)
    film[..., 0] = np.arange(64 * 64).reshape(64, 64) // 16
    assert psnr(redrawn(Palette.of(film), film), film) > 50


def test_pieces_make_no_difference(waves):
    film = waves(4, 16, 16)
    whole, pieces = Palette.of([film]), Palette.of(iter(film))
    assert np.array_equal(whole.colours, pieces.colours)


def changes(drawn):
    """How many pixels have another colour than in the frame before."""
    return int((drawn[1:] != drawn[:-1]).sum())


def test_what_stands_still_does_not_flicker(waves):
    """Noise of one level changes hardly any pixel's colour; without the memory it does."""
    still = waves(1, 64, 64)[0].astype(int)
    noise = np.random.RandomState(0).randint(-1, 2, (8, 64, 64, 3))
    film = np.clip(still + noise, 0, 255).astype(np.uint8)
    palette = Palette.of(film)
    drawn = np.stack(list(palette.drawn(film)))
    alone = np.stack([next(palette.drawn([frame])) for frame in film])
    assert 5 * changes(drawn) < changes(alone)


def test_what_moves_leaves_no_trace():
    """A square crosses the picture: where it was, the background is the background again."""
    film = np.full((6, 32, 32, 3), 100, np.uint8)
    for number, frame in enumerate(film):
        frame[8:16, 4 * number : 4 * number + 8] = (180, 40, 60)
    assert np.array_equal(redrawn(Palette.of(film), film), film)


def test_transparent_pixels_have_no_colour(waves):
    film = waves(2, 16, 16, 4)
    film[:, :, :8, 3] = 0
    film[:, :, :8, :3] = (0, 255, 0)
    palette = Palette.of(film)
    drawn = np.stack(list(palette.drawn(film)))
    assert (drawn[:, :, :8] == SIZE).all() and (drawn[:, :, 8:] < SIZE).all()
    assert not (palette.colours == (0, 255, 0)).all(axis=1).any()


def test_a_film_that_is_all_transparent():
    film = np.zeros((2, 4, 4, 4), np.uint8)
    assert (np.stack(list(Palette.of(film).drawn(film))) == SIZE).all()
