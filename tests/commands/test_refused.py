"""What the operating system refuses is told in one line, and in the same words everywhere."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from sefa_cli.commands.console import _Bar
from sefa_cli.commands.streams import visible
from tests.helpers import Sefa

_CAPABILITIES = "-dac_override,-dac_read_search"
_AS_USER = ["setpriv", f"--bounding-set={_CAPABILITIES}", f"--inh-caps={_CAPABILITIES}"]
DENIED = "permission is denied. Check its permissions and those of its folder."

READ = [
    "inspect noread.dirs",
    "inspect noenter/x.dirs",
    "edit noenter/x.dirs -k 0",
    "edit noread.dirs -k 0",
    "edit --preset noread.dirs",
    "factorize noread.dirs -o q.dirs",
    "factorize noenter -o q.dirs",
    "factorize noenter/x.pt -o q.dirs",
    "edit tiny.dirs -k 0 --codes noread.dirs",
    "edit tiny.dirs -k 0 --codes noenter/x.npz",
    "edit tiny.dirs -k 0 --seeds 0 --mix-from noread.dirs:3 --layers 0",
    "edit tiny.dirs -k 0 --photo noenter",
    "invert noenter -m tiny.pth -o c.npz",
    "invert noread.dirs -m tiny.pth -o c.npz",
    "merge noread.dirs -o q.dirs",
    "merge noenter/x -o q.dirs",
    "sample noenter/x.pt --seeds 0",
]
WRITTEN = [
    "factorize tiny.pth -o noenter/x.dirs",
    "localize tiny.pth --box 0,0,8,8 -o noenter/x.dirs",
    "sample tiny.pth --seeds 0 -o noenter/a.png",
    "report tiny.dirs -o noenter/r",
    "evaluate tiny.dirs -k 0 --seeds 0-11 --cache noenter -o q",
]
PIPES = [
    "inspect PIPE",
    "factorize PIPE -o q.dirs",
    "factorize PIPE -o q.dirs --tensors x",
    "edit tiny.dirs -k 0 --model PIPE",
    "edit tiny.dirs -k 0 --codes PIPE",
    "edit tiny.dirs -k 0 --photo PIPE",
    "invert PIPE -m tiny.pth -o c.npz",
    "import PIPE -m tiny.pth -o q.dirs",
    "merge PIPE -o q.dirs",
    "localize tiny.pth --mask PIPE -o q.dirs",
    "localize tiny.pth --seg PIPE -o q.dirs --seg-ids 1",
    "convert PIPE -o q.safetensors",
]
CALLS = [
    "inspect('noread.dirs')",
    "factorize('noenter')",
    "Bundle.load('noread.dirs')",
    "invert('noenter', 'tiny.pth')",
    "Preset.load('noread.dirs')",
]
OTHERS = {
    "inspect loop.dirs": "cannot read loop.dirs: its links lead in a circle",
    "edit --preset loop.dirs": "cannot read loop.dirs: its links lead in a circle",
    "factorize loop.dirs -o q.dirs": "cannot read loop.dirs: its links lead in a circle",
    "merge loop.dirs -o q.dirs": "cannot read loop.dirs: its links lead in a circle",
    "merge . -o q.dirs": ". is a folder; expected a file",
    "edit --preset .": ". is a folder; expected a file",
    "merge text.txt/x -o q.dirs": "cannot read text.txt/x: part of its path is a file",
    "inspect /dev/zero": "/dev/zero is not an ordinary file",
    "factorize /dev/zero -o q.dirs": "/dev/zero is not an ordinary file",
    "edit --preset /dev/zero": "/dev/zero is not an ordinary file",
    "invert /dev/zero -m tiny.pth -o c.npz": "/dev/zero is not an ordinary file",
    "edit tiny.dirs -k 0 --codes /dev/zero": "/dev/zero is not an ordinary file",
    "merge /dev/zero -o q.dirs": "/dev/zero is not an ordinary file",
}


@pytest.fixture
def folder(workplace: Path, bundle: Path) -> Path:
    tmp_path = workplace
    (tmp_path / "noread.dirs").write_bytes(b"x")
    (tmp_path / "noread.dirs").chmod(0)
    (tmp_path / "noenter").mkdir(mode=0)
    (tmp_path / "loop.dirs").symlink_to("loop.dirs")
    (tmp_path / "text.txt").write_text("words")
    return tmp_path


def _bounded() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (4_000_000_000, 4_000_000_000))


def refusal(folder: Path, *words: str) -> str:
    as_user: list[str] = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root may read everything")
        as_user = _AS_USER
    line = [*as_user, sys.executable, *words]
    done = subprocess.run(
        line, cwd=folder, capture_output=True, text=True, timeout=60, preexec_fn=_bounded
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("words", READ)
def test_what_may_not_be_read(folder: Path, words: str) -> None:
    said = refusal(folder, "-m", "sefa_cli", *words.split())
    assert said.startswith("sefa: cannot read no") and said.endswith(f"{DENIED}\n"), said


@pytest.mark.parametrize("words", WRITTEN)
def test_what_may_not_be_written(folder: Path, words: str) -> None:
    said = refusal(folder, "-m", "sefa_cli", *words.split())
    refused, _, reason = said.partition(": ")[2].partition(": ")
    assert refused.startswith("cannot write noenter")
    why = "permission is denied" if "/" in refused else "the folder noenter is not writable"
    assert reason == f"{why}. Choose another folder.\n"


@pytest.mark.parametrize("words", OTHERS)
def test_what_cannot_be_a_file_to_read(folder: Path, words: str) -> None:
    said = refusal(folder, "-m", "sefa_cli", *words.split())
    assert said.startswith(f"sefa: {OTHERS[words]}"), said
    assert said.count("\n") == 1


@pytest.mark.parametrize("words", PIPES)
def test_what_is_read_more_than_once_is_no_pipe(sefa: Sefa, bundle: Path, words: str) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"x")
    os.close(writing)
    try:
        said = sefa(*words.replace("PIPE", f"/dev/fd/{reading}").split()).stderr
    finally:
        os.close(reading)
    found = f"sefa: /dev/fd/{reading} is a pipe; expected a file. Save what comes through it first."
    assert said == f"{found}\n"


@pytest.mark.parametrize("call", CALLS)
def test_python_raises_our_error(folder: Path, call: str) -> None:
    lines = ["import sefa_cli as sefa", f"try: sefa.{call}"]
    lines += ["except sefa.SefaError as error: raise SystemExit(str(error))"]
    code = "\n".join(lines)
    assert refusal(folder, "-c", code).startswith("cannot read no")


def test_a_name_cannot_steer_the_terminal(folder: Path) -> None:
    said = refusal(folder, "-m", "sefa_cli", "inspect", "\x1b[31mred\n\u202e.dirs")
    assert r"\x1b[31mred\n\u202e.dirs does not exist" in said
    assert visible("Käse ψ\x9b\u2066") == r"Käse ψ\x9b\u2066"


def test_a_name_is_no_markup_in_the_bar() -> None:
    shown = MagicMock()
    bar = _Bar(shown)
    bar.stage("loading [bold]\x1b[31mred.pth")
    bar.tell("painting [bold]", 1, 2)
    given = [call.kwargs["description"] for call in shown.update.call_args_list]
    assert given == [r"loading \[bold]\x1b[31mred.pth", r"painting \[bold]"]
