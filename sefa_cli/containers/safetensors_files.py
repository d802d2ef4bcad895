"""Read safetensors files with the safetensors library, after a strict look at the header."""

import mmap
import struct
import unicodedata
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from sefa_cli.container import MOST_HEADER, Entry, misplaced, read_header
from sefa_cli.containers.checkpoint import LazyTensor
from sefa_cli.containers.contents import Contents
from sefa_cli.containers.faults import damaged, unreadable
from sefa_cli.containers.file_regions import FileRegion, Storage, contiguous_strides
from sefa_cli.errors import SefaError

_LENGTH = struct.Struct("<Q")
DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}


def is_safetensors(data: mmap.mmap) -> bool:
    """Return whether the file begins as safetensors files do: a length, then a JSON object.

    The upper half of an honest length is zero; a forged length still differs from text.
    """
    length = data[: _LENGTH.size]
    text = all(32 <= byte < 127 or byte in b"\t\r\n" for byte in length)
    return data[8:9] == b"{" and (length[4:] == bytes(4) or not text)


def read_safetensors(data: mmap.mmap, path: Path) -> Contents:
    """Return the tensors of a safetensors file by name; their numbers are read when needed.

    Raises SefaError for a header that contradicts the file or repeats a name.
    """
    (length,) = _LENGTH.unpack_from(data, 0)
    if length > min(MOST_HEADER, len(data) - _LENGTH.size):
        raise damaged(f"its header claims {length:,} bytes of {len(data):,}")
    begin = _LENGTH.size + length
    try:
        metadata, entries = read_header(data[_LENGTH.size : begin])
        # "pread", not a mapping: a file that shrinks while it is read would kill the process.
        file = safe_open(path, "np", backend="pread")
    except SefaError as error:
        raise damaged(str(error)) from error
    except SafetensorError as error:
        raise damaged(str(misplaced(error))) from error
    names = {unicodedata.normalize("NFC", name): name for name in file.offset_keys()}
    tensors = {}
    for name, entry in entries.items():
        if entry.dtype not in DTYPES:
            raise unreadable(f"{name!r:.60} has the dtype {entry.dtype!r}")
        if entry.dtype == "BF16":
            tensors[name] = _bfloat16(path, begin, entry)
        else:
            tensors[name] = _tensor(file, names.get(name, name), entry, path)
    return Contents(path, "safetensors", tensors, _as_tensor, metadata=metadata)


def _as_tensor(leaf: Any) -> LazyTensor | None:
    return leaf if isinstance(leaf, LazyTensor) else None


def _tensor(file: safe_open, name: str, entry: Entry, path: Path) -> LazyTensor:
    def read() -> NDArray[Any]:
        try:
            numbers: NDArray[Any] = file.get_tensor(name).reshape(entry.shape)
        except (SafetensorError, OSError, ValueError) as error:
            cut = damaged("it ends early, or it changed while it was read")
            raise cut.named(str(path)) from error  # long after the file was opened
        return numbers

    return LazyTensor(entry.shape, DTYPES[entry.dtype], read)


def _bfloat16(path: Path, begin: int, entry: Entry) -> LazyTensor:
    """Return a bfloat16 tensor, read without the library: numpy has no such type, so it raises."""
    numbers = FileRegion(path, begin + entry.begin, entry.end - entry.begin)
    storage = Storage(numbers, "bfloat16", numbers.length // 2)
    return storage.view(0, entry.shape, contiguous_strides(entry.shape))
