"""Output to streams that are not UTF-8: what does not fit is written in ASCII, never refused."""

import codecs
import contextlib
import io
import os
import re
import shutil
import sys

# Control characters, line ends of any kind, and what turns the direction of writing.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_PLAIN = {
    **dict.fromkeys("▏▎▍", "-"),
    **dict.fromkeys("▌▋▊▉█━", "#"),
    **dict.fromkeys("–—−‐─", "-"),
    **dict.fromkeys("“”", '"'),
    **dict.fromkeys("‘’", "'"),
    "…": "...",
    "→": "->",
    "←": "<-",
    "↔": "<->",
    "×": "x",
    "·": ".",
    "•": "*",
    "│": "|",
    "╭": "+",
    "╮": "+",
    "╰": "+",
    "╯": "+",
    "≤": "<=",
    "≥": ">=",
    "±": "+-",
    "°": " deg",
    "α": "alpha",
    "ψ": "psi",
    "ß": "ss",
}


def terminal_columns() -> int:
    """Return the width of the terminal, also if stdout goes into a pipe."""
    if "COLUMNS" not in os.environ:
        for stream in (sys.__stdout__, sys.__stderr__, sys.__stdin__):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                found = os.get_terminal_size(stream.fileno()).columns  # type: ignore[union-attr]
                if found:  # a terminal in a container may not know, and say 0
                    return found
    return shutil.get_terminal_size().columns


def accept_any_text() -> None:
    """Make stdout and stderr write any text, whatever their encoding; a closed one takes all.

    With PYTHONUNBUFFERED, Python itself would write the first part of a text and drop the rest
    where no more fits.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # a file that is opened later would take its number
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w"))  # noqa: SIM115
    if isinstance(getattr(sys.stdout, "buffer", None), io.RawIOBase):
        old = sys.stdout
        sys.stdout = open(old.fileno(), "w", 1, old.encoding, closefd=False)  # noqa: SIM115
    codecs.register_error("sefa.plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="sefa.plain")


def visible(text: str) -> str:
    r"""Return a text with escapes for what would steer a terminal: names of files hold anything.

    Example:
        >>> print(visible("\x1b[31mred.dirs"))
        \x1b[31mred.dirs
    """
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def escape(text: str) -> str:
    """Return a text for rich, without markup and what would steer the terminal."""
    from rich.markup import escape as plain

    return plain(visible(text))


def label_text(label: str | None) -> str:
    """Return a label for stdout: with escapes if the stream cannot hold its letters.

    Other letters in their place would look like another label.
    """
    label = label or ""
    try:
        label.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return label.encode("ascii", "backslashreplace").decode("ascii")
    return label


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return ASCII for the characters that a stream cannot encode, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letter = error.object[error.start]
    if "\udc80" <= letter <= "\udcff":  # a byte of a file name that is not UTF-8
        return bytes([ord(letter) - 0xDC00]), error.start + 1
    return _PLAIN.get(letter) or _without_accent(letter), error.start + 1


def _without_accent(letter: str) -> str:
    import unicodedata

    base = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode("ascii")
    return base or letter.encode("ascii", "backslashreplace").decode("ascii")
