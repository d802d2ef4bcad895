"""A saved picture says how it was made, and its code makes it again."""

import base64
import json
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sefa_cli.errors import SefaError
from sefa_cli.interchange.notes import KEY, is_png, read_note, to_text
from sefa_cli.rendering.pictures import save_png
from tests.helpers import Sefa

ABOUT = {"model": {"ref": "tiny.pth"}, "seed": 3, "moves": []}
GRAY = np.zeros((4, 4, 3), np.uint8)


def test_a_note_comes_back(tmp_path: Path) -> None:
    code = np.random.default_rng(0).standard_normal((8, 32)).astype(np.float32)
    save_png(tmp_path / "a.png", GRAY, text={"Comment": "ü", KEY: to_text(ABOUT, code)})
    about, read = read_note(tmp_path / "a.png")
    assert about == ABOUT and read.dtype == np.float32
    np.testing.assert_array_equal(read, code[None])


def test_an_edited_picture_says_how_it_was_made(sefa: Sefa) -> None:
    """`sefa inspect` shows it, and `--codes` makes the same picture without the bundle."""
    sefa("factorize", "tiny.pth", "-o", "a.dirs")
    sefa("name", "a.dirs", "1", "smile")
    words = ("--k", "1", "--alpha", "2.5", "--k", "3", "--alpha", "-1", "--seeds", "7")
    made = sefa("edit", "--dirs", "a.dirs", *words, "-o", "out")
    assert made.exit_code == 0, made.stderr
    (path,) = Path("out").glob("*.png")
    text = sefa("inspect", str(path)).stdout
    assert "tiny.pth" in text and "smile +2.5 (layers 0-7)" in text and "8 × 32" in text
    told = json.loads(sefa("inspect", str(path), "--json").stdout)
    assert told["seed"] == 7 and told["latent"] == [8, 32]
    assert told["moves"][0]["steps"][1] == {"k": 3, "alpha": -1.0}
    again = sefa("sample", "tiny.pth", "--codes", str(path), "-o", "again")
    assert again.exit_code == 0, again.stderr
    (same,) = Path("again").glob("*.png")
    np.testing.assert_array_equal(Image.open(path), Image.open(same))


def test_other_pictures_are_told(sefa: Sefa, tmp_path: Path) -> None:
    save_png("plain.png", GRAY)
    assert is_png("plain.png") and not is_png("tiny.pth") and not is_png("nowhere.png")
    for words in (("inspect", "plain.png"), ("sample", "tiny.pth", "--codes", "plain.png")):
        result = sefa(*words)
        assert result.exit_code == 1 and "does not say how it was made" in result.stderr


def packed(data: bytes, shape: list[int]) -> dict[str, object]:
    return {"shape": shape, "float32": base64.b64encode(zlib.compress(data)).decode()}


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "[" * 100_000,
        json.dumps({**ABOUT, "latent": packed(bytes(8), [1])}),  # another size
        json.dumps({**ABOUT, "latent": packed(bytes(1 << 22), [2])}),  # unpacks to far more
        json.dumps({**ABOUT, "latent": packed(bytes(4), [1 << 40, 1])}),
        json.dumps({**ABOUT, "latent": packed(b"", [0])}),
        json.dumps({**ABOUT, "latent": {"shape": [1], "float32": "!"}}),
        json.dumps({**ABOUT, "latent": {"shape": [1], "float32": "AAAA"}}),
        json.dumps({**ABOUT, "model": {"ref": "\x1b[31m"}, "latent": packed(bytes(4), [1])}),
        json.dumps({**ABOUT, "moves": [{"steps": [1]}], "latent": packed(bytes(4), [1])}),
        json.dumps({**ABOUT, "seed": "x", "latent": packed(bytes(4), [1])}),
    ],
)  # fmt: skip
def test_a_forged_note_is_refused(tmp_path: Path, text: str) -> None:
    save_png(tmp_path / "a.png", GRAY, text={KEY: text})
    with pytest.raises(SefaError, match="cannot be read"):
        read_note(tmp_path / "a.png")
