"""`sefa factorize`: the published numbers, its options, and everything it must refuse."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from sefa_cli.bundle.bundle import Bundle
from tests.helpers import GOLDEN, Sefa
from tests.helpers.light import run_without


def test_writes_a_bundle_and_prints_its_path(sefa: Sefa) -> None:
    result = sefa("factorize", "tiny.pth", "-o", "tiny.dirs")
    assert (result.exit_code, result.stdout) == (0, "tiny.dirs\n")
    bundle = Bundle.load("tiny.dirs")
    assert bundle.directions.shape == (32, 32) and list(bundle.layers) == list(range(8))
    assert bundle.model["ref"] == "tiny.pth" and bundle.model["family"] == "stylegan2"
    assert bundle.params == {
        "layers": "0-7", "to_rgb": "last", "normalize": True, "center": False,
        "deflate_gain": False, "num": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "layers"),
    [
        (["-L", "bottom"], [0, 1]),
        (["-L", "middle"], [2, 3, 4, 5]),
        (["-L", "top"], [6, 7]),
        (["-L", "2-3,7"], [2, 3, 7]),
        (["-L", "2-3,7", "--to-rgb", "none"], [2, 3]),
        (["-L", "0-1", "--to-rgb", "first"], [0, 1]),
        (["--to-rgb", "all", "-L", "7"], [7]),
    ],
)
def test_layers(sefa: Sefa, options: list[str], layers: list[int]) -> None:
    assert sefa("factorize", "tiny.pth", "-o", "a.dirs", *options).exit_code == 0
    assert list(Bundle.load("a.dirs").layers) == layers


def test_options_change_the_numbers_and_are_recorded(sefa: Sefa) -> None:
    seen = {}
    for option in ("--normalize", "--no-normalize", "--center", "--deflate-gain"):
        sefa("factorize", "tiny.pth", "-o", "a.dirs", "--overwrite", option)
        seen[option] = Bundle.load("a.dirs").eigenvalues[:3].tolist()
    assert len({tuple(values) for values in seen.values()}) == 4
    assert Bundle.load("a.dirs").params["deflate_gain"] is True


def test_num(sefa: Sefa) -> None:
    sefa("factorize", "tiny.pth", "-o", "a.dirs", "--num", "3")
    assert Bundle.load("a.dirs").k == 3


def test_same_input_same_bytes_whatever_the_threads(workplace: Path) -> None:
    digests = set()
    for threads in ("1", "2", "8"):
        environment = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        command = [sys.executable, "-m", "sefa_cli", "factorize", "tiny.pth", "-o", "-"]
        done = subprocess.run(command, env=environment, capture_output=True, check=True)
        digests.add(hashlib.sha256(done.stdout).hexdigest())
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["none.pth", "-o", "a.dirs"], 1, "none.pth"),
        (["tiny.pth", "-o", "a.dirs", "-L", "9"], 2, "layer 9 is out of range; expected 0-7"),
        (["tiny.pth", "-o", "a.dirs", "-L", "nose"], 2, "--layers must be a range, got 'nose'"),
        (["tiny.pth", "-o", "a.dirs", "--num", "33"], 2, "must be between 1 and 32, got"),
        (["tiny.pth", "-o", "a.dirs", "--num", "0"], 2, "must be between 1 and 32, got"),
        (["tiny.pth", "-o", "a.dirs", "--to-rgb", "some"], 2, "first, last, all or none"),
        (["tiny.pth", "-o", "a.dirs", "-L", "7", "--to-rgb", "none"], 2, "leave nothing"),
        (["tiny.pth", "-o", "tiny.pth/a.dirs"], 1, "part of its path is a file"),
        (["tiny.pth", "-o", "."], 1, "is a folder"),
        (["tiny.pth"], 2, "--output"),
    ],
)
def test_refuses_in_one_line(sefa: Sefa, words: list[str], code: int, said: str) -> None:
    result = sefa("factorize", *words)
    assert result.exit_code == code
    assert said in result.stderr
    assert result.stdout == "" and not Path("a.dirs").exists()


def test_keeps_an_existing_output(sefa: Sefa) -> None:
    Path("a.dirs").write_text("mine")
    result = sefa("factorize", "tiny.pth", "-o", "a.dirs")
    assert result.exit_code == 1 and "a.dirs already exists" in result.stderr
    assert Path("a.dirs").read_text() == "mine"
    assert sefa("factorize", "tiny.pth", "-o", "a.dirs", "--overwrite").exit_code == 0
    assert Bundle.load("a.dirs").k == 32


@pytest.mark.parametrize("default", [False, True])
def test_imports_no_torch(workplace: Path, default_model: Path, default: bool) -> None:
    model = str(default_model) if default else "tiny.pth"
    heavy = ["torch", "PIL", "rich", "requests", "http", "email", "tarfile"]
    run_without(heavy, "factorize", model, "-o", "a.dirs")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_writing_leaves_nothing(workplace: Path, number: signal.Signals) -> None:
    """The process is stopped between the temporary file and its final name."""
    code = (
        "import os, sys, time; sys.argv = ['sefa', 'factorize', 'tiny.pth', '-o', 'a.dirs']\n"
        "fsync = os.fsync\n"
        "def slow(f): print('writing', flush=True); time.sleep(30)\n"
        "os.fsync = slow\n"
        "from sefa_cli.cli import main; main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout and process.stdout.readline() == b"writing\n"
    time.sleep(0.1)
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    assert b"Traceback" not in errors
    assert [path.name for path in workplace.iterdir() if path.suffix == ".dirs"] == []


def test_default_model_equals_the_measured_spectra(sefa: Sefa, default_model: Path) -> None:
    """Eigenvalues and directions of shared/golden, taken by an independent program."""
    golden = load_file(GOLDEN / "sefa_mobilestylegan.safetensors")
    for name, layers in {"all": "all", "low_0_4": "0-4", "mid_7_12": "7-12"}.items():
        sefa("factorize", str(default_model), "-L", layers, "-o", "m.dirs", "--overwrite")
        bundle = Bundle.load("m.dirs")
        np.testing.assert_allclose(bundle.eigenvalues[:8], golden[f"{name}.eigenvalues"], rtol=1e-5)
        cosines = np.abs(np.sum(bundle.directions[:8] * golden[f"{name}.eigenvectors"], axis=1))
        assert cosines.min() > 1 - 1e-6


def test_default_model_marks_the_common_gain(sefa: Sefa, default_model: Path) -> None:
    """Direction 0 of every range is one; nothing else comes near; deflation takes it out."""
    for layers in ("all", "bottom", "middle", "top", "0-2", "0-6", "7-12", "13-22"):
        words = ("factorize", str(default_model), "-L", layers, "-o", "m.dirs", "--overwrite")
        result = sefa(*words)
        gains = [about["gain"] for about in Bundle.load("m.dirs").info]
        assert gains[0] > 0.6 and max(gains[1:]) < 0.3, layers
        assert "direction 0 is a common style gain" in result.stderr
    result = sefa(
        "factorize", str(default_model), "-L", "0-4", "--deflate-gain", "-o", "d.dirs"
    )  # fmt: skip
    bundle = Bundle.load("d.dirs")
    np.testing.assert_allclose(bundle.eigenvalues[:5], [63, 59, 49, 45, 43], atol=0.6)
    assert bundle.info[0]["gain"] < 0.3 and result.stderr == ""


def test_tensors_by_name(sefa: Sefa) -> None:
    """Any matrices: the bundle can be inspected and compared; `edit` says why it cannot use it."""
    words = ["--tensors", "generator_smooth.synthesis.layer*.style.weight", "-o", "t.dirs"]
    result = sefa("factorize", "tiny.pth", *words)
    assert (result.exit_code, result.stdout) == (0, "t.dirs\n")
    assert "generator_smooth.synthesis" in sefa("inspect", "t.dirs").stdout
    sefa("factorize", "tiny.pth", "-o", "tiny.dirs", "--to-rgb", "none")
    assert sefa("inspect", "--compare", "t.dirs", "tiny.dirs").exit_code == 0
    result = sefa("edit", "--dirs", "t.dirs", "--k", "0", "--alpha", "1")
    assert result.exit_code == 1 and "no generator is known for it" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--tensors", "*", "-L", "0"],
            "--layers or --to-rgb cannot be used together",
        ),
        (
            ["--tensors", "*", "--to-rgb", "all"],
            "--layers or --to-rgb cannot be used together",
        ),
        (["--latent-axis", "0"], "--latent-axis has no effect without --tensors"),
        (["--tensors", "*.style.weight", "--latent-axis", "0"], "do not agree in axis 0"),
    ],
)
def test_tensors_with_what_does_not_go_with_them(sefa: Sefa, words: list[str], said: str) -> None:
    result = sefa("factorize", "tiny.pth", "-o", "a.dirs", *words)
    assert result.exit_code == 2 and said in result.stderr and not Path("a.dirs").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["ganspace", "--samples", "50"],
        ["local-basis", "--seed", "3"],
        ["frechet", "--samples", "3"],
        ["frechet", "--samples", "3", "--refine", "first.dirs"],
        ["random", "--seed", "3"],
    ],
)
def test_other_methods(sefa: Sefa, words: list[str]) -> None:
    sefa("factorize", "tiny.pth", "-o", "first.dirs")
    said = ["--num", "4", "-L", "0-1", "-o", "a.dirs"]
    result = sefa("factorize", "tiny.pth", "--method", *words, *said)
    assert (result.exit_code, result.stdout) == (0, "a.dirs\n")
    bundle = Bundle.load("a.dirs")
    assert bundle.method == words[0] and bundle.k == 4 and bundle.layers.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--method", "nose"], "unknown method 'nose'; expected sefa, ganspace"),
        (["--samples", "5"], "--samples has no effect with --method sefa"),
        (["--method", "random", "--center"], "--center has no effect with --method random"),
        (["--method", "random", "--no-normalize"], "--no-normalize has no effect"),
        (["--method", "frechet", "--tensors", "*"], "--tensors has no effect"),
    ],
)
def test_methods_with_what_does_not_go_with_them(sefa: Sefa, words: list[str], said: str) -> None:
    result = sefa("factorize", "tiny.pth", "-o", "a.dirs", *words)
    assert result.exit_code == 2 and said in result.stderr and not Path("a.dirs").exists()


@pytest.mark.parametrize("method", ["local-basis", "random"])
def test_random_needs_no_torch(workplace: Path, method: str) -> None:
    code = (
        f"import sys; sys.argv = 'sefa factorize tiny.pth -o a.dirs --method {method}'.split()\n"
        "from sefa_cli.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code in (0, None), end.code\n"
        f"assert ('torch' in sys.modules) == {method != 'random'}"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
