"""The effect of each pickle instruction on the machine; protocols 0 to 5 (see pickletools).

The extension registry (EXT1, EXT2, EXT4) and out-of-band buffers are missing, and so refused: their
contents are not in the file.
"""

import codecs
import struct
from collections.abc import Callable
from typing import Any

from sefa_cli.containers.inert import Global, Record
from sefa_cli.containers.pickle.machine import MAX_LINE, MAX_MARKS, MAX_TEXT, Machine

_HIGHEST_PROTOCOL = 5

_U2, _U4, _U8 = struct.Struct("<H"), struct.Struct("<I"), struct.Struct("<Q")
_I4, _DOUBLE = struct.Struct("<i"), struct.Struct(">d")

Instruction = Callable[[Machine], None]


def _written_integer(machine: Machine) -> int | bool:
    text = machine.line()
    if text in (b"00", b"01"):  # how protocol 0 writes booleans
        return text == b"01"
    return machine.integer(text)


def _written_string(machine: Machine) -> str:
    quoted = machine.line(MAX_TEXT)
    machine.count_text(len(quoted))
    return codecs.escape_decode(quoted[1:-1])[0].decode("latin1")


def _written_unicode(machine: Machine) -> str:
    text = machine.line(MAX_TEXT)
    machine.count_text(len(text))
    return text.decode("raw-unicode-escape")


def _python2_string(machine: Machine, length: int) -> Any:
    content = machine.payload(length)
    return content.decode("latin1") if isinstance(content, bytes) else content


def _global(machine: Machine) -> Global:
    return Global(machine.line().decode(), machine.line().decode())


# Instructions that push one value.
_PUSH: dict[bytes, Callable[[Machine], Any]] = {
    b"N": lambda m: None,
    b"\x88": lambda m: True,
    b"\x89": lambda m: False,
    b"K": lambda m: m.byte(),
    b"M": lambda m: m.number(_U2),
    b"J": lambda m: m.number(_I4),
    b"\x8a": lambda m: m.long(m.byte()),
    b"\x8b": lambda m: m.long(m.number(_I4)),
    b"I": _written_integer,
    b"L": lambda m: m.integer(m.line().rstrip(b"L")),
    b"G": lambda m: m.number(_DOUBLE),
    b"F": lambda m: float(m.line()),
    b"S": _written_string,
    b"T": lambda m: _python2_string(m, m.number(_U4)),
    b"U": lambda m: _python2_string(m, m.byte()),
    b"V": _written_unicode,
    b"X": lambda m: m.string(m.number(_U4)),
    b"\x8c": lambda m: m.string(m.byte()),
    b"\x8d": lambda m: m.string(m.number(_U8)),
    b"B": lambda m: m.payload(m.number(_U4)),
    b"C": lambda m: m.payload(m.byte()),
    b"\x8e": lambda m: m.payload(m.number(_U8)),
    b"\x96": lambda m: m.payload(m.number(_U8)),  # a bytearray, read as bytes
    b"}": lambda m: {},
    b"]": lambda m: [],
    b")": lambda m: (),
    b"\x8f": lambda m: set(),
    b"d": lambda m: _pairs_since_mark(m),
    b"l": lambda m: m.since_mark(),
    b"t": lambda m: tuple(m.since_mark()),
    b"\x91": lambda m: {m.key(item) for item in m.since_mark()},
    b"\x85": lambda m: (m.stack.pop(),),
    b"\x86": lambda m: (m.stack.pop(), m.stack.pop())[::-1],
    b"\x87": lambda m: (m.stack.pop(), m.stack.pop(), m.stack.pop())[::-1],
    b"2": lambda m: m.stack[-1],
    b"g": lambda m: m.memo[int(m.line())],
    b"h": lambda m: m.memo[m.byte()],
    b"j": lambda m: m.memo[m.number(_U4)],
    b"P": lambda m: m.refer(m.line().decode()),
    b"Q": lambda m: m.refer(m.stack.pop()),
    b"c": _global,
    b"\x93": lambda m: _stacked_global(m),
    b"R": lambda m: _call(m, m.stack.pop()),
    b"\x81": lambda m: _call(m, m.stack.pop()),
    b"\x92": lambda m: _call_with_names(m),
    b"i": lambda m: m.call(_global(m), tuple(m.since_mark())),
    b"o": lambda m: _call_since_mark(m),
}


