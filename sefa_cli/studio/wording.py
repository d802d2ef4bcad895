"""Errors in the words of a page: it has fields and buttons where commands have options."""

import re

from sefa_cli.errors import SefaError

# An option that a command's remedy names, and the remedy on a page.
_HERE = {
    "--align": "In Open, clear Align the face of a photo, and drop it again: its middle is taken.",
    "--model": "Open the bundle's model first, then the bundle.",
}


def said(error: SefaError) -> str:
    """Return what an error says on a page."""
    for option, remedy in _HERE.items():
        if re.search(rf"{option}\b", error.remedy):
            return str(SefaError(error.found, error.expected, remedy))
    return str(error)
