"""The safetensors container: literal bytes, and agreement with the safetensors library."""

import io
import json
import random
import struct
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.rules import TENSORS
from sefa_cli.container import BITS, MOST_HEADER, Tensor, fits, pack, unpack
from sefa_cli.errors import SefaError
from tests.helpers import FORMATS

SEVEN = Tensor("I64", (1,), b"\7\0\0\0\0\0\0\0")


def header_of(data: bytes) -> bytes:
    return data[8 : 8 + struct.unpack("<Q", data[:8])[0]]


def test_literal_bytes() -> None:
    """Wide types first, keys sorted, no spaces but the padding at the header's end."""
    tensors = {"a": Tensor("U8", (2,), b"\1\2"), "bc": SEVEN}
    literal = (
        b"\x90\0\0\0\0\0\0\0"
        b'{"__metadata__":{"sefa":"{}"},"a":{"data_offsets":[8,10],"dtype":"U8","shape":[2]},'
        b'"bc":{"data_offsets":[0,8],"dtype":"I64","shape":[1]}}       '
        b"\7\0\0\0\0\0\0\0\1\2"
    )
    assert pack({"sefa": "{}"}, tensors) == literal
    assert pack({"sefa": "{}"}, dict(reversed(tensors.items()))) == literal
    assert unpack(io.BytesIO(literal)) == ({"sefa": "{}"}, tensors)


def test_the_library_reads_what_is_written(tmp_path: Path) -> None:
    arrays = {
        "f8": np.arange(3, dtype="<f8"),
        "f4": np.arange(6, dtype="<f4").reshape(2, 3),
        "i8": np.array(-5),
        "u1": np.zeros((0, 4), np.uint8),
    }
    types = {"f8": "F64", "f4": "F32", "i8": "I64", "u1": "U8"}
    tensors = {n: Tensor(types[n], a.shape, a.tobytes()) for n, a in arrays.items()}
    (tmp_path / "a").write_bytes(pack({"sefa": 'ä "\n'}, tensors))
    with safetensors.safe_open(tmp_path / "a", "np") as file:
        assert file.metadata() == {"sefa": 'ä "\n'}
        for name, array in arrays.items():
            np.testing.assert_array_equal(file.get_tensor(name), array)


def test_what_the_library_writes_is_read() -> None:
    arrays: dict[str, np.ndarray] = {"b": np.arange(4, dtype=np.float16), "a": np.eye(2)}
    metadata, tensors = unpack(io.BytesIO(safetensors.numpy.save(arrays, {"k": "v"})))
    assert metadata == {"k": "v"}
    assert tensors["a"] == Tensor("F64", (2, 2), arrays["a"].tobytes())
    assert tensors["b"] == Tensor("F16", (4,), arrays["b"].tobytes())


@pytest.mark.parametrize("path", sorted(FORMATS.glob("golden/*.dirs")), ids=lambda path: path.name)
def test_the_library_reads_the_same_in_a_bundle_written_here(path: Path) -> None:
    bundle = Bundle.load(path)
    found = dict(safetensors.deserialize(bundle.to_bytes()))
    arrays = {name: getattr(bundle, name) for name in TENSORS}
    expected = {
        name: (TENSORS[name].dtype, list(array.shape), array.tobytes())
        for name, array in arrays.items()
        if array is not None
    }
    for name, (dtype, shape, data) in bundle.private.items():
        expected[name] = dtype, list(shape), data
    assert expected == {name: (t["dtype"], t["shape"], t["data"]) for name, t in found.items()}


def test_the_library_would_write_other_bytes() -> None:
    """The reason for a writer of our own: equal content would not give equal bytes."""
    arrays: dict[str, np.ndarray] = {"b": np.zeros(1), "a": np.zeros(2, np.float32)}
    written = safetensors.numpy.save(arrays, {"sefa": "{}"})
    metadata, tensors = unpack(io.BytesIO(written))
    assert header_of(pack(metadata, tensors)) != header_of(written)


@pytest.mark.parametrize(
    "begins", [(0, 16), (0, 0), (0, 4), (8, 16)], ids=["hole", "same", "overlap", "first not at 0"]
)
def test_the_layout_is_checked_by_the_library(begins: tuple[int, int]) -> None:
    header = {
        name: {"dtype": "I64", "shape": [1], "data_offsets": [begin, begin + 8]}
        for name, begin in zip("ab", begins, strict=True)
    }
    text = json.dumps(header).encode()
    end = max(begins) + 8
    with pytest.raises(SefaError, match="to begin where the one before ends"):
        unpack(io.BytesIO(struct.pack("<Q", len(text)) + text + bytes(end)))