def _pairs_since_mark(machine: Machine) -> dict[Any, Any]:
    items = machine.since_mark()
    return {machine.key(k): v for k, v in zip(items[::2], items[1::2], strict=True)}


def _stacked_global(machine: Machine) -> Global:
    name, module = machine.stack.pop(), machine.stack.pop()
    if not isinstance(name, str) or not isinstance(module, str):
        machine.refuse("a name to import is not text")
    if len(name) + len(module) > MAX_LINE:
        machine.refuse("a name to import is too long")
    return Global(module, name)


def _call(machine: Machine, args: Any) -> Any:
    return machine.call(machine.stack.pop(), args)


def _call_with_names(machine: Machine) -> Any:
    names, args = machine.stack.pop(), machine.stack.pop()
    return machine.call(machine.stack.pop(), args, names)


def _call_since_mark(machine: Machine) -> Any:
    target, *args = machine.since_mark()
    return machine.call(target, tuple(args))


def _mark(machine: Machine) -> None:
    machine.marks.append(machine.stack)
    machine.stack = []
    if len(machine.marks) > MAX_MARKS:
        machine.refuse(f"more than {MAX_MARKS:,} containers are open")


def _pop(machine: Machine) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.since_mark()


def _pop_mark(machine: Machine) -> None:
    machine.since_mark()


def _set_pair(machine: Machine) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    machine.set_pairs([key, value])


def _build(machine: Machine) -> None:
    """Keep the state in a Record; plain containers need none (torch's `_metadata`)."""
    state, target = machine.stack.pop(), machine.stack[-1]
    if isinstance(target, Record):
        target.state = state
    elif not isinstance(target, dict | list | set):
        machine.refuse(f"it sets the state of a {type(target).__name__}")


def _protocol(machine: Machine) -> None:
    protocol = machine.byte()
    if protocol > _HIGHEST_PROTOCOL:
        machine.refuse(f"protocol {protocol} is unknown")


def _memoize(machine: Machine, index: int) -> None:
    machine.memo[index] = machine.stack[-1]


# Instructions that change what is there.
_CHANGE: dict[bytes, Instruction] = {
    b"(": _mark,
    b"0": _pop,
    b"1": _pop_mark,
    b"a": lambda m: m.extend([m.stack.pop()]),
    b"e": lambda m: m.extend(m.since_mark()),
    b"\x90": lambda m: m.extend(m.since_mark()),
    b"s": _set_pair,
    b"u": lambda m: m.set_pairs(m.since_mark()),
    b"b": _build,
    b"p": lambda m: _memoize(m, int(m.line())),
    b"q": lambda m: _memoize(m, m.byte()),
    b"r": lambda m: _memoize(m, m.number(_U4)),
    b"\x94": lambda m: _memoize(m, len(m.memo)),
    b"\x80": _protocol,
    b"\x95": lambda m: m.claim(m.number(_U8)),  # a frame: the reader needs no grouping
}


def _pushing(value: Callable[[Machine], Any]) -> Instruction:
    def push(machine: Machine) -> None:
        pushed = value(machine)  # first: it may change which list is the stack
        machine.stack.append(pushed)

    return push


INSTRUCTIONS: dict[int, Instruction] = {
    **{opcode[0]: _pushing(value) for opcode, value in _PUSH.items()},
    **{opcode[0]: change for opcode, change in _CHANGE.items()},
}
STOP = ord(".")
