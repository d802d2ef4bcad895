"""The safetensors container of bundles and of our own models.

The safetensors library reads the numbers and checks that the tensors fill the file. Before that
this module looks at the header, because the library silently takes the last of repeated keys
and sets few limits. This module also writes the file, because the library lists the keys of the
header in an order of its own: equal content must give equal bytes, whatever the version.
"""

import math
import struct
import unicodedata
from collections.abc import Mapping, Sequence
from typing import IO, Any, NamedTuple

from safetensors import SafetensorError, deserialize

from sefa_cli.canonical import canonical_json, plain, read_json, shown
from sefa_cli.errors import SefaError
from sefa_cli.file_kinds import kind_of

MOST_HEADER = 8 * 2**20  # bytes; 500 directions with labels and measurements take about 0.1 MB
MOST_AXES = 32

BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("U8", "I8", "BOOL", "F8_E4M3", "F8_E5M2", "F8_E8M0"), 8),
    **dict.fromkeys(("F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    "F4": 4,
}


class Tensor(NamedTuple):
    """A tensor as it lies in the file: little-endian, C order."""

    dtype: str  # a key of BITS
    shape: tuple[int, ...]
    data: bytes


class Entry(NamedTuple):
    """What the header says about one tensor; its bytes are counted from the end of the header."""

    dtype: str  # a key of BITS
    shape: tuple[int, ...]
    begin: int
    end: int


def unpack(file: IO[bytes]) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Return the metadata and the tensors, by name, of a safetensors stream read to its end.

    A length is checked before memory is reserved for it. Raises SefaError for anything that the
    container section of formats/directions-v1.md forbids.
    """
    first = _taken(file, 8)
    length = _header_length(first, file)
    text = _taken(file, length)
    if len(text) < length:
        raise SefaError(f"it ends inside its header, after {len(text):,} of {length:,} bytes")
    metadata, entries = read_header(text)
    size = max((entry.end for entry in entries.values()), default=0)
    numbers = _taken(file, size + 1)
    if len(numbers) < size:
        raise SefaError(
            f"it ends after {len(numbers):,} of the {size:,} bytes of its tensors",
            remedy="The file is truncated: copy or make it again.",
        )
    if len(numbers) > size:
        raise SefaError("bytes follow its last tensor", "the end of the file")
    try:
        found = deserialize(first + text + numbers)
    except SafetensorError as error:
        raise misplaced(error) from None
    data = {unicodedata.normalize("NFC", name): bytes(tensor["data"]) for name, tensor in found}
    return metadata, {n: Tensor(e.dtype, e.shape, data[n]) for n, e in entries.items()}


def misplaced(error: Exception) -> SefaError:
    """Return the stated error for a complaint of the library: only the layout can be wrong."""
    reason = str(error).removeprefix("Error while deserializing: ")
    expected = "each tensor to begin where the one before ends"
    return SefaError(f"its header is wrong: {reason}", expected)


def _taken(file: IO[bytes], count: int) -> bytes:
    """`count` bytes, fewer at the end; memory follows the bytes that come, not the count."""
    pieces = []
    while count > 0 and (piece := file.read(min(count, 2**20))):
        count -= len(piece)
        pieces.append(piece)
    return b"".join(pieces)


def _header_length(first: bytes, file: IO[bytes]) -> int:
    if not first:
        raise SefaError("it is empty", "a direction bundle")
    if len(first) < 8:
        raise SefaError(
            f"it has only {len(first):,} of the 8 bytes that a header begins with",
            "a direction bundle",
        )
    length: int = struct.unpack("<Q", first)[0]
    if 2 <= length <= MOST_HEADER:
        return length
    what, remedy = kind_of(first + (_taken(file, 4096) if first[:2] == b"PK" else b""))
    if "unknown" not in what:
        make = "Make a bundle with: sefa factorize MODEL -o FILE.dirs"
        raise SefaError(
            f"it is {what}", "a direction bundle", make if "checkpoint" in what else remedy
        )
    if length < 2**32:
        what = f"its header claims {length:,} bytes"
        raise SefaError(f"it is damaged: {what}", f"2 to {MOST_HEADER:,}")
    raise SefaError("its header is damaged, or it is not a direction bundle")


def read_header(text: bytes) -> tuple[dict[str, str], dict[str, Entry]]:
    """Return the metadata and the entries, by name, of a header; names are in NFC.

    Whether the tensors fill the file is left to the library. Raises SefaError for everything else
    that formats/directions-v1.md forbids in a header.
    """
    if not text.startswith(b"{"):
        raise SefaError("its header does not begin with '{'", "a safetensors file")
    header = read_json(text, "the header")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise SefaError("__metadata__ must be an object of texts")
    return metadata, {name: _entry(name, entry) for name, entry in header.items()}


def _entry(name: str, entry: Any) -> Entry:
    """One checked header entry."""
    what = f"the tensor {shown(name)}"
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise SefaError(f"{what} is described by {shown(entry)}", "dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS:
        raise SefaError(f"{what} has the unknown type {shown(dtype)}")
    if not _are_counts(shape) or len(shape) > MOST_AXES:
        raise SefaError(f"{what} has the shape {shown(shape)}", f"up to {MOST_AXES} sizes")
    if not _are_counts(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise SefaError(f"{what} has the offsets {shown(offsets)}", "its begin and end in bytes")
    begin, end = offsets
    if not fits(dtype, shape, end - begin):
        raise SefaError(
            f"{what} has {end - begin:,} bytes", f"what {dtype} of shape {shown(shape)} takes"
        )
    return Entry(dtype, tuple(shape), begin, end)


def _are_counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


def fits(dtype: str, shape: Sequence[int], size: int) -> bool:
    """Return whether a tensor of this type and shape takes `size` bytes."""
    return dtype in BITS and math.prod(shape) * BITS[dtype] == size * 8


def pack(metadata: Mapping[str, str], tensors: Mapping[str, Tensor]) -> bytes:
    """Return the bytes of the file."""
    begin, order = head(metadata, {name: tensor[:2] for name, tensor in tensors.items()})
    return b"".join((begin, *(tensors[name].data for name in order)))


def head(
    metadata: Mapping[str, str], forms: Mapping[str, tuple[str, tuple[int, ...]]]
) -> tuple[bytes, list[str]]:
    """Return the bytes before the numbers of tensors `(type, shape)`, and the order of the names.

    Wide types come first, so that all numbers stay aligned; equal widths are sorted by name.
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    order = sorted(forms, key=lambda name: (-BITS[forms[name][0]], name))
    position = 0
    for name in order:
        dtype, shape = forms[name]
        offsets = [position, position + math.prod(shape) * BITS[dtype] // 8]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": offsets}
        position = offsets[1]
    text = canonical_json(plain(header, "the header")).encode("utf-8")
    text += b" " * (-len(text) % 8)
    if len(text) > MOST_HEADER:
        raise SefaError(
            f"the labels and notes take {len(text):,} bytes", f"at most {MOST_HEADER:,}"
        )
    return struct.pack("<Q", len(text)) + text, order
