"""Commands that a shell parses back into the same words."""

import shlex

from sefa_cli.rendering.shell import shell_line


def test_options() -> None:
    options = {"--dirs": "face.dirs", "--fast": True, "--any-model": False, "--layers": None}
    assert shell_line(["sefa", "edit"], options) == "sefa edit --dirs face.dirs --fast"


def test_values_that_look_like_options() -> None:
    options = {"--alpha": "-2,2", "--class": 0, "--dirs": "-", "--trunc": -0.5}
    line = "sefa edit --alpha=-2,2 --class 0 --dirs - --trunc=-0.5"
    assert shell_line(["sefa", "edit"], options) == line


def test_hostile_names_stay_one_word() -> None:
    name = "my $(rm -r *) 'face'; echo.dirs"
    line = shell_line(["sefa", "report", name], {"-o": "a b"})
    assert shlex.split(line) == ["sefa", "report", name, "-o", "a b"]
