"""`sefa animate`: every format, the frames it says, and what it refuses before rendering."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

Sefa = Callable[..., Result]
SHORT = ["--frames", "6", "--fps", "25"]


def test_gif(sefa: Sefa, bundle: Path) -> None:
    words = ["--dirs", "tiny.dirs", "--k", "3", *SHORT, "-o", "sweep.gif"]
    result = sefa("animate", *words)
    assert (result.exit_code, result.stdout) == (0, "sweep.gif\n")
    with Image.open("sweep.gif") as film:
        assert film.n_frames == 6 and film.size == (32, 32)
        durations = []
        for frame in range(film.n_frames):
            film.seek(frame)
            durations.append(film.info["duration"])
    assert sum(durations) == 240


@pytest.mark.parametrize("name", ["sweep.mp4", "sweep.webp", "sweep.apng"])
def test_other_formats(sefa: Sefa, bundle: Path, name: str) -> None:
    result = sefa("animate", "--dirs", "tiny.dirs", "--k", "3", *SHORT, "-o", name)
    assert (result.exit_code, result.stdout) == (0, f"{name}\n")
    assert Path(name).stat().st_size > 500


def test_a_folder_of_frames_side_by_side(sefa: Sefa, bundle: Path) -> None:
    words = ["--k", "3", *SHORT, "--seeds", "0-2", "-o", "frames", "--range", "0:2"]
    assert sefa("animate", "--dirs", "tiny.dirs", *words).exit_code == 0
    frames = sorted(Path("frames").iterdir())
    assert len(frames) == 6
    pictures = [np.asarray(Image.open(frame)) for frame in frames]
    assert all(picture.shape[0] == 32 and picture.shape[1] >= 96 for picture in pictures)
    assert len({picture.tobytes() for picture in pictures}) == 6


def test_bounce_comes_back(sefa: Sefa, bundle: Path) -> None:
    words = ["--k", "3", *SHORT, "--bounce", "-o", "frames"]
    assert sefa("animate", "--dirs", "tiny.dirs", *words).exit_code == 0
    frames = [path.read_bytes() for path in sorted(Path("frames").iterdir())]
    assert len(frames) == 10  # 6 there, 4 back: neither end is shown twice
    assert frames[1:5] == frames[9:5:-1]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--k", "3", "-o", "a.avi"], 2, ".gif"),
        (["--k", "0-2", "-o", "a.gif"], 2, "names 3 directions"),
        (["--k", "99", "-o", "a.gif"], 2, "out of range; expected 0-31"),
        (["--k", "3", "-o", "none/a.gif"], 1, "the folder none does not exist"),
        (["--k", "3", "--range", "3", "-o", "a.gif"], 2, "such as -3:3"),
        (["--k", "3", "--range", "0:nan", "-o", "a.gif"], 2, "not finite"),
        (["--k", "3", "--frames", "1", "-o", "a.gif"], 2, "--frames"),
        (["--k", "3", "--fps", "0", "-o", "a.gif"], 2, "--fps"),
        (["--k", "3"], 2, "--output"),
    ],
)
def test_refuses_in_one_line(
    sefa: Sefa, bundle: Path, words: list[str], code: int, said: str
) -> None:
    result = sefa("animate", "--dirs", "tiny.dirs", *words)
    assert said in result.stderr
    assert result.exit_code == code and result.stdout == ""


def test_keeps_an_existing_film(sefa: Sefa, bundle: Path) -> None:
    Path("a.gif").write_text("mine")
    result = sefa("animate", "--dirs", "tiny.dirs", "--k", "3", *SHORT, "-o", "a.gif")
    assert result.exit_code == 1 and "a.gif exists" in result.stderr
    assert Path("a.gif").read_text() == "mine"
