"""Faults of a file, stated without its name: whoever opens the file adds the name, once."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sefa_cli.errors import SefaError


class FileError(SefaError):
    """A fault of the file that is being read; `found` continues the file's name."""

    def named(self, name: str) -> SefaError:
        """Return the error that people see: the same fault, with the file's name in front."""
        return SefaError(f"{name} {self.found}", self.expected, self.remedy)


def damaged(what: str) -> FileError:
    """Return the fault of a file that contradicts itself or ends early."""
    return FileError(f"is damaged: {what}", remedy="Get the file again and compare its size.")


def unreadable(what: str, remedy: str = "") -> FileError:
    """Return the fault of a file that may be whole but holds something sefa does not read."""
    return FileError(f"cannot be read: {what}", remedy=remedy)


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the file's name into every `FileError` that leaves this block."""
    try:
        yield
    except FileError as fault:
        raise fault.named(str(path)) from fault.__cause__
