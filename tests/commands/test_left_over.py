"""What an interrupted run left, given to a command in place of a file that is done."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

from sefa_cli.discovery.partial import Partial

IN_PLACE = [
    "inspect X",
    "sample X",
    "factorize X -o a.dirs",
    "convert X -o a.safetensors",
    "localize X --box 1,1,4,4 -o a.dirs",
    "invert photo.png --model X -o a.npz",
    "edit X -k 0",
    "edit tiny.dirs -k 0 --model X",
    "animate X -k 0 -o a.gif",
    "evaluate X -o eval",
    "report X -o page",
    "studio X",
    "name X 0=x",
    "pick X -k 0 -o a.dirs",
    "export X -o a.npy --to npy",
    "merge X -o a.dirs",
    "import X --model tiny.pth -o a.dirs",
    "sample tiny.pth --codes X",
    "edit tiny.dirs -k 0 --codes X",
    "animate tiny.dirs -k 0 --codes X -o a.gif",
    "evaluate tiny.dirs --codes X -o eval",
    "localize tiny.pth --box 1,1,4,4 --codes X -o a.dirs",
    "localize tiny.pth --mask X -o a.dirs",
    "supervise tiny.pth --attribute brightness --scores X.npz -o a.dirs",
]


@pytest.mark.parametrize("words", IN_PLACE)
def test_a_partial_file_is_called_what_it_is(
    sefa: Callable[..., Result], bundle: Path, words: str
) -> None:
    """Most commands called it a zip archive, such as a torch checkpoint."""
    for name in ("X", "X.npz"):
        Partial(Path(name), {"seeds": [0]}).keep("grams", 0, [np.zeros((2, 2))])
    refused = sefa(*words.split())
    assert refused.exit_code == 1, refused.stderr
    (line,) = refused.stderr.splitlines()
    assert "is what an interrupted run left; expected" in line
    assert line.endswith(". Repeat the command that was interrupted, with --resume.")


def test_a_search_with_other_options_names_them_as_they_are_typed(
    sefa: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were named as the bundle names them, without their values."""
    from sefa_cli.discovery import region_bundle

    def stop(*args: object) -> None:
        raise KeyboardInterrupt

    words = ["localize", "tiny.pth", "--box", "20,10,8,12", "--size", "32", "-o", "a.dirs"]
    with monkeypatch.context() as patch:
        patch.setattr(region_bundle, "settled", stop)
        assert sefa("-q", *words, "--seeds", "0").exit_code == 130
    other = ["--seeds", "0-1", "--trunc", "0.5", "--per-seed", "--resume"]
    refused = sefa("-q", *words, *other)
    assert refused.exit_code == 1
    said = "(--per-seed: no then, yes now; --seeds: 0 then, 0-1 now; --trunc: "
    assert said in refused.stderr and "then, 0.5 now); expected" in refused.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize(
    ("words", "code"), [("", 1), ("--help", 1), ("models", 1), ("inspect x", 1), ("edit --no", 2)]
)
def test_two_full_streams_end_as_one_does(workplace: Path, words: str, code: int) -> None:
    """Help ended with 120, Python's own code for a stream that it cannot flush at its end."""
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "sefa_cli", *words.split()]
        done = subprocess.run(command, stdout=full, stderr=full, check=False)
    assert done.returncode == code
