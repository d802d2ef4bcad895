import numpy as np
import pytest

from sefa_cli.errors import UsageError
from sefa_cli.rendering.sheets import BACKGROUND, Layout, balanced_columns, contact_sheet, grid


def flat(color, height=64, width=64, channels=3):
    return np.full((height, width, channels), color, np.uint8)


def corners(sheet, picture_color):
    """Return top, bottom, left and right of all pixels of one color."""
    rows, columns = np.nonzero((sheet == picture_color).all(axis=2))
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


def dark(area):
    """Return how many pixels of an area are as dark as ink."""
    return int((area.max(axis=2) < 110).sum())


def test_pictures_lie_in_rows_and_columns_unscaled():
    red, green, blue = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    sheet = contact_sheet([[flat(red), flat(green)], [flat(blue)]])
    places = {color: corners(sheet, color) for color in (red, green, blue)}
    for top, bottom, left, right in places.values():
        assert (bottom - top, right - left) == (64, 64)
    assert places[red][0] == places[green][0] and places[red][2] == places[blue][2]
    assert 0 < places[green][2] - places[red][3] <= 4  # thin gaps
    assert tuple(sheet[0, 0]) == BACKGROUND


def test_headings_are_above_left_and_under():
    white = flat((255, 255, 255), 128, 128)
    sheet = contact_sheet([[white]], ["seed 7"], ["before"], [["under"]])
    top, bottom, left, right = corners(sheet, (255, 255, 255))
    above, beside, under = sheet[:top, left:right], sheet[top:bottom, :left], sheet[bottom:]
    assert min(dark(above), dark(beside), dark(under[:, left:right])) > 30
    assert dark(sheet[:top, :left]) == dark(under[:, :left]) == 0
    assert (sheet[top:bottom, left:right] == 255).all()


def test_missing_headings_take_no_space():
    assert contact_sheet([[flat((1, 2, 3))]]).shape == (72, 72, 3)


@pytest.mark.parametrize("side", [8, 32, 64])
def test_tiny_pictures_keep_legible_headings(side):
    """The headings are as large as those of larger pictures, complete, and separate."""
    label = "k 12  α +2.25"
    rows = [[flat((255, 255, 255), side, side)] * 2]
    layout = Layout.of(rows, ["seed 1000"], [label, label])
    assert layout.lettering.size == 12
    first, second = layout.headings[:2]
    assert "".join(first.block.lines) == "k\u00a012\u00a0\u00a0alpha\u00a0+2.25"
    assert first.x + first.block.width // 2 <= second.x - second.block.width // 2
    sheet = layout.paint(rows)
    assert dark(sheet[:1]) == dark(sheet[:, :1]) == dark(sheet[:, -1:]) == 0  # nothing is cut off


def test_headings_grow_with_the_pictures():
    large = Layout.of([[flat(0, 512, 512)]], (), ["before"])
    assert large.lettering.size == 30


def test_sizes_and_channels_may_differ():
    rows = [[flat(9, 40, 20, 1), None], [flat((9, 9, 9, 255), 10, 60, 4), flat((9, 9, 9), 30, 30)]]
    layout = Layout.of(rows)
    assert [c.length for c in layout.columns] == [60, 30]
    assert [r.length for r in layout.rows] == [40, 30]
    sheet = layout.paint(rows)
    assert (sheet == 9).all(axis=2).sum() == 40 * 20 + 10 * 60 + 30 * 30


def test_one_layout_paints_every_frame_alike():
    first, second = [[flat((255, 0, 0))]], [[flat((0, 0, 255))]]
    layout = Layout.of(first, ["seed 0"], ["α +2"])
    one, two = layout.paint(first), layout.paint(second)
    changed = (one != two).any(axis=2)
    assert changed.sum() == 64 * 64 and np.array_equal(layout.paint(first), one)


@pytest.mark.parametrize(
    ("count", "columns"),
    [(1, 1), (2, 2), (5, 5), (6, 3), (8, 4), (9, 3), (12, 4), (16, 4), (32, 8), (100, 10)],
)
def test_balanced_columns(count, columns):
    assert balanced_columns(count) == columns


@pytest.mark.parametrize("count", range(1, 101))
def test_the_last_row_is_never_almost_empty(count):
    columns = balanced_columns(count)
    assert 0 < columns <= 13 and (-count % columns) <= columns / 2


def test_grid_has_each_caption_under_its_picture():
    white = flat((255, 255, 255))
    sheet = grid([white] * 7, [str(n) for n in range(7)])
    layout = Layout.of([[white] * 4, [white] * 3], captions=["0123", "456"])
    assert sheet.shape[1::-1] == layout.size
    for n in range(7):
        row, column = layout.rows[n // 4], layout.columns[n % 4]
        below = sheet[row.end : row.end + layout.lettering.line_height]
        assert dark(below[:, column.start : column.end]) > 5
    hole = layout.columns[3]
    assert (sheet[layout.rows[1].start :, hole.start : hole.end] == BACKGROUND).all()


def test_grid_without_captions_and_with_columns():
    assert grid([flat(0)] * 4, columns=2).shape == (2 * 64 + 10, 2 * 64 + 10, 3)


@pytest.mark.parametrize("rows", [[], [[]], [[], []]])
def test_a_sheet_without_pictures_is_refused(rows):
    with pytest.raises(UsageError, match="no picture"):
        contact_sheet(rows)


def test_too_many_headings_are_refused():
    with pytest.raises(ValueError):
        contact_sheet([[flat(0)]], column_labels=["a", "b"])
