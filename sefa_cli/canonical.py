"""JSON as a bundle holds it: read strictly, and written in one way only.

The rules are those of formats/directions-v1.md, "Canonical text". They make the bytes of a file
depend on its content alone, and keep hostile text from costing more than one clear line.
"""

import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from itertools import accumulate
from numbers import Integral, Real
from typing import Any

from sefa_cli.errors import SefaError

MOST_NESTING = 32  # levels of arrays and objects; Python's own parser gives up somewhere near 1000
MOST_INTEGER = 2**53 - 1  # beyond it, readers that know only doubles would see another number

# Everything but brackets; strings are matched whole, so that those inside them do not count.
_NO_BRACKETS = re.compile(r'(?:"(?:[^"\\]++|\\.)*+"|[^\[\]{}"]++)++', re.DOTALL)
_STEP = {"[": 1, "{": 1, "]": -1, "}": -1}


def read_json(text: bytes, what: str) -> Any:
    """Return the value of the JSON `text`, its strings in NFC; `what` names it in errors.

    Raises SefaError for anything but JSON in UTF-8 without repeated keys, lone surrogates, NaN,
    infinity, integers from 2^53 on, or more than 32 levels of nesting.
    """
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SefaError(f"{what} is not UTF-8 (byte {error.start})") from None
    _check_nesting(decoded, what)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            counts = Counter(key for key, _ in pairs)
            twice = next(key for key, times in counts.items() if times > 1)
            raise SefaError(f"{what} has the key {shown(twice)} twice")
        return found

    def no_constant(name: str) -> Any:
        raise SefaError(f"{what} holds {name}", "finite numbers")

    def integer(digits: str) -> int:
        if len(digits) > len(str(-MOST_INTEGER)):  # int() of a million digits takes minutes
            raise SefaError(f"{what} holds an integer of {len(digits)} digits", "less than 2^53")
        return int(digits)

    try:
        value = json.loads(
            decoded, object_pairs_hook=unique, parse_constant=no_constant, parse_int=integer
        )
    except json.JSONDecodeError as error:
        raise SefaError(f"{what} is not JSON ({error.msg}, character {error.pos})") from None
    return plain(value, what)


def _check_nesting(text: str, what: str) -> None:
    steps = (_STEP.get(bracket, 0) for bracket in _NO_BRACKETS.sub("", text))
    if max(accumulate(steps), default=0) > MOST_NESTING:
        raise SefaError(f"{what} is nested too deeply", f"at most {MOST_NESTING} levels")


def plain(value: Any, what: str, depth: int = 0) -> Any:
    """Return a deep copy of `value` as plain JSON data, with its strings in NFC.

    Tuples become lists, and numpy scalars become Python numbers. Raises SefaError, which names the
    place inside `what`, for anything that canonical JSON cannot hold.
    """
    if depth > MOST_NESTING:
        raise SefaError(f"{what} is nested too deeply", f"at most {MOST_NESTING} levels")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _nfc(value, what)
    if isinstance(value, dict | Mapping):  # an abstract class takes long to say no
        return _plain_object(value, what, depth)
    if isinstance(value, list | tuple):
        return [plain(item, f"{what}[{n}]", depth + 1) for n, item in enumerate(value)]
    if isinstance(value, int | Integral):
        if abs(int(value)) > MOST_INTEGER:
            raise SefaError(f"{what} is the integer {int(value)}", "less than 2^53")
        return int(value)
    if isinstance(value, float | Real):
        if not math.isfinite(value):
            raise SefaError(f"{what} is {float(value)}", "a finite number")
        return float(value)
    raise SefaError(f"{what} is a Python {type(value).__name__}", "text, numbers, lists or dicts")


def _plain_object(value: Mapping[Any, Any], what: str, depth: int) -> dict[str, Any]:
    copy: dict[str, Any] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise SefaError(f"{what} has the key {shown(key)}", "keys that are text")
        key = _nfc(key, f"a key of {what}")
        if key in copy:
            raise SefaError(f"{what} has the key {shown(key)} twice")
        copy[key] = plain(item, f"{what}.{shown(key)[1:-1]}", depth + 1)
    return copy


def _nfc(text: str, what: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise SefaError(f"{what} holds a lone surrogate", "whole Unicode characters") from None
    return unicodedata.normalize("NFC", text)


def canonical_json(value: Any) -> str:
    """Return the one spelling of plain data: keys sorted, no spaces, characters unescaped."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def shown(value: object, most: int = 60) -> str:
    """Return `value` as errors show it: quoted, on one line, and short."""
    text = repr(value)
    return text if len(text) <= most else f"{text[: most - 2]}…{text[-1]}"
