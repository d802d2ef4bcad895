"""Where the examples of the format are, and the independent reader as a program."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import FORMATS

GOLDEN: dict[str, Any] = json.loads((FORMATS / "golden/expected.json").read_text("utf-8"))
HOSTILE: dict[str, Any] = json.loads((FORMATS / "hostile/index.json").read_text("utf-8"))


@pytest.fixture
def formats() -> Path:
    """The folder with spec, schema and examples."""
    return FORMATS


@pytest.fixture(scope="session")
def reader() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run formats/reader.py in formats/; `-I -S` hides what is installed, numpy and sefa_cli."""

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-S", FORMATS / "reader.py", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=FORMATS)

    return run


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test per example for those that ask for `golden` or `hostile`, a file name."""
    for argument, names in (("golden", GOLDEN), ("hostile", HOSTILE)):
        if argument in metafunc.fixturenames:
            metafunc.parametrize(argument, list(names))
