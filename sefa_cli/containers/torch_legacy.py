"""Read files of torch.save before version 1.6, and NVIDIA pickles, which contain such streams.

A stream, from torch's own serialization: five pickles (a magic number, the protocol, facts about
the machine, the object, the keys of its storages), then for each key the count of its numbers as a
64-bit integer and the numbers themselves.
"""

import mmap
import struct
from pathlib import Path
from typing import Any

from sefa_cli.containers.contents import Contents
from sefa_cli.containers.faults import damaged, unreadable
from sefa_cli.containers.file_regions import Buffer, FileRegion, Storage
from sefa_cli.containers.inert import PersistentId, Record
from sefa_cli.containers.pickle.reader import Pickle, read_pickle
from sefa_cli.containers.tensor_records import as_tensor, is_count, typed_storage

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_NVIDIA = ("._reconstruct_persistent_obj", ".Network")  # what they call, then and now
_COUNT = struct.Struct("<Q")


def read_plain_pickle(data: mmap.mmap, path: Path) -> Contents:
    """Return the contents of a file that begins with a pickle: legacy torch or NVIDIA."""
    first = read_pickle(data, path)
    if first.value == _MAGIC:
        stream = LegacyStream(data, FileRegion(path, 0, len(data)))
        return _contents("torch legacy", stream.pickle, stream.find, path)

    streams: dict[int, Storage] = {}  # by record: tensors may share a storage

    def find(reference: Any) -> Storage:
        if not isinstance(reference, Record):
            raise damaged("a tensor does not point to a storage")
        if id(reference) not in streams:
            streams[id(reference)] = _nested_storage(data, reference, path)
        return streams[id(reference)]

    nvidia = any(name.endswith(_NVIDIA) for name in first.called)
    return _contents("NVIDIA pickle" if nvidia else "pickle", first, find, path)


def _contents(container: str, pickle: Pickle, find: Any, path: Path) -> Contents:
    return Contents(
        path, container, pickle.value, lambda leaf: as_tensor(leaf, find), pickle.called
    )


def _nested_storage(data: mmap.mmap, reference: Record, path: Path) -> Storage:
    """Return the storage in `torch.storage._load_from_bytes(stream)`."""
    source = reference.args[0] if reference.args else None
    if not reference.is_call("torch.storage._load_from_bytes"):
        raise damaged("a tensor does not point to a storage")
    if isinstance(source, bytes):
        stream = LegacyStream(source, FileRegion(path, 0, len(source)))
    elif isinstance(source, FileRegion):
        stream = LegacyStream(data, source)
    else:
        raise damaged("a storage is not made of bytes")
    return stream.find(stream.pickle.value)


class LegacyStream:
    """One stream: the pickle of its object, and its storages, which are located but not read.

    `data` is the mapped file and `window` the stream's place in it; or `data` is the stream itself.
    """

    def __init__(self, data: Buffer, window: FileRegion) -> None:
        self._data, self._path = data, window.path
        self._at, self._end = window.offset, window.offset + window.length
        if self._next().value != _MAGIC:
            raise damaged("a torch stream lacks its magic number")
        if self._next().value != _PROTOCOL:
            raise unreadable("its torch protocol is unknown")
        facts = self._next().value
        self._big_endian = isinstance(facts, dict) and facts.get("little_endian") is False
        self.pickle = self._next()
        self._storages = self._find_storages(self._next().value)

    def find(self, reference: Any) -> Storage:
        """Return the storage that a persistent id of this stream's object names."""
        storage = self._storages.get(_key(reference))
        if storage is None:
            raise damaged("a tensor does not point to a storage")
        return storage

    def _next(self) -> Pickle:
        pickle = read_pickle(self._data, self._path, self._at, self._end)
        self._at = pickle.end
        return pickle

    def _find_storages(self, keys: Any) -> dict[str, Storage]:
        """Step over the numbers, key by key; the persistent ids of the object give their types."""
        kinds = {_key(reference): reference.value for reference in self.pickle.outside}
        storages: dict[str, Storage] = {}
        for key in keys if isinstance(keys, list) else ():
            if not isinstance(key, str) or key not in kinds or key in storages:
                raise damaged("its list of storages does not match its tensors")
            storages[key] = self._storage(kinds[key][1])
        return storages

    def _storage(self, kind: Any) -> Storage:
        if self._at + _COUNT.size > self._end:
            raise damaged("it ends before its numbers do")
        (count,) = _COUNT.unpack_from(self._data, self._at)
        begin = self._at + _COUNT.size
        rest = self._part(begin, self._end - begin)
        storage = typed_storage(kind, rest, count, self._big_endian)
        self._at = begin + count * storage.itemsize
        return storage

    def _part(self, begin: int, length: int) -> FileRegion | bytes:
        if isinstance(self._data, bytes):
            return self._data[begin : begin + length]
        return FileRegion(self._path, begin, length)


def _key(reference: Any) -> str:
    """Return the key in `("storage", kind, key, location, count, None)`; "" for other references.

    The last item once held views into storages, which nothing has written since 2017.
    """
    value = reference.value if isinstance(reference, PersistentId) else None
    if not isinstance(value, tuple) or len(value) != 6 or value[0] != "storage":
        return ""
    _, _, key, _, count, view = value
    return key if isinstance(key, str) and is_count(count) and view is None else ""
