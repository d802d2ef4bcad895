"""`sefa name` and `sefa pick`, also through pipes."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sefa_cli.bundle import annotations
from sefa_cli.bundle.bundle import Bundle
from tests.helpers import Sefa


def test_names_are_accepted_wherever_an_index_is(sefa: Sefa, bundle: Path) -> None:
    result = sefa("name", "tiny.dirs", "3", "car turns left", "5", "smile")
    assert (result.exit_code, result.stdout) == (0, "tiny.dirs\n")
    assert sefa("name", "tiny.dirs", "--list").stdout == "3\tcar turns left\n5\tsmile\n"
    words = ["--dirs", "tiny.dirs", "--k", "car turns left", "--alpha", "2", "--seeds", "0"]
    assert sefa("edit", *words, "-o", "a").exit_code == 0
    words = ["--dirs", "tiny.dirs", "--k", "smile", "--frames", "2", "-o", "a.gif"]
    assert sefa("animate", *words).exit_code == 0
    assert "car turns left" in sefa("inspect", "tiny.dirs").stdout
    assert json.loads(sefa("inspect", "--json", "tiny.dirs").stdout)["labels"][5] == "smile"


def test_a_bundle_and_its_last_direction_are_named_as_in_edit(sefa: Sefa, bundle: Path) -> None:
    for words in (
        ["tiny.dirs", "-1", "last", "--list"],
        ["--list", "tiny.dirs", "-1", "last"],
        ["--dirs", "tiny.dirs", "-1", "last", "--list"],
        ["-d", "tiny.dirs", "last", "last", "-32", "first", "--clear", "-32", "--list"],
    ):
        result = sefa("name", *words)
        assert result.exit_code == 0, result.stderr
    assert result.stdout == "0\tfirst\n31\tlast\n"
    assert sefa("name", "tiny.dirs", "--clear", "-1", "--clear", "-32", "--list").stdout == ""
    assert "direction -33 is out of range" in sefa("name", "tiny.dirs", "-33", "a").stderr
    assert "unknown option --lits" in sefa("name", "tiny.dirs", "-1", "a", "--lits").stderr


def test_only_the_labels_change(sefa: Sefa, bundle: Path) -> None:
    before = bundle.read_bytes()
    sefa("name", "tiny.dirs", "3", "smile")
    assert bundle.read_bytes() != before
    sefa("name", "tiny.dirs", "--clear", "smile")
    assert bundle.read_bytes() == before


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only Linux tells who waits")
def test_names_given_at_the_same_moment_are_all_kept(
    sefa: Sefa, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second process asks between the first one's reading and writing."""
    words = [sys.executable, "-m", "sefa_cli", "name", "tiny.dirs", "1", "second"]
    relabeled, asked = annotations.relabeled, []

    def asked_meanwhile(*changes: Any) -> Bundle:
        asked.append(second := subprocess.Popen(words))
        while second.poll() is None and f" {second.pid} " not in Path("/proc/locks").read_text():
            time.sleep(0.01)
        return relabeled(*changes)

    monkeypatch.setattr(annotations, "relabeled", asked_meanwhile)
    try:
        assert sefa("name", "tiny.dirs", "0", "first").exit_code == 0
        assert asked[0].wait(60) == 0
    finally:
        asked[0].kill()
    assert Bundle.load(bundle).labels[:2] == ["first", "second"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["3"], 2, "has no label"),
        ([], 2, "no label is given"),
        (["32", "far"], 2, "out of range; expected 0-31"),
        (["3", "7"], 2, "7"),
        (["3", "same", "4", "same"], 2, "directions 3 and 4 have the same label, 'same'"),
        (["3", "a", "3", "b"], 2, "direction 3 gets two labels; expected one label each"),
        (["0-2", "a"], 2, "'0-2' means 3 directions"),
        (["3", " a"], 2, "begins or ends with a space"),
        (["3", "0-4, 7"], 2, "reads as an index or a range"),
        (["3", "all"], 2, "reads as an index or a range"),
        (["3", "a\tb"], 2, "one line without control characters"),
        (["3", ""], 2, "the label of direction 3 is ''"),
        (["nobody", "a"], 2, "no direction is called 'nobody'; expected an index 0-31"),
        (["--clear", "nobody"], 2, "nobody"),
    ],
)
def test_refuses_in_one_line(
    sefa: Sefa, bundle: Path, words: list[str], code: int, said: str
) -> None:
    before = bundle.read_bytes()
    result = sefa("name", "tiny.dirs", *words)
    assert result.exit_code == code and said in result.stderr and result.stdout == ""
    assert bundle.read_bytes() == before


def test_lists_and_pipes_of_labels(
    sefa: Sefa, bundle: Path, process: Callable[..., subprocess.CompletedProcess[bytes]]
) -> None:
    done = process("name", "-", "3", "größe, weit", input=bundle.read_bytes())
    assert Bundle.from_bytes(done.stdout).labels[3] == "größe, weit" and done.stderr == b""
    assert sefa("name", "tiny.dirs", "3", "a", "7", "b", "--list").stdout == "3\ta\n7\tb\n"
    result = sefa("name", "tiny.dirs", "b", "c", "--json")
    assert json.loads(result.stdout) == {"3": "a", "7": "c"}
    assert sefa("name", "tiny.dirs", "a", "c", "c", "a", "--list").stdout == "3\tc\n7\ta\n"
    assert sefa("name", "tiny.dirs", "--clear", "c,4-7", "--list").stdout == ""
    assert process("name", "-", "1", "a", "--list", input=bundle.read_bytes()).returncode == 2


