"""Films of uint8 frames: GIF, MP4, WebP, APNG or a folder of PNG frames, by the name's ending."""

import math
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from sefa_cli.errors import UsageError
from sefa_cli.files import check_writable, temporary_beside
from sefa_cli.rendering.encoders import Frames, write_apng, write_gif, write_mp4, write_webp
from sefa_cli.rendering.ffmpeg import ffmpeg_path
from sefa_cli.rendering.frame_folder import check_frame_folder, write_frame_folder
from sefa_cli.rendering.pictures import Picture


@dataclass(frozen=True)
class _Kind:
    write: Callable[[Path, Frames], None]
    fastest: float  # frames a second that players still show as asked
    grain: int = 0  # what times are counted in, ms; 0 is exact


# GIF counts in 10 ms, and browsers slow down frames of 10 ms and less, in all three picture formats
_KINDS = {
    ".gif": _Kind(write_gif, 50, 10),
    ".mp4": _Kind(write_mp4, 240),
    ".webp": _Kind(write_webp, 90, 1),
    ".apng": _Kind(write_apng, 90),
    ".png": _Kind(write_apng, 90),
}


def write_film(
    path: str | Path,
    frames: Iterable[Picture],
    fps: float = 25,
    overwrite: bool = False,
    loop: bool = True,
    count: int | None = None,
    progress: Callable[[], object] | None = None,
) -> Path:
    """Write uint8 frames `(height, width, channels)` as a film; returns its path.

    Frames are taken one by one, so memory does not grow with their number, and all are kept,
    identical ones too. `loop` repeats GIF, WebP and APNG for ever. `count` is how many frames
    come, where that is known. `progress` is called after each. Nothing is left behind when this
    fails or is interrupted. Raises SefaError where it cannot be written, UsageError for a name,
    a rate or a number of frames (none) that no film can have, ValueError for unequal frames.
    """
    target = check_film_path(path, overwrite, fps)
    stream = iter(frames)
    first = next(stream, None)
    if first is None:
        raise UsageError("there are no frames", "at least one")
    checked = _checked(chain([first], stream), first.shape, progress or (lambda: None))
    if _is_folder(path):
        write_frame_folder(target, checked, overwrite, count or 0)
        return target
    height, width, channels = first.shape
    with temporary_beside(target, overwrite) as temporary:
        film = Frames((height, width, channels), checked, fps, loop)
        _KINDS[target.suffix.lower()].write(temporary, film)
    return target


def check_film_path(path: str | Path, overwrite: bool = False, fps: float | None = None) -> Path:
    """Refuse early what `write_film` could not write, before minutes of rendering are spent.

    A name without ending, or one with a slash at its end, is a folder of PNG frames.
    """
    target = Path(path)
    if fps is not None and not (math.isfinite(fps) and fps >= 0.01):
        raise UsageError(f"{fps:g} frames a second", "a number from 0.01 on")
    if str(path) == "-":
        raise UsageError("a film cannot go to stdout", f"a name ending in {', '.join(_KINDS)}")
    if _is_folder(path):
        check_frame_folder(target, overwrite)
        return target
    kind = _KINDS.get(target.suffix.lower())
    if kind is None:
        raise UsageError(
            f"films are not written as {target.suffix}",
            f"one of {', '.join(_KINDS)}, or a name without ending for a folder of PNG frames",
        )
    if fps is not None and fps > kind.fastest:
        raise UsageError(
            f"{fps:g} frames a second are too many for {target.suffix}", f"at most {kind.fastest:g}"
        )
    ffmpeg_path()
    return check_writable(target, overwrite)


def timing(path: str | Path, count: int, fps: float) -> tuple[str, bool]:
    """How long a film of `count` frames lasts, and whether its format cannot say `fps` exactly.

    GIF counts in 10 ms and WebP in 1 ms. Each frame begins at its own moment, rounded, so the
    whole is right to one count.
    """
    whole = f"{count} frames, {count / fps:.2f} s at {fps:g} frames a second"
    grain = 0 if _is_folder(path) else _KINDS[Path(path).suffix.lower()].grain
    counts = 1000 / fps / grain if grain else 1
    if abs(counts - round(counts)) < 1e-9:
        return whole, False
    short, kind = math.floor(counts) * grain, Path(path).suffix[1:].upper()
    lasts = f"a frame lasts {short} or {short + grain} ms, the whole is right"
    return f"{whole}; {kind} counts in {grain} ms: {lasts}", True


def _is_folder(path: str | Path) -> bool:
    return str(path).endswith(("/", os.sep)) or not Path(path).suffix


def _checked(
    frames: Iterable[Picture], shape: tuple[int, ...], progress: Callable[[], object]
) -> Iterator[Picture]:
    """The frames, each of the same shape; `progress` is called when one was taken."""
    for number, frame in enumerate(frames):
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape != shape:
            found = f"{frame.dtype} {frame.shape}"
            raise ValueError(f"frame {number} is {found}, expected uint8 {shape}")
        yield frame
        progress()
