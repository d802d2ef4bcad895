"""Tables in narrow terminals: they fold or stack, and nothing is cut or dropped."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.commands import console, models, tables
from sefa_cli.discovery.describe import inspect
from sefa_cli.sources.zoo import load_zoo

Show = Callable[[Console], None]


def printed(show: Show, width: int) -> str:
    file = io.StringIO()
    show(Console(file=file, width=width, highlight=False))
    return file.getvalue()


@pytest.fixture
def changed(bundle: Path) -> Bundle:
    """A bundle with labels, measured changes, a gain and origins."""
    made = Bundle.load(bundle)
    about = {"change": {"inside": 0.1502, "outside": 0.0089}, "gain": 0.75}
    origin = {"from": {"bundle": "another bundle.dirs", "k": 12}}
    info = tuple({**about, **origin, "label": f"label number {k}"} for k in range(made.k))
    return replace(made, info=info)


def shows(bundle: Bundle) -> dict[str, Show]:
    return {
        "bundle": lambda c: tables.show_bundle(c, {"file": "x", **inspect(bundle)}, 3),
        "checkpoint": lambda c: tables.show_checkpoint(c, {"file": "x", **inspect("tiny.pth")}, 3),
        "comparison": lambda c: tables.show_comparison(
            c, ["first.dirs", "second.dirs"], (bundle, bundle), bundle.compare(bundle, 3)
        ),
        "models": lambda c: models._print_table(c, list(load_zoo().values())),
    }


@pytest.mark.parametrize("name", ["bundle", "checkpoint", "comparison", "models"])
@pytest.mark.parametrize("width", [40, 60, 80])
def test_narrow_terminals_lose_nothing(changed: Bundle, name: str, width: int) -> None:
    show = shows(changed)[name]
    wide, narrow = printed(show, 1000), printed(show, width)
    assert "…" not in narrow
    assert max(map(len, narrow.splitlines())) <= width
    words = {word for word in wide.split() if len(word) < 30 and "─" not in word}
    assert not words - set(narrow.split())


@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_a_table_is_as_wide_as_the_terminal(monkeypatch: pytest.MonkeyPatch, term: str) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert console.table_console().width == 40


def test_a_wide_terminal_shows_a_row_for_each_direction(changed: Bundle) -> None:
    lines = printed(shows(changed)["bundle"], 1000).splitlines()
    assert sum("0.1502" in line and "label number" in line for line in lines) == 3


@pytest.mark.parametrize("command", ["edit", "localize", "evaluate", "invert"])
def test_narrow_help_gives_its_text_the_width(command: str) -> None:
    environ = {**os.environ, "COLUMNS": "40"}
    words = [sys.executable, "-m", "sefa_cli", command, "--help"]
    said = subprocess.run(words, env=environ, capture_output=True, text=True, check=True).stdout
    options = said.split("Options:\n")[1].splitlines()
    texts = [line for line in options if not line.startswith("  -")]
    assert len(texts) > len(options) / 2
    assert all(len(line) - len(line.lstrip()) == 10 and len(line) <= 40 for line in texts)
