"""`sefa evaluate`: the folder it writes, how it goes on, and everything it must refuse."""

import json
from pathlib import Path

import numpy as np
import pytest

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.errors import SefaError
from tests.helpers import Sefa

QUICK = ["-k", "0-1", "--seeds", "0-9", "--steps", "1", "--scorers", "colors", "-o", "eval"]


def test_writes_a_page_with_its_data(sefa: Sefa, bundle: Path) -> None:
    result = sefa("evaluate", str(bundle), *QUICK, "--write-labels")
    assert (result.exit_code, result.stdout) == (0, "eval/index.html\neval/tiny_named.dirs\n")
    there = {path.name for path in Path("eval").iterdir()}
    assert there == {
        "index.html", "evaluation.json", "evaluation.csv", "sheet.png", "cache", "tiny_named.dirs"
    }  # fmt: skip
    data = json.loads(Path("eval/evaluation.json").read_text("utf-8"))
    assert [row["k"] for row in data["directions"]] == [0, 1] and data["seeds"] == 10
    page = Path("eval/index.html").read_text("utf-8")
    assert "Evaluation of <bdi>tiny.pth" in page and "brightness" in page
    assert Bundle.load("eval/tiny_named.dirs").k == Bundle.load(bundle).k


def test_calibrate_measures_the_suggested_steps(sefa: Sefa, bundle: Path) -> None:
    result = sefa("evaluate", str(bundle), *QUICK, "--calibrate", "--keep-pictures")
    assert (result.exit_code, result.stdout) == (0, "eval/index.html\neval/tiny_calibrated.dirs\n")
    data = json.loads(Path("eval/evaluation.json").read_text("utf-8"))
    made = Bundle.load("eval/tiny_calibrated.dirs")
    for row in data["directions"]:
        rate = row["change_per_alpha"]["inside"]
        assert made.step(row["k"]) == pytest.approx(min(0.25 / rate, 10), rel=0.06)
    assert "change" not in made.info[2] and "change" not in Bundle.load(bundle).info[0]
    assert "change" in sefa("inspect", "eval/tiny_calibrated.dirs", "--json").stdout
    assert sefa("edit", "eval/tiny_calibrated.dirs", "-k", "0", "-o", "a.png").exit_code == 0
    assert len(list(Path("eval/cache").rglob("*.png"))) == 10
    both = sefa("evaluate", str(bundle), *QUICK, "--calibrate", "--write-labels", "--overwrite")
    assert both.stdout.endswith("eval/tiny_named_calibrated.dirs\n")


def test_goes_on_and_keeps_results(sefa: Sefa, bundle: Path) -> None:
    assert sefa("evaluate", str(bundle), *QUICK).exit_code == 0
    cached = {path: path.stat().st_mtime_ns for path in Path("eval/cache").rglob("*.npz")}
    assert len(cached) == 10
    result = sefa("evaluate", str(bundle), *QUICK)
    assert result.exit_code == 1 and "already exists" in result.stderr
    result = sefa("evaluate", str(bundle), *QUICK, "--overwrite", "--json")
    assert json.loads(result.stdout)["model"] == "tiny.pth"
    assert {path: path.stat().st_mtime_ns for path in cached} == cached


def test_several_bundles(sefa: Sefa, bundle: Path) -> None:
    sefa("factorize", "tiny.pth", "--method", "random", "-o", "random.dirs")
    assert sefa("evaluate", str(bundle), "random.dirs", *QUICK).exit_code == 0
    data = json.loads(Path("eval/evaluation.json").read_text("utf-8"))
    assert {row["bundle"] for row in data["directions"]} == {"tiny", "random"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none.dirs"], "none.dirs"),
        (["tiny.dirs", "--seeds", "0-3"], "4 seeds; expected 10 or more"),
        (["tiny.dirs", "--seeds", "x"], "seed"),
        (["tiny.dirs", "-k", "99"], "99"),
        (["tiny.dirs", "--alpha", "0"], "alpha must be above 0"),
        (
            ["tiny.dirs", "--alpha", "auto"],
            "--alpha must be the farthest step, got 'auto'; expected something like 3 or -3:3. "
            "--steps says how many lie between.",
        ),
        (["tiny.dirs", "--alpha", "1,2"], "--alpha must be the farthest step, got '1,2'; expected"),
        (["tiny.dirs", "--alpha", "-1:2"], "--alpha must be the farthest step, got '-1:2'; exp"),
        (["tiny.dirs", "--range", "x:2"], "--range must be a number, got 'x'"),
        (["tiny.dirs", "--scorers", "nose"], "unknown scorer 'nose'; expected colors, face"),
        (["tiny.dirs", "tiny.dirs"], "bundle tiny.dirs is given twice; expected each bundle once"),
        (["tiny.dirs", "-o", "page.html"], "expected a folder"),
        (["tiny.dirs", "-o", "tiny.pth/x"], "part of its path is a file, not a folder"),
        (["tiny.dirs", "-o", "tiny.pth"], ".pth files hold torch objects; expected a folder"),
        (["tiny.dirs", "-o", "-"], "expected a folder, such as eval/"),
        (["tiny.dirs", "-o", "eval.dirs"], ".dirs files hold directions; expected a folder"),
        (["tiny.dirs", "--cache", "tiny.dirs"], "tiny.dirs is a file; expected a folder"),
        (["tiny.dirs", "--cache", "tiny.dirs/x"], "part of its path is a file, not a folder"),
        (["tiny.dirs", "--codes", "few.npy"], "9 codes; expected 10 or more"),
    ],
)
def test_refuses_in_one_line(sefa: Sefa, bundle: Path, words: list[str], said: str) -> None:
    output = [] if "-o" in words else ["-o", "eval"]
    np.save("few.npy", np.zeros((9, 32), np.float32))
    result = sefa("evaluate", *words, *output)
    assert result.exit_code in (1, 2) and said in result.stderr
    assert result.stdout == "" and not Path("eval/index.html").exists()


@pytest.mark.parametrize("reach", ["-2.5:2.5", "2.5:-2.5", "2.5"])
def test_the_farthest_step_as_a_range(
    sefa: Sefa, bundle: Path, monkeypatch: pytest.MonkeyPatch, reach: str
) -> None:
    asked: dict[str, object] = {}

    def remember(files: object, **how: object) -> None:
        asked.update(how)
        raise SefaError("asked")

    monkeypatch.setattr("sefa_cli.evaluation.evaluate.evaluate", remember)
    assert sefa("evaluate", "tiny.dirs", "--alpha", reach, "-o", "eval").stderr == "sefa: asked\n"
    assert asked["alpha"] == 2.5


def test_codes_with_names(sefa: Sefa, bundle: Path) -> None:
    """Such as `sefa invert` writes: more of them than the sheet shows."""
    w = np.random.RandomState(0).randn(11, 32).astype(np.float32)
    np.savez("c.npz", w=w, names=np.array([f"{i}.jpg" for i in range(11)]))
    words = [word for word in QUICK if word not in ("--seeds", "0-9")]
    assert sefa("evaluate", str(bundle), *words, "--codes", "c.npz").exit_code == 0
    assert len(list(Path("eval/cache").rglob("code*_10.npz"))) == 1
    data = json.loads(Path("eval/evaluation.json").read_text("utf-8"))
    assert [data[name] for name in ("kind", "seeds", "range")] == ["code", 11, "0-10"]
    assert "<dt>codes</dt><dd>11 (0-10)" in Path("eval/index.html").read_text("utf-8")
