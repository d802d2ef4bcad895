"""Bundles that every reader must read, and what they hold."""

import json
import struct
from collections.abc import Iterator
from typing import Any

from packing import Content, base, file, numbers, tensor, with_masks


def golden() -> Iterator[tuple[str, str, Content, bytes]]:
    """Name, what it shows, content, bytes.

    The bytes are canonical unless the name ends in -raw; then the file of the same name without it
    is what a rewrite gives.
    """
    for name, about, content in _golden_contents():
        yield name, about, content, file(content)
    content = _spelled()
    about = "indented, escaped, decomposed, other order, no padding, no tool, no requires"
    yield "spelling-raw", about, content, _spelled_raw()
    yield "spelling", "what a rewrite of spelling-raw gives", content, file(content)


def _golden_contents() -> Iterator[tuple[str, str, Content]]:
    yield "w", "one row for all layers; the worked example of the spec", base()

    content = base()
    del content["tensors"]["eigenvalues"]
    content["metadata"]["method"] = "imported"
    content["metadata"]["params"] = {"file": "age.npy"}
    origin = {"label": "age", "scale": 12.5, "from": {"file": "age.npy", "index": 0}}
    content["metadata"]["directions"] = [origin, {"annotation": {"note": "glasses come along"}}]
    yield "no-eigenvalues", "imported directions, with their former length as scale", content

    content = base()
    answers = {"level": "bottom", "obvious": True, "meaningful": False, "note": "darker, too"}
    content["metadata"]["directions"] = [{"annotation": answers}]
    content["metadata"]["directions"] += [{"annotation": {"level": 3, "obvious": "yes", "by": []}}]
    yield "annotations", "answers by the spec's keys, and others that no reader minds", content

    content = base()
    content["metadata"]["space"] = "w+"
    rows = [0.5, 0.5, 0, 0, 0, 0, 0.5, -0.5, 0, 0, 1, 0, 0, 0, 0, 0]
    content["tensors"]["directions"] = tensor("F32", [2, 2, 4], rows)
    content["tensors"]["layers"] = tensor("I64", [2], [0, 3])
    yield "wplus", "a row for each layer; one of them is zero", content

    content = base()
    content["metadata"]["space"] = "z"
    change = {"ref": "dcgan_digiface64", "family": "dcgan", "num_layers": 1}
    content["metadata"]["model"] |= change | {"layer_names": ["main.0"], "resolution": 64}
    content["tensors"]["layers"] = tensor("I64", [1], [0])
    yield "z", "one z input", content

    yield "mask", "one gray mask; its background is what it leaves", with_masks([2, 3])
    content = with_masks([2, 2, 3])
    values = [255, 255, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255]
    content["tensors"]["background"] = tensor("U8", [2, 2, 3], values)
    yield "masks", "a mask and a background for each of two seeds", content

    content = base()
    content["metadata"] |= {"later": {"b": [1, None], "a": True}}
    content["metadata"]["model"]["later"] = "kept"
    content["metadata"]["directions"][1] = {"later": 1.5}
    content["tensors"] |= {
        "x.half": {"dtype": "BF16", "shape": [2], "hex": "803f0040"},
        "x.none": {"dtype": "F32", "shape": [0, 3], "hex": ""},
        "x.scalar": {"dtype": "I64", "shape": [], "hex": "2a00000000000000"},
    }
    yield "extras", "unknown keys and private tensors, which a rewrite keeps", content

    content = base()
    content["metadata"] |= {"version": "1.1", "palette": "warm"}
    yield "minor", "a later minor version with a key of its own", content

    content = base()
    labels = ["Lächeln", "笑顔 😀", "3 eyes", "-1"]
    content["metadata"]["directions"] = [{"label": label} for label in labels]
    rows = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    content["tensors"]["directions"] = tensor("F32", [4, 4], rows)
    content["tensors"]["eigenvalues"] = tensor("F64", [4], [4, 3, 2, 1])
    yield "labels", "labels beyond ASCII, and some that only look like an index", content

    content = base()
    content["metadata"]["params"]["gain_threshold"] = 0.5
    content["metadata"]["directions"] = [{"gain": 0.8125}, {"gain": 0.0312}]
    yield "gain", "direction 0 is a common style gain", content

    content = base()
    floats = [0.0, -0.0, 1.0, 0.1, 1e-4, 1e-5, 123456789.125, 9007199254740993.0, 1e16, 1e22]
    content["metadata"]["params"] |= {"floats": [*floats, 5e-324, 1.7976931348623157e308]}
    content["metadata"]["params"] |= {"integers": [0, -1, 2**53 - 1, 1 - 2**53]}
    content["metadata"]["params"] |= {"texts": ['"\\/\b\f\n\r\t', "\x01\x7f\u2028", "Å😀"]}
    yield "spellings", "every way the canonical text writes numbers and characters", content


def _spelled() -> Content:
    content = base()
    content["metadata"]["directions"][0]["label"] = "é"
    content["metadata"]["tool"] = "unknown"
    return content


def _spelled_raw() -> bytes:
    """The same content, as unlike the canonical file as the format allows."""
    content = _spelled()
    metadata = content["metadata"]
    del metadata["tool"], metadata["requires"]
    metadata["directions"][0]["label"] = "e\u0301"
    spelled = json.dumps(dict(reversed(metadata.items())), indent=1)
    header: dict[str, Any] = {}
    data = b""
    for name in ("directions", "eigenvalues", "layers"):
        piece = numbers(content["tensors"][name])
        offsets = [len(data), len(data) + len(piece)]
        shape = content["tensors"][name]["shape"]
        header[name] = {"shape": shape, "data_offsets": offsets}
        header[name]["dtype"] = content["tensors"][name]["dtype"]
        data += piece
    raw = json.dumps(header | {"__metadata__": {"sefa": spelled}}, indent=1).encode()
    raw += b" " * (len(raw) % 2 == 0)  # an odd length: no tensor is aligned
    return struct.pack("<Q", len(raw)) + raw + data
