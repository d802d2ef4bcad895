"""Typing errors are refused before torch or a model is loaded."""

import dataclasses
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file
from typer.testing import Result

import sefa_cli
from sefa_cli.discovery.regions import landmarks
from sefa_cli.generators import devices
from tests.helpers import CONTAINERS, GOLDEN

EDIT = ["edit", "tiny.dirs", "-k", "3", "-a", "2"]
LOCALIZE = ["localize", "tiny.pth", "--size", "32", "--seeds", "0", "-o", "a.dirs"]
NOT_HERE = "cuda" if sys.platform == "darwin" else "mps"
SUPERVISE = ["supervise", "tiny.pth", "--attribute", "warmth", "-o", "b.dirs"]
BOX = ["--box", "1,1,4,4"]
REFUSED = [
    EDIT[:2],
    [*EDIT[:3], "99", "-a", "2"],
    [*EDIT, "--seeds", "4294967296"],
    [*EDIT, "--seeds", "a"],
    [*EDIT, "-L", "8"],
    [*EDIT, "--trunc-layers", "8"],
    [*EDIT, "--size", "0"],
    [*EDIT, "--size", "64"],
    [*EDIT, "--trunc", "-3"],
    [*EDIT, "--translate", "1"],
    [*EDIT, "--rotate", "4"],
    [*EDIT, "--noise-mode", "loud"],
    [*EDIT, "--device", "abacus"],
    [*EDIT, "--codes", "none.npz"],
    [*EDIT, "--codes", "tiny.dirs"],
    [*EDIT, "--photo", "tiny.dirs"],
    ["invert", "tiny.dirs", "--model", "tiny.pth", "-o", "c.npz"],
    [*EDIT, "--model", "nobody"],
    [*EDIT, "-o", "tiny.pth/a.png"],
    [*EDIT, "--save-codes", "tiny.pth/a.npz"],
    ["animate", "tiny.dirs", "-k", "3", "-o", "tiny.pth/a.gif"],
    ["animate", "tiny.dirs", "-k", "99", "-o", "a.gif"],
    ["animate", "tiny.dirs", "-k", "3", "--range", "3", "-o", "a.gif"],
    ["animate", "tiny.dirs", "-k", "3", "--range", "3,3,3", "-o", "a.gif"],
    ["animate", "tiny.pth", "--from", "3", "--to", "3", "-o", "a.gif"],
    ["report", "tiny.dirs", "--range", "2:2"],
    ["report", "tiny.dirs", "-o", "tiny.dirs"],
    ["report", "tiny.dirs", "--steps", "1"],
    ["sample", "nobody"],
    ["sample", "tiny.pth", "--class", "0"],
    ["sample", "tiny.pth", "--rotate", "3"],
    ["sample", "tiny.pth", "--trunc-layers", "99"],
    ["sample", "tiny.pth", "--size", "64"],
    [*EDIT, "--class", "0"],
    [*EDIT, "--mix-from", "wrong.npz:top"],
    [*EDIT, "--mix-from", "wrong.npz:0:top"],
    ["sample", "tiny.pth", "--mix-from", "wrong.npz:top"],
    ["report", "tiny.dirs", "--mix-from", "wrong.npz:top"],
    ["evaluate", "tiny.dirs", "-o", "ev", "--mix-from", "wrong.npz:top"],
    ["evaluate", "tiny.dirs", "-o", "ev", "--distortion", "101"],
    ["animate", "tiny.dirs", "-k", "3", "-o", "a.gif", "--mix-from", "wrong.npz:top"],
    ["animate", "tiny.dirs", "--from", "wrong.npz", "--to", "3", "-o", "a.gif"],
    ["animate", "tiny.dirs", "--from", "two.npz:2", "--to", "3", "-o", "a.gif"],
    [*EDIT, "--mix-from", "two.npz:2:top"],
    ["sample", "tiny.pth", "--mix-from", "two.npz:2:top"],
    ["evaluate", "tiny.dirs", "-o", "ev", "--mix-from", "two.npz:2:top"],
    ["animate", "tiny.pth", "--from", "3", "--to", "wrong.npz", "-o", "a.gif"],
    [*EDIT, "--translate", "0.1,0"],
    [*LOCALIZE, *BOX, "--class", "0"],
    [*LOCALIZE, *BOX, "--resume"],
    ["sample", "tiny.pth", "--seeds", "4294967296"],
    ["sample", "tiny.pth", "-o", "tiny.pth/a.png"],
    LOCALIZE,
    [*LOCALIZE[:-2], *BOX],
    [*LOCALIZE, "--box", "1,1,4"],
    [*LOCALIZE, "--box", "30,0,8,8"],
    [*LOCALIZE, "--region", "eyes"],
    [*LOCALIZE, "--region", "face:eyes,face:eyes"],
    [*LOCALIZE, "--mask", "none.png"],
    [*LOCALIZE, *BOX, "--background", "none.png"],
    [*LOCALIZE, *BOX, "--background", "tiny.dirs"],
    [*LOCALIZE, *BOX, "--precision", "tf32"],
    [*LOCALIZE, *BOX, "--device", NOT_HERE],
    [*LOCALIZE[:4], *LOCALIZE[6:], *BOX, "--codes", "tiny.dirs"],
    [*LOCALIZE[:4], *LOCALIZE[6:], *BOX, "--codes", "wrong.npz"],
    ["sample", "tiny.pth", "--codes", "tiny.dirs"],
    ["sample", "tiny.pth", "--codes", "wrong.npz"],
    [*EDIT, "--codes", "wrong.npz"],
    [*EDIT, "--codes", "words.zip"],
    [*EDIT, "--device", NOT_HERE],
    ["sample", "tiny.pth", "--device", NOT_HERE],
    ["invert", "tiny.png", "--model", "tiny.pth", "-o", "c.npz", "--device", NOT_HERE],
    ["invert", "photo.png", "--model", "tiny.pth", "-o", "c.npz", "--space", "z"],
    ["studio", "tiny.dirs", "--device", NOT_HERE],
    [*LOCALIZE, *BOX, "--tau", "much"],
    [*LOCALIZE, *BOX, "--tau", "-1"],
    [*LOCALIZE, *BOX, "--tau", "auto"],
    [*LOCALIZE, *BOX, "--method", "magic"],
    [*LOCALIZE, *BOX, "--precision", "fp8"],
    [*LOCALIZE, *BOX, "--num", "33"],
    [*LOCALIZE, *BOX, "-L", "8"],
    [*LOCALIZE, *BOX, "--memory", "lots"],
    [*LOCALIZE, *BOX, "--memory", "0"],
    [*LOCALIZE, *BOX, "--memory", "15K"],
    [*EDIT, "-k", "3", "-a", "1"],
    [*EDIT, "--photo", "tiny.png", "--photo", "tiny.png"],
    ["evaluate", "tiny.dirs", "-o", "ev", "--seeds", "0-3"],
    ["evaluate", "tiny.dirs", "-o", "ev", "-k", "3,3"],
    ["evaluate", "tiny.dirs", "-o", "ev", "-k", "99"],
    ["evaluate", "tiny.dirs", "-o", "ev", "--scorers", "nose"],
    ["evaluate", "tiny.dirs", "-o", "ev", "--scorers", "colors,colors"],
    ["supervise", "tiny.pth", "--attribute", "warmth,warmth", "-o", "b.dirs"],
    ["supervise", "tiny.pth", "--attribute", "warmth", "--share", "2", "-o", "b.dirs"],
    ["supervise", "tiny.pth", "--attribute", "warmth", "--seeds", "0-9", "-o", "b.dirs"],
    ["supervise", "tiny.pth", "--attribute", "warmth", "--scorers", "nose", "-o", "b.dirs"],
    ["supervise", "nobody", "--attribute", "warmth", "-o", "b.dirs"],
    [*SUPERVISE, "--trunc", "9"],
    [*SUPERVISE, "--class", "3"],
    [*SUPERVISE, "-L", "99"],
    [*SUPERVISE, "-L", "nose"],
    [*SUPERVISE, "--condition", "tiny.pth"],
    [*SUPERVISE, "--scores", "words.txt"],
    [*SUPERVISE, "--scores", "wrong.npz"],
    [*SUPERVISE, "--scores", "tiny.pth/s.npz"],
    [*LOCALIZE, "--mask", "wide.png"],
    [*LOCALIZE, "--mask", "black.png"],
    [*LOCALIZE, "--mask", "white.png"],
    [*LOCALIZE, "--seg", "wide.png", "--seg-ids", "0"],
    [*LOCALIZE, *BOX, "--background", "wide.png"],
    [*LOCALIZE, *BOX, "--background", "black.png"],
    [*LOCALIZE, "--region", "face:eyes", "--background", "black.png"],
    ["invert", "photo.png", "--model", "tiny.pth", "-o", "c.npz", "--resume"],
    ["invert", "photo.png", "--model", "tiny.pth", "-o", "broken.npz", "--resume"],
    [*LOCALIZE[:-1], "broken.dirs", *BOX, "--resume"],
    ["invert", "tiny.png", "tiny.png", "--model", "tiny.pth", "-o", "c.npz"],
    ["pick", "tiny.dirs", "-k", "3", "-k", "3", "-o", "b.dirs"],
    ["studio", "tiny.dirs", "--device", "abacus"],
    [*LOCALIZE[:-1], "tiny.pth/a.dirs", *BOX],
    ["localize", "nobody", "-o", "a.dirs", *BOX],
]
CHILD = """
import json, sys
from typer.testing import CliRunner
from sefa_cli.cli import app
for words in json.load(sys.stdin):
    result = CliRunner().invoke(app, words)
    print(json.dumps([words, result.exit_code, result.stderr, "torch" in sys.modules]))
"""


