"""Words as people type them: what a command takes, and what it says about what is missing."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from sefa_cli.bundle.bundle import Bundle
from tests.helpers import Sefa


def codes_of(sefa: Sefa, *words: str) -> np.ndarray:
    """The codes that `sefa edit` moves to."""
    options = ["--size", "8", "-o", "out", "--save-codes", "codes.npz", "--overwrite"]
    result = sefa("edit", *words, *options)
    assert result.exit_code == 0, result.stderr
    with np.load("codes.npz") as archive:
        return archive["w"]


@pytest.mark.parametrize(
    "words",
    [
        ["tiny.dirs", "--k", "3", "--alpha", "2", "--seeds", "0"],
        ["tiny.dirs", "-k", "3", "-a", "2", "--seed", "0"],
        ["-d", "tiny.dirs", "-k", "3", "--range", "2", "--seed", "0"],
        ["tiny.dirs", "-k", "-29", "-a", "2", "--seed", "0"],
    ],
)
def test_the_same_move_in_other_words(sefa: Sefa, bundle: Path, words: list[str]) -> None:
    users = ["--dirs", "tiny.dirs", "--k", "3", "--alpha", "2", "--seeds", "0"]
    np.testing.assert_array_equal(codes_of(sefa, *words), codes_of(sefa, *users))


def test_a_range_of_steps_is_the_list_without_zero(sefa: Sefa, bundle: Path) -> None:
    common = ["tiny.dirs", "-k", "3", "--seed", "0", "-a"]
    np.testing.assert_array_equal(
        codes_of(sefa, *common, "-2:2"), codes_of(sefa, *common, "-2,-1,1,2")
    )


def test_without_a_step_directions_move_by_suggested_steps(sefa: Sefa, bundle: Path) -> None:
    common = ["tiny.dirs", "-k", "3", "--seed", "0"]
    np.testing.assert_array_equal(codes_of(sefa, *common), codes_of(sefa, *common, "-a", "auto"))
    step = Bundle.load(bundle).step(3)
    film = sefa(
        "animate", *common, "--size", "8", "--frames", "3", "--captions", "-o", "default.gif"
    )
    assert film.exit_code == 0, film.stderr
    ends = [f"--range={-2 * step}:{2 * step}", "--frames", "3", "--captions", "-o", "said.gif"]
    assert sefa("animate", *common, "--size", "8", *ends).exit_code == 0
    assert Path("default.gif").read_bytes() == Path("said.gif").read_bytes()


def test_a_report_takes_the_suggested_steps_of_each_direction(sefa: Sefa, bundle: Path) -> None:
    result = sefa("report", "tiny.dirs", "-k", "0,3", "--seeds", "0", "-o", "page", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    steps = [Bundle.load(bundle).step(k) for k in (0, 3)]
    assert found["alphas"] is None and steps[0] < steps[1]
    for direction, step in zip(found["directions"], steps, strict=True):
        assert direction["alphas"] == pytest.approx([-2 * step, -step, 0, step, 2 * step], rel=1e-3)
    assert "--range auto" in found["command"] and "--steps 5" in found["command"]
    page = Path("page/index.html").read_text()
    assert f"α −{2 * steps[0]:g}" in page and f"−{2 * steps[1]:g}" in page and "−2 steps" in page


def test_all_directions_and_the_last(sefa: Sefa, bundle: Path) -> None:
    every = codes_of(sefa, "tiny.dirs", "-k", "all", "-a", "1", "--seed", "0")
    last = codes_of(sefa, "tiny.dirs", "-k", "-1", "-a", "1", "--seed", "0")
    assert len(every) == 32
    np.testing.assert_array_equal(every[-1:], last)


def test_films_and_reports_take_them_too(sefa: Sefa, bundle: Path) -> None:
    common = ["tiny.dirs", "-k", "-1", "--seed", "0", "--size", "8"]
    film = sefa("animate", *common, "-a", "0:1", "--frames", "2", "-o", "new/film.gif")
    assert (film.exit_code, film.stdout) == (0, "new/film.gif\n"), film.stderr
    page = sefa("report", *common, "-a", "-2,-1,3", "-o", "new/page")
    assert page.exit_code == 0, page.stderr
    made = sorted(path.name for path in Path("new/page/pictures/k31").iterdir())
    assert made == ["seed0000_+3.png", "seed0000_-1.png", "seed0000_-2.png"]


@pytest.mark.parametrize(
    ("words", "missing", "corrected"),
    [
        (["edit"], "X.dirs and --k are", "edit face.dirs --k 3"),
        (["edit", "tiny.dirs", "-a", "2"], "--k is", "edit tiny.dirs -a 2 --k 3"),
        (
            ["animate", "-d", "a b"],
            "--k and --output are",
            "animate -d 'a b' --k 3 --output film.gif",
        ),
        (["animate", "x.dirs", "-k", "0"], "--output is", "animate x.dirs -k 0 --output film.gif"),
        (["report"], "X.dirs is", "report face.dirs"),
        (["name"], "X.dirs is", "name face.dirs"),
        (
            ["factorize"],
            "MODEL and --output are",
            "factorize mobilestylegan_ffhq --output face.dirs",
        ),
    ],
)
def test_what_is_missing_is_named_in_a_corrected_command(
    sefa: Sefa, words: list[str], missing: str, corrected: str
) -> None:
    result = sefa(*words)
    assert result.exit_code == 2
    assert result.stderr == f"sefa: {missing} missing; expected sefa {corrected}\n"


def test_the_corrected_command_works(sefa: Sefa, bundle: Path) -> None:
    said = sefa("edit", "tiny.dirs", "-a", "2").stderr
    assert sefa(*said.rpartition("expected sefa ")[2].split(), "--size", "8").exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["edit", "--dirs", "tiny.dirs", "--dirs", "b.dirs"], "2 bundles are given: tiny.dirs, b."),
        (["edit", "tiny.dirs", "--dirs", "tiny.dirs"], "2 bundles are given"),
        (["edit", "tiny.dirs", "--size", "0"], "--size must be 1 or more, got 0"),
        (["edit", "tiny.dirs", "--size", "33"], "--size must be between 1 and 32, got 33"),
        (["edit", "tiny.dirs", "--trunc", "-3"], "--trunc must be between -2 and 2, got -3"),
        (["edit", "tiny.dirs", "--trunc", "nan"], "--trunc must be between -2 and 2, got nan"),
        (["edit", "tiny.dirs", "--device", "gpu"], "unknown device 'gpu'; expected auto, cpu"),
        (["edit", "tiny.dirs", "--seeds", "0", "--codes", "c.npz"], "--seeds and --codes cannot"),
        (
            ["edit", "tiny.dirs", "--class", "0", "--codes", "c.npz"],
            "--class has no effect",
        ),
        (["edit", "tiny.dirs", "--trunc-layers", "0", "--codes", "c.npz"], "--trunc-layers"),
        (["edit", "tiny.dirs", "--any-model"], "--any-model has no effect without --model"),
        (["edit", "tiny.dirs", "-a", "0:999"], "a range of 1 to 201 units"),
        (["edit", "tiny.dirs", "-a", "1,1"], "alpha 1 is given twice"),
    ],
)
def test_refusals(sefa: Sefa, bundle: Path, words: list[str], said: str) -> None:
    steps = [] if "-a" in words else ["-a", "2"]
    result = sefa(*words, "-k", "3", *steps)
    assert result.exit_code == 2 and result.stdout == ""
    assert said in result.stderr and len(result.stderr.splitlines()) == 1, result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("edit tiny.dirs --k 0 --device mps", "device mps cannot be used here"),
        ("pick tiny.dirs --mix 0*1 -o a", "the mix '0*1' comes out zero"),
        ("pick tiny.dirs --mix 1e300*1 -o a", "the mix '1e300*1' is too long"),
        ("pick tiny.dirs --k 1 --without 1 -o a", "nothing of direction 0 is left"),
        ("pick tiny.dirs --k 1 --as 3 -o a", "the label '3' reads as an index"),
        ("pick tiny.dirs --k 1 --as all -o a", "the label 'all' reads as an index"),
        ("name tiny.dirs 1 3", "the label '3' reads as an index"),
        ("factorize tiny.pth --tensors nothing -o a", "no tensor of tiny.pth matches 'nothing'"),
    ],
)
@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac has mps")
def test_a_wrong_value_ends_with_2(sefa: Sefa, bundle: Path, words: str, said: str) -> None:
    result = sefa(*words.split())
    assert result.exit_code == 2 and said in result.stderr, result.stderr


def test_once_is_refused_where_the_player_decides(sefa: Sefa, bundle: Path) -> None:
    result = sefa("animate", "tiny.dirs", "-k", "0", "--once", "-o", "film.mp4")
    assert result.exit_code == 2 and "--once has no effect with film.mp4" in result.stderr


def test_steps_and_a_list_of_steps_are_refused(sefa: Sefa, bundle: Path) -> None:
    result = sefa("report", "tiny.dirs", "-a", "-1,1", "--steps", "5")
    assert result.exit_code == 2 and "--steps has no effect with a list" in result.stderr
