"""`sefa supervise`: a bundle from scored samples, on the small model and the real one."""

from pathlib import Path

import numpy as np

from sefa_cli.bundle.bundle import Bundle
from tests.helpers import Sefa

WORDS = ["--seeds", "0-59", "--scorers", "colors", "--device", "cpu"]


def test_a_direction_moves_its_score(sefa: Sefa) -> None:
    words = ["--attribute", "brightness,warmth", *WORDS, "--share", "0.3", "-o", "c.dirs"]
    result = sefa("supervise", "tiny.pth", *words, "--scores", "s.npz")
    assert (result.exit_code, result.stdout) == (0, "c.dirs\n"), result.stderr
    assert "brightness: the boundary is right about" in result.stderr
    assert Bundle.load("c.dirs").labels == ["brightness", "warmth"] and Path("s.npz").exists()
    assert sefa("edit", "c.dirs", "-k", "warmth", "-a", "2", "--seeds", "100").exit_code == 0
    words = ["--attribute", "brightness", *WORDS, "--share", "0.3", "--scores", "s.npz"]
    result = sefa("supervise", "tiny.pth", *words, "--condition", "c.dirs", "-o", "d.dirs")
    assert result.exit_code == 1 and "lies within those of the condition" in result.stderr


def test_what_is_refused_before_the_model_is_opened(sefa: Sefa) -> None:
    for words, said in (
        (["-o", "a.dirs"], "--attribute"),
        (["--attribute", "smile", "-o", "a.txt"], "a.txt"),
        (["--attribute", "smile", "--seeds", "x", "-o", "a.dirs"], "--seeds must be a range"),
        (
            ["--attribute", "nose", "-o", "a.dirs"],
            "the chosen scorers do not measure 'nose'; expected bri",
        ),
        (
            ["--attribute", "smile", "--scorers", "colors", "-o", "a.dirs"],
            "sharpness. The scorer face measures it: --scorers face.",
        ),
        (["--attribute", "smile", "--condition", "no.dirs", "-o", "a.dirs"], "no.dirs"),
    ):
        result = sefa("supervise", "no_such_model.pth", *words)
        assert result.exit_code in (1, 2) and said in result.stderr


def test_the_default_models_colors(sefa: Sefa, default_model: Path) -> None:
    """Twenty faces are enough for warmth: the picture of another seed follows it."""
    words = ["--attribute", "warmth", "--seeds", "0-19", "--share", "0.5", "--scorers", "colors"]
    result = sefa("supervise", str(default_model), *words, "-L", "top", "-o", "w.dirs")
    assert result.exit_code == 0, result.stderr
    moved = ["-k", "warmth", "-a", "-3,3", "--seeds", "100", "--size", "64", "--fast"]
    made = sefa("edit", "w.dirs", *moved)
    assert made.exit_code == 0, made.stderr
    from PIL import Image

    sheet = np.asarray(Image.open(made.stdout.split()[0]).convert("RGB"), np.float64)
    third = sheet.shape[1] // 3
    warmth = [sheet[:, i * third : (i + 1) * third, [0, 2]].mean(axis=(0, 1)) for i in (0, 2)]
    assert (warmth[1][0] - warmth[1][1]) - (warmth[0][0] - warmth[0][1]) > 5
