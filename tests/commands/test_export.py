"""`sefa export`: files other tools read, what they cannot hold is said, outputs are kept."""

import io
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
import torch

from sefa_cli.bundle.annotations import relabeled
from sefa_cli.bundle.bundle import Bundle
from tests.helpers import Sefa


@pytest.fixture
def named(bundle: Path) -> Bundle:
    """`tiny.dirs`, layers 0-7, with two labels."""
    labeled = relabeled(Bundle.load(bundle), {1: "smile", 3: "turns left"})
    labeled.save(bundle, overwrite=True)
    return labeled


def test_a_file_of_many(sefa: Sefa, named: Bundle) -> None:
    result = sefa("export", "tiny.dirs", "--to", "rosinality", "-o", "factor.pt")
    assert (result.exit_code, result.stdout) == (0, "factor.pt\n"), result.stderr
    assert result.stderr.startswith("rosinality cannot hold: the labels, the eigenvalues, ")
    columns = torch.load("factor.pt", weights_only=True)["eigvec"].numpy()
    np.testing.assert_array_equal(columns.T, named.directions)


def test_some_of_them(sefa: Sefa, named: Bundle) -> None:
    assert sefa("export", "tiny.dirs", "--to", "npy", "--k", "0-1", "-o", "x.npy").exit_code == 0
    np.testing.assert_array_equal(np.load("x.npy"), named.directions[:2])
    one = sefa("export", "tiny.dirs", "--to", "npy", "--k", "turns left", "-o", "one.npy")
    assert one.exit_code == 0
    np.testing.assert_array_equal(np.load("one.npy"), named.directions[3:4])


def test_a_file_each_called_after_its_label(sefa: Sefa, named: Bundle) -> None:
    result = sefa("export", "tiny.dirs", "--to", "interfacegan", "--k", "1-3", "-o", "out")
    assert result.stdout.splitlines() == [
        "out/smile_w_boundary.npy", "out/tiny_k2_w_boundary.npy", "out/turns_left_w_boundary.npy",
    ]  # fmt: skip
    for path, direction in zip(result.stdout.split(), named.directions[1:4], strict=True):
        np.testing.assert_array_equal(np.load(path), direction[None].astype(float))


def test_labels_that_would_be_one_file(sefa: Sefa, bundle: Path) -> None:
    labels = {0: "a b", 1: "a_b", 2: "../../out"}
    relabeled(Bundle.load(bundle), labels).save(bundle, overwrite=True)
    result = sefa("export", "tiny.dirs", "--to", "gguf", "--k", "0-2", "-o", "out")
    names = ["out/tiny_k0.gguf", "out/tiny_k1.gguf", "out/out.gguf"]
    assert result.stdout.splitlines() == names and all(Path(name).exists() for name in names)


def test_outputs_are_kept(sefa: Sefa, named: Bundle) -> None:
    Path("x.npy").write_text("mine")
    words = ["export", "tiny.dirs", "--to", "npy", "-o", "x.npy"]
    assert sefa(*words).exit_code == 1 and Path("x.npy").read_text() == "mine"
    assert sefa(*words, "--overwrite").exit_code == 0 and np.load("x.npy").ndim == 2
    Path("out").mkdir()
    Path("out/turns_left.npy").write_text("mine")
    assert sefa("export", "tiny.dirs", "--to", "w+", "--k", "0-3", "-o", "out").exit_code == 1
    assert [path.name for path in Path("out").iterdir()] == ["turns_left.npy"]  # none or all


def test_through_pipes(process: Callable[..., CompletedProcess[bytes]], named: Bundle) -> None:
    data = Path("tiny.dirs").read_bytes()
    done = process("export", "-", "--to", "ganspace", "--k", "smile", "-o", "-", input=data)
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(
        np.load(io.BytesIO(done.stdout))["lat_comp"][:, 0], named.directions[1:2]
    )
    assert b"cannot hold" in done.stderr and b"scales" not in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--to", "ganspaec", "-o", "x"], 2, "expected npy, w+"),
        (["--to", "interfacegan", "-o", "x.npy"], 2, "one direction per file"),
        (["--to", "npy", "-o", "out/"], 2, "a file name for npy"),
        (["--to", "npy", "--k", "smille", "-o", "x.npy"], 2, "'smile'"),
        (["--to", "npy", "--k", "99", "-o", "x.npy"], 2, "out of range"),
        (["--to", "npy", "-o", "tiny.pth/x.npy"], 1, "part of its path is a file"),
        (["--to", "gguf", "-o", "tiny.pth/folder"], 1, "part of its path is a file"),
    ],
)
def test_refusals(sefa: Sefa, named: Bundle, words: list[str], code: int, said: str) -> None:
    result = sefa("export", "tiny.dirs", *words)
    assert result.exit_code == code and said in result.stderr, result.stderr
    assert result.stdout == "" and len(result.stderr.splitlines()) == 1
