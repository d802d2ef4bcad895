"""Sheets of pictures: tables with headings, and grids with a caption under each picture."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from sefa_cli.errors import UsageError
from sefa_cli.rendering.lettering import Block, Lettering
from sefa_cli.rendering.pictures import Picture, to_rgb

BACKGROUND = (247, 247, 245)  # light and neutral: it neither tints nor outshines a picture

Rows = Sequence[Sequence[Picture | None]]


def contact_sheet(
    rows: Rows,
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    captions: Sequence[Sequence[str]] = (),
) -> Picture:
    """Return a table of pictures `(height, width, 3)`, with headings left of, above and under them.

    Pictures may differ in size and channels; they are not scaled, and None leaves a gap. A heading
    wider than its picture is wrapped, then its column is widened. Raises UsageError without
    pictures, and ValueError for more headings than cells.
    """
    return Layout.of(rows, row_labels, column_labels, captions).paint(rows)


def grid(
    pictures: Sequence[Picture], captions: Sequence[str] = (), columns: int | None = None
) -> Picture:
    """Return pictures in reading order, each above its caption; by default in landscape."""
    columns = columns or balanced_columns(len(pictures))
    starts = range(0, len(pictures), columns)
    return contact_sheet(
        [pictures[start : start + columns] for start in starts],
        captions=[captions[start : start + columns] for start in starts],
    )


def balanced_columns(count: int) -> int:
    """Return the best number of columns for `count` pictures: about 4 : 3, the last row full."""

    def badness(columns: int) -> float:
        rows = math.ceil(count / columns)
        holes = rows * columns - count
        return abs(math.log(columns / rows * 3 / 4)) + holes / columns

    return count if count <= 5 else min(range(1, count + 1), key=badness)


@dataclass(frozen=True)
class Span:
    """A stretch of pixels along one axis."""

    start: int
    length: int

    @property
    def end(self) -> int:
        """The first pixel after the span."""
        return self.start + self.length

    def centered(self, length: int) -> int:
        """Return the start of something of this length that is centered here."""
        return self.start + (self.length - length) // 2


@dataclass(frozen=True)
class Heading:
    """A block of text and its position: the top, and the edge or middle named by `anchor`."""

    block: Block
    x: int
    y: int
    anchor: str  # "m" middle, "r" right edge


@dataclass(frozen=True)
class Layout:
    """The positions of everything in a sheet, in pixels.

    They depend only on the headings and the sizes of the pictures.
    """

    size: tuple[int, int]  # (width, height)
    columns: tuple[Span, ...]
    rows: tuple[Span, ...]
    headings: tuple[Heading, ...]
    lettering: Lettering

    @classmethod
    def of(
        cls,
        rows: Rows,
        row_labels: Sequence[str] = (),
        column_labels: Sequence[str] = (),
        captions: Sequence[Sequence[str]] = (),
    ) -> "Layout":
        """Return the layout for pictures of these sizes and these headings."""
        if not any(map(len, rows)):
            raise UsageError("the sheet has no pictures")
        widths, heights = _extents(rows)
        side = max(*widths, *heights)
        lettering = Lettering(max(12, round(side / 17)))
        captions = [*captions, *[()] * (len(rows) - len(captions))]
        labels = _Labels(
            above=_blocks(lettering, column_labels, widths),
            left=_blocks(lettering, row_labels, [side // 2] * len(rows)),
            under=[_blocks(lettering, row, widths) for row in captions],
        )
        return cls._around(labels, widths, heights, lettering, gap=max(2, round(side / 64)))

    @classmethod
    def _around(
        cls,
        labels: "_Labels",
        widths: Sequence[int],
        heights: Sequence[int],
        lettering: Lettering,
        gap: int,
    ) -> "Layout":
        """Return columns and rows in order, widened to hold their labels."""
        widths = [
            max(width, *(block.width for block in blocks))
            for width, *blocks in zip(widths, labels.above, *labels.under, strict=True)
        ]
        heights = [max(h, block.height) for h, block in zip(heights, labels.left, strict=True)]
        captions = [max(block.height for block in row) for row in labels.under]
        margin = 2 * gap
        label_width = max(block.width for block in labels.left)
        left = margin + label_width + (lettering.size if label_width else 0)
        top = margin + max(block.height for block in labels.above)
        columns = _spans(left, widths, [gap] * len(widths))
        lines = _spans(top, heights, [gap + caption for caption in captions])
        size = (columns[-1].end + margin, lines[-1].end + captions[-1] + margin)
        headings = labels.placed(columns, lines, left - lettering.size // 2, top - gap // 2)
        return cls(size, columns, lines, tuple(headings), lettering)

    def paint(self, rows: Rows) -> Picture:
        """Return the sheet `(height, width, 3)`, each picture centered in its cell."""
        image = Image.new("RGB", self.size, BACKGROUND)
        canvas = ImageDraw.Draw(image)
        for heading in self.headings:
            self.lettering.draw(canvas, heading.block, heading.x, heading.y, heading.anchor)
        sheet = np.array(image)
        for row, line in zip(rows, self.rows, strict=True):
            for picture, column in zip(row, self.columns, strict=False):
                if picture is not None:
                    height, width = picture.shape[:2]
                    top, left = line.centered(height), column.centered(width)
                    sheet[top : top + height, left : left + width] = to_rgb(picture, BACKGROUND)
        return sheet


@dataclass(frozen=True)
class _Labels:
    """The wrapped headings of a sheet; missing ones are empty blocks."""

    above: list[Block]  # one per column
    left: list[Block]  # one per row
    under: list[list[Block]]  # one per picture

    def placed(
        self, columns: Sequence[Span], lines: Sequence[Span], right: int, bottom: int
    ) -> Iterator[Heading]:
        """Yield left headings ending at `right`, column headings on `bottom`, and captions."""
        for block, column in zip(self.above, columns, strict=True):
            yield Heading(block, column.centered(0), bottom - block.height, "m")
        for block, line in zip(self.left, lines, strict=True):
            yield Heading(block, right, line.centered(block.height), "r")
        for row, line in zip(self.under, lines, strict=True):
            for block, column in zip(row, columns, strict=True):
                yield Heading(block, column.centered(0), line.end, "m")


def _extents(rows: Rows) -> tuple[list[int], list[int]]:
    """Return the widths of columns and the heights of rows, from their largest pictures."""
    sizes = [[(0, 0) if cell is None else cell.shape[:2] for cell in row] for row in rows]
    count = max(map(len, sizes))
    widths = [max(row[c][1] for row in sizes if c < len(row)) for c in range(count)]
    return widths, [max((height for height, _ in row), default=0) for row in sizes]


def _blocks(lettering: Lettering, texts: Sequence[str], widths: Sequence[int]) -> list[Block]:
    """Return a block for each width; missing texts give empty blocks."""
    missing = [""] * (len(widths) - len(texts))
    return [
        lettering.block(text, width) for text, width in zip([*texts, *missing], widths, strict=True)
    ]


def _spans(start: int, lengths: Sequence[int], gaps: Sequence[int]) -> tuple[Span, ...]:
    """Return consecutive spans, each followed by its gap."""
    spans: list[Span] = []
    for length, gap in zip(lengths, gaps, strict=True):
        spans.append(Span(start, length))
        start += length + gap
    return tuple(spans)
