"""Whole or not at all, and never over another unasked."""

import errno
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sefa_cli.errors import SefaError
from sefa_cli.file_kinds import why_not
from sefa_cli.files import (
    check_folder,
    check_writable,
    free_name,
    open_atomically,
    temporary_beside,
    write_stdout,
)


def test_writes_whole_files(tmp_path: Path) -> None:
    with open_atomically(tmp_path / "a.bin") as file:
        file.write(b"all of it")
    assert (tmp_path / "a.bin").read_bytes() == b"all of it"
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "a.bin").stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_leaves_nothing_half_written(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), open_atomically(tmp_path / "a.bin") as file:
        file.write(b"half")
        raise error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("old", [None, b"old"])
def test_an_interrupt_at_any_step_leaves_nothing_half_written(
    tmp_path: Path, at_any_step: Callable[..., None], old: bytes | None
) -> None:
    target = tmp_path / "a.bin"

    def prepare() -> None:
        target.unlink(missing_ok=True)
        if old is not None:
            target.write_bytes(old)

    def write() -> None:
        with open_atomically(target, overwrite=old is not None) as file:
            file.write(b"new")

    def check(interrupted: bool) -> None:
        assert [path.name for path in tmp_path.iterdir()] in ([], ["a.bin"])
        found = target.read_bytes() if target.exists() else None
        assert found == b"new" or (interrupted and found == old)

    at_any_step(prepare, write, check)


def test_an_interrupted_overwrite_keeps_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), open_atomically(tmp_path / "a.bin", overwrite=True) as f:
        f.write(b"new")
        raise KeyboardInterrupt
    assert (tmp_path / "a.bin").read_bytes() == b"old"


def test_keeps_what_exists(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")
    with pytest.raises(SefaError, match=r"already exists\. Use overwrite=True to replace it"):
        check_writable(tmp_path / "a.bin")
    with open_atomically(tmp_path / "a.bin", overwrite=True) as file:
        file.write(b"new")
    assert (tmp_path / "a.bin").read_bytes() == b"new"


def test_an_overwritten_file_keeps_its_permissions_and_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")
    (tmp_path / "a.bin").chmod(0o640)
    (tmp_path / "link.bin").symlink_to("a.bin")
    with open_atomically(tmp_path / "link.bin", overwrite=True) as file:
        file.write(b"new")
    assert (tmp_path / "link.bin").is_symlink() and (tmp_path / "a.bin").read_bytes() == b"new"
    assert (tmp_path / "a.bin").stat().st_mode & 0o777 == 0o640


def test_a_read_only_file_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")
    (tmp_path / "a.bin").chmod(0o444)
    with pytest.raises(SefaError, match=r"cannot write .*a\.bin: it is read-only\. Name another"):
        check_writable(tmp_path / "a.bin", overwrite=True)


def test_a_device_is_no_file_to_replace(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SefaError, match="is not an ordinary file; expected a file name, or -"):
        check_writable(tmp_path / "pipe", overwrite=True)


def test_two_writers_at_once_do_not_overwrite_each_other(tmp_path: Path) -> None:
    target, outcomes, together = tmp_path / "a.bin", [], threading.Barrier(2)

    def write(content: bytes) -> None:
        try:
            with temporary_beside(target) as temporary:
                temporary.write_bytes(content)
                together.wait(timeout=10)  # both have passed the first check by now
            outcomes.append("wrote")
        except SefaError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=write, args=(name,)) for name in (b"one", b"two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes, key=len)[0] == "wrote"
    assert "exists" in sorted(outcomes, key=len)[1]
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


def test_folders_are_made_when_the_file_is_written_not_before(tmp_path: Path) -> None:
    path = check_writable(tmp_path / "deep" / "er" / "a.bin")
    assert list(tmp_path.iterdir()) == []
    with open_atomically(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"


def test_a_folder_that_is_gone_is_said_in_our_words() -> None:
    gone = FileNotFoundError(errno.ENOENT, "No such file or directory")
    assert "its folder cannot be made or is gone" in str(why_not("a.bin", gone))


def test_a_file_is_not_taken_for_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")
    with pytest.raises(SefaError, match="part of its path is a file"):
        check_writable(tmp_path / "a.bin" / "b.bin")
    with pytest.raises(SefaError, match="is a folder"):
        check_writable(tmp_path)


def test_says_that_a_folder_is_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # the tests may run as root
    with pytest.raises(SefaError, match="is not writable"):
        check_writable(tmp_path / "a.bin")
    with pytest.raises(SefaError, match=rf"^cannot write {tmp_path}: the folder {tmp_path} is"):
        check_folder(tmp_path)  # the file it named was of nobody's choice


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "the file system is read-only")],
)
def test_says_why_the_system_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(SefaError, match=said), open_atomically(tmp_path / "a.bin") as file:
        file.write(b"x")
    assert list(tmp_path.iterdir()) == []


def test_automatic_names_are_numbered(tmp_path: Path) -> None:
    for expected in ("face.png", "face-2.png", "face-3.png"):
        path = free_name(tmp_path, "face", ".png")
        assert path.name == expected
        path.touch()
    assert free_name(tmp_path, "face", ".png", overwrite=True).name == "face.png"


def test_a_closed_stdout_takes_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "__stdout__", None)  # as after >&-
    with pytest.raises(SefaError, match="cannot write to standard output: it is closed"):
        write_stdout(b"a picture")
