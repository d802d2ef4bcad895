"""Read torch's zip archives: one pickle, and one stored entry for each storage.

Layout, from torch's own serialization: `<name>/data.pkl`, `<name>/data/<key>`, and small text
entries, of which `<name>/byteorder` matters. All entries are stored uncompressed.
"""

import io
import mmap
import re
import struct
import zipfile
from pathlib import Path
from typing import Any

from sefa_cli.containers.checkpoint import LazyTensor
from sefa_cli.containers.contents import Contents
from sefa_cli.containers.faults import damaged, unreadable
from sefa_cli.containers.file_regions import FileRegion, Storage
from sefa_cli.containers.inert import PersistentId
from sefa_cli.containers.pickle.reader import read_pickle
from sefa_cli.containers.tensor_records import as_tensor, typed_storage

MAGIC = b"PK\x03\x04"

_MAX_DIRECTORY = 16 << 20  # bytes of the list of entries; some 200,000 of them
_LOCAL_HEADER = struct.Struct("<4s22xHH")  # magic, lengths of the name and of the extra field
_RESAVE = "Save it again with torch.save."


def is_torch_zip(data: mmap.mmap, path: Path) -> bool:
    """Return whether the zip archive is a torch checkpoint. Raises SefaError if it is damaged."""
    first = data[: _LOCAL_HEADER.size + 256]  # torch writes the pickle first; others re-pack
    return b"/data.pkl" in first or any(name.endswith("/data.pkl") for name in _names(path))


def names_in_zip(path: Path) -> tuple[str, ...]:
    """Return the first names in a zip archive, for messages."""
    return tuple(_names(path)[:3])


def read_torch_zip(data: mmap.mmap, path: Path, program: bool = False) -> Contents:
    """Return the contents of a torch zip archive; no numbers are read yet.

    A TorchScript program is refused unless `program`: its numbers alone do not say what it does.
    Then its modules are records, and its code is never looked at.
    """
    directory = _directory(path)
    if program:
        directory = [e for e in directory if re.search(r"/data(\.pkl$|/)", e.filename)]
    elif any(entry.filename.endswith("/constants.pkl") for entry in directory):
        raise unreadable("it is a TorchScript program", "Save the state_dict of the network.")
    entries = _entries(data, path, directory)
    pickles = [name for name in entries if name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise unreadable(f"it holds {len(pickles)} pickles of tensors, but torch writes one")
    folder = pickles[0].removesuffix("data.pkl")
    order = entries.get(f"{folder}byteorder")
    big_endian = order is not None and bytes(order.read()) == b"big"

    def find_storage(reference: Any) -> Storage:
        value = reference.value if isinstance(reference, PersistentId) else None
        if not isinstance(value, tuple) or len(value) != 5 or value[0] != "storage":
            raise damaged("a tensor does not point to a storage")
        _, kind, key, _, count = value
        window = entries.get(f"{folder}data/{key}") if isinstance(key, str) else None
        if window is None:
            raise damaged(f"the numbers {key!r:.40} of a tensor are missing")
        return typed_storage(kind, window, count, big_endian)

    def tensor(leaf: Any) -> LazyTensor | None:
        return as_tensor(leaf, find_storage)

    window = entries[pickles[0]]
    pickle = read_pickle(data, path, window.offset, window.offset + window.length)
    return Contents(path, "torch zip", pickle.value, tensor, pickle.called)


class _Cautious(io.FileIO):
    """An archive whose list of entries must not be a bomb: zipfile reads it all at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MAX_DIRECTORY:
            raise damaged("its list of entries is absurdly long")
        return super().read(size)


def _directory(path: Path) -> list[zipfile.ZipInfo]:
    """Return the list of entries, unless it is a bomb."""
    try:
        with _Cautious(path) as file, zipfile.ZipFile(file) as archive:
            return archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        raise damaged("its list of entries cannot be read; it may be cut off") from error


def _names(path: Path) -> list[str]:
    return [entry.filename for entry in _directory(path)]


def _entries(
    data: mmap.mmap, path: Path, directory: list[zipfile.ZipInfo]
) -> dict[str, FileRegion]:
    """Return each entry's place in the file. Raises SefaError for what torch never writes."""
    entries: dict[str, FileRegion] = {}
    free = 0  # where the next entry may begin
    for entry in sorted(directory, key=lambda entry: entry.header_offset):
        name = entry.filename
        if name in entries:
            raise damaged(f"the entry {name!r:.60} is there twice")
        if name.startswith("/") or "\\" in name or ".." in name.split("/"):
            raise damaged(f"the entry {name!r:.60} points out of the archive")
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
            raise unreadable(f"the entry {name!r:.60} is compressed or encrypted", _RESAVE)
        if entry.file_size != entry.compress_size:
            raise damaged(f"the entry {name!r:.60} has two sizes")
        window = _window(data, path, entry)
        if entry.header_offset < free:
            raise damaged(f"the entry {name!r:.60} overlaps another")
        free = window.offset + window.length
        entries[name] = window
    return entries


def _window(data: mmap.mmap, path: Path, entry: zipfile.ZipInfo) -> FileRegion:
    """Return the bytes of a stored entry, which follow its local header."""
    begin = entry.header_offset + _LOCAL_HEADER.size
    if entry.header_offset < 0 or begin > len(data):
        raise damaged(f"the entry {entry.filename!r:.60} begins past the end of the file")
    magic, name_length, extra_length = _LOCAL_HEADER.unpack_from(data, entry.header_offset)
    offset = begin + name_length + extra_length
    if magic != MAGIC or offset + entry.file_size > len(data):
        raise damaged(f"the entry {entry.filename!r:.60} does not fit in the file")
    return FileRegion(path, offset, entry.file_size)
