"""Directions for a region drawn on the picture, found beside the page and stopped on its wish.

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
    from sefa_cli.discovery.search import Search
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

    def search(self) -> "Search":
        """How it is looked for. Raises UsageError for layers that the model does not have."""
        from sefa_cli.discovery.search import Search
        from sefa_cli.projections import parse_layers

        config = self.model.checkpoint.config
        d = config["w_dim"]
        rough = self.rough and d > 2 * ROUGH
        search = Search(
            layers=parse_layers(self.model.checkpoint, self.layers),
            space=config["space"],
            size=self.size,
            num=min(self.num, ROUGH if rough else d),
            sketch=ROUGH if rough else None,
            truncation=self.state.trunc,
        )
        search.check(self.model.checkpoint)
        return search

    def commands(self) -> list[str]:
        """The commands that make the same bundle."""
        model, state, search = self.model, self.state, self.search()
        moves = len(state.moved)
        lines = codes_commands(model, state, state.moved, self._of)
        region = ["--mask", self.mask_name]
        if self.drawing.kind == "box":
            region = ["--box", self.drawing.box(*self._sides)]
        words: list[Any] = [model.ref, *region, "-L", self.layers, "--num", search.num]
        words += ["--codes", codes_name(moves, self._of)] if moves else ["--seeds", state.seed]
        if state.trunc is not None and (not moves or model.generator.conditioned):
            words += ["--trunc", f"{state.trunc:g}"]
        words += [] if state.label is None else ["--class", state.label]
        words += ["--sketch", ROUGH] if search.sketch == ROUGH else []
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
        from sefa_cli.studio.easel import Easel

        picture = Easel(self.model).picture(self.state, View(self.size, fast=True))
        return picture.shape[0], picture.shape[1]

    def passes(self) -> int:
        """Derivatives that have to be made."""
        return self.search().passes(self.model.generator.w_dim, pictures=1)

    def run(self, progress: Callable[[int], None], stop: threading.Event) -> Sliders:
        """Find the directions; `progress` hears how many passes were done since.

        Raises CancelledError soon after `stop` is set, SefaError for a region that says nothing.
        """
        from sefa_cli.discovery.localize import region_bundle
        from sefa_cli.discovery.pictures import Pictures
        from sefa_cli.discovery.regions.region import one_region
        from sefa_cli.discovery.search import Target

        def advance(passes: int) -> None:
            if stop.is_set():
                raise CancelledError
            progress(passes)

        model, state, search, sides = self.model, self.state, self.search(), self._sides
        if self.drawing.kind == "box":
            region = one_region(box=self.drawing.box(*sides))
            target = Target(f"box {region.text}", region.weights(*sides))
        else:
            weights = self.drawing.mask(*sides)
            if not weights.any() or (weights == 255).all():
                raise UsageError("the brush covers nothing or everything", "a part of the picture")
            target = Target(f"mask {self.mask_name}", weights)
        codes = state.codes(model.generator)
        moves = len(state.moved)
        number = 0 if moves else state.seed
        found = Pictures(
            model.generator, codes, [number], target, state.label, advance=advance
        ).matrices(search)
        psi = state.trunc
        if psi is None and (not moves or model.generator.conditioned):
            psi = model.generator.default_truncation
        codes_file = codes_name(moves, self._of) if moves else None
        params = {"trunc": psi, "class": state.label, "codes": codes_file}
        bundle = region_bundle(model.checkpoint, found, target, search, [number], params)
        return Sliders(self.path, bundle, tuple(self.commands()))


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
        self.done += passes
