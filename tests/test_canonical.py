"""Canonical JSON: literal texts written, every spelling read, traps refused."""

import math
import time

import numpy as np
import pytest

from sefa_cli.canonical import MOST_NESTING, canonical_json, plain, read_json, shown
from sefa_cli.errors import SefaError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [None, True, 1.0]}, '{"a":[null,true,1.0],"b":1}'),
        ({"é": "Å😀/\x7f", "z": "\u2028"}, '{"z":"\u2028","é":"Å😀/\x7f"}'),
        ({"\U0001f600": 1, "\uffff": 2}, '{"\uffff":2,"\U0001f600":1}'),  # not in UTF-16 order
        ('"\\\b\f\n\r\t\x01\x1f', r'"\"\\\b\f\n\r\t\u0001\u001f"'),
        ([0.0, -0.0, 0.1, 1e-4, 1e-5], "[0.0,-0.0,0.1,0.0001,1e-05]"),
        ([9007199254740992.0, 1e16, 1.5e300, 5e-324], "[9007199254740992.0,1e+16,1.5e+300,5e-324]"),
        ([0, -1, 2**53 - 1], "[0,-1,9007199254740991]"),
    ],
)
def test_one_spelling(value: object, text: str) -> None:
    assert canonical_json(plain(value, "it")) == text
    assert read_json(text.encode(), "it") == value


def test_any_spelling_is_read_into_nfc() -> None:
    text = b' {\r\n\t"b" : [ 1E2 , -0 ] ,"e\\u0301":"\\ud83d\\ude00 e\xcc\x81" } '
    assert read_json(text, "it") == {"b": [100.0, 0], "é": "😀 é"}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (b"", "not JSON"),
        (b"{'a':1}", "not JSON"),
        (b"[1,]", "not JSON"),
        (b"01", "not JSON"),
        (b'"\x01"', "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'"\xff"', "not UTF-8"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b'["\\udc00"]', "surrogate"),
        (b'{"\\ud800":1}', "surrogate"),
        (b'{"a":1,"a":1}', "'a' twice"),
        (b'{"a":1,"\\u0061":2}', "'a' twice"),
        ('{"\u00e9":1,"e\u0301":2}'.encode(), "twice"),
        (b"[NaN]", "NaN"),
        (b"-Infinity", "-Infinity"),
        (b"[1e999]", r"it\[0\] is inf"),
        (b"9007199254740992", "2\\^53"),
        (b"-9007199254740992", "2\\^53"),
        (b"1" * 1_000_000, "1000000 digits"),
        (b"[" * 33 + b"]" * 33, "nested"),
        (b'{"a":' * 200_000, "nested"),
        (b"[" * 200_000, "nested"),
    ],
)
def test_traps_are_refused(text: bytes, word: str) -> None:
    with pytest.raises(SefaError, match=word) as caught:
        read_json(text, "it")
    assert len(str(caught.value)) < 200


def test_nesting_is_counted_outside_strings_only() -> None:
    assert read_json(b"[" * MOST_NESTING + b"]" * MOST_NESTING, "it")
    brackets = "[" * 100 + '\\"' + "{" * 100 + "\\\\"
    assert read_json(f'["{brackets}"]'.encode(), "it") == ["[" * 100 + '"' + "{" * 100 + "\\"]


def test_plain_copies_and_simplifies() -> None:
    inner = {"layers": (np.int64(3), np.float32(0.5), np.float64(0.1))}
    copy = plain(inner, "params")
    assert copy == {"layers": [3, 0.5, 0.1]}
    assert [type(item) for item in copy["layers"]] == [int, float, float]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": {"b": [1, math.nan]}}, "params.a.b[1] is nan; expected a finite number"),
        ({"a": 2**53}, "params.a is the integer 9007199254740992; expected less than 2^53"),
        ({1: 2}, "params has the key 1; expected keys that are text"),
        ([{1, 2}], "params[0] is a Python set; expected text, numbers, lists or dicts"),
        (
            [np.eye(2)],
            "params[0] is a Python ndarray; expected text, numbers, lists or dicts",
        ),
        ({"é": 1, "e\u0301": 2}, "params has the key 'é' twice"),
    ],
)
def test_what_json_cannot_hold_is_named(value: object, message: str) -> None:
    with pytest.raises(SefaError) as caught:
        plain(value, "params")
    assert str(caught.value) == message


def test_a_circle_is_refused() -> None:
    circle: list[object] = []
    circle.append(circle)
    with pytest.raises(SefaError, match="nested too deeply"):
        plain(circle, "it")


def test_shown_is_short_and_on_one_line() -> None:
    assert shown("a\nb\x1b\ud800") == r"'a\nb\x1b\ud800'"
    assert shown("a" * 100) == "'" + "a" * 57 + "…'"


def test_a_repeated_key_is_found_at_once() -> None:
    """The time was quadratic: minutes for a small file of short keys."""
    keys = [f'"{number:x}":0' for number in range(200_000)]
    began = time.process_time()
    with pytest.raises(SefaError, match="'30d3f' twice"):
        read_json(f'{{{",".join(keys)},"30d3f":0}}'.encode(), "x")
    assert time.process_time() - began < 5
