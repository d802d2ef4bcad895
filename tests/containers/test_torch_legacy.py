"""What torch.save wrote before 1.6, and plain pickles that hold such streams."""

import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from sefa_cli.containers.contents import Contents
from sefa_cli.containers.file_regions import FileRegion, mapped
from sefa_cli.containers.torch_legacy import read_plain_pickle
from sefa_cli.errors import SefaError

TENSORS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.arange(1000, dtype=torch.float16)}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "saved.pt"
    torch.save(TENSORS, path, _use_new_zipfile_serialization=False)
    return path


@pytest.fixture
def pickled(tmp_path: Path) -> Path:
    path = tmp_path / "pickled.pkl"
    path.write_bytes(pickle.dumps(TENSORS, 4))
    return path


def read(path: Path) -> tuple[Contents, dict[str, np.ndarray]]:
    with mapped(path) as data:
        contents = read_plain_pickle(data, path)
        tensors = {name: contents.tensor(leaf) for name, leaf in contents.tree.items()}
    return contents, {name: tensor.numpy() for name, tensor in tensors.items() if tensor}


def test_legacy_files(saved):
    contents, found = read(saved)
    assert contents.container == "torch legacy"
    for name, tensor in TENSORS.items():
        assert np.array_equal(found[name], tensor.numpy())


@pytest.mark.parametrize("protocol", range(6))
def test_nested_streams(tmp_path, protocol):
    path = tmp_path / "pickled.pkl"
    path.write_bytes(pickle.dumps({**TENSORS, "again": TENSORS["a"].t()}, protocol))
    if protocol < 2:  # no mark at the beginning, the same machine
        assert path.read_bytes()[0] != 0x80
    contents, found = read(path)
    assert contents.container == "pickle"
    assert np.array_equal(found["a"], TENSORS["a"].numpy())
    assert np.array_equal(found["again"], TENSORS["a"].numpy().T)
    assert np.array_equal(found["b"], TENSORS["b"].numpy())


def test_only_what_is_asked_for_is_read(saved, pickled, monkeypatch):
    read_windows: list[int] = []
    original = FileRegion.read
    monkeypatch.setattr(
        FileRegion, "read", lambda self: (read_windows.append(self.length), original(self))[1]
    )
    for path in (saved, pickled):
        with mapped(path) as data:
            contents = read_plain_pickle(data, path)
            tensor = contents.tensor(contents.tree["a"])
            contents.tensor(contents.tree["b"])
        assert read_windows == []
        assert tensor is not None and tensor.numpy()[1, 2] == 5
        assert read_windows == [24]
        read_windows.clear()


@pytest.mark.parametrize("kind", ["saved", "pickled"])
def test_every_truncation_is_refused(kind, request):
    path = request.getfixturevalue(kind)
    whole = path.read_bytes()
    for length in range(1, len(whole), 53):
        path.write_bytes(whole[:length])
        with pytest.raises(SefaError) as refused:
            read(path)
        assert str(refused.value).startswith(("is damaged", "cannot be read", "holds a pickle"))


def stream(
    magic: object = 0x1950A86A20F9469CFC6C,
    protocol: object = 1001,
    facts: object = None,
    reference: bytes = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
    b"X\x01\x00\x00\x007X\x03\x00\x00\x00cpuK\x02NtQ",
    keys: object = ("7",),
    count: int = 2,
    numbers: bytes = struct.pack("<2f", 1, 2),
) -> bytes:
    """A stream with one tensor of two numbers, all of whose parts can be forged."""
    facts = {"little_endian": True} if facts is None else facts
    tensor = b"\x80\x02}X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n(" + reference
    tensor += b"K\x00K\x02\x85K\x01\x85\x89}tRs."
    parts = [pickle.dumps(part, 2) for part in (magic, protocol, facts)]
    tail = pickle.dumps(list(keys) if isinstance(keys, tuple) else keys, 2)
    return b"".join([*parts, tensor, tail, struct.pack("<Q", count), numbers])


def test_the_forger_writes_a_good_stream_and_a_big_endian_one(tmp_path):
    path = tmp_path / "x.pt"
    path.write_bytes(stream())
    assert np.array_equal(read(path)[1]["a"], [1, 2])
    path.write_bytes(stream(facts={"little_endian": False}, numbers=struct.pack(">2f", 1, 2)))
    assert np.array_equal(read(path)[1]["a"], [1, 2])


FORGERIES = {
    "another protocol": stream(protocol=1002),
    "keys are no list": stream(keys=7),
    "no keys": stream(keys=()),
    "a key too many": stream(keys=("7", "8")),
    "a key twice": stream(keys=("7", "7")),
    "a key that is no text": stream(keys=([],)),
    "another key": stream(keys=("8",)),
    "count beyond": stream(count=3),
    "count absurd": stream(count=1 << 63),
    "no numbers": stream(numbers=b""),
    "reference is a number": stream(reference=b"K\x07Q"),
    "reference is short": stream(reference=b"X\x07\x00\x00\x00storage\x85Q"),
    "reference to a class": stream(reference=b"(X\x06\x00\x00\x00modulecos\nsystem\nNNNNtQ"),
    "reference is no reference": stream(reference=b"K\x07"),
    "a view of a storage": stream(
        reference=b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x007"
        b"X\x03\x00\x00\x00cpuK\x02(X\x01\x00\x00\x008K\x00K\x02ttQ"
    ),
    "a storage of commands": stream(
        reference=b"(X\x07\x00\x00\x00storagecos\nsystem\nX\x01\x00\x00\x007X\x03\x00\x00\x00cpuK\x02NtQ"
    ),
}


@pytest.mark.parametrize("content", FORGERIES.values(), ids=FORGERIES)
def test_forged_streams_are_refused(tmp_path, content):
    path = tmp_path / "x.pt"
    path.write_bytes(content)
    with pytest.raises(SefaError, match=r"^(is damaged|cannot be read|holds a pickle)"):
        read(path)


@pytest.mark.parametrize(
    "source", [b"N", b"K\x05", b"B\x03\x00\x00\x00abc", b"]", b"(cos\nsystem\nNtR"]
)
def test_forged_nested_streams_are_refused(tmp_path, source):
    path = tmp_path / "x.pkl"
    path.write_bytes(
        b"\x80\x03}X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n("
        b"ctorch.storage\n_load_from_bytes\n" + source + b"\x85RK\x00K\x02\x85K\x01\x85tRs."
    )
    with pytest.raises(SefaError, match=r"^(is damaged|cannot be read|holds a pickle)"):
        read(path)
