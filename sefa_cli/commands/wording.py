"""Errors in the words of a shell: it has options where Python has keyword arguments."""

import re

from sefa_cli.errors import SefaError

# A keyword argument that the library expects or recommends, perhaps with its value.
_KEYWORD = re.compile(
    r"(?<![\w.-])(align|any_model|loss|model|overwrite|scorers|to_rgb)=(?:True\b|'(\w+)')?"
)


def said(error: SefaError) -> str:
    """Return what an error says in a shell.

    Example:
        >>> said(SefaError("a.png already exists", remedy="Use overwrite=True to replace it."))
        'a.png already exists. Use --overwrite to replace it.'
        >>> said(SefaError("no scorer measures 'age'", remedy="Choose scorers='person'."))
        "no scorer measures 'age'. Choose --scorers person."
    """
    expected, remedy = (_KEYWORD.sub(_option, text) for text in (error.expected, error.remedy))
    return str(SefaError(error.found, expected, remedy))


def _option(match: re.Match[str]) -> str:
    option = "--" + match[1].replace("_", "-")
    return f"{option} {match[2]}" if match[2] else option
