"""Control vectors in GGUF, as llama.cpp and repeng write them: a vector per layer, from layer 1.

The container (version 3, little-endian) holds magic, version and counts; keys with typed values;
name, axes, type and offset of each tensor; padding; the numbers. Control vectors have
`general.architecture` "controlvector" and one-dimensional tensors `direction.<layer>`.
"""

import re
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.containers.file_regions import Buffer
from sefa_cli.errors import SefaError

_HEADER = struct.Struct("<4sIQQ")
_ARCHITECTURE = "controlvector"
_ALIGNMENT = 32
_UINT32, _STRING, _ARRAY = 4, 8, 9
_NUMBERS = dict(zip((0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12), "BbHhIif?Qqd", strict=True))
# the other types are quantized
_TENSORS: dict[int, np.dtype[Any]] = {0: np.dtype("<f4"), 1: np.dtype("<f2")}
_DIRECTION = re.compile(r"direction\.([1-9][0-9]{0,4})")
_MOST = 1 << 16  # tensors or keys


@dataclass(frozen=True)
class ControlVector:
    """One direction: `rows[i]` moves layer `layers[i]`, counted from 1."""

    layers: tuple[int, ...]
    rows: NDArray[np.float64]  # (n, dim)
    hint: str  # the model it is for, in words
    name: str = ""


class _Cursor:
    """A reader of consecutive values."""

    def __init__(self, data: Buffer) -> None:
        self._data, self.at = data, 0

    def take(self, length: int) -> bytes:
        if self.at + length > len(self._data):
            raise SefaError("it is damaged: it ends early", remedy="Get the file again.")
        self.at += length
        return self._data[self.at - length : self.at]

    def number(self, code: str) -> Any:
        return struct.unpack(f"<{code}", self.take(struct.calcsize(f"<{code}")))[0]

    def text(self) -> str:
        return self.take(self.number("Q")).decode("utf-8", "replace")

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.text()
        if kind == _ARRAY:  # not needed: skipped
            kind, count = self.number("I"), self.number("Q")
            if kind == _ARRAY:
                raise SefaError("it is damaged: an array of arrays", remedy="Get the file again.")
            for _ in range(count):
                self.value(kind)
            return None
        if kind not in _NUMBERS:
            raise SefaError(f"it is damaged: a value of the unknown type {kind}")
        return self.number(_NUMBERS[kind])


def read_control_vector(data: Buffer) -> ControlVector:
    """Read a GGUF control vector. Raises SefaError for language models and damaged files."""
    cursor = _Cursor(data)
    _, version, tensors, keys = _HEADER.unpack(cursor.take(_HEADER.size))
    if version not in (2, 3):
        raise SefaError(f"it has GGUF version {version}", "version 2 or 3, little-endian")
    if max(tensors, keys) > _MOST:
        raise SefaError(f"it is damaged: it announces {max(tensors, keys):,} entries")
    facts = {}
    for _ in range(keys):
        key = cursor.text()
        facts[key] = cursor.value(cursor.number("I"))
    if facts.get("general.architecture") != _ARCHITECTURE:
        raise SefaError("it is a GGUF file of a language model", "a GGUF control vector")
    infos = [_tensor_info(cursor) for _ in range(tensors)]
    alignment = facts.get("general.alignment", _ALIGNMENT)
    if not isinstance(alignment, int) or not 0 < alignment <= 1 << 20:
        raise SefaError(f"it is damaged: an alignment of {alignment!r:.20}")
    begin = -(-cursor.at // alignment) * alignment
    rows = {layer: _row(data, begin + offset, n, kind) for layer, n, kind, offset in infos}
    if not rows or len(rows) < len(infos) or len({len(row) for row in rows.values()}) > 1:
        raise SefaError(
            "it is damaged: its directions are not one vector per layer, all of one width"
        )
    layers = tuple(sorted(rows))
    hint = str(facts.get("controlvector.model_hint", ""))
    name = str(facts.get("general.name", ""))
    return ControlVector(layers, np.array([rows[layer] for layer in layers]), hint, name)


def _tensor_info(cursor: _Cursor) -> tuple[int, int, int, int]:
    """Read layer, width, type and offset of a tensor."""
    name, axes = cursor.text(), cursor.number("I")
    match = _DIRECTION.fullmatch(name)
    if not match or axes != 1:
        raise SefaError(f"it holds a tensor {name!r:.40} with {axes} axes",
                        "vectors direction.1, direction.2, …")  # fmt: skip
    return int(match[1]), cursor.number("Q"), cursor.number("I"), cursor.number("Q")


def _row(data: Buffer, begin: int, count: int, kind: int) -> NDArray[np.float64]:
    if kind not in _TENSORS:
        raise SefaError(f"it holds quantized numbers (type {kind})", "float32 or float16")
    end = begin + count * _TENSORS[kind].itemsize
    if end > len(data):
        raise SefaError("it is damaged: it ends early", remedy="Get the file again.")
    row: NDArray[np.float64] = np.frombuffer(data[begin:end], _TENSORS[kind]).astype(np.float64)
    return row


def control_vector_bytes(vector: ControlVector) -> bytes:
    """Return a GGUF file (version 3) of a control vector; equal content gives equal bytes."""
    facts = {
        "general.architecture": _ARCHITECTURE,
        "controlvector.model_hint": vector.hint,
        "controlvector.layer_count": len(vector.layers),
    }
    if vector.name:
        facts["general.name"] = vector.name
    head, body = [_HEADER.pack(b"GGUF", 3, len(vector.layers), len(facts))], b""
    for key, value in facts.items():
        head.append(_text(key))
        if isinstance(value, int):
            head.append(struct.pack("<II", _UINT32, value))
        else:
            head.append(struct.pack("<I", _STRING) + _text(str(value)))
    for layer, row in zip(vector.layers, vector.rows, strict=True):
        head.append(_text(f"direction.{layer}") + struct.pack("<IQIQ", 1, len(row), 0, len(body)))
        body += _padded(row.astype("<f4").tobytes())
    return _padded(b"".join(head)) + body


def _text(value: str) -> bytes:
    content = value.encode()
    return struct.pack("<Q", len(content)) + content


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % _ALIGNMENT)
