"""Directions for a region that was drawn on the picture.

The search runs in a thread of its own, and the page can stop it. It is the search of `sefa
localize`, so the command that the page shows gives the same bundle.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from sefa_cli.errors import UsageError
from sefa_cli.rendering.pictures import png
from sefa_cli.studio.session import Sliders, State
from sefa_cli.studio.shell import codes_commands, codes_name, command, face_command, started_by

if TYPE_CHECKING:
    from sefa_cli.discovery.regions.region import Region
    from sefa_cli.discovery.request import Request
    from sefa_cli.editing.codes import CodeArray
    from sefa_cli.studio.library import Model

Point = tuple[float, float]  # x, y as fractions of the picture's width and height


class CancelledError(Exception):
    """The work was stopped on request."""


@dataclass(frozen=True)
class Drawing:
    """A drawing on the picture: a box by two corners, or strokes of a brush."""

    kind: str  # "box" or "brush"
    strokes: tuple[tuple[Point, ...], ...]
    brush: float = 0.0  # diameter, as a fraction of the width

    def box(self, height: int, width: int) -> str:
        """Return `top,left,height,width` in pixels, at least one pixel high and wide."""
        (x1, y1), (x2, y2) = self.strokes[0][0], self.strokes[0][-1]
        left, right = _span(x1, x2, width)
        top, bottom = _span(y1, y2, height)
        return f"{top},{left},{bottom - top},{right - left}"

    def mask(self, height: int, width: int) -> NDArray[np.uint8]:
        """Return the strokes as weights `(height, width)`, 0 or 255."""
        image = Image.new("L", (width, height))
        draw = ImageDraw.Draw(image)
        radius = max(self.brush * width / 2, 0.5)
        for stroke in self.strokes:
            points = [(x * width, y * height) for x, y in stroke]
            draw.line(points, 255, round(2 * radius))
            for x, y in points:
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), 255)
        return np.asarray(image)


def _span(a: float, b: float, pixels: int) -> tuple[int, int]:
    """Return the first pixel and the end of an interval, at least one pixel long."""
    low, high = sorted((min(max(a, 0.0), 1.0), min(max(b, 0.0), 1.0)))
    first = min(round(low * pixels), pixels - 1)
    return first, max(round(high * pixels), first + 1)


def drawing_from(kind: str, strokes: Any, brush: Any = 0.0) -> Drawing:
    """Return the drawing that a browser sent. Raises UsageError if it is not a drawing."""
    try:
        checked = tuple(
            tuple((float(x), float(y)) for x, y in stroke) for stroke in list(strokes)[:1000]
        )
        size = float(brush)
    except (TypeError, ValueError):
        raise UsageError("cannot read the drawing", "strokes of points") from None
    numbers = [number for stroke in checked for point in stroke for number in point]
    if kind not in ("box", "brush") or not numbers or not np.isfinite([*numbers, size]).all():
        raise UsageError("the drawing is empty", "a box, or strokes of the brush")
    return Drawing(kind, tuple(filter(None, checked)), min(max(size, 0.0), 1.0))


@dataclass(frozen=True)
class Task:
    """A search for one region's directions, at one state of the page."""

    model: "Model"
    state: State
    drawing: Drawing
    layers: str = "all"
    alone: bool = False  # this picture only, which is quick
    num: int = 10
    name: str = "region"

    @property
    def path(self) -> str:
        """The bundle's file in commands."""
        return f"{self.name}.dirs"

    @property
    def mask_name(self) -> str:
        """The file in commands that holds the mask of a brushed region."""
        return f"{self.name}.png"

    @property
    def size(self) -> int:
        """The working size in pixels, that of `sefa localize`."""
        return min(256, self.model.generator.resolution)

    @cached_property
    def request(self) -> "Request":
        """The search that the commands ask `sefa localize` for."""
        from sefa_cli.discovery.request import Request

        generator, state, start = self.model.generator, self.state, self._start
        codes: CodeArray | None = None
        if start:
            codes = state.codes(generator)
            if state.origin and not state.moved:
                codes = state.origin.codes
        whole = not state.moved and not state.mix  # not truncated yet
        return Request(
            seeds=str(state.seed),
            codes=codes,
            codes_name=Path(start).name if start else None,
            truncation=state.trunc if whole or generator.conditioned else None,
            label=None if state.origin else state.label,
            layers=self.layers,
            size=self.size,
            num=min(self.num, generator.w_dim),
            alone=self.alone,
        )

    def commands(self) -> list[str]:
        """Return the commands that make the same bundle."""
        model, state, asked = self.model, self.state, self.request
        lines = [*started_by(state), *codes_commands(model, state, state.moved, self._of)]
        if state.mix and not state.moved:
            lines = [face_command(model, state, f"{self._of}face")]
        region = ["--mask", self.mask_name]
        if self.drawing.kind == "box":
            region = ["--box", self.drawing.box(*self._sides)]
        words: list[Any] = [model.ref, *region, "-L", self.layers, "--num", asked.num]
        words += ["--codes", self._start] if self._start else ["--seeds", state.seed]
        if asked.truncation is not None:
            words += ["--trunc", f"{asked.truncation:g}"]
        words += [] if asked.label is None else ["--class", asked.label]
        words += ["--alone"] if asked.alone else []
        return [*lines, command("localize", *words, "-o", self.path)]

    @property
    def _start(self) -> str | None:
        """The file with the code that it starts from; None for the seed's own."""
        if moves := len(self.state.moved):
            return codes_name(moves, self._of)
        if self.state.origin:
            return self.state.origin.path
        return f"{self._of}face/seed{self.state.seed:04d}.png" if self.state.mix else None

    @property
    def _of(self) -> str:
        """The prefix of its files of codes. Other codes may be saved once the sliders move on."""
        return f"{self.name}_"

    def mask_png(self) -> bytes:
        """Return the PNG that the command reads for a brushed region."""
        return png(self.drawing.mask(*self._sides))

    @cached_property
    def _sides(self) -> tuple[int, int]:
        """Height and width of the picture at the working size."""
        from sefa_cli.rendering.view import View
        from sefa_cli.studio.renderer import Renderer

        picture = Renderer(self.model).picture(self.state, View(self.size, fast=True))
        return picture.shape[0], picture.shape[1]

    @property
    def region(self) -> "Region":
        """The drawn region. Raises UsageError if the brush covers nothing or everything."""
        from sefa_cli.discovery.regions.region import Region

        if self.drawing.kind == "box":
            return Region.box(self.drawing.box(*self._sides))
        weights = self.drawing.mask(*self._sides)
        if not weights.any() or (weights == 255).all():
            raise UsageError("the brush covers nothing or everything", "a part of the picture")
        return Region.mask(weights, name=self.mask_name)

    def passes(self) -> int:
        """Return the number of derivatives. Raises UsageError if the model lacks the layers."""
        asked, d = self.request, self.model.generator.w_dim
        search = asked.search(self.model.checkpoint)
        return search.passes(d, asked.pictures(search, 1, d))

    def run(self, progress: Callable[[int], None], stop: threading.Event) -> Sliders:
        """Find the directions. `progress` gets the number of passes done so far.

        Raises CancelledError soon after `stop` is set, SefaError if nothing changes the region.
        """
        from sefa_cli.discovery.localize import prepare

        def tell(what: str, done: int, total: int) -> None:
            if stop.is_set():
                raise CancelledError
            progress(done)

        found = prepare(self.model.generator, self.region, self.request).run(tell)
        return Sliders(self.path, found.bundles[0], tuple(self.commands()))


