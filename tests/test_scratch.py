"""What is not finished is private and locked; what a killed process left, the next one removes."""

import errno
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sefa_cli import scratch
from sefa_cli.errors import SefaError
from sefa_cli.files import folder_beside, open_atomically
from tests.helpers import ROOT


def killed_while_writing(path: Path, body: str = "file.write(b'half'); file.flush()") -> None:
    """Kill a process that is writing `path`."""
    code = (
        "import os, signal\nfrom sefa_cli.files import open_atomically\n"
        f"with open_atomically({str(path)!r}, overwrite=True) as file:\n"
        f"    {body}; os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.fixture(autouse=True)
def anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test is a process that has looked into no folder yet."""
    monkeypatch.setattr(scratch, "_swept", set())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.slow
def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")
    killed_while_writing(tmp_path / "a.bin")
    assert len(names(tmp_path)) == 2 and (tmp_path / "a.bin").read_bytes() == b"old"
    with open_atomically(tmp_path / "b.bin") as file:
        file.write(b"new")
    assert names(tmp_path) == ["a.bin", "b.bin"]


def test_what_a_living_process_writes_is_left_alone(tmp_path: Path) -> None:
    with scratch.scratch_beside(tmp_path / "a.bin") as theirs:
        code = (
            "from sefa_cli.files import open_atomically\n"
            f"with open_atomically({str(tmp_path / 'b.bin')!r}) as file: file.write(b'new')\n"
        )
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
        assert theirs.exists()
    assert names(tmp_path) == ["b.bin"]


def test_files_of_other_machines_and_of_people_are_left_alone(tmp_path: Path) -> None:
    theirs = [".sefa-00000000-0a1b2c3d.png", ".sefa-notes.txt", ".sefa", "sefa-00000000-0a1b2c3d"]
    for name in theirs:
        (tmp_path / name).touch()
    with open_atomically(tmp_path / "a.bin"):
        pass
    assert names(tmp_path) == sorted([*theirs, "a.bin"])


def test_a_folder_is_exchanged_in_one_step(tmp_path: Path) -> None:
    """A thread that looks all the time never finds the folder missing."""
    target, seen, done = tmp_path / "frames", set(), threading.Event()
    target.mkdir()
    (target / "0").write_text("0")

    def look() -> None:
        while not done.is_set():
            seen.add(target.is_dir())

    watcher = threading.Thread(target=look)
    watcher.start()
    for number in range(1, 50):
        with folder_beside(target, lambda: None) as folder:
            (folder / str(number)).write_text("")
    done.set()
    watcher.join()
    assert seen == {True} and names(tmp_path) == ["frames"]


def test_a_file_system_without_exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_renameat2", lambda: None)
    for content in ("old", "new"):
        with folder_beside(tmp_path / "frames", lambda: None) as folder:
            (folder / "0").write_text(content)
    with open_atomically(tmp_path / "a.bin") as file:
        file.write(b"new")
    assert (tmp_path / "frames" / "0").read_text() == "new"
    assert names(tmp_path) == ["a.bin", "frames"]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EACCES])
def test_what_the_system_says_of_a_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    import ctypes

    monkeypatch.setattr(scratch, "_renameat2", lambda: lambda *_: -1)
    monkeypatch.setattr(ctypes, "get_errno", lambda: number)
    if number == errno.EINVAL:
        assert not scratch.rename(tmp_path / "a", tmp_path / "b", scratch.EXCHANGE)
    else:
        with pytest.raises(PermissionError):
            scratch.rename(tmp_path / "a", tmp_path / "b", scratch.EXCHANGE)


@pytest.fixture
def small_files() -> Callable[[], None]:
    """Let a process write files of 64 KB at most: what a quota does."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))

    return limit


@pytest.mark.slow
def test_a_full_disk_keeps_the_old_file(tmp_path: Path, small_files: Callable[[], None]) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")
    code = (
        "from sefa_cli.files import open_atomically\nfrom sefa_cli.errors import SefaError\n"
        "try:\n"
        f"    with open_atomically({str(tmp_path / 'a.bin')!r}, overwrite=True) as file:\n"
        "        file.write(bytes(1 << 20))\n"
        "except SefaError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, preexec_fn=small_files, capture_output=True
    )
    said = "a.bin: the file is larger than it may be here. Choose another folder.\n"
    assert done.stdout.decode().endswith(said), done
    assert names(tmp_path) == ["a.bin"] and (tmp_path / "a.bin").read_bytes() == b"old"


def test_a_folder_that_vanishes_while_a_file_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "there"
    with (
        pytest.raises(SefaError, match="its folder cannot be made or is gone"),
        open_atomically(folder / "a.bin") as file,
    ):
        file.write(b"new")
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    assert names(tmp_path) == []
