"""Torch's zip archives: only headers are read at first, and archives torch never writes refused."""

import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from sefa_cli.containers.contents import Contents
from sefa_cli.containers.file_regions import FileRegion, mapped
from sefa_cli.containers.torch_zip import is_torch_zip, names_in_zip, read_torch_zip
from sefa_cli.errors import SefaError


def contents(path: Path) -> Contents:
    with mapped(path) as data:
        return read_torch_zip(data, path)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "saved.pt"
    torch.save({"a": torch.arange(6.0).reshape(2, 3), "b": torch.zeros(1000)}, path)
    return path


def entries(path: Path) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def rewrite(path: Path, content: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in content:
            archive.writestr(name, data)
    return path


def test_reading_and_names(saved):
    found = contents(saved)
    assert found.container == "torch zip"
    assert np.array_equal(found.tensor(found.tree["a"]).numpy(), [[0, 1, 2], [3, 4, 5]])
    with mapped(saved) as data:
        assert is_torch_zip(data, saved)
        assert names_in_zip(saved)[0] == "saved/data.pkl"


def test_nothing_but_the_pickle_is_read_at_first(saved, monkeypatch):
    read: list[FileRegion] = []
    original = FileRegion.read
    monkeypatch.setattr(FileRegion, "read", lambda self: (read.append(self), original(self))[1])
    found = contents(saved)
    assert sum(window.length for window in read) <= 10  # the byte order
    found.tensor(found.tree["a"]).numpy()
    assert read[-1].length == 24


def test_a_rewritten_archive_is_as_good(saved):
    rewrite(saved, entries(saved))
    assert contents(saved).tree.keys() == {"a", "b"}


def test_big_endian_archives(saved):
    swapped = [
        (name, np.frombuffer(data, "<f4").astype(">f4").tobytes() if "/data/" in name else data)
        for name, data in entries(saved)
        if "byteorder" not in name
    ]
    rewrite(saved, [*swapped, ("saved/byteorder", b"big")])
    found = contents(saved)
    assert np.array_equal(found.tensor(found.tree["a"]).numpy(), [[0, 1, 2], [3, 4, 5]])


def test_zip64_archives(saved):
    """Large archives announce their list of entries in a 64-bit record."""
    kept = entries(saved)
    with zipfile.ZipFile(saved, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, data in kept:
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(data)
    found = contents(saved)
    assert np.array_equal(found.tensor(found.tree["b"]).numpy(), np.zeros(1000))


def test_compressed_archives_are_refused(saved):
    rewrite(saved, entries(saved), zipfile.ZIP_DEFLATED)
    with pytest.raises(SefaError, match=r"compressed.*torch\.save"):
        contents(saved)


def test_a_bomb_is_refused_without_being_blown_up(saved):
    """Ten gigabytes of zeros in ten megabytes: never unpacked, since nothing compressed is."""
    with zipfile.ZipFile(saved, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("saved/data/bomb", bytes(10 << 20))
    with pytest.raises(SefaError, match="compressed"):
        contents(saved)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_repeated_names_are_refused(saved):
    rewrite(saved, [*entries(saved), entries(saved)[-1]])
    with pytest.raises(SefaError, match="twice"):
        contents(saved)


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "saved/../../out", "a\\..\\b"])
def test_paths_that_lead_out_are_refused(saved, name):
    rewrite(saved, [*entries(saved), (name, b"x")])
    with pytest.raises(SefaError, match="points out of the archive"):
        contents(saved)


def test_two_pickles_are_refused(saved):
    rewrite(saved, [*entries(saved), ("other/data.pkl", b"N.")])
    with pytest.raises(SefaError, match="2 pickles"):
        contents(saved)


def test_programs_are_refused(tmp_path):
    path = tmp_path / "program.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2))
        program.save(path)
    with pytest.raises(SefaError, match="TorchScript"):
        contents(path)
    with mapped(path) as data:
        read = read_torch_zip(data, path, program=True)
        weight = read.tensor(read.tree.state["weight"]).float32().copy()
    assert np.array_equal(weight, program.weight.detach().numpy())


def test_missing_numbers_are_refused_by_name(saved):
    rewrite(saved, [entry for entry in entries(saved) if not entry[0].endswith("data/1")])
    found = contents(saved)
    assert found.tensor(found.tree["a"]).shape == (2, 3)
    with pytest.raises(SefaError, match="'1' of a tensor are missing"):
        found.tensor(found.tree["b"])


def test_short_storages_are_refused(saved):
    cut = [(n, data[:-4] if n.endswith("data/1") else data) for n, data in entries(saved)]
    rewrite(saved, cut)
    found = contents(saved)
    with pytest.raises(SefaError, match="claims 1000 float32 numbers in 3,996 bytes"):
        found.tensor(found.tree["b"])


def test_every_truncation_is_refused(saved):
    whole = saved.read_bytes()
    for length in range(4, len(whole), 97):
        saved.write_bytes(whole[:length])
        with pytest.raises(SefaError, match=r"^is damaged"):
            contents(saved)


def _directory(content: bytearray) -> int:
    return content.index(b"PK\x01\x02")


def test_overlapping_entries_are_refused(saved):
    """All entries at the place of the first: a small file that would count as a large one."""
    rewrite(saved, entries(saved))
    content = bytearray(saved.read_bytes())
    second = content.index(b"PK\x01\x02", _directory(content) + 4)
    content[second + 42 : second + 46] = struct.pack("<I", 0)
    saved.write_bytes(content)
    with pytest.raises(SefaError, match="overlaps"):
        contents(saved)


@pytest.mark.parametrize(
    ("place", "form", "value"),
    [(42, "<I", 0x7FFFFFFF), (20, "<I", 0x7FFFFFFF), (24, "<I", 1), (8, "<H", 1), (10, "<H", 99)],
    ids=["offset", "packed size", "size", "encrypted", "method"],
)
def test_forged_entries_are_refused(saved, place, form, value):
    rewrite(saved, entries(saved))
    content = bytearray(saved.read_bytes())
    at = _directory(content) + place
    content[at : at + struct.calcsize(form)] = struct.pack(form, value)
    saved.write_bytes(content)
    with pytest.raises(SefaError):
        contents(saved)


@pytest.mark.parametrize("decoy", [None, 100], ids=["plain", "another 64-bit record"])
def test_an_endless_list_of_entries_is_refused_unread(tmp_path, decoy):
    """zipfile reads the 64-bit record that lies before its locator, wherever that points."""
    path, size = tmp_path / "x.pt", 17 << 20

    def record(size: int) -> bytes:
        return struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, size, 56)

    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, 0 if decoy else 56 + size, 1)
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, decoy or 0xFFFFFFFF, 56, 0)
    path.write_bytes(record(decoy or size) + bytes(size) + record(size) + locator + end)
    with pytest.raises(SefaError, match="absurdly long"):
        names_in_zip(path)


def test_a_huge_archive_is_read_where_it_is_asked(tmp_path):
    """A sparse archive of 6 GiB: opening it and reading one small tensor reads next to nothing."""
    path = tmp_path / "huge.pt"
    torch.save({"a": torch.arange(3.0)}, path)
    kept, hole = entries(path), 6 << 30
    header = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, 0, 0, 4, 0) + b"hole"
    with open(path, "wb") as file:
        file.write(header)
        file.truncate(hole)
        file.seek(hole)
        with zipfile.ZipFile(file, "a") as archive:
            for name, data in kept:
                archive.writestr(name, data)
    found = contents(path)
    assert path.stat().st_size > hole
    assert np.array_equal(found.tensor(found.tree["a"]).numpy(), np.arange(3.0))
