"""The content of a film, frame by frame: which directions, how far, in which order, how long."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sefa_cli.editing.moves import check_ease, check_seconds
from sefa_cli.errors import UsageError, either
from sefa_cli.ranges import is_whole

ARRANGEMENTS = ("rows", "sequence")

MOST_FRAMES = 100_000  # an hour at 25 frames a second is 90,000
Shot = tuple[tuple[int, float], ...]  # one frame: a (direction, α) for each row of pictures


def check_frames(frames: object) -> None:
    """Raise UsageError for a film that cannot move, or never ends."""
    if not is_whole(frames, 2, MOST_FRAMES):
        raise UsageError(f"frames must be between 2 and {MOST_FRAMES}, got {frames}")


def frame_alphas(
    stops: Sequence[float],
    frames: int,
    bounce: bool = False,
    ease: str = "linear",
    rest: int = 0,
) -> NDArray[np.float64]:
    """Return the step α of each frame of a sweep through `stops`, all of them included.

    Args:
        stops: The first step, any others to pass, and the last one.
        frames: The number of frames from one stop to the next, at least 1.
        bounce: Add the way back without its two ends, so that no frame appears twice in a row
            when the film repeats.
        ease: "linear", or "smooth" to slow down at each stop:
            α(t) = start + (stop − start) (1 − cos πt) / 2.
        rest: The number of additional frames for each stop.

    Returns:
        For two stops `(frames + 2 · rest,)`, or `(2 · frames − 2 + 2 · rest,)` with `bounce`.

    Raises:
        UsageError: A step is not finite, there is no frame, or `ease` is unknown.
    """
    if not is_whole(frames, 1, MOST_FRAMES) or not np.isfinite(stops).all():
        raise UsageError(
            f"{frames} frames from {stops[0]:g} to {stops[-1]:g}",
            f"1 to {MOST_FRAMES} frames and finite steps",
        )
    check_ease(ease)
    there = _leg(stops[0], stops[1], frames, ease)
    for here, stop in pairwise(stops[1:]):
        there = np.concatenate([there, [here] * rest, _leg(here, stop, frames, ease)[1:]])
    back = there[-2:0:-1] if bounce else there[:0]
    return np.concatenate([there[:1].repeat(rest), there, there[-1:].repeat(rest), back])


def _leg(start: float, stop: float, frames: int, ease: str) -> NDArray[np.float64]:
    if ease == "linear" or frames == 1:
        return np.linspace(start, stop, frames)
    way = (1 - np.cos(np.linspace(0, np.pi, frames))) / 2
    return np.append(start + (stop - start) * way[:-1], stop)


def shots(
    ks: Sequence[int],
    alphas: Sequence[float],
    arrange: str = "rows",
    units: Sequence[float] | None = None,
) -> list[Shot]:
    """Return the frames of a film that sweeps each of the directions `ks` through `alphas`.

    "rows" sweeps all directions at once, stacked; "sequence" sweeps them in turn. `units` are the
    units of α, one for each direction. Raises UsageError for another arrangement.
    """
    if arrange not in ARRANGEMENTS:
        raise UsageError(f"unknown arrangement {arrange!r}", either(ARRANGEMENTS))
    units = units or [1.0] * len(ks)
    sweeps = [[(k, float(a) * unit) for a in alphas] for k, unit in zip(ks, units, strict=True)]
    if arrange == "rows":
        return list(zip(*sweeps, strict=True))
    return [(step,) for steps in sweeps for step in steps]


def check_fps(fps: float) -> None:
    """Raise UsageError for a frame rate with which a film would not end."""
    if not (math.isfinite(fps) and fps >= 0.01):
        raise UsageError(f"fps must be at least 0.01, got {fps:g}")


def rest_frames(seconds: float, fps: float) -> int:
    """Return the number of frames in `seconds`, rounded. Raises UsageError outside 0 to 3600 s."""
    check_fps(fps)
    check_seconds("hold", seconds)
    return int(np.floor(seconds * fps + 0.5))
