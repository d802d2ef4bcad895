"""Sums of directions as text: `0.7*yaw + 0.3*face:"turns left"`."""

import math
import re

from sefa_cli.errors import UsageError

# A number, `*`, then a direction: a label, "a label in quotes", an index, or file:either of them.
_TERM = re.compile(
    r'\s*+(?P<sign>[+-]?)\s*+(?:(?P<weight>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*+\*\s*+)?'
    r'(?P<name>(?:[^\s"*+:]+:)?(?:"(?:[^"\\]|\\.)+"|[^\s"*+]+))\s*'
)  # fmt: skip


def parse_mix(text: str) -> list[tuple[float, str]]:
    """Parse `0.7*yaw + 0.3*age` into `[(0.7, "yaw"), (0.3, "age")]`. Raises UsageError."""
    if not isinstance(text, str):
        raise UsageError(f"a mix must be a text, got {text!r}", "a sum such as 0.7*yaw + 0.3*age")
    terms: list[tuple[float, str]] = []
    at = 0
    while at < len(text):
        match = _TERM.match(text, at)
        if not match or (terms and not match["sign"]):
            raise UsageError(f"cannot read the mix {text!r} from {text[at:]!r} on",
                             'a sum such as 0.7*yaw + 0.3*"turns left"')  # fmt: skip
        weight = float(match["weight"] or 1)
        if not math.isfinite(weight):
            raise UsageError(f"the weight {match['weight']} is infinite", "a number such as 0.7")
        terms.append((-weight if match["sign"] == "-" else weight, match["name"]))
        at = match.end()
    if not terms:
        raise UsageError("the mix is empty", "a sum such as 0.7*yaw + 0.3*age")
    return terms


def unquoted(name: str) -> str:
    """Return `turns left` for `"turns left"`; a backslash escapes the next character."""
    if len(name) < 2 or not name.startswith('"') or not name.endswith('"'):
        return name
    return re.sub(r"\\(.)", r"\1", name[1:-1])
