"""Row 0. Write files whole or not at all, and never over another unasked."""

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from sefa_cli.errors import SefaError, UsageError
from sefa_cli.file_kinds import why_not
from sefa_cli.scratch import EXCHANGE, NO_REPLACE, remove, rename, scratch_beside, sync

DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # while something is written

# What files hold by their suffix: those that sefa and the tools around it write.
_CONTENTS = {
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".webp"), "pictures"),
    **dict.fromkeys((".bmp", ".tif", ".tiff"), "pictures of another format"),
    **dict.fromkeys(
        (".gif", ".mp4", ".mov", ".webm", ".apng"), "films (`sefa animate` makes them)"
    ),
    **dict.fromkeys((".avi", ".mkv"), "films of another format"),
    **dict.fromkeys((".npy", ".npz"), "NumPy arrays"),
    **dict.fromkeys((".pt", ".pth", ".ckpt"), "torch objects"),
    **dict.fromkeys((".pkl", ".pickle"), "pickled objects"),
    **dict.fromkeys((".txt", ".md", ".json", ".toml", ".csv", ".tsv"), "text"),
    **dict.fromkeys((".html", ".htm", ".pdf"), "pages"),
    ".dirs": "directions",
    ".safetensors": "tensors",
    ".gguf": "control vectors",
    ".zip": "archives",
}
BUNDLES = (".dirs", ".safetensors")  # a bundle is a safetensors file


def check_suffix(
    path: Path | str, own: Sequence[str], expected: str = "", strict: bool = False
) -> None:
    """Raise UsageError if a name ends in a suffix that stands for other content.

    Args:
        path: The name of a file or folder that will be written. An unknown suffix is the user's.
        own: The suffixes that suit the content.
        expected: What to expect instead. Default: a name with one of them.
        strict: Also refuse an unknown suffix, and none.
    """
    suffix = Path(path).suffix.lower()
    if (strict or suffix in _CONTENTS) and suffix not in own:
        holds = f": {suffix} files hold {_CONTENTS[suffix]}" if suffix in _CONTENTS else ""
        raise UsageError(f"cannot write {path}{holds}", expected or f"a name that ends in {own[0]}")


def is_folder(path: Path | str) -> bool:
    """Return whether a path to write to is a folder. Raises SefaError if none may ask."""
    try:
        return Path(path).is_dir()
    except OSError as error:
        raise why_not(path, error) from error


def check_writable(
    path: Path | str, overwrite: bool = False, own: Sequence[str] | None = None
) -> Path:
    """Refuse early, before minutes are spent, what could not be written; return the path.

    Folders that do not exist are made later, when the file is written. With `overwrite`, what
    exists must be an ordinary file that may be written to. `own` are the suffixes of the content.
    """
    path = Path(path)
    if own is not None:
        check_suffix(path, own)
    if is_folder(path):
        raise SefaError(f"{path} is a folder", "a file name", "Name a file inside it.")
    if path.exists() and not path.is_file():  # a device: renaming over it would take it away
        raise SefaError(f"{path} is not an ordinary file", "a file name, or - for stdout")
    if os.path.lexists(path) and not overwrite:
        raise SefaError(f"{path} already exists", remedy="Use overwrite=True to replace it.")
    if path.exists() and not (path.stat().st_mode & 0o222 and os.access(path, os.W_OK)):
        raise SefaError(
            f"cannot write {path}: it is read-only", remedy="Name another file, or run chmod u+w."
        )
    _check_room(path, path.parent)
    return path


def _check_room(path: Path, folder: Path) -> None:
    """Refuse a path whose folder, or the next above that exists, takes no files."""
    import tempfile  # imports random, which `--help` need not wait for

    while not os.path.lexists(folder):  # it is made when the file is written
        folder = folder.parent
    if not os.access(folder, os.W_OK):
        raise SefaError(
            f"cannot write {path}: the folder {folder} is not writable",
            remedy="Choose another folder.",
        )
    try:
        tempfile.TemporaryFile(dir=folder).close()  # os.access always says yes to root
    except OSError as error:
        raise why_not(path, error) from error


def check_folder(folder: Path | str) -> Path:
    """Refuse early a folder that could not be made, or not be written to; return its path."""
    folder = Path(folder)
    if not is_folder(folder) and folder.exists():
        raise SefaError(f"{folder} is a file", "a folder", "Choose another name.")
    if folder.is_dir():
        _check_room(folder, folder)
    else:
        check_writable(folder, overwrite=True)
    return folder


