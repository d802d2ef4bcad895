"""Completion in a shell: what is typed is unfinished, and is never complained about."""

import pytest
from typer.testing import CliRunner

from sefa_cli.cli import _COMMANDS, app


def complete(line: str) -> list[str]:
    """Return what bash would offer after `line`."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    done = CliRunner().invoke(app, [], env={"_SEFA_COMPLETE": "complete_bash", **words})
    assert done.exit_code == 0 and not done.stderr, f"{line}\n{done.stderr}{done.exception}"
    return done.stdout.split()


def test_commands_are_offered() -> None:
    assert complete("sefa e") == ["edit", "evaluate", "export"]
    assert complete("sefa models pu") == ["pull"]


@pytest.mark.parametrize("command", _COMMANDS)
def test_options_are_offered(command: str) -> None:
    assert "--help" in complete(f"sefa {command} --")


@pytest.mark.parametrize(
    "typed",
    [
        *("", "face.dirs", "mobilestylegan_ffhq", "--k", "--k 0 --k", "--k 0 --k 1", "--seeds ''"),
        *("--fast --no-fast", "--bogus", "face.dirs a b", "--seeds 0 --seeds 1", "--k 0 --alpha 2"),
    ],
)
def test_options_are_offered_whatever_came_before(typed: str) -> None:
    assert complete(f"sefa edit {typed} --alp".replace("  ", " ")) == ["--alpha"]
