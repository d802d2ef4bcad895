"""Regions with names: boxes for aligned faces, for cars, and for centered subjects.

The model's name decides which set it has (`subject_of`): no checkpoint says what it was trained on.
Names of another set need their subject before a colon, `face:eyes`; `landmarks:eyes` is found in
each picture.
"""

import difflib
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from sefa_cli.errors import UsageError, either
from sefa_cli.families.registry import find


class Box(NamedTuple):
    """A rectangle in fractions of the picture's height and width."""

    top: Fraction
    left: Fraction
    height: Fraction
    width: Fraction


Boxes = tuple[Box, ...]  # a region is all of them together


def _in_256ths(**regions: tuple[tuple[int, int, int, int], ...]) -> Mapping[str, Boxes]:
    """Return boxes, given in pixels of a 256 × 256 picture."""
    return {
        name.replace("_", "-"): tuple(Box(*(Fraction(n, 256) for n in box)) for box in boxes)
        for name, boxes in regions.items()
    }


# Alignment as in FFHQ, CelebA-HQ and MetFaces; looked at on pictures of `mobilestylegan_ffhq`.
# Left and right are the picture's.
_FACE = _in_256ths(
    eyes=((105, 75, 28, 110),),
    left_eye=((105, 75, 28, 50),),
    right_eye=((105, 135, 28, 50),),
    eyebrows=((90, 68, 20, 120),),
    nose=((115, 106, 50, 46),),
    mouth=((165, 100, 35, 60),),
    chin=((203, 92, 38, 72),),
    hair=((0, 44, 56, 168),),
    face=((60, 62, 180, 132),),
    background=((0, 0, 160, 22), (0, 234, 160, 22)),
)

# For the 4 : 3 pictures of LSUN cars; the framing varies, so that these are a beginning only.
_CAR = _in_256ths(
    windows=((80, 70, 46, 116),),
    body=((118, 28, 56, 200),),
    wheels=((148, 28, 56, 68), (148, 160, 56, 68)),
    background=((0, 0, 56, 256), (228, 0, 28, 256)),
)

_CENTERED = _in_256ths(
    center=((64, 64, 128, 128),),
    border=((0, 0, 32, 256), (224, 0, 32, 256), (32, 0, 192, 32), (32, 224, 192, 32)),
)

# Those of a face that landmarks tell (`landmarks.py`): the boxes stand for their names here.
FOUND = "landmarks"
_LANDMARKS = {name: _FACE[name] for name in _FACE if name not in ("hair", "background")}

SETS = {"face": _FACE, "car": _CAR, "centered": _CENTERED, FOUND: _LANDMARKS}

_PICTURES = {
    "face": "aligned faces",
    "car": "cars",
    "centered": "pictures of unknown subject",
    FOUND: "faces that are found",
}

# Whole words, so that the unaligned `ffhqu` and `metfacesu` and the `animeface`s stay outside.
_WORDS = {
    "face": {"ffhq", "celebahq", "metfaces"},
    "car": {"car", "cars"},
}


def subject_of(ref: str, family: str = "") -> str:
    """Return what a model's pictures show, "face", "car" or "centered", by family or name.

    A family may state it. Otherwise the last part of the path that holds one of `_WORDS`
    decides; if none does, it is "centered".
    """
    known = find(family)
    if known is not None and known.subject:
        return known.subject
    for part in reversed(ref.lower().split("/")):
        words = set(re.findall("[a-z]+", part))
        for subject, telling in _WORDS.items():
            if words & telling:
                return subject
    return "centered"


def named_regions(subject: str) -> Mapping[str, Boxes]:
    """Return the regions that need no prefix for this subject: its own and the centered ones."""
    return {**SETS[subject], **_CENTERED}


def find_boxes(names: str, subject: str, height: int, width: int) -> Boxes:
    """Return the boxes of `names` ("eyes", "eyes,mouth", "face:eyes") on a picture of this size.

    Raises UsageError for an unknown name, with the nearest ones.
    """
    boxes: list[Box] = []
    for name in names.split(","):
        where, _, bare = name.strip().rpartition(":")
        if where and where not in SETS:
            raise UsageError(f"unknown subject {where!r}", either(SETS))
        known = SETS[where] if where else named_regions(subject)
        if bare not in known:
            raise UsageError(
                f"unknown region {bare!r} for {_PICTURES[where or subject]}",
                either(known),
                _hint(bare, known),
            )
        found = known[bare]
        if (where or subject) == "car" and bare in _CAR:
            found = tuple(_between_bars(box, height, width) for box in found)
        boxes += found
    return tuple(boxes)


def _hint(name: str, known: Mapping[str, Boxes]) -> str:
    """Return what may have been meant: the same name of another set, or a similar one."""
    others = [f"{subject}:{name}" for subject, regions in SETS.items() if name in regions]
    if others:
        return f"Write {others[0]} if its pictures show that."
    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]}?" if near else ""


def _between_bars(box: Box, height: int, width: int) -> Box:
    """Return a box of a 4 : 3 picture, moved to where that picture is in a taller one.

    The square car networks show it between two black bars.
    """
    share = min(Fraction(1), Fraction(3 * width, 4 * height))  # of the height
    return box._replace(top=(1 - share) / 2 + share * box.top, height=share * box.height)
