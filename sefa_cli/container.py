"""The safetensors container, read with suspicion and written in one way only.

Written here and not left to the safetensors library, for it takes the last of repeated header
keys without a word, lists several metadata keys in random order, and orders tensors by an
internal table of types that changes between its versions. The container is an 8-byte length, a
JSON header and the numbers; the tests hold that the library reads what is written here.
"""

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, NamedTuple

from sefa_cli.canonical import canonical_json, plain, read_json, shown
from sefa_cli.errors import SefaError

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


class _Slot(NamedTuple):
    """Where the header says that a tensor lies: bytes `begin` to `end` after the header."""

    begin: int
    end: int
    name: str
    dtype: str
    shape: tuple[int, ...]


def unpack(file: IO[bytes]) -> tuple[dict[str, str], dict[str, Tensor]]:
    """The metadata and the tensors, by name, of a safetensors stream read to its end.

    Nothing is believed before it was checked, so a wrong length never costs memory. Raises
    SefaError for whatever the container section of formats/directions-v1.md forbids.
    """
    length = _header_length(file)
    text = b"".join(_chunks(file, length))
    if len(text) < length:
        raise SefaError(f"it ends inside its header, after {len(text)} of {length} bytes")
    if not text.startswith(b"{"):
        raise SefaError("its header does not begin with '{'", "a safetensors file")
    header = read_json(text, "the header")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise SefaError("__metadata__ is not an object of texts")
    slots = sorted(_slot(name, entry) for name, entry in header.items())
    _check_layout(slots)
    tensors = {}
    for slot in slots:
        data = b"".join(_chunks(file, slot.end - slot.begin))
        if len(data) < slot.end - slot.begin:
            raise SefaError(
                f"it ends inside the tensor {shown(slot.name)}",
                f"{slots[-1].end:,} bytes after the header",
                "The file is truncated: copy or make it again.",
            )
        tensors[slot.name] = Tensor(slot.dtype, slot.shape, data)
    if file.read(1):
        raise SefaError("bytes follow its last tensor", "the end of the file")
    return metadata, tensors


def _header_length(file: IO[bytes]) -> int:
    first = b"".join(_chunks(file, 8))
    if not first:
        raise SefaError("it is empty", "a direction bundle")
    if len(first) < 8:
        raise SefaError(f"it has only {len(first)} bytes", "a direction bundle")
    length: int = struct.unpack("<Q", first)[0]
    if not 2 <= length <= MOST_HEADER:
        raise SefaError(
            "it is damaged, or no direction bundle: "
            f"its first 8 bytes announce a header of {length:,} bytes",
            f"2 to {MOST_HEADER:,}",
        )
    return length


def _chunks(file: IO[bytes], count: int) -> Iterator[bytes]:
    """Up to `count` bytes in pieces, so that memory follows what is there, not what is claimed."""
    while count > 0 and (piece := file.read(min(count, 2**20))):
        count -= len(piece)
        yield piece


def _slot(name: str, entry: Any) -> _Slot:
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
    return _Slot(begin, end, name, dtype, tuple(shape))


def fits(dtype: str, shape: Sequence[int], size: int) -> bool:
    """Whether a tensor of this type and shape takes `size` bytes."""
    return dtype in BITS and math.prod(shape) * BITS[dtype] == size * 8


def _are_counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


def _check_layout(slots: list[_Slot]) -> None:
    """The tensors lie one behind the other, with no overlap and no hole."""
    position = 0
    for slot in slots:
        if slot.begin != position:
            fault = "overlaps the one before" if slot.begin < position else "leaves a hole before"
            raise SefaError(
                f"the tensor {shown(slot.name)} at byte {slot.begin} {fault}", f"byte {position}"
            )
        position = slot.end


def pack(metadata: Mapping[str, str], tensors: Mapping[str, Tensor]) -> bytes:
    """The file's bytes."""
    begin, order = head(metadata, {name: tensor[:2] for name, tensor in tensors.items()})
    return b"".join((begin, *(tensors[name].data for name in order)))


def head(
    metadata: Mapping[str, str], forms: Mapping[str, tuple[str, tuple[int, ...]]]
) -> tuple[bytes, list[str]]:
    """What precedes the numbers of tensors of these types and shapes, and their order.

    Wide types come first, so that all stay aligned, then names in their own order.
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
