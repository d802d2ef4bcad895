"""The container and a small valid content, from which all examples are made.

It knows the format from the spec alone and uses no reader or writer of ours.
"""

import json
import struct
from typing import Any

CODES = {"F32": "f", "F64": "d", "I64": "q", "I32": "i", "U8": "B", "F16": "e"}
SIZES = {"F32": 4, "F64": 8, "I64": 8, "I32": 4, "U8": 1, "F16": 2, "BF16": 2}

GONE = object()  # says that a key is taken out

Content = dict[str, Any]  # {"metadata": {…}, "tensors": {name: {dtype, shape, values or hex}}}


def text(value: Any) -> str:
    """Canonical text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def tensor(dtype: str, shape: list[int], values: list[float]) -> dict[str, Any]:
    """A tensor of the table in the spec, its values in C order."""
    return {"dtype": dtype, "shape": shape, "values": values}


def numbers(entry: dict[str, Any]) -> bytes:
    """The bytes of a tensor."""
    if "hex" in entry:
        return bytes.fromhex(entry["hex"])
    return struct.pack(f"<{len(entry['values'])}{CODES[entry['dtype']]}", *entry["values"])


def pack(header: str | bytes, data: bytes = b"", length: int | None = None) -> bytes:
    """Length, header padded to a multiple of 8, data; `length` lies about the header's."""
    raw = header if isinstance(header, bytes) else header.encode("utf-8", "surrogatepass")
    raw += b" " * (-len(raw) % 8)
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


def layout(content: Content) -> tuple[dict[str, Any], bytes]:
    """The header of a content as an object, and the data behind it."""
    tensors = content["tensors"]
    header: dict[str, Any] = {"__metadata__": {"sefa": text(content["metadata"])}}
    data = b""
    for name in sorted(tensors, key=lambda name: (-SIZES[tensors[name]["dtype"]], name)):
        piece = numbers(tensors[name])
        offsets = [len(data), len(data) + len(piece)]
        entry = {"dtype": tensors[name]["dtype"], "shape": tensors[name]["shape"]}
        header[name] = entry | {"data_offsets": offsets}
        data += piece
    return header, data


def file(content: Content) -> bytes:
    """The canonical file of a content."""
    header, data = layout(content)
    return pack(text(header), data)


def base() -> Content:
    """Two directions in w that move three layers alike."""
    model = {
        "ref": "tiny.pkl",
        "family": "stylegan2",
        "resolution": 8,
        "z_dim": 4,
        "w_dim": 4,
        "num_layers": 4,
        "layer_names": ["b4.conv1", "b8.conv0", "b8.conv1", "b8.torgb"],
        "fingerprint": "3f1c0a5e9b7d48266c82d1f0e3a497b5" * 2,
    }
    params = {"layers": "0-2", "normalize": True, "center": False, "to_rgb": "last"}
    metadata = {
        "format": "sefa-directions",
        "version": "1.0",
        "method": "sefa",
        "params": params | {"deflate_gain": False, "num": 2},
        "space": "w",
        "model": model,
        "directions": [{"label": "smile"}, {}],
        "tool": "sefa-cli 0.1.0",
        "requires": [],
    }
    rows = [0.5, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, -0.5]
    tensors = {
        "directions": tensor("F32", [2, 4], rows),
        "layers": tensor("I64", [3], [0, 1, 2]),
        "eigenvalues": tensor("F64", [2], [7.25, 0.5]),
    }
    return {"metadata": metadata, "tensors": tensors}


def with_masks(shape: list[int]) -> Content:
    """A local method's bundle, with masks of this shape that count 0, 1, 2, …."""
    content = base()
    size = 1
    for axis in shape:
        size *= axis
    content["metadata"]["method"] = "resefa"
    content["metadata"]["params"] = {"seeds": [5, 3], "tau": 0.001}
    content["metadata"]["directions"][0]["change"] = {"inside": 0.25, "outside": 0.0}
    content["tensors"]["mask"] = tensor("U8", shape, [20 * n for n in range(size)])
    return content


def edited(path: str, value: Any = GONE, content: dict[str, Any] | None = None) -> bytes:
    """The base file with the metadata key at the dotted `path` set to `value`, or taken out."""
    content = content or base()
    *parents, key = path.split(".")
    place = content["metadata"]
    for parent in parents:
        place = place[int(parent) if isinstance(place, list) else parent]
    if value is GONE:
        del place[key]
    else:
        place[int(key) if isinstance(place, list) else key] = value
    return file(content)


def metadata_text(old: str, new: str) -> bytes:
    """The base file with `old` replaced in the text of its metadata."""
    header, data = layout(base())
    spelled = header["__metadata__"]["sefa"]
    assert old in spelled, old
    header["__metadata__"]["sefa"] = spelled.replace(old, new, 1)
    return pack(text(header), data)


def header_text(old: str, new: str) -> bytes:
    """The base file with `old` replaced in the text of its header."""
    header, data = layout(base())
    spelled = text(header)
    assert old in spelled, old
    return pack(spelled.replace(old, new, 1), data)


def tensors(**changes: Any) -> bytes:
    """The base file with other tensors, or without those that are None."""
    content = base()
    content["tensors"] |= changes
    content["tensors"] = {k: v for k, v in content["tensors"].items() if v is not None}
    return file(content)


def entry(name: str, **changes: Any) -> bytes:
    """The base file with another header entry for one tensor, its bytes left alone."""
    header, data = layout(base())
    header[name] = {k: v for k, v in (header[name] | changes).items() if v is not None}
    return pack(text(header), data)
