"""Hostile containers: forged storages, bombs, paths that lead out, sizes of exabytes."""

import io
import json
import pickle
import struct
import warnings
import zipfile
import zlib
from collections.abc import Mapping

import numpy as np

from tests.helpers import golden
from tests.helpers.hostile import OS_SYSTEM, name, text

_HUGE = 1 << 62
_PARTS: tuple[object, ...] = (0x1950A86A20F9469CFC6C, 1001, {})
_LEGACY = b"".join(pickle.dumps(part, 2) for part in _PARTS)
_FLOATS = name("torch", "FloatStorage")
Forged = Mapping[str, bytes]  # one tensor's parts as pickle bytes, in place of the right ones


def good_state() -> dict[str, np.ndarray]:
    """A small StyleGAN2 under NVIDIA's names: unforged, the files made of it are read."""
    return golden.load("stylegan2_ada_nvidia").state


def number(value: int) -> bytes:
    """LONG4."""
    content = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8b" + struct.pack("<i", len(content)) + content


def numbers(values: tuple[int, ...]) -> bytes:
    """A tuple of integers."""
    return b"(" + b"".join(map(number, values)) + b"t"


def _tensor(key: str, array: np.ndarray, forged: Forged, end: bytes) -> bytes:
    """`_rebuild_tensor_v2(storage, offset, size, stride, …)`; `end` closes the storage's id."""
    parts = {
        "word": text("storage"),
        "kind": _FLOATS,
        "key": text(key),
        "count": number(array.size),
        "offset": number(0),
        "size": numbers(array.shape),
        "stride": numbers(tuple(step // 4 for step in array.strides)),
        **forged,
    }
    storage = b"(" + parts["word"] + parts["kind"] + parts["key"] + text("cpu") + parts["count"]
    call = name("torch._utils", "_rebuild_tensor_v2") + b"(" + storage + end + b"Q"
    return call + parts["offset"] + parts["size"] + parts["stride"] + b"\x89}tR"


def state_pickle(forged: Forged, end: bytes = b"t") -> tuple[bytes, dict[str, bytes]]:
    """A pickled state dict whose constant is forged, and its storages by key."""
    tree, storages = b"\x80\x02}(", {}
    for at, (key, array) in enumerate(good_state().items()):
        whole = np.ascontiguousarray(array, dtype="<f4").reshape(array.shape)
        changes = forged if key == "synthesis.b4.const" else {}
        tree += text(key) + _tensor(str(at), whole, changes, end)
        storages[str(at)] = whole.tobytes()
    return tree + b"u.", storages


def torch_zip(forged: Forged) -> bytes:
    """The state dict as torch.save writes it now."""
    tree, storages = state_pickle(forged)
    data = {f"x/data/{key}": content for key, content in storages.items()}
    return archive({"x/data.pkl": tree, **data})


def torch_legacy(forged: Forged, keys: bytes | None = None, count: int | None = None) -> bytes:
    """The state dict as torch.save wrote it before 1.6; `keys`, `count` of storages may lie."""
    tree, storages = state_pickle(forged, b"Nt")
    listed = pickle.dumps(list(storages), 2) if keys is None else keys
    runs = [
        struct.pack("<Q", len(content) // 4 if count is None else count) + content
        for content in storages.values()
    ]
    return _LEGACY + tree + listed + b"".join(runs)


FORGERIES: dict[str, dict[str, bytes]] = {
    "a key that leads out": {"key": text("../../../../etc/passwd")},
    "a key from the root": {"key": text("/etc/passwd")},
    "an empty key": {"key": text("")},
    "a key of nothing": {"key": b"N"},
    "a key that is a list": {"key": b"]"},
    "a key that calls": {"key": OS_SYSTEM},
    "another word": {"word": text("module")},
    "a kind that calls": {"kind": name("os", "system")},
    "a kind that was called": {"kind": OS_SYSTEM},
    "a kind that is none": {"kind": name("torch", "ExaStorage")},
    "a count of exabytes": {"count": number(_HUGE)},
    "a count of a thousand digits": {"count": number(10**1000)},
    "a negative count": {"count": number(-1)},
    "a count of a fraction": {"count": b"G" + struct.pack(">d", 1.5)},
    "a count that is true": {"count": b"\x88"},
    "a size of exabytes": {"size": numbers((_HUGE, 1, 1))},
    "a size that overflows": {"size": numbers((1 << 32, 1 << 32, 1 << 32))},
    "one number, repeated to exabytes": {
        "size": numbers((1 << 20, 1 << 20, 1 << 20)),
        "stride": numbers((0, 0, 0)),
    },
    "one number, repeated to gigabytes": {
        "size": numbers((1 << 12, 1 << 10, 1 << 10)),
        "stride": numbers((0, 0, 0)),
    },
    "a negative size": {"size": numbers((-4, 4, 4))},
    "a size of many axes": {"size": numbers((1,) * 5000), "stride": numbers((1,) * 5000)},
    "a size that calls": {"size": OS_SYSTEM},
    "a stride backwards": {"stride": numbers((-16, -4, -1))},
    "a stride beyond": {"stride": numbers((_HUGE, _HUGE, _HUGE))},
    "too few strides": {"stride": numbers((1,))},
    "an offset beyond": {"offset": number(_HUGE)},
    "a negative offset": {"offset": number(-1)},
    "an offset that calls": {"offset": OS_SYSTEM},
}


def archive(members: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for member, content in members.items():
            file.writestr(member, content)
    return out.getvalue()


def _bomb(member: str, gigabytes: int) -> bytes:
    """A member whose deflated kilobytes unfold to gigabytes of zeros: one block, repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = block * (gigabytes << 10) + b"\x03\x00"
    size = gigabytes << 30
    crc = 0  # no reader gets so far as to compare it
    fields = (20, 0, 8, 0, 0, crc, len(packed), size, len(member), 0)
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", *fields)
    central = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, *fields, 0, 0, 0, 0, 0)
    body = local + member.encode() + packed
    entry = central + member.encode()
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(entry), len(body), 0)
    return body + entry + end


def _named(*names: str) -> bytes:
    """A good torch archive but for the name of its pickle and of its first storage."""
    tree, storages = state_pickle({})
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as file:
        warnings.simplefilter("ignore")  # a name may be there twice
        for member in names:
            file.writestr(zipfile.ZipInfo(member), tree if member.endswith(".pkl") else b"abcd")
        for key, content in storages.items():
            file.writestr(f"x/data/{key}", content)
    return out.getvalue()


def _link(target: str) -> bytes:
    """An archive whose pickle is a symbolic link."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        entry = zipfile.ZipInfo("x/data.pkl")
        entry.create_system, entry.external_attr = 3, 0o120777 << 16
        file.writestr(entry, target)
    return out.getvalue()


def _patched(content: bytes, magic: bytes, at: int, change: bytes) -> bytes:
    """`content` with the bytes `at` after the last `magic` changed."""
    place = content.rindex(magic) + at
    return content[:place] + change + content[place + len(change) :]


def _overlapping(times: int) -> bytes:
    """One member, listed again and again: small in the file, large to whoever unpacks all."""
    whole = archive({"x/data.pkl": b"N.", "x/data/0": bytes(1 << 16)})
    begin, end = whole.index(b"PK\x01\x02"), whole.rindex(b"PK\x05\x06")
    entry = whole[whole.rindex(b"PK\x01\x02") : end]
    copies = b"".join(entry.replace(b"data/0", b"data/%c" % (65 + n % 26)) for n in range(times))
    listed = whole[begin:end] + copies
    size = struct.pack("<2H2IH", times + 2, times + 2, len(listed), begin, 0)
    return whole[:begin] + listed + whole[end : end + 8] + size


_GOOD = torch_zip({})
_TREE = state_pickle({})[0]
_TIMES = 5000
ARCHIVES: dict[str, bytes] = {
    "a pickle that unfolds to 3 GB": _bomb("x/data.pkl", 3),
    "a storage that unfolds to 3 GB": _bomb("x/data/0", 3),
    "an archive in an archive in an archive": archive(
        {"x.zip": archive({"y.zip": _bomb("x/data.pkl", 2)})}
    ),
    "a torch archive in a torch archive": archive({"x/data.pkl": _GOOD}),
    "deflated": archive({"x/data.pkl": _TREE}, zipfile.ZIP_DEFLATED),
    "packed by bzip2": archive({"x/data.pkl": _TREE}, zipfile.ZIP_BZIP2),
    "packed by lzma": archive({"x/data.pkl": _TREE}, zipfile.ZIP_LZMA),
    "an unknown method": _patched(_GOOD, b"PK\x01\x02", 10, b"\x63\x00"),
    "encrypted": _patched(_GOOD, b"PK\x01\x02", 8, b"\x01\x00"),
    "two sizes": _patched(_GOOD, b"PK\x01\x02", 24, b"\xff\xff\xff\x7f"),
    "a size of gigabytes": _patched(_GOOD, b"PK\x01\x02", 20, b"\xf0\xff\xff\xff" * 2),
    "an entry beyond the end": _patched(_GOOD, b"PK\x01\x02", 42, b"\xf0\xff\xff\xff"),
    "a list of gigabytes": _patched(_GOOD, b"PK\x05\x06", 12, b"\xf0\xff\xff\xff"),
    "a list that begins beyond": _patched(_GOOD, b"PK\x05\x06", 16, b"\xf0\xff\xff\xff"),
    "a list of nothing": _patched(_GOOD, b"PK\x05\x06", 8, bytes(8)),
    "no list": _GOOD[: _GOOD.rindex(b"PK\x01\x02")],
    "half an archive": _GOOD[: len(_GOOD) // 2],
    "one member, listed 5000 times": _overlapping(_TIMES),
    "entries without end": archive({f"x/data/{n}": b"" for n in range(30_000)}),
    "a link for a pickle": _link("/etc/passwd"),
    "a program": archive({"x/data.pkl": _TREE, "x/constants.pkl": b"N.", "x/code/a.py": b"1/0"}),
    "two pickles": _named("x/data.pkl", "y/data.pkl"),
    "the same pickle twice": _named("x/data.pkl", "x/data.pkl"),
    "a pickle above": _named("../data.pkl"),
    "a pickle far above": _named("x/../../../data.pkl"),
    "a pickle at the root": _named("/x/data.pkl"),
    "a pickle by backslashes": _named("..\\x/data.pkl"),
    "a storage above": _named("x/data.pkl", "x/data/../../../etc/passwd"),
    "a storage at the root": _named("x/data.pkl", "/etc/passwd"),
    "a name of 60,000 letters": _named("x" * 60_000 + "/data.pkl"),
    "a wheel that leads out": archive(
        {"../MappingNetwork.xml": b"<?xml?>", "../MappingNetwork.bin": b""}
    ),
    "a wheel of bombs": _bomb("data/MappingNetwork.xml", 3),
    "storages of exabytes": torch_legacy({}, count=_HUGE),
    "storages beyond 64 bits": torch_legacy({}, count=(1 << 64) - 1),
    "storages of nothing": torch_legacy({}, count=0),
    "no keys": torch_legacy({}, keys=b"\x80\x02]."),
    "keys that are a number": torch_legacy({}, keys=b"\x80\x02K\x07."),
    "keys that call": torch_legacy({}, keys=b"\x80\x02" + OS_SYSTEM + b"."),
    "the same key, again and again": torch_legacy({}, keys=pickle.dumps(["0"] * 9999, 2)),
    "a hundred thousand keys": torch_legacy({}, keys=pickle.dumps(list(map(str, range(10**5))), 2)),
    "an older protocol": _LEGACY.replace(b"M\xe9\x03", b"M\x01\x00") + _TREE,
}


def safetensors(header: bytes, length: int | None = None, data: bytes = bytes(64)) -> bytes:
    """A safetensors file as `header` has it, announced as `length` bytes long."""
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def _entry(shape: list[int], begin: int, end: int, dtype: str = "F32") -> bytes:
    about = {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
    return json.dumps({"synthesis.b4.const": about, "mapping.w_avg": about}).encode()


_DEEP = 200_000
SAFETENSORS: dict[str, bytes] = {
    "a header of exabytes": safetensors(b"{}", _HUGE),
    "a header beyond 64 bits": safetensors(b"{}", (1 << 64) - 1),
    "a header of a gigabyte": safetensors(b"{}", 1 << 30),
    "lists in lists": safetensors(b'{"a":' + b"[" * _DEEP + b"]" * _DEEP + b"}"),
    "objects in objects": safetensors(b'{"a":' * _DEEP + b"1" + b"}" * _DEEP),
    "a list for a header": safetensors(b"{[]}"),
    "no text": safetensors(b'{"\xff\xfe": 1}'),
    "a number of a hundred thousand digits": safetensors(b'{"a": ' + b"9" * 100_000 + b"}"),
    "infinity": safetensors(_entry([4], 0, 16).replace(b"16", b"1e999")),
    "a shape of exabytes": safetensors(_entry([_HUGE], 0, 16)),
    "a shape that overflows": safetensors(_entry([1 << 40, 1 << 40], 0, 16)),
    "a negative shape": safetensors(_entry([-4], 0, 16)),
    "a shape of fractions": safetensors(_entry([4], 0, 16).replace(b"[4]", b"[4.5]")),
    "offsets of exabytes": safetensors(_entry([4], _HUGE, _HUGE + 16)),
    "offsets backwards": safetensors(_entry([4], 16, 0)),
    "negative offsets": safetensors(_entry([4], -16, 0)),
    "an unknown type": safetensors(_entry([4], 0, 16, "OBJECT")),
    "entries without end": safetensors(json.dumps({str(n): n for n in range(200_000)}).encode()),
}

_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
XML: dict[str, bytes] = {
    "laughs": f'<?xml version="1.0"?><!DOCTYPE net [<!ENTITY l0 "ha">{_LAUGHS}]>'
    "<net><layers>&l11;</layers><edges/></net>".encode(),
    "another file": b'<?xml version="1.0"?><!DOCTYPE net [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b"<net><layers>&x;</layers><edges/></net>",
    "another host": b'<?xml version="1.0"?><!DOCTYPE net SYSTEM "http://127.0.0.1:9/x.dtd">'
    b"<net><layers/><edges/></net>",
    "elements in elements": b'<?xml version="1.0"?>' + b"<net>" * _DEEP + b"</net>" * _DEEP,
    "attributes without end": b'<?xml version="1.0"?><net '
    + b" ".join(b'a%d="1"' % n for n in range(50_000))
    + b"/>",
    "half": b'<?xml version="1.0"?><net><layers><layer id="0"',
}
STRANGERS: dict[str, bytes] = {
    "gzip of gigabytes": b"\x1f\x8b\x08" + bytes(7) + _bomb("x", 1)[31:],
    "a page": b"<!DOCTYPE html><script>alert(1)</script>",
    "a pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
    "a script": b'#!/bin/sh\ntouch "$CANARY"\n',
    "a module": b"import os\nos.system('touch \"$CANARY\"')\n",
    "zeros": bytes(1 << 20),
    "one byte": b"\x80",
}
