"""Read pickles as inert data, with a small pickle machine that imports and calls nothing.

Plain containers become dicts, lists, tuples and sets; every other object becomes a `Record` of the
call that would have made it. Byte strings longer than a few dozen bytes stay in the file as
`FileRegion`s, so a checkpoint of hundreds of megabytes costs neither time nor memory.
"""

import struct
from pathlib import Path
from typing import Any, NamedTuple

from sefa_cli.containers.file_regions import Buffer
from sefa_cli.containers.inert import PersistentId
from sefa_cli.containers.pickle.instructions import INSTRUCTIONS, STOP
from sefa_cli.containers.pickle.machine import MAX_INSTRUCTIONS, Machine


class Pickle(NamedTuple):
    """The result of reading a pickle."""

    value: Any
    end: int  # the byte after it
    called: tuple[str, ...]  # names a live unpickler would have called
    outside: tuple[PersistentId, ...]  # what it refers to


def read_pickle(data: Buffer, path: Path, start: int = 0, end: int | None = None) -> Pickle:
    """Read the pickle that begins at byte `start` of `data`, the contents of the file `path`.

    Raises SefaError for anything damaged, unknown, or forged beyond the machine's limits.
    """
    machine = Machine(data, path, start, len(data) if end is None else end)
    try:
        value = _run(machine)
    except (LookupError, TypeError, ValueError, OverflowError, struct.error) as error:
        raise machine.refusal("it is not well-formed") from error
    return Pickle(value, machine.at, tuple(machine.called), tuple(machine.outside))


def _run(machine: Machine) -> Any:
    """Execute the instructions up to STOP, which returns the value on top of the stack."""
    data = machine.data
    for _ in range(MAX_INSTRUCTIONS):
        if machine.at >= machine.end:
            machine.refuse("it ends early")
        opcode = data[machine.at]
        machine.at += 1
        if opcode == STOP:
            return machine.stack.pop()
        instruction = INSTRUCTIONS.get(opcode)
        if instruction is None:
            machine.refuse(f"instruction {opcode:#04x} is unknown")
        instruction(machine)
    return machine.refuse(f"it has more than {MAX_INSTRUCTIONS:,} instructions")
