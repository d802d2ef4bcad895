"""No reader takes quadratic time: eight times the input, far less than 64 times the time."""

import contextlib
import itertools
import json
import pickle
import struct
import sys
import time
from collections.abc import Callable

import pytest

from sefa_cli.errors import SefaError
from tests.helpers import ROOT

sys.path.insert(0, str(ROOT))
from bench.fuzz_parsers import PARSERS

Make = Callable[[int], bytes]


def header(text: bytes) -> bytes:
    return struct.pack("<Q", len(text)) + text


def tensors(n: int) -> bytes:
    entry = {"dtype": "U8", "shape": [1]}
    entries = {f"a{i}": {**entry, "data_offsets": [i, i + 1]} for i in range(n)}
    return header(json.dumps(entries).encode()) + bytes(n)


def layers(n: int) -> bytes:
    layer = b'<layer id="%d" type="Parameter" name="a"/>'
    edge = b'<edge from-layer="0" from-port="0" to-layer="%d" to-port="%d"/>'
    return (
        b'<?xml version="1.0"?><net name="x" version="10"><layers>'
        + b"".join(layer % i for i in range(n))
        + b"</layers><edges>"
        + b"".join(edge % (i, i) for i in range(1, n))
        + b"</edges></net>"
    )


def alike(n: int) -> bytes:
    """Keys with the same hash, for -1 and -2 have the same."""
    items = ([struct.pack("<ci", b"J", -1 - (i >> bit & 1)) for bit in range(15)] for i in range(n))
    return b"}(" + b"".join(b"(" + b"".join(key) + b"tN" for key in items) + b"u."


def keys(n: int) -> bytes:
    key = struct.pack("<Q", 2) + b"ab" + struct.pack("<IB", 0, 1)
    return b"GGUF" + struct.pack("<IQQ", 3, 0, n) + key * n


LARGE: dict[str, list[Make]] = {
    "ranges": [lambda n: b",".join(b"%d" % i for i in range(n)), lambda n: b"1" * n],
    "alphas": [lambda n: b",".join(b"%d" % i for i in range(n)), lambda n: b":" * n],
    "mix": [
        lambda n: b" " * n, lambda n: b"1" * n + b" " * n, lambda n: b"+a" * n,
        lambda n: b'"' + b"\\a" * n, lambda n: b"a:" * n, lambda n: b"+ " * n,
    ],
    "box": [lambda n: b"1," * n, lambda n: b"1" * n],
    "polygon": [lambda n: b"1,2 3,4 5,9 " * (n // 30), lambda n: b" " * n],
    "pickle": [
        lambda n: pickle.dumps({i: str(i) for i in range(n)}), lambda n: b"(" * n + b".",
        lambda n: alike(4 * n), lambda n: b"]" * n + b"a" * (n - 1) + b".",
        lambda n: b"L" + b"1" * n + b"L\n.",
        lambda n: b"\x8b" + struct.pack("<I", n) + b"\xff" * n + b".",
    ],
    "container": [tensors, lambda n: header(b"{" + b",".join([b'"a":0'] * n) + b"}")],
    "safetensors": [tensors],
    "gguf": [keys],
    "ir": [layers],
    "note": [lambda n: b"\x89PNG\r\n\x1a\n" + (struct.pack(">I", 0) + b"abcd1234") * n],
}  # fmt: skip
CASES = list(itertools.chain(*([(name, make) for make in many] for name, many in LARGE.items())))


@pytest.mark.parametrize(("name", "make"), CASES)
def test_time_grows_with_the_input(name: str, make: Make) -> None:
    def seconds(data: bytes) -> float:
        began = time.process_time()
        with contextlib.suppress(SefaError):
            PARSERS[name].read(data)
        return time.process_time() - began

    few, many = make(500), make(4000)
    small, large = min(seconds(few) for _ in range(2)), min(seconds(many) for _ in range(2))
    assert large < max(0.1, 32 * small)  # a caching processor costs a little; squares are 64
