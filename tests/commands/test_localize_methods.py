"""`sefa localize --method`: the methods to compare ReSeFa with, and what does not suit them."""

from pathlib import Path

import numpy as np
import pytest

from sefa_cli.bundle.bundle import Bundle
from tests.helpers import Sefa


@pytest.mark.parametrize("words", [["nullspace", "--rank", "4"], ["lowrank"]])
def test_other_methods_are_there_to_compare(sefa: Sefa, words: list[str]) -> None:
    asked = [
        "--box",
        "20,10,8,12",
        "--size",
        "32",
        "--seeds",
        "0",
        "--method",
        *words,
        "--num",
        "3",
        "-o",
        "a.dirs",
    ]
    result = sefa("localize", "tiny.pth", *asked)
    assert result.exit_code == 0, result.stderr
    bundle = Bundle.load("a.dirs")
    assert (bundle.method, bundle.params.get("rank")) == (
        words[0],
        4 if "--rank" in words else None,
    )
    assert "tau" not in bundle.params and bundle.k <= 3
    assert (np.diff(bundle.eigenvalues) <= 0).all()


def test_channels_of_the_styles(sefa: Sefa) -> None:
    asked = ["--box", "20,10,8,12", "--size", "32", "--seeds", "0-1", "--method", "stylespace"]
    result = sefa("localize", "tiny.pth", *asked, "-L", "0", "--num", "3", "-o", "s.dirs")
    assert result.exit_code == 0, result.stderr
    bundle = Bundle.load("s.dirs")
    assert bundle.space == "w+" and bundle.directions.shape == (3, 1, 32)
    name = bundle.labels[0]
    assert sefa("edit", "s.dirs", "-k", name, "--seeds", "5", "-o", "e.png").exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--method", "magic"],
            "unknown method 'magic'; expected resefa, nullspace",
        ),
        (["--method", "sefa"], "`sefa factorize` has the method sefa"),
        (["--rank", "3"], "rank has no effect with --method resefa; expected nullspace"),
        (["--method", "nullspace", "--tau", "0"], "tau has no effect with --method nullspace"),
        (["--method", "nullspace", "--rank", "32"], "rank must be between 1 and 31, got 32"),
        (["--method", "lowrank", "--tau", "auto"], "tau has no effect with --method lowrank"),
        (["--method", "lowrank", "--sketch", "9"], "expected resefa or nullspace"),
        (["--method", "stylespace", "--resume"], "does not exist"),
        (["--method", "stylespace", "--stability"], "stability has no effect with --method"),
        (["--method", "stylespace", "-L", "1"], "channels of layer 1 cannot move one by one"),
        (
            ["--method", "lowrank", "--published"],
            "--published and --method cannot",
        ),
    ],
)
def test_what_does_not_suit_a_method_is_refused(sefa: Sefa, words: list[str], said: str) -> None:
    result = sefa(
        "localize", "tiny.pth", "--box", "1,1,4,4", "--seeds", "0", *words, "-o", "a.dirs"
    )
    assert result.exit_code in (1, 2) and said in result.stderr and not Path("a.dirs").exists()