def make_folder(folder: Path | str) -> Path:
    """Make a folder and those above it; return it. Raises SefaError if that cannot be."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise why_not(folder, error) from error
    return folder


@contextlib.contextmanager
def temporary_beside(path: Path | str, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary file next to `path` that takes its name when the block ends without error.

    It is flushed to disk first, and removed on any error or interrupt. It keeps the suffix of
    `path`, which picture and film writers read. An overwritten file keeps its permissions, and a
    link stays a link: its target is replaced. OSErrors become SefaErrors.
    """
    if overwrite:
        path = os.path.realpath(path)
    path = check_writable(path, overwrite)
    make_folder(path.parent)
    try:
        with scratch_beside(path) as temporary:
            yield temporary
            _publish(temporary, path, overwrite)
    except OSError as error:
        raise why_not(path, error) from error


def _publish(temporary: Path, path: Path, overwrite: bool) -> None:
    if path.exists():
        temporary.chmod(path.stat().st_mode & 0o777)
    else:
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # it was private until it was whole
    sync(temporary)
    if overwrite:
        temporary.replace(path)
        return
    try:
        if not rename(temporary, path, NO_REPLACE):
            os.link(temporary, path)  # it too fails if another process was faster
    except FileExistsError:
        raise SefaError(
            f"{path} already exists", remedy="Use overwrite=True to replace it."
        ) from None
    except OSError:  # a file system without hard links
        check_writable(path)
        temporary.replace(path)


@contextlib.contextmanager
def open_atomically(path: Path | str, overwrite: bool = False) -> Iterator[IO[bytes]]:
    """Open `temporary_beside` as a binary file."""
    with temporary_beside(path, overwrite) as temporary, open(temporary, "wb") as file:
        yield file
        file.flush()


@contextlib.contextmanager
def changing(path: Path | str) -> Iterator[None]:
    """Let no other process that asks change the file `path` until the block ends; wait for them.

    Read the file inside the block: the process before may have replaced it. Where files cannot be
    locked, the last process wins.
    """
    lock = _locked(path) if Path(path).is_file() else None  # what a pipe holds is read once
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)


def _locked(path: Path | str) -> int | None:
    """Return the descriptor of the locked file, or None if it cannot be locked."""
    try:
        import fcntl

        while True:
            lock = os.open(path, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if os.path.samestat(os.fstat(lock), Path(path).stat()):
                    return lock
            except BaseException:
                os.close(lock)
                raise
            os.close(lock)
    except (ImportError, OSError):
        return None


@contextlib.contextmanager
def folder_beside(path: Path, check: Callable[[], object]) -> Iterator[Path]:
    """Yield a temporary folder that takes the name `path` on success and is removed on failure.

    A folder that has the name stays until then. `check` raises SefaError if it may not be replaced.
    """
    check()
    make_folder(path.parent)
    try:
        with scratch_beside(path, folder=True) as folder:
            yield folder
            umask = os.umask(0)
            os.umask(umask)
            folder.chmod(0o777 & ~umask)  # it was private while incomplete
            check()  # something may have appeared meanwhile
            _take_name(folder, path)
    except OSError as error:
        raise why_not(path, error) from error


def _take_name(folder: Path, path: Path) -> None:
    """Rename `folder` to `path`, and keep what is there until that has succeeded."""
    if not path.exists():
        folder.rename(path)
    elif not rename(folder, path, EXCHANGE):
        _rename_twice(folder, path)


def _rename_twice(folder: Path, path: Path) -> None:
    """Take the name where a file system knows no exchange: a kill here leaves a `-former`."""
    former = path.with_name(f"{path.name}{folder.name}-former")
    try:
        path.rename(former)
        folder.rename(path)
        remove(former)
    except BaseException:
        if path.exists():
            remove(former)
        else:
            former.rename(path)
        raise


def write_stdout(data: bytes) -> None:
    """Write a whole file to standard output. Raises SefaError if that is closed or a terminal."""
    if sys.__stdout__ is None:
        raise SefaError("cannot write to standard output: it is closed", remedy="Name a file.")
    if sys.stdout.isatty():
        raise SefaError(
            "refusing to write binary data to a terminal", remedy="Name a file, or pipe the output."
        )
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def free_name(folder: Path | str, stem: str, suffix: str, overwrite: bool = False) -> Path:
    """Return `stem.suffix` in `folder`, or `stem-2.suffix`, `stem-3.suffix` … if that is taken.

    With `overwrite` it is always the first of them.
    """
    path = Path(folder) / f"{stem}{suffix}"
    number = 2
    while not overwrite and os.path.lexists(path):
        path = Path(folder) / f"{stem}-{number}{suffix}"
        number += 1
    return path
