"""The bytes that draw pictures in terminals, and the choice of the protocol."""

import base64
import io
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sefa_cli.errors import UsageError
from sefa_cli.rendering.terminal_pictures import choose, drawn, kept, spread


@pytest.mark.parametrize(
    ("environment", "chosen"),
    [
        ({"TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-ghostty", "TERM_PROGRAM": "ghostty"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "iterm"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "iterm"),
        ({"TERM": "foot"}, "sixel"),
        ({"TERM": "mlterm"}, "sixel"),
        ({"TERM": "xterm-256color"}, "viewer"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, "viewer"),
        # another terminal that was started from kitty, and programs that swallow pictures
        (
            {"TERM": "xterm", "KITTY_WINDOW_ID": "1", "TERM_PROGRAM": "Apple_Terminal"},
            "viewer",
        ),
        ({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1"}, "viewer"),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/tmux,1,0"}, "viewer"),
        ({}, "viewer"),
        ({"SEFA_SHOW": "sixel", "TERM": "xterm-kitty"}, "sixel"),
        ({"SEFA_SHOW": "viewer", "TERM": "xterm-kitty"}, "viewer"),
        ({"SEFA_SHOW": "kitty", "TMUX": "1"}, "kitty"),
    ],
)
def test_the_environment_decides(environment, chosen):
    assert choose(environment, is_terminal=True) == chosen
    assert choose(environment, is_terminal=False) == "viewer"


def test_an_unknown_protocol_is_refused():
    with pytest.raises(UsageError, match="unknown SEFA_SHOW 'ascii'; expected kitty"):
        choose({"SEFA_SHOW": "ascii"}, is_terminal=False)


def test_kitty_in_one_piece():
    data = drawn(np.zeros((1, 1, 3), np.uint8), "kitty")
    head, body, tail = b"\x1b_Ga=T,f=100,q=2,m=0;", data[21:-3], b"\x1b\\\n"
    assert data == head + body + tail
    assert base64.b64decode(body).startswith(b"\x89PNG")


def test_kitty_in_chunks(waves):
    noise = np.random.RandomState(0).randint(0, 256, (100, 100, 3)).astype(np.uint8)
    chunks = re.findall(rb"\x1b_G([^;]*);([^\x1b]*)\x1b\\", drawn(noise, "kitty"))
    heads = [head for head, _ in chunks]
    assert heads[0] == b"a=T,f=100,q=2,m=1" and heads[-1] == b"m=0"
    assert set(heads[1:-1]) == {b"m=1"}
    assert all(len(body) == 4096 for _, body in chunks[:-1]) and len(chunks[-1][1]) <= 4096
    png = base64.b64decode(b"".join(body for _, body in chunks))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png))), noise)


def test_iterm(waves):
    picture = waves(1, 8, 8)[0]
    data = drawn(picture, "iterm")
    match = re.fullmatch(
        rb"\x1b\]1337;File=inline=1;size=(\d+);preserveAspectRatio=1:([^\x07]*)\x07\n", data
    )
    png = base64.b64decode(match[2])
    assert len(png) == int(match[1])
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png))), picture)


def test_sixel_by_its_bytes():
    """Seven rows of five columns, one color: a whole band (~ is all six bits), then one row."""
    red = np.zeros((7, 5, 3), np.uint8) + np.array([255, 0, 0], np.uint8)
    assert drawn(red, "sixel") == b'\x1bPq"1;1;5;7#0;2;100;0;0#0!5~-#0!5@-\x1b\\\n'


def test_sixel_draws_the_picture(waves):
    picture = waves(1, 20, 33)[0]
    shown = read_sixel(drawn(picture, "sixel"))
    assert shown.shape == picture.shape
    assert np.abs(shown.astype(int) - picture).mean() < 4


def read_sixel(data):
    """Draw sixels: bands of six rows, `$` back to the left, `-` on to the next."""
    text = data.decode().removeprefix("\x1bPq").removesuffix("\x1b\\\n")
    width, height = map(int, re.match(r'"1;1;(\d+);(\d+)', text).groups())
    palette = {}
    sheet, x, top, color = np.zeros((height + 6, width, 3), np.uint8), 0, 0, 0
    tokens = re.findall(r"#\d+(?:;2;\d+;\d+;\d+)?|!\d+.|[$\-?-~]", text[text.index("#") :])
    for token in tokens:
        if token[0] == "#":
            color, *levels = map(int, token[1:].split(";"))
            if levels:
                palette[color] = [level * 255 / 100 for level in levels[1:]]
        elif token == "$":
            x = 0
        elif token == "-":
            x, top = 0, top + 6
        else:
            count = int(token[1:-1]) if token[0] == "!" else 1
            for bit in range(6):
                if (ord(token[-1]) - 63) >> bit & 1:
                    sheet[top + bit, x : x + count] = palette[color]
            x += count
    return sheet[:height]


@pytest.mark.parametrize("protocol", ["kitty", "iterm", "sixel"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_large_pictures_become_smaller(waves, protocol, channels):
    data = drawn(waves(1, 300, 2000, channels)[0], protocol)
    if protocol == "sixel":
        assert data.startswith(b'\x1bPq"1;1;960;144')
    else:
        body = b"".join(re.findall(rb"[;:]([A-Za-z0-9+/=]{30,})[\x1b\x07]", data))
        assert Image.open(io.BytesIO(base64.b64decode(body))).size == (960, 144)


def test_five_pictures_represent_all():
    assert spread(48) == {0, 12, 24, 35, 47} and spread(3) == {0, 1, 2} and spread(1) == {0}
    seen: list[Any] = []
    numbers: Any = range(48)  # in place of pictures
    passed = list(kept(numbers, 48, seen))
    assert passed == list(range(48)) and seen == [0, 12, 24, 35, 47]
