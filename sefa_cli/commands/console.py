"""Streams: data on stdout, talk and progress on stderr, progress only on a terminal."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.console import Console

_verbosity = 0  # -1 quiet, 0 as usual, 1 verbose; set once by the command line


def set_verbosity(level: int) -> None:
    """-1 for `-q`, 0, 1 for `-v`: for `say`, and for what the parts below log."""
    global _verbosity
    _verbosity = level
    parts = logging.getLogger("sefa_cli")
    parts.setLevel({-1: logging.ERROR, 0: logging.INFO}.get(level, logging.DEBUG))
    parts.addHandler(_talk)


class _Talk(logging.Handler):
    """What the parts below log, as plain lines on what is stderr at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        print(record.getMessage(), file=sys.stderr)


_talk = _Talk()


def say(text: str, level: int = 0) -> None:
    """A line on stderr, unless `-q`; with `level` 1 only under `-v`."""
    if _verbosity >= level:
        print(text, file=sys.stderr)


def wrote(path: Path | str) -> None:
    """The path of a file that was written, on stdout, so that scripts can go on with it."""
    if str(path) != "-":
        print(path)


def print_json(data: Any) -> None:
    """Print one JSON document on stdout, with escapes if the stream cannot hold its text."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(data, indent=2)
    print(text)


def table_console() -> "Console":
    """A rich console on stdout; in a pipe it keeps every column whole and without color."""
    from rich.console import Console

    piped = not sys.stdout.isatty()
    return Console(soft_wrap=piped, width=1000 if piped else None, highlight=False)


class Advance(Protocol):
    """Called after each piece of work is done."""

    def __call__(self, pieces: int = 1) -> None: ...


@contextmanager
def progress(doing: str, total: int) -> Iterator[Advance]:
    """A progress bar with the time left on stderr, which is told of each piece of work."""
    with progress_bar() as tell:
        done = 0

        def advance(pieces: int = 1) -> None:
            nonlocal done
            done += pieces
            tell(doing, done, total)

        tell(doing, done, total)
        yield advance


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """The same bar, told what is done, how many pieces were done, and how many there are.

    Silent with `-q` or when stderr is not a terminal.
    """
    if _verbosity < 0 or not sys.stderr.isatty():
        yield lambda doing, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    bar = Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("starting")
        yield lambda doing, done, total: bar.update(
            task, description=doing, completed=done, total=total
        )
