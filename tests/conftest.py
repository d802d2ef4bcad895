"""What many tests share: the real models, fetched once, and a small one in a folder to work in."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from sefa_cli import files

pytest_plugins = ["chromium"]  # tests/browser: the pages' Chromium
TINY = Path(__file__).parent / "golden" / "containers" / "ckpt_genforce_stylegan2.pth"


@pytest.fixture(scope="session")
def default_model() -> Path:
    """The folder with the four IR files of `mobilestylegan_ffhq` (40 MB, SHA-256 checked).

    It lies in the user's own cache, so that a second run fetches nothing. A machine that cannot
    get it fails these tests: they may not be skipped unseen.
    """
    from sefa_cli.checkpoints.locate import locate

    return locate("mobilestylegan_ffhq")


@pytest.fixture(scope="session")
def digiface() -> Path:
    """The weights of `dcgan_digiface64`, a small real model fed with z (14 MB, SHA-256 checked)."""
    from sefa_cli.checkpoints.locate import locate

    return locate("dcgan_digiface64")


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with `tiny.pth` (32 px, published code's format) and a cache."""
    shutil.copy(TINY, tmp_path / "tiny.pth")
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
def interrupt() -> Callable[[int, Callable[[], object]], bool]:
    """Do some work with an interrupt before its bytecode instruction of that number, as a process.

    That is: what a process removes at its end is removed. Says whether there were so many.
    """

    def run(step: int, work: Callable[[], object]) -> bool:
        left = step

        def trace(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal left
            frame.f_trace_opcodes = True
            if event == "opcode":
                left -= 1
                if left == 0:
                    raise KeyboardInterrupt
            return trace

        former = sys.gettrace()
        try:
            sys.settrace(trace)
            work()
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(former)
        files._remove_scratch()
        return left <= 0

    return run
