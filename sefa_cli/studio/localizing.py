"""Directions for a region drawn on the picture, found beside the page, which may stop the search.

The same search as `sefa localize` makes, so the command that is shown gives the same bundle.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from sefa_cli.errors import SefaError, UsageError
from sefa_cli.rendering.pictures import png
from sefa_cli.studio.session import Sliders, State
from sefa_cli.studio.shell import codes_commands, codes_name, command

if TYPE_CHECKING:
    from sefa_cli.discovery.regions.region import Region
    from sefa_cli.discovery.request import Request
    from sefa_cli.studio.library import Model

Point = tuple[float, float]  # x, y in parts of the picture's width and height
ROUGH = 32  # random rows of a quick search: 300 passes at most for the default model, not 512


class CancelledError(Exception):
    """The work was stopped."""


@dataclass(frozen=True)
class Drawing:
    """What was drawn on the picture: a box by two corners, or strokes of a brush."""

    kind: str  # "box" or "brush"
    strokes: tuple[tuple[Point, ...], ...]
    brush: float = 0.0  # diameter, in parts of the width

    def box(self, height: int, width: int) -> str:
        """`top,left,height,width` in pixels; a box that was drawn too small gets one pixel."""
        (x1, y1), (x2, y2) = self.strokes[0][0], self.strokes[0][-1]
        left, right = _span(x1, x2, width)
        top, bottom = _span(y1, y2, height)
        return f"{top},{left},{bottom - top},{right - left}"

    def mask(self, height: int, width: int) -> NDArray[np.uint8]:
        """The strokes as weights `(height, width)`, 0 or 255."""
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
    """The pixels between two places, one at least."""
    low, high = sorted((min(max(a, 0.0), 1.0), min(max(b, 0.0), 1.0)))
    first = min(round(low * pixels), pixels - 1)
    return first, max(round(high * pixels), first + 1)


def drawing_from(kind: str, strokes: Any, brush: Any = 0.0) -> Drawing:
    """A drawing out of what a browser sent. Raises UsageError for anything else."""
    try:
        checked = tuple(
            tuple((float(x), float(y)) for x, y in stroke) for stroke in list(strokes)[:1000]
        )
        size = float(brush)
    except (TypeError, ValueError):
        raise UsageError("the drawing cannot be read", "strokes of points") from None
    numbers = [number for stroke in checked for point in stroke for number in point]
    if kind not in ("box", "brush") or not numbers or not np.isfinite([*numbers, size]).all():
        raise UsageError("nothing is drawn on the picture", "a box, or strokes of the brush")
    return Drawing(kind, tuple(filter(None, checked)), min(max(size, 0.0), 1.0))


@dataclass(frozen=True)
class Task:
    """One region's directions, at one state of the page."""

    model: "Model"
    state: State
    drawing: Drawing
    layers: str = "all"
    rough: bool = False  # a sketch instead of a pass for every dimension
    num: int = 20
    name: str = "region"

    @property
    def path(self) -> str:
        """What commands call the bundle."""
        return f"{self.name}.dirs"

    @property
    def mask_name(self) -> str:
        """What commands call the mask of a brushed region."""
        return f"{self.name}.png"

    @property
    def size(self) -> int:
        """The working size: that of `sefa localize`."""
        return min(256, self.model.generator.resolution)

    @cached_property
    def request(self) -> "Request":
        """How directions are looked for: what `sefa localize` is asked for by these commands."""
        from sefa_cli.discovery.request import Request

        generator, state, moves = self.model.generator, self.state, len(self.state.moved)
        rough = self.rough and generator.w_dim > 2 * ROUGH
        return Request(
            seeds=str(state.seed),
            codes=state.codes(generator) if moves else None,
            codes_name=codes_name(moves, self._of) if moves else None,
            truncation=state.trunc if not moves or generator.conditioned else None,
            label=state.label,
            layers=self.layers,
            size=self.size,
            num=min(self.num, ROUGH if rough else generator.w_dim),
            sketch=ROUGH if rough else None,
        )

    def commands(self) -> list[str]:
        """The commands that make the same bundle."""
        model, state, asked = self.model, self.state, self.request
        moves = len(state.moved)
        lines = codes_commands(model, state, state.moved, self._of)
        region = ["--mask", self.mask_name]
        if self.drawing.kind == "box":
            region = ["--box", self.drawing.box(*self._sides)]
        words: list[Any] = [model.ref, *region, "-L", self.layers, "--num", asked.num]
        words += ["--codes", codes_name(moves, self._of)] if moves else ["--seeds", state.seed]
        if asked.truncation is not None:
            words += ["--trunc", f"{asked.truncation:g}"]
        words += [] if state.label is None else ["--class", state.label]
        words += [] if asked.sketch is None else ["--sketch", asked.sketch]
        return [*lines, command("localize", *words, "-o", self.path)]

    @property
    def _of(self) -> str:
        """How the codes that it begins with are called: sliders may move on later."""
        return f"{self.name}_"

    def mask_png(self) -> bytes:
        """The file that the command reads for a brushed region."""
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
        """What was drawn. Raises UsageError for a brush that covers nothing or everything."""
        from sefa_cli.discovery.regions.region import Region

        if self.drawing.kind == "box":
            return Region.box(self.drawing.box(*self._sides))
        weights = self.drawing.mask(*self._sides)
        if not weights.any() or (weights == 255).all():
            raise UsageError("the brush covers nothing or everything", "a part of the picture")
        return Region.mask(weights, name=self.mask_name)

    def passes(self) -> int:
        """Derivatives that have to be made. Raises UsageError for layers the model lacks."""
        search = self.request.search(self.model.checkpoint)
        return search.passes(self.model.generator.w_dim, pictures=1)

    def run(self, progress: Callable[[int], None], stop: threading.Event) -> Sliders:
        """Find the directions; `progress` hears how many passes were done so far.

        Raises CancelledError soon after `stop` is set, SefaError for a region that nothing changes.
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
        self.done, self.began = 0, time.monotonic()
        self._ended = self.began
        self.result: Sliders | None = None
        self.error: SefaError | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="localize", daemon=True)

    def start(self) -> "Job":
        """Begin."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ask it to end; it does so after the passes that are being made."""
        self._stop.set()

    def wait(self) -> None:
        """Until it has ended."""
        self._thread.join()

    @property
    def running(self) -> bool:
        """Whether it still works."""
        return self._thread.is_alive()

    @property
    def left(self) -> float | None:
        """Seconds that are left, as far as one can tell."""
        if not self.done:
            return None
        return (time.monotonic() - self.began) / self.done * (self.total - self.done)

    @property
    def pace(self) -> float:
        """Seconds that a pass took, once it has ended."""
        return (self._ended - self.began) / max(self.done, 1)

    def _work(self) -> None:
        try:
            self.result = self.task.run(self._advance, self._stop)
        except CancelledError:
            pass
        except SefaError as error:
            self.error = error
        self._ended = time.monotonic()

    def _advance(self, passes: int) -> None:
        self.done = passes
