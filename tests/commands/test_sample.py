"""`sefa sample`: a sheet or a folder of unedited pictures."""

from pathlib import Path

import pytest
from PIL import Image

from tests.helpers import Sefa


def test_a_sheet(sefa: Sefa) -> None:
    result = sefa("sample", "tiny.pth", "--seeds", "0-31", "-o", "sheet.png")
    assert (result.exit_code, result.stdout) == (0, "sheet.png\n")
    with Image.open("sheet.png") as sheet:
        assert sheet.width * sheet.height >= 32 * 32 * 32


def test_an_automatic_name_and_a_folder(sefa: Sefa) -> None:
    assert sefa("sample", "tiny.pth", "--seeds", "0").stdout == "sample.png\n"
    assert sefa("sample", "tiny.pth", "--seeds", "0").stdout == "sample-2.png\n"
    assert sefa("sample", "tiny.pth", "--seeds", "4,7", "-o", "out").exit_code == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["seed0004.png", "seed0007.png"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nobody.pth"], 1, "nobody.pth"),
        (["tiny.pth", "--size", "0"], 2, "--size"),
        (["tiny.pth", "--seeds", "3-1"], 2, "runs backwards"),
    ],
)
def test_refuses_in_one_line(sefa: Sefa, words: list[str], code: int, said: str) -> None:
    result = sefa("sample", *words)
    assert result.exit_code == code and said in result.stderr and result.stdout == ""
