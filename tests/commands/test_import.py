"""`sefa import`: other tools' files become bundles that move pictures as they did there."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
import torch

from sefa_cli.bundle.bundle import Bundle
from tests.helpers import Sefa


@pytest.fixture
def boundary(workplace: Path) -> np.ndarray:
    """`smile_w_boundary.npy` for the small model, 32 wide."""
    row = np.random.default_rng(0).standard_normal((1, 32))
    row /= np.linalg.norm(row)
    np.save("smile_w_boundary.npy", row)
    return row


def test_into_a_bundle_and_on_to_a_picture(sefa: Sefa, boundary: np.ndarray) -> None:
    words = ["import", "smile_w_boundary.npy", "--model", "tiny.pth", "-L", "bottom"]
    result = sefa(*words, "-o", "smile.dirs")
    assert (result.exit_code, result.stdout) == (0, "smile.dirs\n"), result.stderr
    bundle = Bundle.load("smile.dirs")
    assert bundle.model["ref"] == "tiny.pth" and list(bundle.layers) == [0, 1]
    np.testing.assert_array_equal(bundle.directions, boundary.astype(np.float32))
    moved = ["--k", "smile", "--alpha", "2", "--seeds", "0", "--save-codes", "moved.npz"]
    assert sefa("edit", "--dirs", "smile.dirs", *moved, "-o", "a.png").exit_code == 0
    still = ["--k", "smile", "--alpha", "0", "--seeds", "0", "--save-codes", "still.npz"]
    assert sefa("edit", "--dirs", "smile.dirs", *still, "-o", "b.png").exit_code == 0
    change = np.load("moved.npz")["w"] - np.load("still.npz")["w"]  # (1, 8, 32)
    np.testing.assert_allclose(change[0, :2], np.repeat(2 * boundary, 2, axis=0), atol=1e-6)
    assert not change[0, 2:].any()


def test_an_exported_bundle_comes_back(sefa: Sefa, bundle: Path) -> None:
    assert sefa("export", "tiny.dirs", "--to", "rosinality", "-o", "factor.pt").exit_code == 0
    assert sefa("import", "factor.pt", "--model", "tiny.pth", "-o", "b.dirs").exit_code == 0
    first, second = Bundle.load("tiny.dirs"), Bundle.load("b.dirs")
    np.testing.assert_array_equal(first.directions, second.directions)
    assert first.model == second.model and second.method == "imported"


def test_of_an_exported_folder_a_file_is_named(sefa: Sefa, bundle: Path) -> None:
    done = sefa("export", "tiny.dirs", "--to", "e4e", "-k", "0-1", "-o", "all/e4e")
    assert done.exit_code == 0, done.stderr
    words = ["--model", "tiny.pth", "-o", "b.dirs"]
    said = sefa("import", "all/e4e", *words).stderr
    one = "all/e4e/tiny_k0.pt"
    assert said.startswith(f"sefa: all/e4e is a folder; expected a file, such as {one}. ")
    assert sefa("import", one, *words).exit_code == 0
    other = sefa("import", "all", *words[:-1], "c.dirs")
    assert other.stderr == "sefa: all is a folder; expected a file\n"


def test_through_a_pipe(
    process: Callable[..., CompletedProcess[bytes]], boundary: np.ndarray
) -> None:
    done = process("import", "smile_w_boundary.npy", "--model", "tiny.pth", "-o", "-")
    assert done.returncode == 0 and Bundle.from_bytes(done.stdout).labels == ["smile"]


def test_a_boundary_named_as_one_of_z_is_asked_about(sefa: Sefa, boundary: np.ndarray) -> None:
    Path("smile_w_boundary.npy").rename("smile_boundary.npy")
    words = ["import", "smile_boundary.npy", "--model", "tiny.pth", "-o"]
    assert "--space z" in sefa(*words, "w.dirs").stderr
    assert sefa(*words, "z.dirs", "--space", "z").stderr == ""
    assert Bundle.load("z.dirs").space == "z"
    result = sefa("edit", "--dirs", "z.dirs", "--k", "0", "--alpha", "1", "-o", "x.png")
    assert result.exit_code == 3 and "directions are for z" in result.stderr  # codes are w here


def test_it_needs_no_torch(
    process: Callable[..., CompletedProcess[bytes]], bundle: Path, tmp_path: Path
) -> None:
    torch.save(torch.tensor(Bundle.load(bundle).directions[:1]), "a.pt")
    (tmp_path / "torch.py").write_text("raise SystemExit('torch was imported')")
    done = process("import", "a.pt", "--model", "tiny.pth", "-o", "a.dirs")
    assert done.returncode == 0, done.stderr
    done = process("export", "a.dirs", "--to", "rosinality", "-o", "b.pt")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nothing.npy"], 1, "does not exist"),
        (["narrow.npy"], 1, "31 wide; expected 32"),
        (["tiny.pth"], 1, "weights of a network"),
        (["smile_w_boundary.npy", "--layers", "0-8"], 2, "out of range"),
        (["smile_w_boundary.npy", "--format", "odd"], 2, "expected npy"),
        (["smile_w_boundary.npy", "--format", "gguf"], 1, "its format is interfacegan"),
        (["smile_w_boundary.npy", "--space", "s"], 2, "z, w or w+"),
        (["smile_w_boundary.npy", "-o", "smile_w_boundary.npy"], 2, ".npy files hold"),
        (["smile_w_boundary.npy", "-o", "there.dirs"], 1, "there.dirs already exists"),
    ],
)
def test_refusals(sefa: Sefa, boundary: np.ndarray, words: list[str], code: int, said: str) -> None:
    np.save("narrow.npy", np.ones((1, 31)))
    Path("there.dirs").touch()
    output = [] if "-o" in words else ["-o", "x.dirs"]
    result = sefa("import", *words, "--model", "tiny.pth", *output)
    assert result.exit_code == code and said in result.stderr, result.stderr
    assert not Path("x.dirs").exists() and len(result.stderr.splitlines()) == 1


def test_codes_of_other_tools_start_an_edit(sefa: Sefa, bundle: Path) -> None:
    """The same codes in four forms give the same picture; a picture's name goes with its code."""
    w = np.random.default_rng(1).standard_normal((1, 8, 32), dtype=np.float32)
    np.savez("projected_w.npz", w=w)
    np.save("w.npy", w[0])
    torch.save(torch.tensor(w), "latents.pt")
    torch.save({"me.png": {"img": torch.ones(1), "latent": torch.tensor(w[0])}}, "me.pt")
    pictures = set()
    for name in ("projected_w.npz", "w.npy", "latents.pt", "me.pt"):
        words = ["--k", "0", "--alpha", "2", "--codes", name]
        result = sefa("edit", "--dirs", "tiny.dirs", *words, "-o", f"of {Path(name).stem}")
        assert result.exit_code == 0, result.stderr
        pictures.add(Path(result.stdout.strip()).read_bytes())
    assert len(pictures) == 1
    np.save("wrong.npy", w[:, :5])
    wrong = sefa("edit", "--dirs", "tiny.dirs", *words[:4], "--codes", "wrong.npy", "-o", "w.png")
    assert wrong.exit_code == 1 and "(n, 8, 32)" in wrong.stderr
