"""The state of the pickle machine: bytes left, stack, memo, and the limits on all of them."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from sefa_cli.containers.faults import FileError
from sefa_cli.containers.file_regions import Buffer, FileRegion
from sefa_cli.containers.inert import Global, PersistentId, Record

# Each limit is many times what the largest known checkpoints need. Whatever lies on the stack,
# in the memo or under a mark was put there by an instruction: their number bounds those too.
MAX_INSTRUCTIONS = 1_000_000
MAX_MARKS = 10_000  # tuples, lists and dicts open at one time
MAX_TEXT = 16 << 20  # bytes of strings, the source text in NVIDIA's pickles among them
MAX_COPIED = 1_000_000  # items copied by set([…]) and its like
MAX_KEY_PARTS = 10_000  # tuples that are keys, and their items: some hash alike, and slowly
MAX_LINE = 1 << 10  # letters of a name, digits of a number
MAX_INTEGER = 128  # bytes of an integer: float() takes all of them
MAX_CALLS = 20  # names kept for messages

WINDOW_BYTES = 64  # longer byte strings stay in the file; numpy scalars are shorter


class Machine:
    """The instructions work on this: `data` from byte `at` up to `end`."""

    def __init__(self, data: Buffer, path: Path, at: int, end: int) -> None:
        self.data, self.path, self.at, self.end = data, path, at, end
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []  # stacks set aside, one per open mark
        self.memo: dict[int, Any] = {}
        self.called: dict[str, None] = {}
        self.outside: list[PersistentId] = []
        self.text = self.copied = self.key_parts = 0  # so far

    def refusal(self, why: str) -> FileError:
        """Return the error for this pickle, with the place where reading stopped."""
        return FileError(
            f"holds a pickle that cannot be read: {why} (byte {self.at:,})",
            remedy="Get the file again and compare its size.",
        )

    def refuse(self, why: str) -> NoReturn:
        """Stop reading."""
        raise self.refusal(why)

    def claim(self, length: int) -> None:
        """Refuse a length that the file cannot hold, before anything is allocated for it."""
        if length > self.end - self.at:
            self.refuse(f"{length:,} bytes are announced, but {self.end - self.at:,} are left")

    def take(self, length: int) -> bytes:
        """Return the next `length` bytes."""
        self.claim(length)
        self.at += length
        return self.data[self.at - length : self.at]

    def byte(self) -> int:
        """Return the next byte as a number."""
        self.claim(1)
        self.at += 1
        return self.data[self.at - 1]

    def number(self, form: struct.Struct) -> Any:
        """Return the next number in a struct format."""
        self.claim(form.size)
        self.at += form.size
        return form.unpack_from(self.data, self.at - form.size)[0]

    def long(self, length: int) -> int:
        """Return the next signed integer of `length` bytes."""
        if not 0 <= length <= MAX_INTEGER:
            self.refuse(f"an integer of {length:,} bytes")
        return int.from_bytes(self.take(length), "little", signed=True)

    def integer(self, text: bytes) -> int:
        """Return an integer that is written in digits, if it is one that `long` would read."""
        number = int(text)
        if number.bit_length() >= 8 * MAX_INTEGER:
            self.refuse(f"an integer of {len(text):,} digits")
        return number

    def line(self, limit: int = MAX_LINE) -> bytes:
        """Return the bytes up to the next newline, and skip the newline."""
        newline = self.data.find(b"\n", self.at, min(self.end, self.at + limit))
        if newline < 0:
            self.refuse("a line does not end")
        return self.take(newline + 1 - self.at)[:-1]

    def string(self, length: int) -> str:
        """Return the next `length` bytes as text."""
        self.count_text(length)
        return self.take(length).decode("utf-8", "surrogatepass")

    def count_text(self, length: int) -> None:
        """Refuse more text than any checkpoint has."""
        self.text += length
        if self.text > MAX_TEXT:
            self.refuse(f"it holds more than {MAX_TEXT >> 20} MiB of text")

    def payload(self, length: int) -> bytes | FileRegion:
        """Return the next `length` bytes; a long run stays in the file."""
        if length <= WINDOW_BYTES:
            return self.take(length)
        self.claim(length)
        self.at += length
        return FileRegion(self.path, self.at - length, length)

    def since_mark(self) -> list[Any]:
        """Return everything above the last mark, and restore the stack below it."""
        items, self.stack = self.stack, self.marks.pop()
        return items

    def key(self, key: Any, depth: int = 0) -> Any:
        """Return `key` if it hashes quickly: deep tuples overflow, chosen integers collide."""
        if isinstance(key, tuple) and depth < 3 and len(key) <= 16:
            self.key_parts += 1 + len(key)
            if self.key_parts > MAX_KEY_PARTS:
                self.refuse(f"tuples that are keys have more than {MAX_KEY_PARTS:,} parts")
            for part in key:
                self.key(part, depth + 1)
        elif isinstance(key, int) and abs(key) >> 63:
            self.refuse("a key is a huge integer")
        elif not isinstance(key, str | bytes | int | float | Global | Record | None):
            self.refuse(f"a key is a {type(key).__name__}")
        return key

    def set_pairs(self, items: list[Any]) -> None:
        """Set key, value, key, value … in the dict on top of the stack."""
        target = self.stack[-1]
        if isinstance(target, Record):
            target.pairs = pairs = {} if target.pairs is None else target.pairs
        elif isinstance(target, dict):
            pairs = target
        else:
            self.refuse(f"it sets items of a {type(target).__name__}")
        for key, value in zip(items[::2], items[1::2], strict=True):
            pairs[self.key(key)] = value

    def extend(self, items: list[Any]) -> None:
        """Add items to the list or set on top of the stack."""
        target = self.stack[-1]
        if isinstance(target, Record):
            target.items = [] if target.items is None else target.items
            target.items.extend(items)
        elif isinstance(target, set):
            target.update(self.key(item) for item in items)
        elif isinstance(target, list):
            target.extend(items)
        else:
            self.refuse(f"it adds items to a {type(target).__name__}")

    def call(self, target: Any, args: Any, kwargs: Any = None) -> Any:
        """Return the stand-in for `target(*args, **kwargs)`: a plain container or a Record."""
        if not isinstance(args, tuple) or not isinstance(kwargs, dict | None):
            self.refuse("a call has no argument list")
        if isinstance(target, Global):
            plain = _PLAIN.get(str(target))
            if plain and not kwargs:
                return plain(self, *args)
            if len(self.called) < MAX_CALLS:
                self.called[str(target)] = None
        return Record(target, args, kwargs) if kwargs else Record(target, args)

    def refer(self, value: Any) -> PersistentId:
        """Return the stand-in for something outside the pickle."""
        self.outside.append(PersistentId(value))
        return self.outside[-1]

    def copied_items(self, items: Any) -> Any:
        """Return `items` that are about to be copied, and count them: copies of copies add up."""
        if not isinstance(items, list | tuple | set | frozenset | dict):
            self.refuse(f"a container is made of a {type(items).__name__}")
        self.copied += len(items)
        if self.copied > MAX_COPIED:
            self.refuse(f"it copies more than {MAX_COPIED:,} items")
        return items


def _dict(machine: Machine, items: Any = ()) -> dict[Any, Any]:
    pairs = list(machine.copied_items(items).items() if isinstance(items, dict) else items)
    machine.copied_items(pairs)
    return {machine.key(key): value for key, value in pairs}


def _set(machine: Machine, items: Any = ()) -> set[Any]:
    return {machine.key(item) for item in machine.copied_items(items)}


def _list(machine: Machine, items: Any = ()) -> list[Any]:
    return list(machine.copied_items(items))


def _tuple(machine: Machine, items: Any = ()) -> tuple[Any, ...]:
    return tuple(machine.copied_items(items))


def _bytes(machine: Machine, content: Any = b"", encoding: str = "latin1") -> bytes | FileRegion:
    """Return bytes that protocols 0 to 2 wrote as text with an encoding."""
    if isinstance(content, str):
        machine.count_text(len(content))
        return content.encode("utf-8" if encoding == "utf-8" else "latin1")
    if not isinstance(content, bytes | FileRegion):
        machine.refuse(f"bytes are made of a {type(content).__name__}")
    return content


def _instance(machine: Machine, target: Any, base: Any = None, state: Any = None) -> Record:
    return Record(target)


_BUILTINS: dict[str, Callable[..., Any]] = {
    "dict": _dict,
    "set": _set,
    "frozenset": _set,
    "list": _list,
    "tuple": _tuple,
    "bytearray": _bytes,
    "bytes": _bytes,
}

# Calls whose result is plain data.
_PLAIN: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": _dict,
    "_codecs.encode": _bytes,
    **{f"builtins.{name}": make for name, make in _BUILTINS.items()},
    **{f"__builtin__.{name}": make for name, make in _BUILTINS.items()},
    "copyreg._reconstructor": _instance,
    "copy_reg._reconstructor": _instance,
}
