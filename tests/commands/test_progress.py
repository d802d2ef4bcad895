"""Long work says what it does: a bar on a terminal, lines in a log, nothing with -q."""

import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from sefa_cli.commands import console
from sefa_cli.commands.console import Pace
from sefa_cli.discovery.regions import landmarks
from sefa_cli.rendering.view import View

EDIT = ["edit", "tiny.dirs", "-k", "0-1", "-a", "-2:2", "--seeds", "0-4", "-o", "out"]


def on_terminal(*words: str, term: str = "xterm") -> tuple[str, float, bytes]:
    """What `sefa …` shows on a terminal, after how many seconds it begins, and its stdout."""
    ours, theirs = os.openpty()
    began, first, shown = time.monotonic(), 0.0, b""
    command = [sys.executable, "-m", "sefa_cli", *words]
    child = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": term, "COLUMNS": "100"},
    )
    os.close(theirs)
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux: the other end was closed
            break
        if not part:
            break
        first = first or time.monotonic() - began
        shown += part
    assert child.stdout is not None
    return shown.decode(), first, child.stdout.read()


def test_a_terminal_shows_what_is_done_and_how_far(bundle: Path) -> None:
    shown, first, printed = on_terminal(*EDIT)
    seen = [text in shown for text in ("loading tiny.pth", "editing", "40/40")]
    assert all(seen), seen
    assert first < 5  # under load; alone it is a third of a second
    assert len(printed.splitlines()) == 40  # what is piped stays in the pipe


def test_every_stage_is_told_before_it_begins(sefa: Callable[..., Result], bundle: Path) -> None:
    said = sefa("-v", *EDIT).stderr.splitlines()
    assert said[:2] == ["loading tiny.pth", "mapping 5 seeds"]


def test_lines_of_a_log_name_the_stage_with_v_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "_SOON", 0.5)
    console.set_verbosity(1)
    with console.working("loading tiny.pth"):
        logging.getLogger(console.STAGES).debug("mapping 5 seeds")
        time.sleep(1)
    console.set_verbosity(0)
    assert "loading" not in capsys.readouterr().err


def test_quiet_keeps_warnings_about_what_was_asked_for_and_not_done(
    sefa: Callable[..., Result], bundle: Path
) -> None:
    if landmarks.refusal() is None:
        pytest.skip("its package is installed")
    Image.new("RGB", (32, 32)).save("me.png")
    search = ["--model", "tiny.pth", "-o", "c.npz", "--passes", "1", "--align"]
    said = sefa("-q", "invert", "me.png", *search).stderr
    assert said.startswith("photos are taken as they are") and said.count("\n") == 1
    export = sefa("-q", "export", "tiny.dirs", "--to", "npy", "-o", "a.npy")
    assert export.stderr.startswith("npy cannot hold: ")
    box = ["--box", "0,0,8,8", "--size", "32", "--preview", "p.png", "-o", "a.dirs"]
    assert "a.dirs will not be written" in sefa("-q", "localize", "tiny.pth", *box).stderr


def test_thousands_of_seeds_are_written_with_a_comma(
    sefa: Callable[..., Result], workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    monkeypatch.setattr(View, "pictures", lambda *_: iter([picture]))
    said = sefa("-v", "sample", "tiny.pth", "--seeds", "0-1000", "-o", "many").stderr
    assert "mapping 1,001 seeds" in said.splitlines()


@pytest.mark.parametrize(("term", "more"), [("dumb", []), ("xterm", ["-q"])])
def test_no_bar_where_it_cannot_be_drawn_or_is_not_wanted(
    bundle: Path, term: str, more: list[str]
) -> None:
    shown, _, printed = on_terminal(*EDIT, *more, term=term)
    assert "\x1b" not in shown and len(printed.splitlines()) == 40


def test_a_log_gets_a_line_now_and_then(
    sefa: Callable[..., Result], bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "_SOON", 1000.0)
    assert "of 40" not in sefa(*EDIT).stderr  # quick work needs none
    monkeypatch.setattr(console, "_SOON", 0.01)
    monkeypatch.setattr(console, "_EVERY", 0.01)
    said = sefa(*EDIT).stderr
    assert re.search(r"^editing: \d+ of 40, about \d+ s left$", said, re.MULTILINE)
    assert sefa(*EDIT, "-q").stderr == ""


def test_a_log_hears_of_a_stage_that_lasts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "_SOON", 0.01)
    monkeypatch.setattr(console, "_EVERY", 0.01)
    monkeypatch.setattr(console, "_verbosity", 0)
    monkeypatch.setattr(console, "duration", lambda seconds: f"{seconds:.2f} s")
    heard = ""

    def hears(text: str) -> bool:
        nonlocal heard
        end = time.monotonic() + 10
        while text not in heard and time.monotonic() < end:
            time.sleep(0.02)
            heard += capsys.readouterr().err
        return text in heard

    with console.working("loading a large model") as work:
        assert hears("loading a large model\n")
        assert hears("loading a large model (0.1")  # it is still alive
        work.stage("mapping 5 seeds")
        assert hears("mapping 5 seeds\n")
    capsys.readouterr()
    time.sleep(0.05)
    assert capsys.readouterr().err == ""  # nothing after what the command says last


def test_a_log_hears_soon_and_nothing_twice(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "_verbosity", 0)
    monkeypatch.setattr(console, "_SOON", 0.01)
    with console.working("loading a large model"):
        time.sleep(0.5)
    assert capsys.readouterr().err == "loading a large model\n"
    monkeypatch.setattr(console, "_EVERY", 0.01)
    monkeypatch.setattr(console, "duration", lambda seconds: "2 min")
    with console.working("loading a large model"):
        time.sleep(0.5)
    lines = ["loading a large model", "loading a large model (2 min)"]
    assert capsys.readouterr().err.splitlines() == lines


def test_a_long_job_says_its_size(
    sefa: Callable[..., Result], bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "_FIRST", 0.0)
    monkeypatch.setattr(console, "_LONG", 0.0)
    said = sefa(*EDIT).stderr
    assert "40 pictures, about" in said and "each is kept as soon as it is made" in said


def test_the_first_pieces_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """They also warm up: with them, an estimate was three times too long."""
    times = iter([30.0, 31.0, 32.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(times))
    pace = Pace()
    assert pace.left(1, 10) is None
    assert pace.left(2, 10) == 8.0 and pace.left(3, 10) == 7.0


def test_an_interrupt_says_what_is_kept(
    sefa: Callable[..., Result], bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sefa_cli.rendering.view import View

    real, made = View.pictures, []

    def interrupted(*args: object) -> object:
        made.append(1)
        if len(made) == 4:
            raise KeyboardInterrupt
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(View, "pictures", interrupted)
    stopped = sefa(*EDIT)
    assert stopped.exit_code == 130 and stopped.stderr.endswith(
        "sefa: interrupted; 3 of 40 pictures are in out\n"
    )
    assert len(list(Path("out").iterdir())) == 3


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (59, "59 s"), (725, "12 min"), (12000, "3 h 20 min")]
)
def test_times_in_words(seconds: float, words: str) -> None:
    assert console.duration(seconds) == words
