"""Boxes and polygons: which pixels they hold, and what each mistake is told."""

import numpy as np
import pytest

from sefa_cli.discovery.regions import shapes
from sefa_cli.errors import UsageError


def pixels(draw, height, width):
    """The weights as rows of # and . characters."""
    weights = draw(height, width)
    assert weights.dtype == np.uint8 and set(np.unique(weights)) <= {0, 255}
    return ["".join("#" if weight else "." for weight in row) for row in weights]


def test_a_box_is_top_left_height_width():
    assert pixels(shapes.box("1,2,2,3"), 4, 6) == ["......", "..###.", "..###.", "......"]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("0,0,1,1", "#......."),  # pixels: the first one
        ("0,0,1,.5", "####...."),  # fractions
        ("0,0.25,1,0.5", "..####.."),
        ("0,0.05,1,0.5", "####...."),  # from 0.4 to 4.4: the middles 0.5 to 3.5
        ("0,0.1,1,0.5", ".####..."),  # from 0.8 to 4.8
        ("0,.0625,1,.125", "#......."),  # the middles 0.5 and 1.5 lie on the edges: the first is in
        ("0,+0.5,1.,0.500", "....####"),
    ],
)
def test_pixels_and_fractions(text, row):
    assert pixels(shapes.box(text), 1, 8) == [row]


def test_thirds_are_exact_where_floats_are_not():
    """0.1 + 0.2 is more than 0.3 in binary, which would take one row more."""
    rows = pixels(shapes.box("0.1,0,0.2,1"), 5, 1)
    assert rows == ["#", ".", ".", ".", "."]


def test_a_polygon_of_a_box_is_the_box():
    polygon = shapes.polygon("1,2 1,5 3,5 3,2")
    assert pixels(polygon, 4, 6) == pixels(shapes.box("1,2,2,3"), 4, 6)


def test_a_triangle():
    assert pixels(shapes.polygon("0,0 4,0 4,4"), 4, 4) == ["....", "#...", "##..", "###."]


def test_a_polygon_in_fractions_and_either_way_round():
    expected = ["...##...", ".######."]
    for text in ("0.,.5 1,0 1,1", "0.,.5 1,1 1,0"):
        assert pixels(shapes.polygon(text), 2, 8) == expected


def test_neighboring_polygons_share_no_pixel_and_leave_none():
    parts = ["0,0 0,9 7,2", "0,9 9,9 7,2", "9,9 9,0 7,2", "9,0 0,0 7,2"]
    drawn = [shapes.polygon(text)(9, 9).astype(int) // 255 for text in parts]
    np.testing.assert_array_equal(sum(drawn), np.ones((9, 9)))


def test_where_a_polygon_crosses_itself_it_is_empty_by_the_even_odd_rule():
    star = shapes.polygon("0,4 8,7 3,0 3,8 8,1")(9, 9)
    assert star[1, 4] == 255 and star[4, 4] == 0


def test_names_together():
    both = shapes.named("eyes,mouth", "face")(256, 256)
    eyes, mouth = (shapes.named(name, "face")(256, 256) for name in ("eyes", "mouth"))
    np.testing.assert_array_equal(both, np.maximum(eyes, mouth))


@pytest.mark.parametrize(
    "text",
    ["", "1", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1;2;3;4", "1,2,3,nan", "1e1,0,1,1", "١,2,3,4"],
)
def test_what_is_no_box(text):
    with pytest.raises(UsageError, match="is not 4 numbers; expected top,left,height,width"):
        shapes.box(text)


@pytest.mark.parametrize(
    "text", ["", "1,2", "1,2 3,4", "1,2,3 4,5 6,7", "1,2 3,4 5", "1 2 3 4 5 6"]
)
def test_what_is_no_polygon(text):
    with pytest.raises(UsageError, match="is not a list of corners; expected y,x y,x y,x, three"):
        shapes.polygon(text)


@pytest.mark.parametrize("text", ["1,2,0,4", "1,2,3,0", "1,2,-3,4", "0.1,0.1,0.0,0.5"])
def test_a_box_without_extent(text):
    with pytest.raises(UsageError, match=r"has (height|width) .*; expected more than 0"):
        shapes.box(text)


@pytest.mark.parametrize("text", ["0.5,1,2,1", "10,10,20.5,10", "0,0,1.5,1"])
def test_pixels_and_fractions_may_not_be_mixed(text):
    with pytest.raises(UsageError, match="whole numbers of pixels, or fractions up to 1"):
        shapes.box(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3,0,2,1", "rows 3 to 5 and columns 0 to 1; expected .* within 4 rows × 8 columns"),
        ("-1,0,2,1", "rows -1 to 1"),
        ("0,7,1,2", "columns 7 to 9"),
        ("0.5,0,0.75,1", "rows 2 to 5"),
        ("5,1,2,2", "If columns were given before rows, write 1,5,2,2"),
        ("0,1,6,3", "If columns were given before rows, write 1,0,3,6"),
        ("2,6,3,8", "If the last two are the bottom row and the right column, write 2,6,1,2"),
    ],
)
def test_a_box_outside_the_picture(text, said):
    with pytest.raises(UsageError, match=said) as refused:
        shapes.box(text)(4, 8)
    assert "4 rows × 8 columns" in str(refused.value)


def test_a_square_picture_shows_swapped_corners_too():
    with pytest.raises(UsageError, match="If left was given before top, write 100,180,80,40"):
        shapes.box("180,100,80,40")(256, 256)


def test_a_polygon_outside_the_picture():
    with pytest.raises(UsageError, match=r"at row 7, column 1; .*4 rows × 8 columns. With x and y"):
        shapes.polygon("0,0 7,1 7,3")(4, 8)
    with pytest.raises(UsageError, match="at row 9, column 9") as refused:
        shapes.polygon("0,0 9,9 1,3")(4, 8)
    assert "exchanged" not in str(refused.value)
