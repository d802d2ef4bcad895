"""`--show`: what goes to the terminal, what is opened, and what is said where nothing can be."""

import base64
import os
import struct
import sys
from pathlib import Path

import pytest
import typer

from tests.helpers import Sefa

COMMANDS = {
    "edit": ["edit", "--dirs", "tiny.dirs", "--k", "3", "--alpha", "2", "--seeds", "0"],
    "animate": ["animate", "--dirs", "tiny.dirs", "--k", "3", "--frames", "7"],
    "sample": ["sample", "tiny.pth", "--seeds", "0-2"],
}


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No display, no terminal that is known to draw pictures."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "TERM", "TMUX", "KITTY_WINDOW_ID", "SEFA_SHOW"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    return monkeypatch


@pytest.fixture
def opened(bare: pytest.MonkeyPatch) -> list[str]:
    """What a viewer was asked to open, on a machine with a display."""
    paths: list[str] = []
    bare.setenv("DISPLAY", ":0")
    bare.setattr(typer, "launch", lambda path: paths.append(path) or 0)
    return paths


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["film.gif", "out.png", "out"])
def test_the_viewer_gets_the_file_or_the_folder(
    sefa: Sefa, bundle: Path, opened: list[str], command: str, name: str
) -> None:
    if name == "film.gif" and command != "animate":
        name = "sheet.png"
    result = sefa(*COMMANDS[command], "-o", name, "--show")
    assert result.exit_code == 0 and result.stdout.startswith(name)
    assert opened == [str(Path(name).absolute())]


@pytest.mark.parametrize("command", COMMANDS)
def test_no_display_is_a_line_and_no_failure(
    sefa: Sefa, bundle: Path, bare: pytest.MonkeyPatch, command: str
) -> None:
    result = sefa(*COMMANDS[command], "-o", "out.png", "--show")
    assert (result.exit_code, result.stdout) == (0, "out.png\n")
    assert "not shown: there is no display" in result.stderr and "see out.png" in result.stderr
    assert Path("out.png").exists()


def test_no_viewer_is_a_line_too(sefa: Sefa, bundle: Path, opened: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer, "launch", lambda path: 1)
        result = sefa(*COMMANDS["edit"], "-o", "out.png", "--show")
    assert result.exit_code == 0 and "no viewer was found; see out.png" in result.stderr


def test_a_picture_on_stdout_has_no_file_to_open(
    sefa: Sefa, bundle: Path, opened: list[str]
) -> None:
    result = sefa(*COMMANDS["edit"], "-o", "-", "--show")
    assert result.exit_code == 0 and result.stdout_bytes.startswith(b"\x89PNG")
    assert "went to stdout" in result.stderr and opened == []


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_opened_unasked(
    sefa: Sefa, bundle: Path, opened: list[str], command: str
) -> None:
    result = sefa(*COMMANDS[command], "-o", "out.png")
    assert result.exit_code == 0 and opened == [] and "shown" not in result.stderr


def test_a_wrong_wish_is_refused_before_anything_is_rendered(
    sefa: Sefa, bundle: Path, bare: pytest.MonkeyPatch
) -> None:
    bare.setenv("SEFA_SHOW", "ascii")
    result = sefa(*COMMANDS["edit"], "-o", "out.png", "--show")
    assert result.exit_code == 2 and "kitty, iterm, sixel" in result.stderr
    assert not Path("out.png").exists()


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are otherwise there")
@pytest.mark.parametrize(
    ("environment", "begins"),
    [
        ({"TERM": "xterm-kitty"}, b"\x1b_Ga=T,f=100"),
        ({"TERM": "xterm", "TERM_PROGRAM": "iTerm.app"}, b"\x1b]1337;File=inline=1;"),
        ({"TERM": "foot"}, b'\x1bPq"1;1;'),
    ],
)
@pytest.mark.parametrize("command", ["animate", "sample"])
def test_a_terminal_that_draws_gets_the_picture(
    bundle: Path, command: str, environment: dict[str, str], begins: bytes
) -> None:
    """On a real pseudo-terminal as stderr; stdout, a pipe, has the path and nothing else."""
    import subprocess

    kept = {name: value for name, value in os.environ.items() if name not in ("TMUX", "SEFA_SHOW")}
    ours, theirs = os.openpty()
    words = [*COMMANDS[command], "-o", "out.png", "--show"]
    running = subprocess.Popen(
        [sys.executable, "-m", "sefa_cli", "-q", *words],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**kept, **environment},
    )
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 65536):
            said += part
    except OSError:  # EIO: the other end was closed
        pass
    finally:
        os.close(ours)
    stdout, _ = running.communicate(timeout=60)
    assert (running.returncode, stdout) == (0, b"out.png\n")
    assert said.startswith(begins)
    if command == "animate" and begins.startswith(b"\x1b_G"):  # the ends and the middle of the film
        width = struct.unpack(">I", base64.b64decode(said.split(b";", 1)[1][:64])[16:20])[0]
        assert width > 4 * 32
