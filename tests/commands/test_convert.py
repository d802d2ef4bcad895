"""`sefa convert`: a file that every other command takes in the place of its source."""

from pathlib import Path

import numpy as np
from PIL import Image

from sefa_cli.bundle.bundle import Bundle
from tests.helpers import Sefa
from tests.helpers.light import run_without


def test_all_commands_take_it_for_the_source(sefa: Sefa, bundle: Path) -> None:
    result = sefa("convert", "tiny.pth", "-o", "tiny.safetensors")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "tiny.safetensors\n", "")
    assert Path("tiny.safetensors").stat().st_size < Path("tiny.pth").stat().st_size
    shown = sefa("inspect", "tiny.safetensors").stdout
    assert "sefa" in shown and "stylegan2" in shown
    sefa("factorize", "tiny.safetensors", "-o", "again.dirs")
    one, two = Bundle.load("tiny.dirs"), Bundle.load("again.dirs")
    assert one.model["fingerprint"] == two.model["fingerprint"]
    assert np.array_equal(one.directions, two.directions)
    common = ["edit", "--dirs", "tiny.dirs", "--k", "1", "--alpha", "3", "--seeds", "0"]
    sefa(*common, "-o", "a.png")
    sefa(*common, "-o", "b.png", "--model", "tiny.safetensors")
    assert np.array_equal(np.asarray(Image.open("a.png")), np.asarray(Image.open("b.png")))


def test_keeps_what_exists(sefa: Sefa) -> None:
    Path("x").write_text("mine")
    result = sefa("convert", "tiny.pth", "-o", "x")
    assert result.exit_code == 1 and "x already exists" in result.stderr
    assert Path("x").read_text() == "mine"
    assert sefa("convert", "tiny.pth", "-o", "x", "--overwrite").exit_code == 0


def test_refuses_in_one_line(sefa: Sefa, bundle: Path) -> None:
    for words, said in (
        (["tiny.dirs", "-o", "x"], "a direction bundle, not a generator"),
        (["none.pth", "-o", "x"], "none.pth"),
        (["tiny.pth", "-o", "tiny.pth/x"], "part of its path is a file"),
    ):
        result = sefa("convert", *words)
        assert result.exit_code == 1 and said in result.stderr and not Path("x").exists()


def test_the_default_model(sefa: Sefa, default_model: Path) -> None:
    """From OpenVINO IR too; the file is no larger than its source."""
    assert sefa("convert", str(default_model), "-o", "m.safetensors").exit_code == 0
    assert Path("m.safetensors").stat().st_size < 45e6
    sefa("factorize", str(default_model), "-o", "a.dirs", "-L", "0-4")
    sefa("factorize", "m.safetensors", "-o", "b.dirs", "-L", "0-4")
    one, two = Bundle.load("a.dirs"), Bundle.load("b.dirs")
    assert one.model["fingerprint"] == two.model["fingerprint"]
    assert one.directions.tobytes() == two.directions.tobytes() and one.info == two.info


def test_imports_no_torch(workplace: Path) -> None:
    run_without(["torch", "PIL", "rich", "requests"], "convert", "tiny.pth", "-o", "x")
