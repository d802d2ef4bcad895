"""Row 0. What a file is, by its first bytes, and why it cannot be read or written: for messages."""

import errno
import io
import os
import re
import stat
from pathlib import Path

from sefa_cli.errors import SefaError

LEFT = "what an interrupted run left"
_PACKED = (b"\x1f\x8b", b"bzh", b"\xfd7zxz", b"7z\xbc\xaf", b"rar!")
_PAGE = (b"<!doctype html", b"<html", b"<head", b"<!--")

# How it begins, in lower case; what it is; what to do.
_KINDS: tuple[tuple[tuple[bytes, ...], str, str], ...] = (
    ((b"\x89png\r\n\x1a\n",), "a PNG picture", ""),
    ((b"\xff\xd8\xff",), "a JPEG picture", ""),
    ((b"gif87a", b"gif89a"), "a GIF picture", ""),
    ((b"riff",), "a WebP picture or another RIFF file", ""),
    ((b"%pdf-",), "a PDF document", ""),
    ((b"pk\x03\x04", b"pk\x05\x06"), "a zip archive, such as a torch checkpoint", ""),
    (tuple(b"\x80%c" % n for n in range(2, 6)), "a pickle, such as a checkpoint", ""),
    (_PACKED, "a compressed file", "Unpack it first."),
    ((b"\x93numpy",), "a numpy array", ""),
    ((b"gguf",), "a GGUF file", ""),
    ((b"\x89hdf", b"cdf"), "an HDF5 file", ""),
    (
        _PAGE,
        "a web page: the download failed, and what came is its error page",
        "Download it again, and compare its size.",
    ),
    ((b"<?xml", b"<svg"), "an XML file", ""),
    (
        (b"version https://git-lfs",),
        "a git-lfs pointer: the file itself was not fetched",
        "Run `git lfs pull` where it lies, or download the file itself.",
    ),
)

_REASONS = {
    errno.ENOSPC: ("the disk is full", "Free some space and run it again."),
    errno.EDQUOT: ("the disk quota is used up", "Free some space and run it again."),
    errno.EFBIG: ("the file is larger than it may be here", "Choose another folder."),
    errno.EACCES: ("permission is denied", "Choose another folder."),
    errno.EPERM: ("permission is denied", "Choose another folder."),
    errno.EROFS: ("the file system is read-only", "Choose another folder."),
    errno.ENOTDIR: ("part of its path is a file, not a folder", "Choose another folder."),
    errno.ELOOP: ("its links lead in a circle", "Choose another folder."),
    errno.ENOENT: ("its folder cannot be made or is gone", "Choose another folder."),
    errno.ENAMETOOLONG: ("its name is too long", "Choose a shorter one."),
}
_TO_READ = {  # what to do instead about a file to read
    errno.EACCES: "Check its permissions and those of its folder.",
    errno.EPERM: "Check its permissions and those of its folder.",
    errno.ENOTDIR: "Check the name.",
    errno.ELOOP: "Check the link.",
}


def why_not(path: Path | str, error: OSError, doing: str = "write") -> SefaError:
    """Return the error for an OSError met on `path`."""
    if doing == "read" and error.errno == errno.ENOENT:
        return not_here(path)
    if doing == "read" and error.errno == errno.EISDIR:
        return SefaError(f"{path} is a folder", "a file")
    if error.errno == errno.ENAMETOOLONG:
        path, doing = f"{path!s:.60}…", "use"
    reason, remedy = _REASONS.get(error.errno or 0, (error.strerror or str(error), ""))
    if doing == "read":
        remedy = _TO_READ.get(error.errno or 0, "")
    return SefaError(f"cannot {doing} {path}: {reason}", remedy=remedy)


def check_ordinary(path: Path | str, pipes: bool = False) -> None:
    """Raise SefaError for a device, which may have no end; also OSError.

    `pipes` are fine for who reads once, from the beginning to the end.
    """
    mode = Path(path).stat().st_mode
    if stat.S_ISFIFO(mode) and not pipes:
        raise SefaError(f"{path} is a pipe", "a file", "Save what comes through it first.")
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
        raise SefaError(f"{path} is not an ordinary file", "a file")


