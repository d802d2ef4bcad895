"""`sefa report`: a folder that opens, commands that give the same pictures, and what is refused."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from tests.helpers import Sefa

SHORT = ["--k", "0,3", "--seeds", "0-1", "--steps", "3"]


def run_line(sefa: Sefa, line: str) -> Result:
    """A line as it stands on the page, typed into the shell."""
    program, *words = shlex.split(line)
    assert program == "sefa"
    return sefa(*words)


def test_the_page_and_its_own_command(sefa: Sefa, bundle: Path) -> None:
    result = sefa("report", "tiny.dirs", "-o", "report/", *SHORT)
    assert (result.exit_code, result.stdout) == (0, "report/index.html\n"), result.stderr
    page = Path("report/index.html").read_bytes()
    line = "sefa report tiny.dirs -o report/ --seeds 0-1 --k 0,3 --range auto --steps 3"
    pictures = {path: path.read_bytes() for path in Path("report").rglob("*.png")}
    assert len(pictures) == 10
    again = run_line(sefa, f"{line} --overwrite")
    assert again.exit_code == 0
    assert Path("report/index.html").read_bytes() == page
    assert {path: path.read_bytes() for path in Path("report").rglob("*.png")} == pictures


@pytest.mark.parametrize(
    "look",
    [
        [],
        ["--size", "16", "--trunc", "0.5"],
        ["--noise-mode", "random", "-L", "2-3", "--range", "2:-1.5"],
        ["--model", "tiny.pth", "--trunc-layers", "0-3", "--device", "cpu"],
    ],
)
def test_a_cells_command_makes_it_again_byte_for_byte(
    sefa: Sefa, bundle: Path, look: list[str]
) -> None:
    result = sefa("report", "tiny.dirs", "-o", "report", *SHORT, *look, "--json")
    about = json.loads(result.stdout)
    assert len(about["cells"]) == 12 and about["missing"] == 0
    for cell in (about["cells"][n] for n in (0, 4, 8, 11)):  # seed 1 without a move among them
        made = run_line(sefa, cell["command"])
        assert made.exit_code == 0, made.stderr
        picture = Path(made.stdout.strip())
        shown = Path("report", cell["picture"])
        assert (np.asarray(Image.open(picture)) == np.asarray(Image.open(shown))).all()
        assert picture.read_bytes() == shown.read_bytes()


def test_codes_of_a_file(sefa: Sefa, bundle: Path) -> None:
    words = ["--k", "1", "--alpha", "2", "--seeds", "5,9", "-o", "moved", "--save-codes", "c.npz"]
    assert sefa("edit", "--dirs", "tiny.dirs", *words).exit_code == 0
    result = sefa("report", "tiny.dirs", "-o", "r", "--k", "0", "--codes", "c.npz", "--json")
    cells = json.loads(result.stdout)["cells"]
    assert [cell["code"] for cell in cells] == [0] * 5 + [1] * 5
    made = run_line(sefa, cells[-1]["command"]).stdout.split()
    assert Path(made[-1]).read_bytes() == Path("r", cells[-1]["picture"]).read_bytes()


def test_labels_choose_and_the_first_ten_are_the_default(sefa: Sefa, bundle: Path) -> None:
    assert sefa("name", "tiny.dirs", "4", "smile").exit_code == 0
    words = ["--seeds", "0", "--steps", "2", "--json"]
    chosen = json.loads(sefa("report", "tiny.dirs", "-o", "a", "--k", "smile,1", *words).stdout)
    assert [(d["k"], d.get("label")) for d in chosen["directions"]] == [(4, "smile"), (1, None)]
    plain = json.loads(sefa("report", "tiny.dirs", "-o", "b", *words).stdout)
    assert [d["k"] for d in plain["directions"]] == list(range(10))
    assert plain["directions"][0]["alphas"] == [-4, 4] and plain["samples"] == ["seed 0"]
    few = sefa("pick", "tiny.dirs", "--k", "0-2", "-o", "few.dirs")
    assert few.exit_code == 0, few.stderr
    shown = json.loads(sefa("report", "few.dirs", "-o", "c", *words).stdout)
    assert [d["k"] for d in shown["directions"]] == [0, 1, 2]


def test_no_name_given_is_numbered(sefa: Sefa, bundle: Path) -> None:
    words = ["--k", "0", "--seeds", "0", "--steps", "2"]
    assert sefa("report", "tiny.dirs", *words).stdout == "tiny_report/index.html\n"
    assert sefa("report", "tiny.dirs", *words).stdout == "tiny_report-2/index.html\n"


def test_a_region_bundle_shows_its_region(sefa: Sefa) -> None:
    words = ["--box", "20,10,8,12", "--size", "32", "--seeds", "0", "-o", "mouth.dirs"]
    assert sefa("localize", "tiny.pth", *words).exit_code == 0
    result = sefa("report", "mouth.dirs", "-o", "r", "--k", "0", "--seeds", "0,3", "--json")
    cells = json.loads(result.stdout)["cells"]
    assert {cell["region"] for cell in cells} == {"pictures/region.png"}
    page = Path("r/index.html").read_text()
    assert "box 20,10,8,12" in page and 'id="region"' in page and "inside" in page
    overlay = np.asarray(Image.open("r/pictures/region.png"))[..., 3]
    assert (overlay[16 * 20 : 16 * 28, 16 * 10 : 16 * 22] == 0).all() and overlay[0, 0] > 100


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--k", "99"], 2, "out of range; expected 0-31"),
        (["--k", "smile"], 2, "no direction is called"),
        (["--range", "3"], 2, "such as -3:3"),
        (["--range", "2:2"], 2, "range '2:2' does not move"),
        (["--steps", "1"], 2, "--steps"),
        (["--steps", "1000"], 2, "--steps"),
        (["--seeds", "4-2"], 2, "runs backwards"),
        (["--size", "0"], 2, "--size"),
        (["--noise-mode", "loud"], 2, "noise mode"),
        (["-o", "page.html"], 2, "a folder, such as report/"),
        (["-o", "tiny.pth/report"], 1, "part of its path is a file"),
        (["-o", "tiny.dirs"], 2, ".dirs files hold directions"),
        (["-o", "mine"], 1, "mine already exists"),
        (["-o", "mine", "--overwrite"], 1, "holds notes.txt"),
        (["--model", "nothing.pth"], 1, "nothing.pth"),
        (["--translate", "0.1,0"], 2, "translat"),
    ],
)
def test_refuses_in_one_line(
    sefa: Sefa, bundle: Path, words: list[str], code: int, said: str
) -> None:
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("mine")
    result = sefa("report", "tiny.dirs", *words, *([] if "-o" in words else ["-o", "r"]))
    assert said in result.stderr
    assert result.exit_code == code and result.stdout == ""
    assert not Path("r").exists() and Path("mine/notes.txt").read_text() == "mine"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_a_page_that_opens(
    sefa: Sefa, bundle: Path, number: signal.Signals, code: int
) -> None:
    command = [
        sys.executable,
        "-m",
        "sefa_cli",
        "report",
        "tiny.dirs",
        "-o",
        "r",
        "--seeds",
        "0-99",
    ]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    making = subprocess.Popen(command, env={**os.environ}, **pipes)
    until = time.monotonic() + 60
    while len(list(Path("r").rglob("*.png"))) < 30 and time.monotonic() < until:
        time.sleep(0.05)
    making.send_signal(number)
    out, said = making.communicate(timeout=60)
    assert (making.returncode, out) == (code, b"")
    there = len(list(Path("r").rglob("k*/*.png"))) + len(list(Path("r/pictures").glob("*.png")))
    assert f"sefa: interrupted; {there:,} of 4,100 pictures are in r; ".encode() in said
    assert b"--overwrite makes all of them" in said and b"half-written" not in said
    page = Path("r/index.html").read_text()
    assert "of 4100 pictures are missing" in page and page.endswith("</html>")
    assert not list(Path("r").rglob(".*")), "half-written files"
