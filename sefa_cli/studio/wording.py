"""Errors in the words of a page: it has fields and buttons where commands have options."""

from sefa_cli.errors import SefaError

# What a remedy of the library names, and the remedy on a page.
_HERE = {
    "--align": "In Open, clear Align the face of a photo, and drop it again: its middle is taken.",
    "model=": "Open the bundle's model first, then the bundle.",
}


def said(error: SefaError) -> str:
    """Return what an error says on a page."""
    for word, remedy in _HERE.items():
        if word in error.remedy:
            return str(SefaError(error.found, error.expected, remedy))
    return str(error)
