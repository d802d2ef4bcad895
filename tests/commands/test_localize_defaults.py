"""`sefa localize` with its defaults, and what takes it back to the published procedure."""

from pathlib import Path

import pytest

from sefa_cli.bundle.bundle import Bundle
from tests.helpers import Sefa

QUICK = ["--size", "32", "--seeds", "0"]


def test_the_defaults_move_the_middle_layers_under_a_small_ridge(sefa: Sefa) -> None:
    words = ["localize", "tiny.pth", "--box", "20,10,8,12", *QUICK]
    assert sefa(*words, "-o", "a.dirs").exit_code == 0
    params = Bundle.load("a.dirs").params
    assert (params["layers"], params["tau"], params["seeds"]) == ("2-5", 1e-4, [0])
    assert sefa(*words, "-L", "middle", "--tau", "1e-4", "-o", "b.dirs").exit_code == 0
    assert Path("a.dirs").read_bytes() == Path("b.dirs").read_bytes()
    asked = ["--exact-gram", "-L", "all", "--tau", "1e-3"]
    for name, how in (("c.dirs", ["--published"]), ("d.dirs", asked)):
        assert sefa(*words, *how, "-o", name).exit_code == 0
    assert Path("c.dirs").read_bytes() == Path("d.dirs").read_bytes()


@pytest.mark.parametrize(
    "words", [["-L", "middle"], ["--tau", "1e-2"], ["--space", "w+"], ["--method", "lowrank"]]
)
def test_published_is_one_procedure(sefa: Sefa, words: list[str]) -> None:
    asked = ["--box", "20,10,8,12", *QUICK, "--published", *words, "-o", "a.dirs"]
    result = sefa("localize", "tiny.pth", *asked)
    assert result.exit_code == 2 and "--published and --" in result.stderr