def open_file(path: Path | str, pipes: bool = False) -> io.BufferedReader:
    """Open a file to read. Raises as `check_ordinary` does."""
    check_ordinary(path, pipes)
    return open(path, "rb")


class Bounded(io.BufferedReader):
    """A file of a stranger: a `read` sets aside no more than there is, whatever length is forged.

    Raises OSError.
    """

    def __init__(self, path: Path | str) -> None:
        check_ordinary(path)
        super().__init__(io.FileIO(path))
        self._size = os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to `size` bytes."""
        left = max(self._size - self.tell(), 0)
        return super().read(left if size is None or size < 0 else min(size, left))


def kind_of(start: bytes) -> tuple[str, str]:
    r"""Return what a file is that begins with these bytes, at least 8, and what to do about it.

    The more of them, the better: a partial file is known by its first two arrays.

    Example:
        >>> kind_of(b"GIF89a..")[0], kind_of(b"a few words of text")[0], kind_of(bytes(9))[0]
        ('a GIF picture', 'a text file', 'a file of an unknown kind')
        >>> kind_of(b"8\0\0\0\0\0\0\0{")[0]
        'a safetensors file, such as a bundle or a checkpoint'
    """
    if start.startswith(b"key.npy", 30) and b"task.npy" in start:
        remedy = "Repeat the command that was interrupted, with resume=True."
        return LEFT, remedy
    small = start.lstrip().lower()
    for beginnings, what, remedy in _KINDS:
        if any(small.startswith(first[: max(len(small), 2)]) for first in beginnings):
            return what, remedy
    if start[7:9] == b"\0{":  # the length of its header, then the header
        return "a safetensors file, such as a bundle or a checkpoint", ""
    return ("a text file" if _is_text(start) else "a file of an unknown kind"), ""


def kind_at(path: Path | str) -> tuple[str, str]:
    """Return what the file at `path` is, and what to do about it. Raises OSError."""
    if Path(path).is_dir():
        return "a folder", ""
    with open_file(path) as file:
        start = file.read(4096)
    return kind_of(start.ljust(8, b"\0")) if start else ("empty", "Get the file again.")


def not_here(path: Path | str, remedy: str = "Check the name.") -> SefaError:
    """Return the error for a file that does not exist; an address has been taken for a path.

    Example:
        >>> str(not_here(Path("https://a.b/c.npz")))
        'https://a.b/c.npz is an address; expected a file on this machine. Download it first.'
    """
    file, _, number = str(path).rpartition(":")
    if number.isdecimal() and os.path.isfile(file):  # noqa: PTH113 (Path.is_file may raise)
        return SefaError(f"{path} does not exist", remedy=f"{file} does: leave out :{number}.")
    address = re.sub(r"^(https?|hf|ftp|s3):/+(?=[^/])", r"\1://", str(path))
    if "://" in address:
        return SefaError(f"{address} is an address", "a file on this machine", "Download it first.")
    if why := why_hidden(path):
        return why
    if os.path.lexists(path):
        return SefaError(f"{path} is a link to nothing", "a file")
    return SefaError(f"{path} does not exist", remedy=remedy)


def why_hidden(path: Path | str) -> SefaError | None:
    """Return why the system does not tell of a file, None if it is there or does not exist."""
    try:
        Path(path).stat()
    except ValueError:  # no name holds a null character
        return None
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENAMETOOLONG):
            return why_not(path, error, "read")
    return None


def check_exists(path: Path | str) -> None:
    """Raise SefaError for a file that does not exist, or may not be asked for."""
    try:
        Path(path).stat()
    except (OSError, ValueError):  # no name holds a null character
        raise not_here(path) from None


def _is_text(start: bytes) -> bool:
    try:
        text = start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:  # not a letter that the end cuts
            return False
        text = start[: error.start].decode("utf-8")
    return bool(text) and all(letter.isprintable() or letter.isspace() for letter in text)
