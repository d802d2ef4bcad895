"""Hostile files whose container or text is at fault."""

import struct
from collections.abc import Iterator
from typing import Any

from packing import base, entry, file, header_text, layout, metadata_text, pack, tensor, text

Case = tuple[str, str, str, bytes]  # name, reason, a word of the message, bytes


def no_bundles() -> Iterator[Case]:
    """Files that are something else, or only a part."""
    whole = file(base())
    size = struct.unpack("<Q", whole[:8])[0]
    page = b"<!DOCTYPE html><html><body><h1>404 Not Found</h1></body></html>\n"
    yield "empty", "the file is empty", "empty", b""
    yield "four-bytes", "too short to hold a length", "bytes", whole[:4]
    yield "text", "a text file", "bundle", b"0.5 0.5 0.5 0.5\n" * 8
    yield "page", "an error page saved under the bundle's name", "bundle", page
    yield "pickle", "a pickle that would run a command", "bundle", b"cos\nsystem\n(S'false'\ntR."
    yield "length-only", "nothing after the length", "header", whole[:8]
    yield "cut-in-header", "truncated inside the header", "header", whole[: 8 + size // 2]
    yield "cut-in-data", "truncated inside the numbers", "ends", whole[:-1]
    yield "cut-before-data", "the numbers are missing", "ends", whole[: 8 + size]
    yield "trailing", "bytes follow the last tensor", "follow", whole + b"\0"


def containers() -> Iterator[Case]:
    """Faults of the safetensors container."""
    _, data = layout(base())
    for power, word in ((31, "header"), (63, "bundle")):
        name = f"header-2-{power}"
        yield name, f"a header of 2^{power} bytes", word, pack("{}", length=2**power)
    yield "header-empty", "a header of 0 bytes", "header", pack("", data)
    yield "header-cut-json", "the header is not JSON", "JSON", pack('{"layers":', data)
    yield "header-latin1", "the header is not UTF-8", "UTF-8", pack(b'{"caf\xe9":{}}', data)
    yield "header-list", "the header is a list", "{", pack("[1,2,3]", data)
    yield "header-space", "the header does not begin with {", "{", pack(" {}", data)
    bomb = '{"a":' * 10_000 + "1" + "}" * 10_000
    yield "header-bomb", "a header nested 10,000 levels deep", "nested", pack(bomb, data)
    twice = header_text('"layers":', '"layers":{"dtype":"I64"},"layers":')
    yield "header-tensor-twice", "a tensor is described twice", "twice", twice
    twice = header_text('"__metadata__":{', '"__metadata__":{"sefa":"{}",')
    yield "header-sefa-twice", "two metadata keys 'sefa'", "twice", twice
    surrogate = header_text("tiny.pkl", "\\ud800")
    yield "header-surrogate", "a lone surrogate in the header", "surrogate", surrogate
    yield "entry-no-dtype", "a tensor without a type", "dtype", entry("layers", dtype=None)
    yield "entry-more", "a tensor entry with a key too many", "dtype", entry("layers", extra=1)
    yield "entry-list", "a tensor entry that is a list", "dtype", _entry_list()
    yield "dtype-unknown", "a type that safetensors lacks", "type", entry("layers", dtype="I128")
    yield "dtype-number", "a type that is not text", "type", entry("layers", dtype=64)
    yield "shape-negative", "a negative size", "shape", entry("layers", shape=[-3])
    yield "shape-float", "a size with a fraction", "shape", entry("layers", shape=[1.5, 2])
    yield "shape-huge", "a shape of 2^120 numbers", "bytes", entry("layers", shape=[2**40] * 3)
    yield "shape-axes", "33 axes", "shape", entry("layers", shape=[3] + [1] * 32)
    for name, offsets, reason in (
        ("reversed", [24, 0], "offsets that run backwards"),
        ("negative", [-8, 16], "a negative offset"),
        ("one", [24], "one offset instead of two"),
        ("text", ["0", "24"], "offsets that are texts"),
    ):
        yield f"offsets-{name}", reason, "offsets", entry("layers", data_offsets=offsets)
    zero = header_text('"data_offsets":[0,', '"data_offsets":[-0,')
    yield "offsets-minus-zero", "an offset spelled -0", "-0", zero
    overlap = entry("layers", data_offsets=[8, 32])
    yield "offsets-overlap", "two tensors overlap", "layers", overlap
    hole = pack(text(_moved(layout(base())[0], 8)), data + bytes(8))
    yield "offsets-hole", "unused bytes between tensors", "directions", hole
    far = tensor("F32", [2**38, 4], [])
    yield "offsets-outside", "a tensor of 4 TiB in a file of 1 KiB", "ends", _claimed(far)
    yield "offsets-2-53", "an offset of 2^53", "2^53", entry("layers", data_offsets=[0, 2**53])


def _entry_list() -> bytes:
    header, data = layout(base())
    header["layers"] = ["I64", [3], [16, 40]]
    return pack(text(header), data)


def _moved(header: dict[str, Any], by: int) -> dict[str, Any]:
    header["directions"]["data_offsets"] = [n + by for n in header["directions"]["data_offsets"]]
    return header


def _claimed(entry: dict[str, Any]) -> bytes:
    """The base file, whose last tensor claims to be as large as `entry` says."""
    header, data = layout(base())
    begin = header["directions"]["data_offsets"][0]
    size = 4 * entry["shape"][0] * entry["shape"][1]
    header["directions"] |= {"shape": entry["shape"], "data_offsets": [begin, begin + size]}
    return pack(text(header), data)


def texts() -> Iterator[Case]:
    """Faults of the metadata's text."""
    header, data = layout(base())
    tensors_only = {name: value for name, value in header.items() if name != "__metadata__"}
    other = tensors_only | {"__metadata__": {"format": "pt"}}
    more = tensors_only | {"__metadata__": header["__metadata__"] | {"format": "pt"}}
    unquoted = tensors_only | {"__metadata__": {"sefa": base()["metadata"]}}
    yield "no-metadata", "the metadata are missing", "sefa", pack(text(tensors_only), data)
    yield "no-sefa", "the metadata key 'sefa' is missing", "sefa", pack(text(other), data)
    yield "more-keys", "a metadata key beside 'sefa'", "format", pack(text(more), data)
    yield "not-text", "the metadata are an object, not text", "text", pack(text(unquoted), data)
    change = metadata_text
    yield "no-json", "the metadata are not JSON", "JSON", change('"space":"w",', '"space":w,')
    yield "not-object", "the metadata are a list", "metadata", _only_metadata("[]")
    yield "bare-number", "the metadata are a number", "metadata", _only_metadata("1")
    yield "twice", "a metadata key twice", "twice", change('"space":', '"space":"z","space":')
    yield "twice-deep", "a parameter twice", "twice", change('"num":', '"num":1,"num":')
    decomposed = change('"params":{', '"params":{"é":1,"e\u0301":2,')
    yield "twice-nfc", "two keys that are one in NFC", "twice", decomposed
    nested = change('"num":2', '"num":' + "[" * 10_000 + "]" * 10_000)
    yield "bomb", "metadata nested 10,000 levels deep", "nested", nested
    nested = change('"num":2', '"num":' + "[" * 31 + "]" * 31)
    yield "nested-33", "33 levels, one more than allowed", "nested", nested
    for name in ("NaN", "Infinity", "-Infinity", "1e999"):
        reason = f"{name} among the parameters"
        word = "NaN" if name == "NaN" else "inf"
        yield f"number-{name.lower()}", reason, word, change('"num":2', f'"num":{name}')
    big = change('"num":2', f'"num":{2**53}')
    yield "integer-2-53", "the integer 2^53", "2^53", big
    huge = change('"num":2', '"num":' + "9" * 5000)
    yield "integer-huge", "an integer of 5,000 digits", "2^53", huge
    surrogate = change('"smile"', '"\\ud800"')
    yield "surrogate", "a label with a lone surrogate", "surrogate", surrogate


def _only_metadata(spelled: str) -> bytes:
    header, data = layout(base())
    header["__metadata__"]["sefa"] = spelled
    return pack(text(header), data)
