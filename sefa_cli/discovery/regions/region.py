"""A region: a weight for every pixel, uint8 `(height, width)`, 0 … 255.

`Region` is drawn when the working size is known. `background` says what is to stay still.
`check_weights` also takes masks found in other ways, one for each seed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sefa_cli.arguments import check_digits, in_short, public
from sefa_cli.discovery.regions import files, shapes
from sefa_cli.discovery.regions.shapes import Draw, Weights
from sefa_cli.errors import UsageError, either
from sefa_cli.ranges import as_indices, format_range, is_whole

Number = int | float
MOST_PIXELS = 65_536  # of a side


@dataclass(frozen=True)
class Region:
    """A part of the picture: make one with `box`, `polygon`, `mask`, `segments` or `named`.

    Rows come before columns everywhere. Whole numbers are pixels of the working size; if any
    number has a decimal point, all are fractions of the picture (0 … 1).

    Example:
        >>> Region.box(1, 0, 2, 3).weights(4, 6) // 255
        array([[0, 0, 0, 0, 0, 0],
               [1, 1, 1, 0, 0, 0],
               [1, 1, 1, 0, 0, 0],
               [0, 0, 0, 0, 0, 0]], dtype=uint8)
        >>> Region.named("eyes")
        Region(kind='region', text='eyes')
    """

    kind: str  # box, polygon, mask, seg, region
    text: str  # as it was written
    draw: Draw = field(repr=False, compare=False)  # (height, width) → weights, not yet checked

    @classmethod
    def box(cls, *numbers: Number | str) -> Region:
        """Return a box.

        Args:
            *numbers: Top, left, height and width, or the text `"top,left,height,width"`.

        Returns:
            The region.

        Raises:
            UsageError: These are not four numbers, the last two above 0.

        Example:
            >>> Region.box(165, 100, 35, 60) == Region.box("165,100,35,60")
            True
            >>> Region.box(0.0, 0.0, 0.5, 1.0).weights(4, 2)[:, 0]
            array([255, 255,   0,   0], dtype=uint8)
        """
        text = ",".join(map(_written, numbers))
        return cls("box", text, shapes.box(text))

    @classmethod
    @public
    def polygon(cls, corners: Iterable[Sequence[Number]] | str) -> Region:
        """Return a polygon.

        Args:
            corners: Three or more `(y, x)`, or the text `"y,x y,x y,x"`. Where the outline
                crosses itself, the even-odd rule decides.

        Returns:
            The region.

        Raises:
            UsageError: There are fewer corners, or this is not a list of them.

        Example:
            >>> Region.polygon([(0, 0), (0, 4), (4, 0)]).text
            '0,0 0,4 4,0'
        """
        if not isinstance(corners, str):
            pairs = [corner if isinstance(corner, Iterable) else [corner] for corner in corners]
            corners = " ".join(",".join(map(_written, pair)) for pair in pairs)
        return cls("polygon", corners, shapes.polygon(corners))

    @classmethod
    def mask(cls, source: Path | str | ArrayLike, name: str = "array") -> Region:
        """Return the bright parts of a picture, or of an array.

        Args:
            source: A picture file (white counts, gray weighs, transparent does not count), or an
                array `(height, width)` of bool, uint8 of 0 … 255, or floats of 0 … 1. It needs
                the picture's aspect, at any size.
            name: What the bundle calls a mask that comes from an array.

        Returns:
            The region.

        Raises:
            SefaError: The file is not such a picture.
            UsageError: The array has another shape, type or range.

        Example:
            >>> Region.mask(np.eye(2, dtype=bool)).weights(2, 2)
            array([[255,   0],
                   [  0, 255]], dtype=uint8)
        """
        text = str(source) if isinstance(source, Path | str) else name
        return cls("mask", text, files.mask(source))

    @classmethod
    @public
    def segments(
        cls,
        source: Path | str | ArrayLike,
        ids: int | Iterable[int] | str | None,
        name: str = "array",
    ) -> Region:
        """Return segments of a label map.

        Args:
            source: A PNG with a palette or in gray, or an array of integers `(height, width)`. It
                needs the picture's aspect, at any size.
            ids: The segments, as numbers or as text: `3`, `[3, 4]`, `"3-5"`.
            name: What the bundle calls a map that comes from an array.

        Returns:
            The region.

        Raises:
            SefaError: The file is not such a picture.
            UsageError: A segment is not there; the error lists those that are.

        Example:
            >>> Region.segments([[0, 3], [4, 4]], [3, 4]).weights(2, 2)
            array([[  0, 255],
                   [255, 255]], dtype=uint8)
        """
        if ids is not None and not isinstance(ids, str):
            ids = format_range(as_indices(ids, "segment"))
        text = str(source) if isinstance(source, Path | str) else name
        return cls("seg", f"{ids} of {text}", files.segments(source, ids))

    @classmethod
    @public
    def named(cls, names: str) -> Region:
        """Return regions with names, several together if commas part them.

        Args:
            names: Such as `"eyes"`, `"eyes,mouth"`, or `"face:eyes"` for a model whose name does
                not say that it shows faces. `sefa.inspect(model)["regions"]` has them.

        Returns:
            The region; `localize` and `weights` refuse a name that is not known.

        Raises:
            UsageError: `names` is not a string.

        Example:
            >>> Region.named("face:eyes,face:mouth").weights(256, 256).shape
            (256, 256)
        """
        return cls("region", names, shapes.named(names, None))

    def on(self, subject: str) -> Region:
        """Return this region for a model of a `subject`; raises UsageError for a name it lacks."""
        if self.kind != "region":
            return self
        return Region("region", self.text, shapes.named(self.text, subject))

    @property
    def label(self) -> str:
        """How bundles call it: `box 20,10,8,12`; a file by its name, without its folders."""
        text = Path(self.text).name if self.kind in ("mask", "seg") else self.text
        return f"{self.kind} {text}"

    @public
    def weights(self, height: int, width: int) -> Weights:
        """Return the weight of each pixel of a picture.

        Args:
            height: The picture's height in pixels, 1 to 65,536.
            width: Its width.

        Returns:
            uint8 `(height, width)`, 0 to 255.

        Raises:
            UsageError: It holds no pixel, or all; it leaves the picture, or has another aspect.

        Example:
            >>> Region.box(0, 1, 1, 2).weights(2, 3).tolist()
            [[0, 255, 255], [0, 0, 0]]
        """
        for name, side in (("height", height), ("width", width)):
            if not is_whole(side, 1, MOST_PIXELS):
                raise UsageError(f"{name} must be between 1 and {MOST_PIXELS} pixels, got {side}")
        return check_weights(self.draw(int(height), int(width)), f"{self.kind} {self.text}")


def as_region(region: Region | str | Path | NDArray[np.generic]) -> Region:
    """Return a region, a name ("eyes"), a mask file (as a `Path`) or a mask array as a `Region`."""
    if isinstance(region, Region):
        return region
    if isinstance(region, str):
        return Region.named(region)
    if isinstance(region, Path) or np.ndim(region) > 1:
        return Region.mask(region)
    given: object = region
    box = isinstance(given, tuple | list) and len(given) == 4
    remedy = "A box is made with Region.box(top, left, height, width)." if box else ""
    got = in_short(given)
    raise UsageError(f"region must be a name, a Region or a mask, got {got}", remedy=remedy)


def _written(number: Number | str) -> str:
    """Return a number as the command writes it: a fraction keeps its point, without exponent."""
    if isinstance(number, float | np.floating):
        return np.format_float_positional(number, trim="0")
    check_digits("coordinate", number)
    return str(number)


def one_region(
    box: str | None = None,
    mask: Path | str | None = None,
    polygon: str | None = None,
    seg: Path | str | None = None,
    seg_ids: str | None = None,
    named: str | None = None,
    subject: str | None = None,
) -> Region:
    """Return the one region that these arguments give; read files and parse numbers now.

    `subject` is what the model's pictures show (`named.subject_of`), if it is known already.
    Raises UsageError unless one is given, and for text that is not a region; SefaError for files.
    """
    ways = {"box": box, "mask": mask, "polygon": polygon, "seg": seg, "region": named}
    given = [way for way, value in ways.items() if value is not None]
    if len(given) != 1:
        if seg_ids is not None and not given:
            raise UsageError("seg_ids has no effect without seg")
        found = f"{given[0]} and {given[1]} cannot be used together" if given else ""
        raise UsageError(found or "no region is given", either(ways))
    if seg_ids is not None and seg is None:
        raise UsageError("seg_ids has no effect without seg")
    if box is not None:
        return Region.box(box)
    if polygon is not None:
        return Region.polygon(polygon)
    if mask is not None:
        return Region.mask(mask)
    if seg is not None:
        if seg_ids is None:
            found = f"seg has no effect without seg_ids, the segments of {seg}"
            raise UsageError(found, files.segments_in(seg))
        return Region.segments(seg, seg_ids)
    region = Region.named(str(named))
    return region if subject is None else region.on(subject)


def background(fore: Weights, region: Region | None = None) -> Weights:
    """Return the still part, shaped as `fore` `(…, height, width)`: the rest, or `region`.

    Where `region` overlaps the foreground, only the rest of each pixel counts.
    Raises UsageError if nothing is left.
    """
    rest = 255 - fore
    if region is None:
        return rest
    held = np.minimum(rest, region.draw(*fore.shape[-2:]))
    if not held.any(axis=(-2, -1)).all():
        raise UsageError(
            f"the background, {region.kind} {region.text}, holds nothing outside the region",
            "some of the pixels that are to stay still",
        )
    return held


def check_weights(weights: Weights, name: str) -> Weights:
    """Return `weights` `(…, height, width)`. Raises UsageError if one holds nothing or all."""
    height, width = weights.shape[-2:]
    pixels = f"the {height} × {width} pixels"
    if not weights.any(axis=(-2, -1)).all():
        raise UsageError(
            f"the region {name} is empty: it holds none of {pixels}", "some of them, not all"
        )
    if (weights == 255).all(axis=(-2, -1)).any():
        raise UsageError(
            f"the region {name} covers all of {pixels}, so that nothing is left to stay still",
            "a part of the picture",
        )
    return weights
