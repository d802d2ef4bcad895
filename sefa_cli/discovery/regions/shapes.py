"""Boxes and polygons: text becomes a weight for every pixel.

Rows come before columns everywhere: `top,left,height,width` and `y,x`. Numbers are pixels of the
working size when none has a decimal point, and fractions of the picture (0 … 1) when one has:
`0,0,1,1` is the first pixel, `0,0,0.5,1` the upper half. A pixel belongs to a box or a polygon
when its center is inside.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sefa_cli.discovery.regions.named import Box, find_boxes
from sefa_cli.errors import UsageError
from sefa_cli.ranges import check_once

Weights = NDArray[np.uint8]
Draw = Callable[[int, int], Weights]  # (height, width) of the picture → weights
Point = tuple[Fraction, Fraction]  # y, x

_NUMBER = re.compile(r"[-+]?(\d{1,9}(\.\d{0,30})?|\.\d{1,30})", re.ASCII)
_HALF = Fraction(1, 2)


def box(text: str) -> Draw:
    """Return what draws `top,left,height,width`, in pixels or fractions.

    Raises UsageError for other words, and when drawn for a box that leaves the picture.
    """
    numbers, fractions = _numbers(text.split(","), f"box {text!r}", "top,left,height,width", 4)
    for number, side in zip(numbers[2:], ("height", "width"), strict=True):
        if number <= 0:
            raise UsageError(f"box {text} has {side} {_rounded(number)}", "more than 0")
    return partial(_draw_box, text, Box(*numbers), fractions)


def polygon(text: str) -> Draw:
    """Return what draws `y,x y,x y,x …`, three corners or more; even-odd where it crosses itself.

    Raises UsageError for other words, and when drawn for a corner outside the picture.
    """
    form, name = "y,x y,x y,x, three corners or more", f"polygon {text!r}"
    pairs = [pair.split(",") for pair in text.split()]
    if len(pairs) < 3 or any(len(pair) != 2 for pair in pairs):
        raise UsageError(f"{name} is not a list of corners", form)
    written = [number for pair in pairs for number in pair]
    numbers, fractions = _numbers(written, name, form, len(written))
    corners = list(zip(numbers[::2], numbers[1::2], strict=True))
    return partial(_draw_polygon, text, corners, fractions)


def named(names: str, subject: str | None) -> Draw:
    """Return what draws the boxes of one or several names together (`named.find_boxes`).

    Raises UsageError for a name that is given twice, and for an unknown one: now, or without a
    subject when it is drawn.
    """
    check_once([name.strip() for name in names.split(",")], "region")
    if subject is not None:  # refuse a wrong name before anything is loaded
        find_boxes(names, subject, 1, 1)
    return partial(_draw_named, names, subject or "centered")


def _numbers(
    texts: Sequence[str], name: str, form: str, count: int
) -> tuple[tuple[Fraction, ...], bool]:
    """Return the numbers, exactly, and whether they are fractions of the picture."""
    texts = [text.strip() for text in texts]
    if len(texts) != count or not all(map(_NUMBER.fullmatch, texts)):
        raise UsageError(f"{name} is not {count} numbers", form)
    numbers = tuple(map(Fraction, texts))
    fractions = any("." in text for text in texts)
    if fractions and max(numbers) > 1:
        raise UsageError(
            f"{name} has a decimal point and {_rounded(max(numbers))}",
            "whole numbers of pixels, or fractions up to 1",
        )
    return numbers, fractions


def _draw_box(text: str, box: Box, fractions: bool, height: int, width: int) -> Weights:
    if fractions:
        box = Box(box.top * height, box.left * width, box.height * height, box.width * width)
    if not _fits(box, height, width):
        raise UsageError(
            f"box {text} leaves the picture: it spans rows {_span(box.top, box.height)} and columns"
            f" {_span(box.left, box.width)}",
            f"top,left,height,width within {height} rows × {width} columns",
            "" if fractions else _meant(box, height, width),
        )
    return filled([box], height, width)


def _draw_named(names: str, subject: str, height: int, width: int) -> Weights:
    boxes = find_boxes(names, subject, height, width)
    pixels = [Box(t * height, le * width, h * height, w * width) for t, le, h, w in boxes]
    return filled(pixels, height, width)


def filled(boxes: Iterable[Box], height: int, width: int) -> Weights:
    """Return weights `(height, width)`: 255 inside any of the boxes, which are given in pixels."""
    weights = np.zeros((height, width), np.uint8)
    for top, left, tall, wide in boxes:
        rows = slice(_edge(top), _edge(top + tall))
        weights[rows, _edge(left) : _edge(left + wide)] = 255
    return weights


def _edge(position: Fraction) -> int:
    """Return the first pixel whose center is not before `position`."""
    return math.ceil(position - _HALF)


def _fits(box: Box, height: int, width: int) -> bool:
    bottom, right = box.top + box.height, box.left + box.width
    return min(box.top, box.left) >= 0 and bottom <= height and right <= width


def _meant(box: Box, height: int, width: int) -> str:
    """Return what may have been meant by a box that does not fit: another order of its numbers."""
    top, left, tall, wide = box
    orders = {
        "columns were given before rows": Box(left, top, wide, tall),
        "left was given before top": Box(left, top, tall, wide),
        "the last two are the bottom row and the right column": Box(
            top, left, tall - top, wide - left
        ),
    }
    for reason, other in orders.items():
        if _fits(other, height, width) and min(other.height, other.width) > 0:
            return f"If {reason}, write {','.join(map(str, other))}."
    return ""


def _draw_polygon(
    text: str, corners: Sequence[Point], fractions: bool, height: int, width: int
) -> Weights:
    if fractions:
        corners = [(y * height, x * width) for y, x in corners]
    outside = [(y, x) for y, x in corners if not (0 <= y <= height and 0 <= x <= width)]
    if outside:
        swapped = all(0 <= x <= height and 0 <= y <= width for y, x in corners)
        raise UsageError(
            f"polygon {text} leaves the picture at row {_rounded(outside[0][0])}, column"
            f" {_rounded(outside[0][1])}",
            f"y,x within {height} rows × {width} columns",
            "With x and y exchanged it fits." if swapped else "",
        )
    return np.where(_inside(corners, height, width), 255, 0).astype(np.uint8)


def _inside(corners: Sequence[Point], height: int, width: int) -> NDArray[np.bool_]:
    """Return which pixels have their center inside, by the even-odd rule.

    Pillow's polygons include the pixels under their edges: one row and column more than a box
    of the same corners.
    """
    y, x = np.arange(height) + 0.5, np.arange(width) + 0.5
    inside = np.zeros((height, width), bool)
    points = [(float(row), float(column)) for row, column in corners]
    for (y0, x0), (y1, x1) in zip(points, [*points[1:], points[0]], strict=True):
        rows = (y0 <= y) != (y1 <= y)  # those the edge crosses
        if rows.any():
            crossing = x0 + (y[rows] - y0) * ((x1 - x0) / (y1 - y0))
            inside[rows] ^= x >= crossing[:, None]
    return inside


def _span(start: Fraction, length: Fraction) -> str:
    return f"{_rounded(start)} to {_rounded(start + length)}"


def _rounded(number: Fraction) -> str:
    return f"{float(number):g}" if number.denominator > 1 else str(number)
