"""Small headings in the font that comes with Pillow: measured, wrapped and drawn."""

import math
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from PIL import ImageDraw, ImageFont

_SPELLED = {"α": "alpha", "ψ": "psi", "ß": "ss", "−": "-", "–": "-", "—": "-", "×": "x", "’": "'"}
_DROPPED = ("Mn", "Me", "Cf", "So", "Sk")  # accents, joiners, emoji and their skin colors
_STAYS = "\u00a0"  # a space where lines do not break


def drawable(text: str) -> str:
    """Return `text` in the letters of the built-in font, which lacks Greek, accents and "−".

    Greek letters are spelled out, accents and emoji are dropped, and other unknown letters become
    "?". A number stays on the line of the word before it ("k 3", "alpha +2"); a double space stays
    wide, and lines do not break there.
    """
    spelled = "".join(_SPELLED.get(letter, letter) for letter in text)
    plain = unicodedata.normalize("NFKD", spelled)
    plain = "".join(letter for letter in plain if unicodedata.category(letter) not in _DROPPED)
    plain = plain.encode("ascii", "replace").decode()
    plain = re.sub(r"\s\s+", 2 * _STAYS, plain.strip())
    return re.sub(r"(?<=[a-zA-Z])\s(?=[-+]?\d)", _STAYS, plain)


def heading(label: str | None) -> str:
    """Return a label as it is drawn; empty if the font has none of its letters, as for 微笑."""
    drawn = drawable(label or "")
    return drawn if any(letter.isalnum() for letter in drawn) else ""


@dataclass(frozen=True)
class Block:
    """A wrapped heading: its lines, and its size in pixels with a little space at both sides."""

    lines: tuple[str, ...]
    width: int
    height: int


@dataclass(frozen=True)
class Lettering:
    """Text of one size and color; `size` is the em in pixels."""

    size: int
    ink: tuple[int, int, int] = (64, 64, 62)

    @cached_property
    def _font(self) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
        return ImageFont.load_default(size=self.size)

    @property
    def line_height(self) -> int:
        """The distance between baselines, in pixels."""
        return round(1.3 * self.size)

    def width(self, text: str) -> int:
        """Return the width of one line in pixels."""
        return math.ceil(self._font.getlength(_shown(text)))

    def block(self, text: str, widest: int) -> Block:
        """Break `text` into lines of at most `widest` pixels, or ten em if that is more."""
        room = self.size // 2  # keeps neighbors apart
        widest = max(widest, 10 * self.size) - room
        lines: list[str] = []
        for word in self._words(drawable(text), widest):
            if lines and self.width(f"{lines[-1]} {word}") <= widest:
                lines[-1] += f" {word}"
            else:
                lines.append(word)
        width = max((self.width(line) + room for line in lines), default=0)
        return Block(tuple(lines), width, len(lines) * self.line_height)

    def _words(self, text: str, widest: int) -> Iterable[str]:
        """Yield the words of `text`; break overlong ones at wide spaces, then anywhere."""
        for word in text.split(" "):
            parts = word.split(2 * _STAYS) if self.width(word) > widest else [word]
            for part in parts:
                yield from self._pieces(part, widest)

    def _pieces(self, word: str, widest: int) -> Iterable[str]:
        while self.width(word) > widest:
            fits = self._fitting(word, widest)
            yield word[:fits]
            word = word[fits:]
        if word:
            yield word

    def _fitting(self, word: str, widest: int) -> int:
        """Return how many letters of `word` fit into `widest` pixels."""
        return bisect_right(range(1, len(word)), widest, key=lambda n: self.width(word[:n]))

    def draw(
        self, canvas: ImageDraw.ImageDraw, block: Block, x: int, y: int, anchor: str = "m"
    ) -> None:
        """Draw a block with its top at `y`; `x` is its left ("l"), middle ("m") or right ("r")."""
        for n, line in enumerate(block.lines):
            middle = y + round((n + 0.5) * self.line_height)
            canvas.text((x, middle), _shown(line), self.ink, self._font, f"{anchor}m")


def _shown(line: str) -> str:
    return line.replace(_STAYS, " ").strip()
