"""The command line as a user meets it: a small model in a folder, and `sefa` as a process."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

CONTAINERS = Path(__file__).parent.parent / "golden" / "containers"


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with `tiny.pth` (32 px, published code's format) and a cache."""
    shutil.copy(CONTAINERS / "ckpt_genforce_stylegan2.pth", tmp_path / "tiny.pth")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEFA_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def sefa(workplace: Path) -> Callable[..., Result]:
    """Run `sefa …` inside this process: quick, for all that needs no process of its own."""
    from sefa_cli.cli import app

    runner = CliRunner()

    def run(*words: str, stdin: bytes | None = None) -> Result:
        result = runner.invoke(app, words, input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def process(workplace: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run `sefa …` as a process of its own: for pipes, signals and what it imports."""

    def run(*words: str, **options: object) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "sefa_cli", *words]
        return subprocess.run(command, capture_output=True, env={**os.environ}, **options)  # type: ignore[call-overload,no-any-return]

    return run


@pytest.fixture
def bundle(sefa: Callable[..., Result]) -> Path:
    """`tiny.dirs`, all directions of the small model."""
    assert sefa("factorize", "tiny.pth", "-o", "tiny.dirs").exit_code == 0
    return Path("tiny.dirs")
