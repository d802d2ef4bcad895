"""What a film shows, frame by frame: which directions, how far, in which order, for how long."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sefa_cli.errors import UsageError

EASES = ("linear", "smooth")
ARRANGEMENTS = ("rows", "sequence")

Shot = tuple[tuple[int, float], ...]  # one frame: a (direction, α) for each row of pictures


def frame_alphas(
    start: float,
    stop: float,
    frames: int,
    bounce: bool = False,
    ease: str = "linear",
    rest: int = 0,
) -> NDArray[np.float64]:
    """The step α of each frame of a sweep, both ends included, `(frames + 2 · rest,)`.

    With `bounce` the way back is added without its two ends, `(2 · frames − 2 + 2 · rest,)`: no
    frame shows twice in a row when the film repeats. `ease` "smooth" leaves and reaches both ends
    slowly, α(t) = start + (stop − start) (1 − cos πt) / 2. `rest` shows each end that many
    frames longer. Raises UsageError if this is not a sweep.
    """
    if frames < 1 or not np.isfinite([start, stop]).all():
        raise UsageError(
            f"{frames} frames from {start:g} to {stop:g}", "finite steps, 1 frame or more"
        )
    if ease not in EASES:
        raise UsageError(f"--ease {ease!r} is unknown", "one of " + ", ".join(EASES))
    there = np.linspace(start, stop, frames)
    if ease == "smooth" and frames > 1:
        way = (1 - np.cos(np.linspace(0, np.pi, frames))) / 2
        there = start + (stop - start) * way
        there[-1] = stop
    back = there[-2:0:-1] if bounce else there[:0]
    return np.concatenate([[start] * rest, there, [there[-1]] * rest, back])


def shots(ks: Sequence[int], alphas: Sequence[float], arrange: str = "rows") -> list[Shot]:
    """The frames of a film of the directions `ks`, each swept through `alphas`.

    As "rows" all move together, one below another; in "sequence" one follows another.
    """
    if arrange not in ARRANGEMENTS:
        raise UsageError(f"--arrange {arrange!r} is unknown", "one of " + ", ".join(ARRANGEMENTS))
    steps = [float(alpha) for alpha in alphas]
    if arrange == "rows":
        return [tuple((k, alpha) for k in ks) for alpha in steps]
    return [((k, alpha),) for k in ks for alpha in steps]


def rest_frames(seconds: float, fps: float) -> int:
    """How many more frames show an end that is held for `seconds`, to the nearest frame."""
    if not (np.isfinite(seconds) and 0 <= seconds <= 3600):
        raise UsageError(f"--hold {seconds:g}", "seconds from 0 to 3600")
    return int(np.floor(seconds * fps + 0.5))
