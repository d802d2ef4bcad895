"""Row 0. Ranges such as `0-4,7`: the one way to write seeds, layers and directions."""

import math
import operator
import re
from collections import Counter
from collections.abc import Iterable, Sequence, Sized

from sefa_cli.arguments import DIGITS, MOST_LISTED, check_digits, in_short
from sefa_cli.canonical import shown
from sefa_cli.errors import UsageError

_PART = re.compile(r"(\d+)(?:-(\d+))?")
Indices = str | int | Iterable[int]  # "0-4,7", 3 or [0, 1, 2]


def is_range(text: str) -> bool:
    """Return whether `text` reads as an index or a range, which labels may not."""
    return all(_PART.fullmatch(part.strip()) for part in text.split(","))


def parse_range(text: str, what: str, count: int | None = None) -> tuple[int, ...]:
    """Return the indices in `text` (`"0-4,7"` → `(0, 1, 2, 3, 4, 7)`), in the order written.

    `what` names them in errors ("seed", "layer"); with `count`, each must lie in 0 … count−1.
    Raises UsageError for text that is not a range, runs backwards, repeats or is out of range.
    """
    runs: list[range] = []
    named = 0
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        if not match:
            raise UsageError(
                f"{_keyword(what)} must be a range, got {shown(text)}",
                'something like "0-4,7"',
                f"{what.capitalize()}s start at 0.",
            )
        if max(map(len, match.groups(""))) > DIGITS:  # int() of thousands of digits is refused
            raise UsageError(f"{what} {part:.20}… is too large", f"at most {DIGITS} digits")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise UsageError(f"{what} range {part.strip()!r} runs backwards", f"{last}-{first}")
        named += last - first + 1
        if named > MOST_LISTED:
            raise UsageError(
                f"{what} range {shown(text.strip())} names {named:,} {what}s",
                f"at most {MOST_LISTED:,}",
            )
        runs.append(range(first, last + 1))
    if count is not None:  # before a million of them are made
        ends = [max(run[0], min(run[-1], count)) for run in runs]
        check_indices(list(dict.fromkeys(ends)), what, count)
    return check_indices([index for run in runs for index in run], what, count)


def check_indices(indices: Sequence[int], what: str, count: int | None = None) -> tuple[int, ...]:
    """Return indices given as whole numbers, after the same checks."""
    if odd := [i for i in indices if not is_whole(i, -math.inf)]:
        kind = "an index or a label" if what == "direction" else "a whole number"
        raise UsageError(f"{what} must be {kind}, got {in_short(odd[0])}")
    check_digits(what, indices)
    indices = [operator.index(i) for i in indices]
    if not indices:
        raise UsageError(f"no {what} given", "at least one")
    if count is not None and (wrong := [i for i in indices if not 0 <= i < count]):
        raise UsageError(f"{what} {wrong[0]} is out of range", f"0-{count - 1}")
    check_once(indices, what)
    return tuple(indices)


def check_once(items: Sequence[object], what: str) -> None:
    """Raise UsageError for an item that stands twice in a list: the rule of all lists."""
    for item, times in Counter(items).items():
        if times > 1:
            raise UsageError(f"{what} {item} is given twice", f"each {what} once")


def as_indices(given: Indices, what: str, count: int | None = None) -> tuple[int, ...]:
    """Return indices given as a range such as `"0-4,7"`, as one number, or as several.

    Example:
        >>> as_indices("0-2", "layer"), as_indices(3, "layer"), as_indices([4, 1], "layer")
        ((0, 1, 2), (3,), (4, 1))
    """
    if isinstance(given, str):
        return parse_range(given, what, count)
    listed = isinstance(given, Iterable) and not isinstance(given, bytes | bytearray)
    if getattr(given, "ndim", listed) == 0:  # one number, also in an array without axes
        given = [given]  # type: ignore[list-item]
    if isinstance(given, Sized) and len(given) > MOST_LISTED:
        raise UsageError(f"{len(given):,} {what}s are given", f"at most {MOST_LISTED:,}")
    indices = list(given)  # type: ignore[arg-type]
    check_digits(what, indices)
    if odd := [index for index in indices if not is_whole(index, -math.inf)]:
        raise UsageError(
            f"{_keyword(what)} must be whole numbers, got {in_short(odd[0])}",
            'a list such as [0, 1], or "0-4,7"',
        )
    return check_indices(indices, what, count)


def _keyword(what: str) -> str:
    """Return the argument that holds them: `seeds`, `truncation_layers`."""
    return f"{what.replace(' ', '_')}s"


def is_whole(number: object, least: float, most: float = math.inf) -> bool:
    """Return whether this is a whole number from `least` to `most`; True and False are none."""
    if isinstance(number, bool):
        return False
    try:
        whole: int = operator.index(number)  # type: ignore[arg-type]
    except TypeError:
        return False
    return least <= whole <= most


def format_range(indices: Iterable[int]) -> str:
    """Return the shortest text that `parse_range` reads back: `(0, 1, 2, 7)` → `"0-2,7"`."""
    runs: list[list[int]] = []
    for index in indices:
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return ",".join(str(r[0]) if len(r) == 1 else f"{r[0]}-{r[-1]}" for r in runs)