@pytest.mark.parametrize("dtype", BITS)
def test_the_library_knows_the_same_types(dtype: str) -> None:
    entry = {"dtype": dtype, "shape": [8], "data_offsets": [0, BITS[dtype]]}
    header = json.dumps({"x": entry}).encode()
    data = struct.pack("<Q", len(header)) + header + bytes(BITS[dtype])
    assert dict(safetensors.deserialize(data))["x"]["shape"] == [8]
    assert unpack(io.BytesIO(data))[1]["x"] == Tensor(dtype, (8,), bytes(BITS[dtype]))


def test_a_repeated_key_is_refused_where_the_library_takes_the_last() -> None:
    """The reason for a look at the header before the library reads it."""
    header = b'{"__metadata__":{"sefa":"1","sefa":"2"}}'
    data = struct.pack("<Q", len(header)) + header
    assert not safetensors.deserialize(data)
    with pytest.raises(SefaError, match="'sefa' twice"):
        unpack(io.BytesIO(data))


def test_every_truncation_is_refused() -> None:
    data = pack({"sefa": "{}"}, {"x.a": SEVEN, "x.b": SEVEN})
    for length in range(len(data)):
        with pytest.raises(SefaError):
            unpack(io.BytesIO(data[:length]))


class Trickle(io.RawIOBase):
    """A pipe that gives a few bytes at a time and has no size."""

    def __init__(self, data: bytes) -> None:
        self.data, self.rng = io.BytesIO(data), random.Random(0)

    def read(self, size: int = -1) -> bytes:
        return self.data.read(min(size, self.rng.randint(1, 7)))


def test_a_pipe_may_give_little_at_a_time() -> None:
    data = pack({"sefa": "{}"}, {"x.a": SEVEN})
    assert unpack(Trickle(data)) == ({"sefa": "{}"}, {"x.a": SEVEN})  # type: ignore[arg-type]


def test_the_header_has_a_limit_for_writers_too() -> None:
    small = {"sefa": "x" * (MOST_HEADER - 40)}
    assert unpack(io.BytesIO(pack(small, {}))) == (small, {})
    with pytest.raises(SefaError, match="at most 8,388,608"):
        pack({"sefa": "x" * MOST_HEADER}, {})


@pytest.mark.slow
def test_a_wide_header_ends_in_one_line() -> None:
    """1 MiB of the smallest values, which takes more memory than it has bytes."""
    header = b'{"x":[' + b"[]," * 2**18 + b"0]}"
    header += b" " * (-len(header) % 8)
    with pytest.raises(SefaError, match="the tensor 'x' is described by") as caught:
        unpack(io.BytesIO(struct.pack("<Q", len(header)) + header))
    assert len(str(caught.value)) < 200


def test_sub_byte_types_must_fill_their_bytes() -> None:
    assert fits("F4", (4,), 2) and fits("F6_E2M3", (4,), 3)
    assert not fits("F4", (3,), 2) and not fits("F4", (3,), 1)
    assert not fits("F128", (1,), 16)


def test_names_are_written_in_nfc() -> None:
    data = pack({}, {"x.e\u0301": SEVEN})
    assert '"x.é"'.encode() in header_of(data)


@pytest.mark.parametrize(
    ("begin", "what"),
    [
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"\xff\xd8\xff\xe0\x00\x10JF", "a JPEG picture"),
        (b"PK\x03\x04\x00\x00\x00\x00", "a zip archive, such as a torch checkpoint"),
        (b"\x80\x02]q\x00(U\x05", "a pickle, such as a checkpoint"),
        (b"<!DOCTYPE html>", "a web page: the download failed"),
        (b"\x93NUMPY\x01\x00", "a numpy array"),
        (b"just some words", "a text file"),
    ],
)
def test_other_files_are_called_by_their_kind(begin: bytes, what: str) -> None:
    with pytest.raises(SefaError, match=f"^it is {what}.*expected a direction bundle"):
        unpack(io.BytesIO(begin + bytes(100)))


@pytest.mark.parametrize(("length", "found"), [(2**24, "claims 16,777,216"), (2**60, "not a dir")])
def test_a_header_of_a_wrong_length_is_refused(length: int, found: str) -> None:
    with pytest.raises(SefaError, match=found):
        unpack(io.BytesIO(length.to_bytes(8, "little") + bytes(100)))


def test_a_header_length_that_begins_like_a_pickle_is_read() -> None:
    padded = b"{}".ljust(0x280)  # 80 02 00 …, as pickles of protocol 2 begin
    assert unpack(io.BytesIO(len(padded).to_bytes(8, "little") + padded)) == ({}, {})
