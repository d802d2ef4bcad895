"""Reads safetensors files: a JSON header that says where each tensor lies, then the numbers."""

import json
import math
import mmap
import struct
from pathlib import Path
from typing import Any

from sefa_cli.containers.checkpoint import LazyTensor
from sefa_cli.containers.contents import Contents
from sefa_cli.containers.faults import damaged, unreadable
from sefa_cli.containers.file_regions import (
    FileRegion,
    Storage,
    contiguous_strides,
    itemsize,
)
from sefa_cli.containers.tensor_records import is_count

_MAX_HEADER = 8 << 20  # bytes; the format allows more, no generator needs a tenth
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
    """Whether the file begins as safetensors files do: a length, then a JSON object.

    The length's upper half is zero in every honest file; a forged one is still told from text.
    """
    length = data[: _LENGTH.size]
    text = all(32 <= byte < 127 or byte in b"\t\r\n" for byte in length)
    return data[8:9] == b"{" and (length[4:] == bytes(4) or not text)


def read_safetensors(data: mmap.mmap, path: Path) -> Contents:
    """The tensors of a safetensors file, by name. Raises SefaError for a header that lies."""
    (length,) = _LENGTH.unpack_from(data, 0)
    if length > min(_MAX_HEADER, len(data) - _LENGTH.size):
        raise damaged(f"its header claims {length:,} bytes of {len(data):,}")
    try:
        header = json.loads(
            data[_LENGTH.size : _LENGTH.size + length], object_pairs_hook=_without_repeats
        )
    except (ValueError, RecursionError) as error:
        raise damaged("its header is no JSON object with each name once") from error
    numbers = FileRegion(path, _LENGTH.size + length, len(data) - _LENGTH.size - length)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise damaged("its metadata is no object of texts")
    tensors = {name: _tensor(name, entry, numbers) for name, entry in header.items()}
    _check_cover([entry["data_offsets"] for entry in header.values()], numbers)
    return Contents(path, "safetensors", tensors, _as_tensor, metadata=metadata)


def _as_tensor(leaf: Any) -> LazyTensor | None:
    return leaf if isinstance(leaf, LazyTensor) else None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found


def _tensor(name: str, entry: Any, numbers: FileRegion) -> LazyTensor:
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise damaged(f"the header's entry {name!r:.60} is incomplete")
    shape, offsets = entry["shape"], entry["data_offsets"]
    for counts in (shape, offsets):
        if not isinstance(counts, list) or not all(is_count(count) for count in counts):
            raise damaged(f"the header's entry {name!r:.60} holds what is no count")
    dtype = DTYPES.get(str(entry["dtype"]))
    if dtype is None:
        raise unreadable(f"{name!r:.60} has the dtype {entry['dtype']!r:.20}")
    size = math.prod(shape[:32]) * itemsize(dtype)
    if len(shape) > 32 or len(offsets) != 2 or offsets[1] - offsets[0] != size:
        raise damaged(f"the header's entry {name!r:.60} has the wrong size")
    storage = Storage(numbers.part(offsets[0], size), dtype, size // itemsize(dtype))
    return storage.view(0, tuple(shape), contiguous_strides(tuple(shape)))


def _check_cover(offsets: list[list[int]], numbers: FileRegion) -> None:
    """The tensors lie side by side: no gap, no overlap, nothing behind them."""
    end = 0
    for first, last in sorted(offsets):
        if first != end:
            raise damaged("its tensors overlap or leave a gap")
        end = last
    if end != numbers.length:
        raise damaged(f"{numbers.length:,} bytes follow a header that tells of {end:,}")
