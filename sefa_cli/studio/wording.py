"""Errors in the words of a page: it has fields and buttons where commands have options."""

import logging
import re

from sefa_cli.discovery.memory import OUT_OF_MEMORY, refuse_others, too_little
from sefa_cli.errors import SefaError
from sefa_cli.file_kinds import why_not

logger = logging.getLogger(__name__)

_ELSEWHERE = re.compile(r" ?`sefa\.factorize_tensors[^.]*\.")  # what no page can do
# What a remedy of the library names, and the remedy on a page.
_HERE = {
    "align=": "In Open, clear Align the face of a photo, and drop it again: its middle is taken.",
    "codes=": "Open a model, and drop the codes on its page.",
    "model=": "Open the bundle's model first, then the bundle.",
    "run it again": "Free some space, and try again.",
    "smaller size": "Close other programs and pages of the studio, and try again.",
}


def said(error: Exception) -> str:
    """Return what an error says on a page. The terminal shows more of one that is a bug."""
    if not isinstance(error, SefaError):
        error = _known(error)
    for word, remedy in _HERE.items():
        if word in error.remedy:
            return str(SefaError(error.found, error.expected, remedy))
    return str(SefaError(error.found, error.expected, _ELSEWHERE.sub("", error.remedy)))


def _known(error: Exception) -> SefaError:
    if isinstance(error, OSError):
        return why_not(error.filename or "a file", error)
    if isinstance(error, OUT_OF_MEMORY):
        try:
            refuse_others(error)
            return too_little()
        except RuntimeError:
            pass  # of another cause
    logger.error("what a page asked for failed", exc_info=error)
    return SefaError(
        f"This failed: {type(error).__name__}: {error}",
        remedy="Try again. If it fails again, report it with what the studio's terminal shows.",
    )
