"""The command line as a user meets it: `sefa` as a process, and a bundle of the small model."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result


@pytest.fixture
def process(workplace: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run `sefa …` as a process of its own: for pipes, signals and what it imports."""

    def run(*words: str, **options: object) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "sefa_cli", *words]
        return subprocess.run(command, capture_output=True, env={**os.environ}, **options)  # type: ignore[call-overload]

    return run


@pytest.fixture
def bundle(sefa: Callable[..., Result]) -> Path:
    """`tiny.dirs`, all directions of the small model."""
    assert sefa("factorize", "tiny.pth", "-o", "tiny.dirs").exit_code == 0
    return Path("tiny.dirs")
