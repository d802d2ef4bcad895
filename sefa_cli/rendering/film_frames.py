"""Frames of a film: pictures in rows, stacked, with a caption under each row."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from sefa_cli.rendering.lettering import Lettering
from sefa_cli.rendering.pictures import Picture, to_rgb
from sefa_cli.rendering.sheets import BACKGROUND


def side_by_side(pictures: Sequence[Picture]) -> Picture:
    """Join pictures `(height, width, channels)` of one size in a row, with light gaps."""
    return _joined(pictures, axis=1, thickness=gap_of(pictures[0].shape[1]))


def one_below_another(rows: Sequence[Picture], thickness: int) -> Picture:
    """Stack rows `(height, width, channels)` of one size, with light gaps of `thickness` pixels."""
    return _joined(rows, axis=0, thickness=thickness)


@dataclass(frozen=True)
class Captions:
    """The space for text under each row, the same in every frame of a film."""

    lettering: Lettering
    width: int  # of the captioned row, at least the row's own
    height: int
    widest: int  # where lines are broken

    @classmethod
    @lru_cache(maxsize=4)  # called for every frame, with hundreds of texts
    def for_texts(cls, texts: frozenset[str], width: int, side: int) -> "Captions":
        """Return space for any of `texts` under a row of pictures with `side` pixels."""
        lettering = Lettering(max(12, round(side / 17)))
        widest = width - lettering.size // 2
        blocks = [lettering.block(text, widest) for text in texts]
        needed = max(block.width for block in blocks) + lettering.size // 2
        height = max(block.height for block in blocks) + lettering.size // 4
        return cls(lettering, max(width, needed), height, widest)

    def under(self, row: Picture, text: str) -> Picture:
        """Return the row `(height, width, channels)` with `text` under it, as RGB."""
        height, width = row.shape[:2]
        image = Image.new("RGB", (self.width, height + self.height), BACKGROUND)
        block = self.lettering.block(text, self.widest)
        at = self.lettering.size // 4  # left-aligned: a changing number moves nothing else
        self.lettering.draw(ImageDraw.Draw(image), block, at, height + at // 2, "l")
        frame = np.array(image)
        frame[:height, :width] = to_rgb(row, BACKGROUND)
        return frame


def gap_of(width: int) -> int:
    """Return the gap between pictures of this width, in pixels."""
    return max(2, width // 64)


def _joined(parts: Sequence[Picture], axis: int, thickness: int) -> Picture:
    """Join parts of one size along an axis, with gaps in the sheets' background color."""
    channels = parts[0].shape[2]
    gray = round(sum(BACKGROUND) / 3)
    color = {1: (gray,), 3: BACKGROUND, 4: (*BACKGROUND, 255)}[channels]
    shape = list(parts[0].shape)
    shape[axis] = thickness
    gap = np.full(shape, color, np.uint8)
    return np.concatenate([piece for part in parts for piece in (gap, part)][1:], axis=axis)