def outcomes(commands: list[list[str]]) -> list[Any]:
    """Words, exit code, stderr, and whether torch is loaded, for commands in one new process."""
    child = [sys.executable, "-c", CHILD]
    done = subprocess.run(child, input=json.dumps(commands), capture_output=True, text=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(commands), done.stderr
    return found


def test_refused_without_torch(bundle: Path) -> None:
    np.savez("wrong.npz", w=np.zeros((1, 7, 16), np.float32))
    np.savez("two.npz", w=np.zeros((2, 8, 32), np.float32))
    Image.new("RGB", (32, 32)).save("photo.png")
    Image.new("L", (32, 16)).save("wide.png")
    Image.new("L", (32, 32)).save("black.png")
    Image.new("L", (32, 32), 255).save("white.png")
    for name in ("broken.npz.partial", "broken.dirs.partial"):
        Path(name).write_bytes(b"no")
    with zipfile.ZipFile("words.zip", "w") as archive:
        archive.writestr("t.txt", "words")
    for words, code, said, loaded in outcomes(REFUSED):
        assert code in (1, 2) and len(said.splitlines()) == 1, (words, said)
        assert not loaded, words


def test_a_model_that_does_not_match_is_refused_without_torch(bundle: Path) -> None:
    other = str(CONTAINERS / "ckpt_hammer_stylegan2.pth")
    [[_, code, said, loaded]] = outcomes([[*EDIT, "--model", other]])
    assert code == 3 and "--any-model" in said and not loaded


def test_a_missing_class_is_refused_without_torch(workplace: Path) -> None:
    golden = load_file(GOLDEN / "biggan_deep_hf.safetensors")
    state = {name[6:]: array for name, array in golden.items() if name.startswith("state/")}
    save_file(state, "big.safetensors")
    sefa_cli.factorize("big.safetensors").save("big.dirs")
    look = ["--box", "1,1,4,4", "--seeds", "0", "-o", "a.dirs"]
    commands = [
        ["edit", "big.dirs", "-k", "3"],
        ["animate", "big.dirs", "-k", "3", "-o", "a.gif"],
        ["sample", "big.safetensors"],
        ["localize", "big.safetensors", *look],
    ]
    for words, code, said, loaded in outcomes(commands):
        assert code == 2 and "no label for a network of 10 classes" in said, (words, said)
        assert not loaded, words


def test_directions_of_z_for_a_model_of_w_are_refused_without_torch(bundle: Path) -> None:
    dataclasses.replace(sefa_cli.Bundle.load("tiny.dirs"), space="z").save("z.dirs")
    [[_, code, said, loaded]] = outcomes([["edit", "z.dirs", "-k", "3", "-a", "2"]])
    assert code == 3 and "for z, but the codes are w" in said and not loaded


def test_a_scorer_of_faces_without_its_package_is_refused_without_torch(bundle: Path) -> None:
    if landmarks.refusal() is None:
        pytest.skip("its package is installed")
    for words, code, said, loaded in outcomes(
        [
            ["evaluate", "tiny.dirs", "-o", "ev", "-k", "0", "--scorers", "face"],
            ["supervise", "tiny.pth", "--attribute", "smile", "--scorers", "face", "-o", "b.dirs"],
        ]
    ):
        assert code == 1 and "sefa-cli[eval]" in said and not loaded, words


def test_a_region_to_be_found_without_its_package_is_refused_without_torch(bundle: Path) -> None:
    if landmarks.refusal() is None:
        pytest.skip("its package is installed")
    [[_, code, said, loaded]] = outcomes([[*LOCALIZE, "--region", "landmarks:eyes"]])
    assert code == 1 and "mediapipe, is not installed" in said and not loaded


def test_what_belongs_to_another_model_or_other_samples_is_refused_without_torch(
    bundle: Path, sefa: Callable[..., Result]
) -> None:
    other = str(CONTAINERS / "ckpt_hammer_stylegan2.pth")
    assert sefa("factorize", other, "-o", "other.dirs").exit_code == 0
    Image.new("RGB", (32, 32)).save("p.png")
    samples = ["--seeds", "0-19", "--share", "0.3", "--scores", "s.npz"]
    assert sefa(*SUPERVISE, *samples, "--scorers", "colors").exit_code == 0
    words = [*SUPERVISE[:-1], "c.dirs", *samples]
    for (_, code, said, loaded), expected in zip(
        outcomes(
            [
                [*words, "--condition", "other.dirs"],
                [*words, "--scorers", "colors", "--trunc", "0.5"],
                ["supervise", other, *words[2:], "--scorers", "colors"],
                ["invert", "p.png", "-m", other, "-o", "c.npz", "--report", "r", "-d", "tiny.dirs"],
            ]
        ),
        (
            "the condition belongs to",
            *("s.npz keeps scores of other", "s.npz keeps scores of other"),
            "the bundle belongs to tiny.pth",
        ),
        strict=True,
    ):
        assert code in (1, 3) and expected in said and not loaded, said


def test_a_cpu_build_of_torch_says_why_there_is_no_cuda(
    sefa: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "version.py").write_text("__version__ = '9.9+cpu'\ncuda: Optional[str] = None\n")
    built = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr("sefa_cli.generators.devices.find_spec", lambda name: built)
    devices.why_not.cache_clear()
    result = sefa("sample", "tiny.pth", "--device", "cuda")
    devices.why_not.cache_clear()
    assert result.exit_code == 2 and "this torch (9.9+cpu) is a CPU build" in result.stderr


def test_every_bundle_of_a_search_per_seed_is_checked_before_it(
    sefa: Callable[..., Result],
) -> None:
    Path("a_seed0003.dirs").write_bytes(b"kept")
    words = ["--box", "20,10,8,12", "--size", "32", "--seeds", "0,3", "--per-seed", "-o", "a.dirs"]
    refused = sefa("localize", "tiny.pth", *words)
    assert refused.exit_code == 1 and "a_seed0003.dirs already exists" in refused.stderr
    assert not Path("a_seed0000.dirs").exists()
    assert Path("a_seed0003.dirs").read_bytes() == b"kept"
