"""Row 0. Files and folders that are not whole yet: private, locked, and gone with their process."""

import atexit
import contextlib
import errno
import functools
import os
import re
import shutil
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

_SCRATCH = re.compile(r"\.sefa-([0-9a-f]{8})-[0-9a-f]{8}(\..*)?", re.DOTALL)
_scratch: dict[Path, int | None] = {}  # what this process has, with the descriptor of its lock
_swept: set[Path] = set()


@contextlib.contextmanager
def scratch_beside(path: Path | str, folder: bool = False) -> Iterator[Path]:
    """Yield a new, private file or folder next to `path` that goes away with the block.

    A signal may come between any two steps, also between making a file and the `try` that would
    remove it, or during the removal. So the name is noted before anything has it, and what is left
    then goes when the process ends. What a killed process left, the next one removes. The name has
    the suffix of `path`.
    """
    path = Path(path)
    _sweep(path.parent)
    scratch = path.with_name(f".sefa-{_machine()}-{os.urandom(4).hex()}{path.suffix}")
    _scratch[scratch] = None
    try:
        while not scratch.exists():  # a process that sweeps may take it before it is locked
            scratch.mkdir(0o700) if folder else scratch.touch(0o600, exist_ok=False)
            _scratch[scratch] = _lock(scratch)
        yield scratch
    finally:
        remove(scratch)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it exists; an interrupted removal is finished at process end.

    Raises OSError for a file that cannot be removed; of a folder, what can be removed is.
    """
    _scratch.setdefault(path, None)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    lock = _scratch.pop(path, None)
    if lock is not None:
        os.close(lock)


@atexit.register
def remove_scratch() -> None:
    """Remove the temporary files and folders of this process."""
    for path in tuple(_scratch):
        with contextlib.suppress(OSError):
            remove(path)


def is_scratch(name: str) -> bool:
    """Return whether a file or folder of this name was never finished."""
    return _SCRATCH.fullmatch(name) is not None


def _machine() -> str:
    """Return eight digits for this machine: on shared disks, others may not see its locks."""
    import platform  # `--help` need not wait for it

    return f"{zlib.crc32(platform.node().encode()):08x}"


def _lock(path: Path, wait: bool = True) -> int | None:
    """Lock a file or folder until the descriptor is closed or the process dies; None if not."""
    with contextlib.suppress(ImportError, OSError):
        import fcntl

        descriptor = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except OSError:
            os.close(descriptor)
    return None


def _sweep(folder: Path) -> None:
    """Remove what killed processes of this machine left in a folder; look once a process."""
    if folder in _swept:
        return
    _swept.add(folder)
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = _SCRATCH.fullmatch(entry.name)
            path = Path(entry.path)
            if found and found[1] == _machine() and path not in _scratch:
                lock = _lock(path, wait=False)  # a living process holds it
                if lock is not None:
                    remove(path)
                    os.close(lock)


def sync(path: Path) -> None:
    """Make sure that the content of a file is on the disk. Raises OSError."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


NO_REPLACE, EXCHANGE = 1, 2  # Linux's own numbers


def rename(path: Path, target: Path, flag: int) -> bool:
    """Rename in one step, without replacing the target or in exchange with it.

    Returns False where the system cannot, which is everywhere but on Linux. Raises OSError.
    """
    call = _renameat2()
    if call is None:
        return False
    import ctypes

    here = -100  # AT_FDCWD
    if call(here, os.fsencode(path), here, os.fsencode(target), flag) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(number, os.strerror(number), str(target))


@functools.cache
def _renameat2() -> Callable[[int, bytes, int, bytes, int], int] | None:
    """Return the C library's function, if it is there."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    call: Callable[..., int] | None = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return call
