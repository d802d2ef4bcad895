"""The help shows what its texts say, in plain words."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from sefa_cli.cli import app


def _commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(_commands(typer.main.get_command(app)))


def shown(path: tuple[str, ...]) -> str:
    said = CliRunner().invoke(app, [*path, "--help"], terminal_width=300).stdout
    return " ".join(said.replace("│", " ").split())


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_word_of_a_text_is_shown(path: tuple[str, ...]) -> None:
    """Markdown took the asterisks of `0.7*yaw + 0.3*face:5` for emphasis."""
    command = COMMANDS[path]
    texts = [command.help, *(getattr(p, "help", None) for p in command.params)]
    words = {word for text in texts if text for word in text.replace("`", "").split()}
    lost = sorted(words - set(shown(path).split()))
    assert len(words) > 10 and not lost


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_no_notation_of_programs(path: tuple[str, ...]) -> None:
    assert not re.search(r"<\w+ range>|\[[^\]]*\bx[<>]=?|[<>]=x|\bINTEGER\b", shown(path))


def test_the_size_that_evaluate_takes_is_told() -> None:
    assert "Default: at most 256" in shown(("evaluate",)).partition("--size")[2][:200]


def test_an_option_has_the_same_letter_in_every_command() -> None:
    letters: dict[str, set[str]] = {}
    for path, command in COMMANDS.items():
        for parameter in command.params:
            names = {name for name in parameter.opts if name.startswith("--")}
            letter = "".join(set(parameter.opts) - names)
            for name in names & {"--model", "--output", "--k", "--layers", "--dirs", "--alpha"}:
                letters.setdefault(name, set()).add(letter)
            assert len(letter) in (0, 2) or not names, path
    assert len(letters) == 6 and all(len(found) == 1 for found in letters.values()), letters


@pytest.mark.parametrize("columns", [60, 79, 80])
def test_no_word_is_broken(columns: int) -> None:
    """Rich's tables cut a word that is wider than its column, or end it with an ellipsis."""
    code = (
        "from sefa_cli.cli import _COMMANDS, make_app\n"
        "for name in _COMMANDS:\n"
        "    make_app(name)([name, '--help'], standalone_mode=False)\n"
    )

    def words(wide: int) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "COLUMNS": str(wide)},
            capture_output=True,
            text=True,
            check=True,
        )
        whole = re.sub(r"(?<=\w)-\n\s+", "-", done.stdout)  # plain text breaks there
        return re.sub("[│╭╮╰╯─]", " ", whole).split()

    plain = {*words(300), *(word.replace("`", "") for word in words(59))}
    assert len(plain) > 500
    assert [word for word in words(columns) if word.replace("`", "") not in plain] == []
