"""docs/evidence.md: every command of the page, after the shell has read it, is one that we take.

And on all pages, every script of bench/ takes the arguments that stand there.
"""

import argparse
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import DOCS, ROOT

PAGE = (DOCS / "evidence.md").read_text("utf-8")
CODE = re.findall(r"^```console\n(.*?)^```$", PAGE, re.M | re.S)
INLINE = re.findall(r"`((?:sefa \w+ |python bench/)[^`]+)`", PAGE)
SAY = 'say() { printf \'%s\\t\' "$@"; echo; }; sefa() { say sefa "$@"; }; '
SAY += 'python() { say python "$@"; }; cd() { :; }; mv() { :; }\n'


def commands() -> list[list[str]]:
    """The words of every command, with loops and braces expanded by a shell that runs none."""
    script = SAY + "\n".join([*CODE, *(line.replace("\n", " ") for line in INLINE)])
    done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [line.rstrip("\t").split("\t") for line in done.stdout.splitlines()]


def test_every_command_of_ours_parses() -> None:
    from typer.main import get_command

    from sefa_cli.cli import app

    group: Any = get_command(app)
    found = [words for words in commands() if words[0] == "sefa"]
    assert len(found) > 20
    for _, name, *words in found:
        if words[-1] != "…":  # in a table: which methods
            group.commands[name].make_context(name, words)


@pytest.mark.slow
def test_every_script_of_the_page_takes_its_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    parse = argparse.ArgumentParser.parse_args

    def parsed(self: argparse.ArgumentParser, *given: Any) -> None:
        parse(self, *given)
        raise SystemExit(0)  # the work does not begin

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parsed)
    monkeypatch.syspath_prepend(ROOT / "bench")
    found = [words for words in commands() if words[0] == "python"]
    assert {Path(words[1]).stem for words in found} >= {"evidence", "equal_steps"}
    text = "\n".join(page.read_text("utf-8").replace("\\\n", "") for page in DOCS.glob("*.md"))
    lines = re.findall(r"`(python bench/[^`]+)`|^(python bench/.*)$", text, re.M)
    found += [shlex.split(inline or line) for inline, line in lines]
    assert {Path(words[1]).stem for words in found} >= {"passes", "few_passes", "studio"}
    for _, script, *words in found:
        if "argparse" not in (ROOT / script).read_text("utf-8"):
            continue  # it takes files alone
        monkeypatch.setattr(sys, "argv", [script, *words])
        with pytest.raises(SystemExit, match=r"^0$"):
            runpy.run_path(str(ROOT / script), run_name="__main__")


def test_tables_that_a_script_fills_are_closed() -> None:
    opened = re.findall(r"<!-- (\w+ [\w ]+) -->", PAGE)
    assert len(opened) == len(set(opened)) == PAGE.count("<!-- / -->") > 5