def test_a_read_only_bundle_stays_as_it_is(sefa: Sefa, bundle: Path) -> None:
    before = bundle.read_bytes()
    bundle.chmod(0o444)
    result = sefa("name", "tiny.dirs", "3", "a")
    assert result.exit_code == 1 and "tiny.dirs: it is read-only" in result.stderr
    assert bundle.read_bytes() == before


def test_onto_itself(sefa: Sefa, bundle: Path) -> None:
    sefa("name", "tiny.dirs", "3", "a")
    words = ["pick", "tiny.dirs", "--k", "a", "--k", "0-1", "-o", "tiny.dirs"]
    assert "tiny.dirs already exists" in sefa(*words).stderr and Bundle.load(bundle).k == 32
    assert sefa(*words, "--overwrite").exit_code == 0
    assert Bundle.load(bundle).labels == ["a", None, None]


def test_turned_round_and_renamed(sefa: Sefa, bundle: Path) -> None:
    sefa("name", "tiny.dirs", "3", "turns left")
    words = ["tiny.dirs", "--k", "turns left", "--flip", "--as", "turns right"]
    assert sefa("pick", *words, "-o", "r.dirs").exit_code == 0
    made, original = Bundle.load("r.dirs"), Bundle.load(bundle)
    np.testing.assert_array_equal(made.directions, -original.directions[3:4])
    assert made.labels == ["turns right"] and made.info[0]["from"]["label"] == "turns left"


def test_pick_from_two(sefa: Sefa, bundle: Path) -> None:
    sefa("factorize", "tiny.pth", "-L", "0-7", "--center", "-o", "other.dirs")
    words = ["tiny.dirs", "other.dirs", "--k", "1-2", "--k", "0", "-o", "z.dirs"]
    assert sefa("pick", *words).exit_code == 0
    one, other, both = (Bundle.load(f"{name}.dirs") for name in ("tiny", "other", "z"))
    np.testing.assert_allclose(
        both.directions, np.concatenate([one.directions[1:3], other.directions[:1]]), atol=1e-6
    )
    assert sefa("edit", "--dirs", "z.dirs", "--k", "2", "--alpha", "1", "-o", "a").exit_code == 0


def test_mix_and_clean(sefa: Sefa, bundle: Path) -> None:
    sefa("name", "tiny.dirs", "0", "yaw", "1", "age")
    words = ["tiny.dirs", "--mix", "0.7*yaw + 0.3*age", "--as", "older-turned", "-o", "m.dirs"]
    assert sefa("pick", *words).exit_code == 0
    words = ["m.dirs", "tiny.dirs", "--k", "0", "--without", "age", "-o", "c.dirs"]
    assert sefa("pick", "m.dirs", "tiny.dirs", "--k", "0", "--k", "0", *words[4:]).exit_code == 0
    cleaned, original = Bundle.load("c.dirs"), Bundle.load("tiny.dirs")
    assert abs(cleaned.directions[0] @ original.directions[1]) < 1e-6
    assert cleaned.labels[0] == "older-turned"
    assert "bundles m.dirs tiny.dirs" in sefa("inspect", "c.dirs").stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["tiny.dirs"], 2, "--k is missing"),
        (["tiny.dirs", "--k", "1", "--mix", "0"], 2, "--k and --mix"),
        (
            ["tiny.dirs", "tiny.dirs", "--k", "1", "--k", "2", "--k", "3"],
            2,
            "3 choices for 2 bundles",
        ),
        (["tiny.dirs", "--k", "32"], 2, "direction 32 is out of range; expected 0-31"),
        (["tiny.dirs", "--k", "1,smille"], 2, "called 'smille'; expected an index 0-31 or 'smile'"),
        (
            ["tiny.dirs", "--k", "0-1", "--as", "x"],
            2,
            "the label 'x' for 2 directions; expected one",
        ),
        (["tiny.dirs", "--mix", "1", "--flip"], 2, "signs in the sum"),
        (["tiny.dirs", "--k", "0", "--without", "0"], 2, "nothing of direction 0 is left"),
        (["tiny.dirs", "--mix", "0.7*smile +"], 2, "from '+' on"),
        (["-", "-", "--k", "1"], 2, "- is given twice"),
        (["tiny.dirs", "--mix", "yaw"], 2, "yaw"),
        (["tiny.dirs", "--mix", "1 - 1"], 2, "zero"),
        (["none.dirs", "--k", "1"], 1, "none.dirs"),
    ],
)
def test_pick_refuses_in_one_line(
    sefa: Sefa, bundle: Path, words: list[str], code: int, said: str
) -> None:
    sefa("name", "tiny.dirs", "9", "smile")
    result = sefa("pick", *words, "-o", "z.dirs")
    assert said in result.stderr and result.exit_code == code
    assert not Path("z.dirs").exists()


@pytest.mark.slow
def test_the_whole_pipe(workplace: Path) -> None:
    sefa = f"{sys.executable} -m sefa_cli"
    line = (
        f"{sefa} factorize tiny.pth -o - | {sefa} pick - --k 1-5 -o - | "
        f"{sefa} animate --dirs - --k 2 --frames 3 -o x.gif"
    )
    done = subprocess.run(line, shell=True, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "x.gif\n", "")
