"""`--show`: a preview in a terminal that draws pictures, elsewhere the system's viewer."""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray

from sefa_cli.commands.console import say
from sefa_cli.rendering.terminal_pictures import choose, drawn, kept

Picture = NDArray[np.uint8]


@dataclass
class Showing:
    """Made by `of`; shows nothing where it was not asked for."""

    protocol: str  # "" is not asked for
    count: int  # of the pictures that will come
    seen: list[Picture] = field(default_factory=list)

    @classmethod
    def of(cls, asked: bool, count: int = 1) -> "Showing":
        """How it will be shown; raises UsageError early for a wrong `SEFA_SHOW`."""
        return cls(choose(os.environ, sys.stderr.isatty()) if asked else "", count)

    def watch(self, pictures: Iterable[Picture]) -> Iterable[Picture]:
        """The same pictures; up to five are kept for the preview."""
        return kept(pictures, self.count, self.seen) if self.protocol else pictures

    def see(self, picture: Picture) -> Picture:
        """The same picture; the first five are kept for the preview."""
        if self.protocol and len(self.seen) < 5:
            self.seen.append(picture)
        return picture

    def show(self, path: Path | str) -> None:
        """Show what was seen on the terminal, or the file or folder in the viewer.

        The file is written by now: where it cannot be shown a line says so, and all is well.
        """
        if not self.protocol:
            return
        if self.protocol == "viewer":
            _open_viewer(path)
            return
        from sefa_cli.rendering.film_frames import side_by_side

        sys.stderr.flush()
        data = drawn(side_by_side(self.seen), self.protocol)
        sys.stderr.buffer.write(data)
        sys.stderr.buffer.flush()


def _open_viewer(path: Path | str) -> None:
    if str(path) == "-":
        say("not shown: the picture went to stdout, and this terminal draws none")
    elif not _has_display():
        say(f"not shown: no display, and this terminal draws no pictures; it is in {path}")
    elif typer.launch(str(Path(path).absolute())):
        say(f"not shown: no viewer was found; it is in {path}")


def _has_display() -> bool:
    """Whether a window could open: on Linux and BSD there is a display server."""
    if sys.platform in ("win32", "darwin", "cygwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
