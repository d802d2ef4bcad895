"""Safetensors files, compared with the format's own library, and headers that lie."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from sefa_cli.containers.contents import Contents
from sefa_cli.containers.file_regions import mapped
from sefa_cli.containers.safetensors_files import is_safetensors, read_safetensors
from sefa_cli.errors import SefaError


def read(path: Path) -> Contents:
    with mapped(path) as data:
        assert is_safetensors(data)
        return read_safetensors(data, path)


def test_every_dtype_reads_as_the_library_wrote_it(tmp_path):
    path = tmp_path / "x.safetensors"
    kinds = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32]
    kinds += [torch.int16, torch.int8, torch.uint8, torch.bool]
    tensors = {str(kind): torch.arange(-3, 9).reshape(3, 4).to(kind) for kind in kinds}
    tensors |= {"scalar": torch.tensor(2.5), "empty": torch.zeros(0, 3)}
    save_file(tensors, path, metadata={"meta": "text"})
    found = read(path).tree
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        expected = (tensor.float() if tensor.dtype is torch.bfloat16 else tensor).numpy()
        assert np.array_equal(found[name].numpy(), expected)
        assert found[name].numpy().dtype == expected.dtype


def test_only_what_is_asked_for_is_read(tmp_path):
    """Of a file of 64 GiB, nearly all of it a hole that takes no room on the disk."""
    large = 1 << 34  # numbers
    header = {"a": entry(), "b": entry(shape=[large], offsets=[8, 8 + 4 * large])}
    path = write(tmp_path / "x.safetensors", header, np.array([1, 2], "<f4").tobytes())
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size + 4 * large)
    found = read(path).tree
    assert found["b"].shape == (large,)
    assert found["a"].numpy().tolist() == [1, 2]


def test_a_file_that_shrinks_meanwhile_is_told(tmp_path):
    """No signal ends the process, as one would for a file that is mapped into memory."""
    path = tmp_path / "x.safetensors"
    save_file({"a": torch.ones(5000), "b": torch.ones(5000).bfloat16()}, path)
    found = read(path).tree
    with open(path, "r+b") as file:
        file.truncate(1000)
    for name in ("a", "b"):
        with pytest.raises(SefaError, match=r"x\.safetensors is damaged: it ends early"):
            found[name].numpy()


def test_a_name_is_found_however_it_is_spelled(tmp_path):
    """Names are in NFC here; the file keeps its own spelling."""
    path = tmp_path / "x.safetensors"
    save_file({"e\u0301": torch.ones(2)}, path)
    assert read(path).tree["\u00e9"].numpy().tolist() == [1, 1]


def write(path: Path, header: object, numbers: bytes = bytes(8), length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + numbers)
    return path


def entry(dtype: object = "F32", shape: object = (2,), offsets: object = (0, 8)) -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


HEADERS = {
    "no JSON": b"{nonsense",
    "a name twice": b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":1}',
    "nested too deeply": b'{"a":' + b"[" * 200_000,
    "entry is a number": {"a": 1},
    "entry is short": {"a": {"dtype": "F32"}},
    "unknown dtype": {"a": entry("F4")},
    "dtype is a list": {"a": entry(["F32"])},
    "shape is a number": {"a": entry(shape=2)},
    "shape below zero": {"a": entry(shape=[-2])},
    "shape of texts": {"a": entry(shape=["2"])},
    "shape of truths": {"a": entry(shape=[True, 2])},
    "shape absurd": {"a": entry(shape=[1 << 62, 1 << 62])},
    "shape beyond 64 bits": {"a": entry(shape=[1 << 70])},
    "too many axes": {"a": entry(shape=[1] * 40 + [2])},
    "offsets are three": {"a": entry(offsets=[0, 4, 8])},
    "offsets turn back": {"a": entry(offsets=[8, 0])},
    "offsets beyond": {"a": entry(offsets=[8, 16])},
    "size is wrong": {"a": entry(shape=[3])},
    "a gap": {"a": entry(shape=[1], offsets=[4, 8])},
    "an overlap": {"a": entry(), "b": entry()},
    "numbers left over": {"a": entry(shape=[1], offsets=[0, 4])},
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_headers_that_lie_are_refused(tmp_path, header):
    with pytest.raises(SefaError, match=r"^(is damaged|cannot be read)") as refused:
        read(write(tmp_path / "x.safetensors", header))
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 300


@pytest.mark.parametrize("length", [11, 1 << 31, 1 << 63, (1 << 64) - 1])
def test_lengths_that_lie_are_refused(tmp_path, length):
    with pytest.raises(SefaError, match="header claims"):
        read(write(tmp_path / "x.safetensors", b"{}", length=length))


def test_every_truncation_is_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    save_file({"a": torch.ones(5), "b": torch.ones(3, 3)}, path)
    whole = path.read_bytes()
    for length in range(9, len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(SefaError):
            read(path)


def test_a_header_whose_length_begins_like_a_pickle(tmp_path):
    """0x0280 = 640 bytes of header: the file begins with the mark of pickle protocol 2."""
    header = json.dumps({"a": entry()}).encode().ljust(0x0280)
    path = write(tmp_path / "x.safetensors", header)
    assert path.read_bytes()[:2] == b"\x80\x02"
    assert read(path).tree["a"].shape == (2,)


@pytest.mark.parametrize(
    "start", [b"{ 'json': {}}", b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00{"]
)
def test_json_and_pickles_are_no_safetensors(tmp_path, start):
    path = tmp_path / "x"
    path.write_bytes(start + bytes(20))
    with mapped(path) as data:
        assert not is_safetensors(data)