class Job:
    """A task that runs in a thread of its own."""

    def __init__(self, task: Task) -> None:
        self.task, self.total = task, task.passes()
        self.done, self._now = 0, time.monotonic()
        self._first: tuple[int, float] | None = None  # passes and time after the first batch
        self.result: Sliders | None = None
        self.error: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="localize", daemon=True)

    def start(self) -> "Job":
        """Start the thread."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ask the task to end. It finishes the passes that it is making."""
        self._stop.set()

    @property
    def running(self) -> bool:
        """Whether the task is still running."""
        return self._thread.is_alive()

    @property
    def left(self) -> float | None:
        """An estimate of the seconds left at most; None before the second batch.

        The first batch says little: it also makes the picture, and everything is used first.
        """
        return self.pace * (self.total - self.done) if self.pace else None

    @property
    def pace(self) -> float:
        """The seconds that a pass takes; 0 before the second batch."""
        if self._first is None or self.done == self._first[0]:
            return 0.0
        return (self._now - self._first[1]) / (self.done - self._first[0])

    def _work(self) -> None:
        try:
            self.result = self.task.run(self._advance, self._stop)
        except CancelledError:
            pass
        except Exception as error:  # the page shows it
            self.error = error

    def _advance(self, passes: int) -> None:
        self.done, self._now = passes, time.monotonic()
        self._first = self._first or (passes, self._now)
