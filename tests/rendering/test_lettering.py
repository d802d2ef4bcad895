import numpy as np
import pytest
from PIL import Image, ImageDraw

from sefa_cli.rendering.lettering import Lettering, drawable, heading

STAYS = "\u00a0"


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("before", "before"),
        ("seed 12", f"seed{STAYS}12"),
        ("k 3  α +2", f"k{STAYS}3{STAYS}{STAYS}alpha{STAYS}+2"),
        ("α −1.5", f"alpha{STAYS}-1.5"),
        ("größeres Lächeln", "grosseres Lacheln"),
        ("漢", "?"),
        ("", ""),
    ],
)
def test_only_letters_that_the_font_has(text, drawn):
    assert drawable(text) == drawn


def test_every_drawable_letter_has_a_glyph():
    font = Lettering(20)._font
    missing = bytes(font.getmask("\ufffe"))
    assert not [c for c in map(chr, range(33, 127)) if bytes(font.getmask(c)) == missing]


def test_blocks_are_wrapped_to_the_width():
    lettering = Lettering(12)
    block = lettering.block("k 3  α +2, k 5  α -1.5, turns the head", 100)
    assert len(block.lines) > 1
    assert block.width <= 120 and block.height == len(block.lines) * lettering.line_height
    assert all(lettering.width(line) < block.width for line in block.lines)


def test_an_overlong_word_is_broken():
    block = Lettering(12).block("x" * 1000, 200)
    assert "".join(block.lines) == "x" * 1000 and block.width <= 200


@pytest.mark.parametrize("label", ["α +2", "Pneumonoultramicroscopicsilicovolcanoconiosis", "k 12"])
def test_a_step_stays_whole_however_narrow(label):
    block = Lettering(12).block(f"{label}  α +12.25", 64)
    assert block.lines[-1].endswith(f"alpha{STAYS}+12.25")


@pytest.mark.parametrize(
    ("label", "drawn"),
    [
        ("smile", "smile"),
        ("smile 😀", "smile"),
        ("微笑", ""),
        ("Улыбка", ""),
        (None, ""),
        ("👩🏽‍🦰", ""),
    ],
)
def test_a_label_without_letters_of_the_font_gives_no_heading(label, drawn):
    assert heading(label) == drawn


def test_an_empty_text_takes_no_space():
    block = Lettering(12).block("", 100)
    assert (block.lines, block.width, block.height) == ((), 0, 0)


@pytest.mark.parametrize("anchor", ["l", "m", "r"])
def test_ink_stays_inside_the_block(anchor):
    lettering = Lettering(12)
    block = lettering.block("gypsy (W) j|, seed 123", 60)
    image = Image.new("L", (200, 100), 255)
    lettering = Lettering(12, ink=0)  # type: ignore[arg-type]  # one channel here
    lettering.draw(ImageDraw.Draw(image), block, 100, 20, anchor)
    rows, columns = np.nonzero(np.asarray(image) < 128)
    left = {"l": 100, "m": 100 - block.width // 2, "r": 100 - block.width}[anchor]
    assert rows.min() >= 20 and rows.max() < 20 + block.height
    assert columns.min() >= left and columns.max() < left + block.width
