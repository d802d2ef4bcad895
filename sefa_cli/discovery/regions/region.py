"""From a region as it is written to a weight for every pixel: uint8 `(height, width)`, 0 … 255.

`one_region` makes it from the words of the command, `Region.weights` draws it at the working size,
`background` says what is to stay still. `check_weights` also takes masks found in other ways, one
for each seed.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sefa_cli.discovery.regions import files, shapes
from sefa_cli.discovery.regions.shapes import Draw, Weights
from sefa_cli.errors import UsageError


@dataclass(frozen=True)
class Region:
    """A part of the picture; it is drawn when the working size is known."""

    kind: str  # box, polygon, mask, seg, region
    text: str  # as it was written
    draw: Draw  # (height, width) → weights, not yet checked

    def weights(self, height: int, width: int) -> Weights:
        """The weights `(height, width)` on a picture of that size.

        Raises UsageError where no pixel or every pixel is wholly in the region, and for a box or
        polygon that leaves the picture or a mask of another aspect.
        """
        return check_weights(self.draw(height, width), f"{self.kind} {self.text}")


def one_region(
    box: str | None = None,
    mask: Path | str | None = None,
    polygon: str | None = None,
    seg: Path | str | None = None,
    seg_ids: str | None = None,
    named: str | None = None,
    subject: str = "centered",
) -> Region:
    """The one region that is given in any of the ways; files are read and numbers parsed now.

    `subject` is what the model's pictures show (`named_regions.subject_of`). Raises UsageError
    where none or several are given and for words that are no region, SefaError for files.
    """
    ways = {"--box": box, "--mask": mask, "--polygon": polygon, "--seg": seg, "--region": named}
    given = [option for option, value in ways.items() if value is not None]
    if len(given) != 1:
        found = " and ".join(given) + " are given" if given else "no region is given"
        raise UsageError(found, "one of " + ", ".join(ways))
    if seg_ids is not None and seg is None:
        raise UsageError(
            "--seg-ids is given without --seg", "the label map that has these segments"
        )
    if box is not None:
        return Region("box", box, shapes.box(box))
    if polygon is not None:
        return Region("polygon", polygon, shapes.polygon(polygon))
    if mask is not None:
        return Region("mask", str(mask), files.mask(mask))
    if seg is not None:
        return Region("seg", f"{seg_ids} of {seg}", files.segments(seg, seg_ids))
    return Region("region", str(named), shapes.named(str(named), subject))


def background(fore: Weights, region: Region | None = None) -> Weights:
    """What is to stay still, shaped as `fore` `(…, height, width)`: the rest, or `region` of it.

    Where `region` overlaps the foreground only what the foreground leaves of each pixel counts.
    Raises UsageError where nothing is left.
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
    """`weights` `(…, height, width)` themselves; UsageError where one holds nothing or all."""
    height, width = weights.shape[-2:]
    size = f"the {height} × {width} pixels"
    if not weights.any(axis=(-2, -1)).all():
        raise UsageError(
            f"the region {name} is empty: it holds none of {size}", "some of them, not all"
        )
    if (weights == 255).all(axis=(-2, -1)).any():
        raise UsageError(
            f"the region {name} covers all of {size}, so that nothing is left to stay still",
            "a part of the picture",
        )
    return weights
