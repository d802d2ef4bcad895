"""`--show`: a preview in a terminal that can draw pictures, otherwise the system's viewer."""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray

from sefa_cli.commands.console import warn
from sefa_cli.rendering.terminal_pictures import choose, drawn, kept

Picture = NDArray[np.uint8]


@dataclass
class Showing:
    """Shows a result; made by `of`. It shows nothing unless `--show` was given."""

    protocol: str  # "" shows nothing
    count: int  # of the pictures that will come
    seen: list[Picture] = field(default_factory=list)

    @classmethod
    def of(cls, asked: bool, count: int = 1) -> "Showing":
        """Return how results will be shown. Raises UsageError for a wrong `SEFA_SHOW`."""
        return cls(choose(os.environ, sys.stderr.isatty()) if asked else "", count)

    def watch(self, pictures: Iterable[Picture]) -> Iterable[Picture]:
        """Return the same pictures; up to five are kept for the preview."""
        return kept(pictures, self.count, self.seen) if self.protocol else pictures

    def see(self, picture: Picture) -> Picture:
        """Return the same picture; the first five are kept for the preview."""
        if self.protocol and len(self.seen) < 5:
            self.seen.append(picture)
        return picture

    def show(self, path: Path | str) -> None:
        """Show what was seen on the terminal, or the file or folder in the viewer.

        The file is already written. If it cannot be shown, a line says so.
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
        warn("not shown: the picture went to stdout, and this terminal cannot draw pictures")
    elif not _has_display():
        warn(f"not shown: there is no display, and this terminal cannot draw pictures; see {path}")
    elif typer.launch(str(Path(path).absolute())):
        warn(f"not shown: no viewer was found; see {path}")


def _has_display() -> bool:
    """Return whether a window can open: Linux and BSD need a display server."""
    if sys.platform in ("win32", "darwin", "cygwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
