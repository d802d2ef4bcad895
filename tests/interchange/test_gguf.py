"""GGUF control vectors: the published layout, and refused forgeries."""

import struct

import numpy as np
import pytest

from sefa_cli.errors import SefaError
from sefa_cli.interchange.gguf import ControlVector, control_vector_bytes, read_control_vector

VECTOR = ControlVector((1, 3), np.array([[1.0, 2.0, 3.0], [-1.0, 0.5, 0.0]]), "llama", "happy")


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def as_repeng_writes(
    architecture: str = "controlvector", kind: int = 0, axes: int = 1, version: int = 3
) -> bytes:
    """Return a container spelled out: one tensor of three numbers for layer 2."""
    head = b"GGUF" + struct.pack("<IQQ", version, 1, 4)
    head += text("general.architecture") + struct.pack("<I", 8) + text(architecture)
    head += text("controlvector.model_hint") + struct.pack("<I", 8) + text("mistral")
    head += text("controlvector.layer_count") + struct.pack("<II", 4, 1)
    head += text("tags") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("b")
    sizes = [3, *[1] * (axes - 1)]
    head += text("direction.2") + struct.pack(f"<I{axes}Q", axes, *sizes)
    head += struct.pack("<IQ", kind, 0)
    return head + bytes(-len(head) % 32) + struct.pack("<3f", 1, 2, 3)


def test_a_file_as_repeng_writes_it() -> None:
    vector = read_control_vector(as_repeng_writes())
    assert (vector.layers, vector.hint, vector.name) == ((2,), "mistral", "")
    np.testing.assert_array_equal(vector.rows, [[1, 2, 3]])


def test_what_is_written() -> None:
    data = control_vector_bytes(VECTOR)
    assert data[:24] == b"GGUF" + struct.pack("<IQQ", 3, 2, 4)
    assert text("controlvector.layer_count") + struct.pack("<II", 4, 2) in data
    assert text("direction.3") + struct.pack("<IQIQ", 1, 3, 0, 32) in data  # aligned to 32
    assert len(data) % 32 == 0
    assert data[-64:-52] == struct.pack("<3f", 1, 2, 3)
    again = read_control_vector(data)
    assert (again.layers, again.hint, again.name) == (VECTOR.layers, VECTOR.hint, VECTOR.name)
    np.testing.assert_array_equal(again.rows, VECTOR.rows)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (as_repeng_writes(architecture="llama"), "language model"),
        (as_repeng_writes(kind=2), "quantized"),
        (as_repeng_writes(axes=2), "with 2 axes"),
        (as_repeng_writes(version=1), "version 1"),
        (as_repeng_writes().replace(b"direction.2", b"direction.0"), "'direction.0'"),
        (as_repeng_writes()[:-1], "ends early"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 40, 0), "announces"),
        (b"GGUF", "ends early"),
    ],
)
def test_what_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(SefaError, match=words):
        read_control_vector(data)


def test_every_cut_is_refused() -> None:
    data = control_vector_bytes(VECTOR)
    for length in range(4, len(data) - 20):  # the last row is padded
        with pytest.raises(SefaError):
            read_control_vector(data[:length])
