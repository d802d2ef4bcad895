"""What a network was built with, where the file tells: constructors' arguments in pickles."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sefa_cli.containers.inert import Record
from sefa_cli.families.names import State

MMGEN_COLORS = "MMGeneration trains on BGR pictures: red and blue may be exchanged."
_LISTED = 4  # names shown in a note
_NESTED = ("mapping_kwargs", "synthesis_kwargs")


def as_dict(value: Any) -> Mapping[str, Any]:
    """Return a dict, or the items of a dict's subclass (`dnnlib.util.EasyDict`)."""
    value = value.pairs if isinstance(value, Record) else value
    return value if isinstance(value, dict) else {}


def constructor(state: State) -> Mapping[str, Any]:
    """Return the keyword arguments of the whole network; empty where the file has none."""
    return as_dict(state.attribute("", "_init_kwargs"))


def argument_names(state: State) -> list[str]:
    """All of their names, those handed on to the two parts included."""
    outer = constructor(state)
    inner = [as_dict(outer.get(part)) for part in _NESTED]
    return [name for part in (outer, *inner) for name in part if isinstance(name, str)]


def positive(value: Any) -> float | None:
    """Return a number above 0 as a float; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value < math.inf else None


def note_unknown(names: Iterable[str], known: Collection[str]) -> Iterator[str]:
    """Yield a note on the arguments, if any, that sefa does not know."""
    if odd := [name for name in names if name not in known]:
        yield f"Built with arguments that are not known here: {listed(odd)}. Pictures may differ."


def listed(names: Collection[str]) -> str:
    """Return the first few names for a note, and how many more there are."""
    shown = ", ".join(f"{name!r:.60}" for name in list(names)[:_LISTED])
    return shown if len(names) <= _LISTED else f"{shown} and {len(names) - _LISTED:,} more"
