"""A name that contradicts what would be written under it is refused, by one rule."""

from pathlib import Path

import pytest

from tests.helpers import Sefa

BOX = ["localize", "tiny.pth", "--box", "1,1,4,4", "--size", "32"]
EDIT = ["edit", "tiny.dirs", "-k", "0", "--size", "8"]


@pytest.mark.parametrize(
    ("words", "name", "own"),
    [
        (["factorize", "tiny.pth", "-o"], "x.png", ".dirs"),
        (["factorize", "tiny.pth", "-o"], "x.json", ".dirs"),
        (["pick", "tiny.dirs", "--k", "0", "-o"], "x.JPG", ".dirs"),
        (["import", "rows.npy", "--model", "tiny.pth", "-o"], "x.npz", ".dirs"),
        ([*BOX, "-o"], "x.npz", ".dirs"),
        ([*BOX, "--preview"], "x.gif", ".png"),
        ([*BOX, "-o", "a.dirs", "--save-jacobian"], "x.png", ".npy"),
        ([*EDIT, "--save-codes"], "x.png", ".npz"),
        ([*EDIT, "-o"], "x.gif", ".png"),
        ([*EDIT, "-o"], "x.dirs", ".png"),
        (["sample", "tiny.pth", "-o"], "x.npz", ".png"),
        (["animate", "tiny.dirs", "-k", "0", "-o"], "x.jpg", ".gif"),
        (["animate", "tiny.dirs", "-k", "0", "-o"], "x.dirs", ".gif"),
        (["report", "tiny.dirs", "-o"], "x.dirs", "a folder"),
        (["report", "tiny.dirs", "-o"], "x.html", "a folder"),
        (["convert", "tiny.pth", "-o"], "x.pt", ".safetensors"),
        (["export", "tiny.dirs", "--to", "npy", "-o"], "x.png", ".npy"),
        (["export", "tiny.dirs", "--to", "rosinality", "-o"], "x.npy", ".pt"),
        (["export", "tiny.dirs", "--to", "gguf", "-k", "0", "-o"], "x.npz", ".gguf"),
    ],
)
def test_a_name_of_another_content(
    sefa: Sefa, bundle: Path, words: list[str], name: str, own: str
) -> None:
    assert sefa("export", "tiny.dirs", "--to", "npy", "-o", "rows.npy").exit_code == 0
    result = sefa(*words, name)
    assert result.exit_code == 2 and not Path(name).exists(), (words, result.stderr)
    suffix = Path(name).suffix.lower()
    assert f"{suffix} files hold " in result.stderr and own in result.stderr, result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["x", "x.bundle", "x.dirs.1", "x.safetensors", "v1.2"])
def test_other_names_are_the_users_own(sefa: Sefa, name: str) -> None:
    assert sefa("factorize", "tiny.pth", "-o", name).exit_code == 0
