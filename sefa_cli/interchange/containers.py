"""Open other tools' files by their first bytes: numpy, torch, pickle, GGUF. Nothing is run."""

import mmap
import struct
import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.containers.contents import Contents
from sefa_cli.containers.faults import naming
from sefa_cli.containers.file_regions import mapped
from sefa_cli.containers.torch_legacy import read_plain_pickle
from sefa_cli.containers.torch_zip import MAGIC, is_torch_zip, read_torch_zip
from sefa_cli.errors import SefaError
from sefa_cli.file_kinds import LEFT, check_ordinary, kind_of, not_here, why_not
from sefa_cli.interchange.gguf import ControlVector, read_control_vector

_NPY = b"\x93NUMPY"
_PICKLE = b"\x80"
_LARGEST = 1 << 30  # bytes of one array in an archive; direction sets need a thousandth
BROKEN = (  # what numpy, zipfile and zlib raise for damaged files; numpy reads headers as Python
    OSError, ValueError, EOFError, RuntimeError, KeyError, OverflowError, MemoryError, TypeError,
    SyntaxError, tokenize.TokenError, struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Archive:
    """The arrays of an `.npz`, read on demand."""

    path: Path
    names: tuple[str, ...]

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array, from its header alone."""
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(f"{name}.npy") as file:
                major, _ = np.lib.format.read_magic(file)
                header = "read_array_header_1_0" if major == 1 else "read_array_header_2_0"
                return tuple(getattr(np.lib.format, header)(file)[0])
        except BROKEN as error:
            raise _unread(f"the array {name!r}", error) from error

    def get(self, name: str) -> NDArray[Any] | None:
        """Return the array of that name, or None."""
        return self[name] if name in self.names else None

    def __getitem__(self, name: str) -> NDArray[Any]:
        try:
            with zipfile.ZipFile(self.path) as archive:
                if archive.getinfo(f"{name}.npy").file_size > _LARGEST:
                    raise SefaError(f"the array {name!r} is larger than 1 GiB")
            with np.load(self.path, allow_pickle=False) as arrays:
                return np.asarray(arrays[name])
        except BROKEN as error:
            raise _unread(f"the array {name!r}", error) from error


Opened = NDArray[Any] | Archive | Contents | ControlVector


def opened(path: Path) -> Opened:
    """Return the content of a file; torch tensors are not read yet.

    Raises SefaError for a file that is missing, damaged, made of Python objects or of an unknown
    kind. The message names the file only if it cannot be opened.
    """
    try:
        check_ordinary(path)
        if path.is_dir():
            raise SefaError("it is a folder", "a file")
        if path.stat().st_size == 0:
            raise SefaError("it is empty", remedy="Get the file again.")
        with naming(path), mapped(path) as data:
            return _opened(data, path)
    except FileNotFoundError:
        raise not_here(path) from None
    except OSError as error:
        raise why_not(path, error, "read") from error


def _opened(data: mmap.mmap, path: Path) -> Opened:
    if data[:6] == _NPY:
        return _array(path)
    if data[:4] == b"GGUF":
        return read_control_vector(data)
    if data[:4] == MAGIC:
        kind, remedy = kind_of(data[:4096])
        if kind == LEFT:
            raise SefaError(f"{path} is {kind}", "a file that is done", remedy)
        return read_torch_zip(data, path) if is_torch_zip(data, path) else _archive(path)
    if data[8:9] == b"{" and b"sefa-directions" in data[:65536]:
        raise SefaError("it is already a sefa bundle", remedy="Use it as it is.")
    if data[:1] == _PICKLE:
        return read_plain_pickle(data, path)
    try:
        return read_plain_pickle(data, path)  # protocols 0 and 1 have no mark
    except SefaError:
        kind, remedy = kind_of(data[:4096])
        raise SefaError(f"it is {kind}", "a .npy, .npz, .pt or .gguf file", remedy) from None


def _array(path: Path) -> NDArray[Any]:
    """Return the array of an `.npy`, mapped: a forged shape reserves no memory."""
    try:
        return np.array(np.load(path, mmap_mode="r", allow_pickle=False))
    except BROKEN as error:
        raise _unread("the array", error) from error


def _archive(path: Path) -> Archive:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except BROKEN as error:
        raise _unread("the archive", error) from error
    if names and not any(name.endswith(".npy") for name in names):
        raise SefaError(f"it is a zip archive without arrays; it holds {names[0]!r:.60}")
    return Archive(path, tuple(name.removesuffix(".npy") for name in names))


def _unread(what: str, error: Exception) -> SefaError:
    if "pickle" in str(error) or "Python objects" in str(error):
        return SefaError(
            f"{what} holds Python objects, which could run code",
            "plain numbers",
            "Save it again as an array of numbers.",
        )
    return SefaError(f"{what} cannot be read: it is damaged or cut off")
