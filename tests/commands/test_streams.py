"""Streams that are not UTF-8: every command writes, in ASCII where it must."""

import contextlib
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import ROOT

MODEL = str(ROOT / "tests/golden/containers/ckpt_genforce_stylegan2.pth")
LABEL = "Lächeln ☃ → α"


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "sefa_cli", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, capture_output=True, env=environment, check=False)


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("streams") / "named.dirs")
    assert run("factorize", MODEL, "-o", path).returncode == 0
    assert run("name", path, "0", LABEL).returncode == 0
    return path


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_tables_and_json_fit_any_stream(named: str, encoding: str) -> None:
    for words in ([named], [MODEL], [named, named], ["-h"]):
        done = run("inspect", *words, PYTHONIOENCODING=encoding)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.decode(encoding)
    done = run("inspect", "--json", named, PYTHONIOENCODING=encoding)
    assert json.loads(done.stdout.decode(encoding))["labels"][0] == LABEL


def test_what_does_not_fit_is_spelled_in_ascii(named: str) -> None:
    done = run("inspect", named, PYTHONIOENCODING="ascii")
    assert b"####" in done.stdout


def test_a_label_that_does_not_fit_keeps_its_letters_as_escapes(named: str) -> None:
    for words in (["inspect", named], ["inspect", named, named], ["name", named, "--list"]):
        done = run(*words, PYTHONIOENCODING="ascii")
        assert (done.returncode, done.stderr) == (0, b"")
        assert rb"L\xe4cheln \u2603 \u2192 \u03b1" in done.stdout
    assert run("name", named, "--list", PYTHONIOENCODING="utf-8").stdout == f"0\t{LABEL}\n".encode()


def test_the_c_locale(named: str) -> None:
    done = run("inspect", named, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 0
    assert done.stdout.isascii()


def test_errors_fit_too(tmp_path: Path) -> None:
    done = run("inspect", str(tmp_path / "schön.dirs"), PYTHONIOENCODING="ascii")
    assert (done.returncode, b"schon.dirs" in done.stderr) == (1, True)


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems refuse the name")
def test_a_path_that_is_not_text_is_written_as_its_bytes(tmp_path: Path) -> None:
    out = os.fsencode(tmp_path) + b"/a\xff.dirs"
    done = run("factorize", MODEL, "-o", os.fsdecode(out))
    assert (done.returncode, done.stdout) == (0, out + b"\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("words", ["models", "inspect tiny.dirs --json", "--help", "edit --help"])
def test_a_full_disk_behind_stdout_is_one_line(bundle: Path, words: str) -> None:
    command = [sys.executable, "-m", "sefa_cli", *words.split()]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("sefa: cannot write to standard output: the disk is full.")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="a limit of Unix")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "words", ["models", "inspect tiny.dirs --json", "edit --help", "pick tiny.dirs -k 0-3 -o -"]
)
def test_a_quota_behind_stdout_is_one_line(bundle: Path, words: str, unbuffered: str) -> None:
    """It was a traceback, and with PYTHONUNBUFFERED a file that ended early, and success."""
    import resource

    command = [sys.executable, "-m", "sefa_cli", *words.split()]
    with open("out", "w") as out:
        done = subprocess.run(
            command, stdout=out, stderr=subprocess.PIPE, text=True,
            # Python would cut off the compiled modules that it writes, and fail on them ever after.
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered, "PYTHONDONTWRITEBYTECODE": "1"},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024)),
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("sefa: cannot write to standard output: the file is larger than")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="a shell of Unix")
def test_a_closed_stdout_takes_everything(bundle: Path) -> None:
    command = shlex.join([sys.executable, "-m", "sefa_cli", "inspect", "tiny.dirs"])
    done = subprocess.run(["sh", "-c", f"{command} >&-"], stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no pseudo-terminals")
@pytest.mark.parametrize("words", [["--help"], ["edit", "--help"], ["inspect", MODEL]])
def test_a_terminal_that_does_not_say_how_wide_it_is(words: list[str]) -> None:
    """As in a container, or in an editor: it has 0 columns."""
    ours, theirs = os.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    command = [sys.executable, "-m", "sefa_cli", *words]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        text = b""
        with contextlib.suppress(OSError):  # the end
            while piece := os.read(ours, 1 << 16):
                text += piece
    os.close(ours)
    assert process.returncode == 0, text.decode()
    assert max(map(len, text.decode().splitlines())) > 60
