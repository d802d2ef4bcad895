"""Row 0. Files that are written whole or not at all, and never over another unasked."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from sefa_cli.errors import SefaError

_REASONS = {
    errno.ENOSPC: ("the disk is full", "Free some space and run it again."),
    errno.EDQUOT: ("the disk quota is used up", "Free some space and run it again."),
    errno.EACCES: ("permission is denied", "Choose another folder."),
    errno.EPERM: ("permission is denied", "Choose another folder."),
    errno.EROFS: ("the file system is read-only", "Choose another folder."),
    errno.ENOTDIR: ("part of its path is a file, not a folder", "Choose another folder."),
    errno.ENAMETOOLONG: ("its name is too long", "Choose a shorter one."),
}


def why_not(path: Path | str, error: OSError, doing: str = "write") -> SefaError:
    """The stated error for an OSError met on `path`."""
    reason, remedy = _REASONS.get(error.errno or 0, (error.strerror or str(error), ""))
    return SefaError(f"cannot {doing} {path}: {reason}", remedy=remedy)


def check_writable(path: Path | str, overwrite: bool = False) -> Path:
    """Refuse early, before minutes are spent: the output exists, or its folder does not.

    With `overwrite` what exists must be an ordinary file that may be written to.
    """
    path = Path(path)
    if path.is_dir():
        raise SefaError(f"{path} is a folder", "a file name", "Name a file inside it.")
    if path.exists() and not path.is_file():  # a device: renaming over it would take it away
        raise SefaError(f"{path} is no ordinary file", "a file name, or - for stdout")
    if os.path.lexists(path) and not overwrite:
        raise SefaError(f"{path} exists", remedy="Name another file or pass --overwrite.")
    if path.exists() and not (path.stat().st_mode & 0o222 and os.access(path, os.W_OK)):
        raise SefaError(f"{path} is read-only", remedy="Name another file, or chmod u+w it.")
    if not path.parent.is_dir():
        raise SefaError(f"the folder {path.parent} does not exist", remedy="Make it first.")
    if not os.access(path.parent, os.W_OK):
        raise SefaError(f"the folder {path.parent} is not writable", remedy="Choose another.")
    return path


@contextlib.contextmanager
def temporary_beside(path: Path | str, overwrite: bool = False) -> Iterator[Path]:
    """A temporary file beside `path` that takes its name when the block ends well.

    It is flushed to disk first; on any error or interrupt it is removed. The temporary keeps
    the suffix of `path`, which picture and film writers read. What is overwritten keeps its
    permissions, and a link stays one: what it leads to is replaced. OSErrors become SefaErrors.
    """
    if overwrite:
        path = os.path.realpath(path)
    path = check_writable(path, overwrite)
    try:
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent
        )
        os.close(handle)
    except OSError as error:
        raise why_not(path, error) from error
    temporary = Path(name)
    try:
        yield temporary
        _publish(temporary, path, overwrite)
    except OSError as error:
        raise why_not(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _publish(temporary: Path, path: Path, overwrite: bool) -> None:
    if path.exists():
        temporary.chmod(path.stat().st_mode & 0o777)
    else:
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp makes files private
    with open(temporary, "rb") as file:
        os.fsync(file.fileno())
    if overwrite:
        temporary.replace(path)
        return
    try:
        os.link(temporary, path)  # unlike rename, fails where another process was faster
    except FileExistsError:
        raise SefaError(f"{path} exists", remedy="Name another file or pass --overwrite.") from None
    except OSError:  # a file system without hard links
        check_writable(path)
        temporary.replace(path)


@contextlib.contextmanager
def open_atomically(path: Path | str, overwrite: bool = False) -> Iterator[IO[bytes]]:
    """`temporary_beside`, as an open binary file."""
    with temporary_beside(path, overwrite) as temporary, open(temporary, "wb") as file:
        yield file
        file.flush()


def free_name(folder: Path | str, stem: str, suffix: str) -> Path:
    """`stem.suffix` in `folder`, or `stem-2.suffix`, `stem-3.suffix` … where that is taken."""
    path = Path(folder) / f"{stem}{suffix}"
    number = 2
    while os.path.lexists(path):
        path = Path(folder) / f"{stem}-{number}{suffix}"
        number += 1
    return path
