"""Pictures inside a terminal: the protocol it understands, and the bytes that draw a picture.

The protocols are Kitty's graphics, iTerm2's inline images, and the VT340's sixels. The environment
decides: a query would need a time-out, and a wrong guess prints kilobytes of letters.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from PIL import Image

from sefa_cli.errors import UsageError, either
from sefa_cli.rendering.pictures import Picture, png, to_image, to_rgb
from sefa_cli.rendering.sheets import BACKGROUND

PROTOCOLS = ("kitty", "iterm", "sixel")
_CHUNK = 4096  # of base64 in one escape sequence of kitty's
_TERMS = {"xterm-kitty": "kitty", "xterm-ghostty": "kitty", "foot": "sixel", "mlterm": "sixel"}
_PROGRAMS = {"iTerm.app": "iterm", "WezTerm": "iterm", "mintty": "iterm", "ghostty": "kitty"}


def choose(environment: Mapping[str, str], is_terminal: bool) -> str:
    """Return "kitty", "iterm", "sixel", or "viewer" if the terminal may not draw pictures.

    `SEFA_SHOW` overrides the choice. tmux and screen swallow pictures: there, and if stderr is
    not a terminal, it is the viewer. Raises UsageError for an unknown `SEFA_SHOW`.
    """
    asked = environment.get("SEFA_SHOW", "")
    if asked not in ("", "viewer", *PROTOCOLS):
        raise UsageError(f"unknown SEFA_SHOW {asked!r}", either([*PROTOCOLS, "viewer"]))
    term = environment.get("TERM", "")
    if not is_terminal:
        return "viewer"
    if asked:
        return asked
    if "TMUX" in environment or term.startswith(("screen", "tmux")):
        return "viewer"
    if term in _TERMS:
        return _TERMS[term]
    if environment.get("LC_TERMINAL") == "iTerm2":  # ssh forwards it
        return "iterm"
    if "KITTY_WINDOW_ID" in environment and "TERM_PROGRAM" not in environment:
        return "kitty"
    return _PROGRAMS.get(environment.get("TERM_PROGRAM", ""), "viewer")


def drawn(picture: Picture, protocol: str, widest: int = 960, tallest: int = 640) -> bytes:
    """Return the bytes that draw a picture `(height, width, channels)`, shrunk to fit the limits.

    They end with a line feed, which puts the prompt under the picture.
    """
    image = to_image(picture)
    image.thumbnail((widest, tallest), Image.Resampling.BOX)
    if protocol == "sixel":
        return _sixel(to_rgb(np.asarray(image), BACKGROUND)) + b"\n"
    data = png(np.asarray(image))
    return (_kitty(data) if protocol == "kitty" else _iterm(data)) + b"\n"


def _kitty(png: bytes) -> bytes:
    """Send and display (a=T) a PNG (f=100) in chunks; m=1: more follow; q=2: no answer."""
    text = base64.b64encode(png)
    chunks = [text[at : at + _CHUNK] for at in range(0, len(text), _CHUNK)]
    parts = []
    for number, chunk in enumerate(chunks):
        first = b"a=T,f=100,q=2," if number == 0 else b""
        more = b"m=1" if number < len(chunks) - 1 else b"m=0"
        parts.append(b"\x1b_G" + first + more + b";" + chunk + b"\x1b\\")
    return b"".join(parts)


def _iterm(png: bytes) -> bytes:
    """Return the whole file in one OSC 1337."""
    head = f"\x1b]1337;File=inline=1;size={len(png)};preserveAspectRatio=1:".encode()
    return head + base64.b64encode(png) + b"\x07"


def _sixel(picture: Picture) -> bytes:
    """Return DCS q, the raster size, the palette in percent, and bands of six rows by color."""
    image = Image.fromarray(picture).quantize(255, dither=Image.Dither.NONE)
    colors = np.asarray(image)  # (height, width), indices into the palette
    height, width = colors.shape
    palette = np.asarray(image.getpalette(), int).reshape(-1, 3)
    parts = [f'\x1bPq"1;1;{width};{height}']
    for index, color in enumerate(palette):
        red, green, blue = (round(int(level) * 100 / 255) for level in color)
        parts.append(f"#{index};2;{red};{green};{blue}")
    for top in range(0, height, 6):
        parts.append("$".join(_layers(colors[top : top + 6])) + "-")
    return ("".join(parts) + "\x1b\\").encode()


def _layers(band: Picture) -> Iterator[str]:
    """Yield the colors of a band `(≤ 6, width)`: a letter per column, with a bit for each row."""
    bits = 1 << np.arange(len(band))[:, None]
    for index in np.unique(band):
        letters = ((band == index) * bits).sum(axis=0) + 63  # (width,)
        yield f"#{index}" + "".join(_runs(letters.tolist()))


def _runs(letters: list[int]) -> Iterator[str]:
    """Yield runs of equal letters as `!count letter`."""
    starts = [i for i, letter in enumerate(letters) if i == 0 or letter != letters[i - 1]]
    for start, end in zip(starts, [*starts[1:], len(letters)], strict=True):
        length, letter = end - start, chr(letters[start])
        yield f"!{length}{letter}" if length > 3 else letter * length


def spread(count: int, most: int = 5) -> set[int]:
    """Return the indices of pictures that represent `count` of them, evenly spaced."""
    return set(np.linspace(0, count - 1, min(count, most)).round().astype(int).tolist())


def kept(pictures: Iterable[Picture], count: int, into: list[Picture]) -> Iterator[Picture]:
    """Yield the pictures, and put those that represent all of them into a list."""
    chosen = spread(count)
    for number, picture in enumerate(pictures):
        if number in chosen:
            into.append(picture)
        yield picture
