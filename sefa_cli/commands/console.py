"""Streams: data on stdout; messages on stderr, and with them the progress of long work.

On a terminal progress is a bar, shown from the start. In a log it is a line now and then.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from sefa_cli.commands.streams import escape, terminal_columns, visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

STAGES = "sefa_cli.stage"  # the logger on which the library says what it starts to do
_SOON, _EVERY = 4.0, 10.0  # seconds until a log's first line of progress, and between two lines
_FIRST = 1.0  # seconds of work that tell how long all of it takes
_LONG = 60.0  # seconds of work from which on its length is announced

_verbosity = 0  # -1 quiet, 0 as usual, 1 verbose; set once by the command line


def set_verbosity(level: int) -> None:
    """Set how much is shown, by `say` and by the library's log: -1 for `-q`, 0, or 1 for `-v`.

    Errors are always shown, and warnings that something was not done as it was asked for.
    """
    global _verbosity
    _verbosity = level
    parts = logging.getLogger("sefa_cli")
    parts.setLevel({-1: logging.WARNING, 0: logging.INFO}.get(level, logging.DEBUG))
    # Those about where a file came from are not of that kind.
    logging.getLogger("sefa_cli.sources").setLevel(logging.ERROR if level < 0 else logging.NOTSET)
    logging.getLogger(STAGES).setLevel(logging.DEBUG if level >= 0 else logging.ERROR)
    parts.addHandler(_messages)


class _Messages(logging.Handler):
    """The library's log: stages go to the bar, all else (with -v also they) to stderr as lines."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == STAGES and _work is not None:
            _work.stage(record.getMessage())
        if record.name != STAGES or _verbosity > 0:
            print(visible(record.getMessage()), file=sys.stderr)


_messages = _Messages()


def say(text: str, level: int = 0) -> None:
    """Print a line on stderr, unless `-q`; with `level` 1 only with `-v`."""
    if _verbosity >= level:
        print("\n".join(map(visible, text.split("\n"))), file=sys.stderr)


def warn(text: str) -> None:
    """Print a line on stderr, also with `-q`: something that was asked for was not done."""
    say(text, level=-1)


def wrote(path: Path | str) -> None:
    """Print the path of a file that was written on stdout, for scripts."""
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
    """Return a rich console on stdout; in a pipe every column is whole and without color."""
    from rich.console import Console

    piped = not sys.stdout.isatty()
    width = 1000 if piped else terminal_columns()
    # With a height, which tables do not need, rich does not take 80 columns for every TERM=dumb.
    return Console(soft_wrap=piped, width=width, height=25, highlight=False, emoji=False)


class Work:
    """The progress of long work; this one shows nothing, as `-q` asks."""

    def stage(self, text: str) -> None:
        """Show what has begun, such as "loading tiny.pth"."""

    def tell(self, doing: str, done: int, total: int) -> None:
        """Show how many pieces are done, of how many."""

    def close(self) -> None:
        """Remove what is shown."""

    def begin(self, doing: str, total: int, unit: str, advice: str = "") -> "Advance":
        """Return what counts the pieces of work, each of which makes one `unit`.

        If the first pieces show that all will take more than a minute, a line says how many there
        are and how long they will take, with `advice`.
        """
        self.tell(doing, 0, total)
        return Advance(self, doing, total, unit, advice)


@dataclass(eq=False, repr=False)
class Advance:
    """Counts the pieces of work that are done; call it after each."""

    work: Work
    doing: str
    total: int
    unit: str
    advice: str
    done: int = 0
    began: float = field(default_factory=lambda: time.monotonic())
    pace: "Pace" = field(default_factory=lambda: Pace())
    announced: bool = False

    def __call__(self, pieces: int = 1) -> None:
        """Count some more pieces."""
        self.reach(self.done + pieces)

    def reach(self, done: int) -> None:
        """Set how many pieces are done."""
        self.done = done
        took = time.monotonic() - self.began
        left = self.pace.left(done, self.total)
        if left is not None and not self.announced and took >= _FIRST:
            self.announced = True
            if took + left > _LONG:
                advice = self.advice and f"; {self.advice}"
                say(f"{self.total:,} {self.unit}, about {duration(took + left)}{advice}")
        self.work.tell(self.doing, done, self.total)


class Pace:
    """How long the rest of some work takes, by all pieces but the first, which also warms up."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None  # pieces done, and when

    def left(self, done: int, total: int) -> float | None:
        """Return the seconds for the rest, None as long as only the first pieces are done."""
        now = time.monotonic()
        if not done:
            self._first = None
        elif self._first is None:
            self._first = done, now
        elif done > self._first[0]:
            return (now - self._first[1]) / (done - self._first[0]) * (total - done)
        return None


class _Lines(Work):
    """Progress in a log: a line now and then, also while a single stage lasts."""

    def __init__(self, first: str) -> None:
        self._pace = Pace()
        self._over = Event()
        self.stage(first)
        self._thread = Thread(target=self._talk, daemon=True)
        self._thread.start()

    def stage(self, text: str) -> None:
        self._now, self._since = text, time.monotonic()

    def tell(self, doing: str, done: int, total: int) -> None:
        left = self._pace.left(done, total)
        about = "" if left is None else f", about {duration(left)} left"
        self.stage(f"{doing}: {done:,} of {total:,}{about}")

    def close(self) -> None:
        self._over.set()
        self._thread.join()  # or an old line might follow the last word

    def _talk(self) -> None:
        said, line, pause = "", "", _SOON
        while not self._over.wait(pause):
            now, took, before = self._now, time.monotonic() - self._since, line
            line = f"{now} ({duration(took)})" if now == said else now
            if line != before:  # minutes do not change every ten seconds
                say(line)
            said, pause = now, _EVERY


class _Bar(Work):
    """Progress on a terminal: a bar that is gone when the work is done."""

    def __init__(self, bar: "Progress") -> None:
        self._bar = bar
        self._task = bar.add_task("starting", total=None)

    def stage(self, text: str) -> None:
        self._bar.update(self._task, description=escape(text), total=None)

    def tell(self, doing: str, done: int, total: int) -> None:
        self._bar.update(self._task, description=escape(doing), completed=done, total=total)

    def close(self) -> None:
        self._bar.stop()


_work: Work | None = None  # the work that the library's stages belong to


@contextmanager
def working(first: str = "starting") -> Iterator[Work]:
    """Show the progress of long work on stderr, beginning with the stage `first`."""
    global _work
    before = _work
    try:
        if _verbosity < 0:
            _work = Work()
            yield _work
        elif not _is_live():
            with closing(_Lines(first)) as _work:
                yield _work
        else:
            with _bar() as bar:
                _work = _Bar(bar)
                _work.stage(first)
                yield _work
    finally:
        _work = before


def _is_live() -> bool:
    """Return whether stderr is a terminal on which a line can be drawn again."""
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def _bar() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TimeRemainingColumn
    from rich.text import Text

    class Count(MofNCompleteColumn):
        """Pieces done of all; empty during a stage, which has none."""

        def render(self, task: Task) -> Text:
            return super().render(task) if task.total else Text()

    return Progress(
        "{task.description}",
        BarColumn(bar_width=None),
        Count(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # what is piped must stay in the pipe
    )


def duration(seconds: float) -> str:
    """Return a time in words: `40 s`, `12 min`, `3 h 20 min`.

    Example:
        >>> duration(40), duration(725), duration(12000)
        ('40 s', '12 min', '3 h 20 min')
    """
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
