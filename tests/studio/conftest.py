"""A small open model, and the studio as a process of its own."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import Result

from sefa_cli.studio.library import Library, Model
from tests.helpers import CONTAINERS
from tests.helpers.visiting import Serve

_BLIND = """
from sefa_cli.discovery.regions import landmarks
landmarks._version = lambda: ""
"""
TINY = CONTAINERS / "ckpt_genforce_stylegan2.pth"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests save what they download where they work: in a folder of their own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def model(workplace: Path) -> Model:
    """`tiny.pth`, opened as a page opens it."""
    return Library("cpu").open_model("tiny.pth")


@pytest.fixture
def sefa(sefa: Callable[..., Result]) -> Callable[..., Result]:
    """Run `sefa …`, which must succeed."""

    def run(*words: str) -> Result:
        result = sefa(*words)
        assert result.exit_code == 0, result.stderr
        return result

    return run


@pytest.fixture
def serve(workplace: Path) -> Iterator[Serve]:
    """Start `sefa studio …` and return its address. An interrupt must end it cleanly."""
    with contextlib.ExitStack() as stack:
        yield lambda *words: stack.enter_context(studio(workplace, *words))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one studio with `tiny.pth`, shared by all tests: to start takes seconds."""
    yield from shared(tmp_path_factory.mktemp("studio"), "tiny.pth")


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one studio that opens nothing by itself, beside `tiny.pth`."""
    yield from shared(tmp_path_factory.mktemp("studio"))


def shared(folder: Path, *words: str) -> Iterator[str]:
    """Run a studio in a new folder with `tiny.pth`, and yield its address."""
    shutil.copy(TINY, folder / "tiny.pth")
    with studio(folder, *words) as address:
        yield address


@contextlib.contextmanager
def studio(folder: Path, *words: str, fault: str = "") -> Iterator[str]:
    """Run a studio in `folder` and yield its address. `fault` is code that breaks it first.

    It finds no landmark package: a photo of the small model has no face to align.
    """
    begin = f"{_BLIND}\n{fault}\nfrom sefa_cli.__main__ import main\nmain()"
    command = [sys.executable, "-c", begin, "studio", *words, "--no-open", "--port", "0"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "SEFA_CACHE": str(folder / "cache")},
    )
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert fault or "Traceback" not in stderr, stderr
