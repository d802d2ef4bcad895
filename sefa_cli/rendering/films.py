"""Films of uint8 frames: GIF, MP4, MOV, WebM, WebP, APNG or a folder of PNG frames, by suffix."""

import math
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from sefa_cli.errors import UsageError, either
from sefa_cli.files import check_suffix, check_writable, temporary_beside
from sefa_cli.rendering.encoders import (
    Frames,
    write_apng,
    write_gif,
    write_mp4,
    write_webm,
    write_webp,
)
from sefa_cli.rendering.ffmpeg import ffmpeg_path
from sefa_cli.rendering.frame_folder import check_frame_folder, write_frame_folder
from sefa_cli.rendering.pictures import Picture
from sefa_cli.rendering.sweeps import check_fps


@dataclass(frozen=True)
class _Kind:
    write: Callable[[Path, Frames], None]
    fastest: float  # frames per second that players still show as asked
    grain: int = 0  # time unit of the format in ms; 0 is exact


# GIF counts in 10 ms; in all three picture formats browsers slow down frames of 10 ms and less.
_KINDS = {
    ".gif": _Kind(write_gif, 50, 10),
    ".mp4": _Kind(write_mp4, 240),
    ".mov": _Kind(write_mp4, 240),
    ".webm": _Kind(write_webm, 240, 1),
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
    """Write uint8 frames `(height, width, channels)` as a film and return its path.

    Memory does not grow with the number of frames. Every frame is written, identical ones too. A
    failure or an interrupt leaves nothing behind.

    Args:
        path: A film file, or a folder for PNG frames (a name without suffix).
        frames: The frames, all of one shape.
        fps: Frames per second, at least 0.01.
        overwrite: Replace an existing film.
        loop: Repeat GIF, WebP and APNG forever.
        count: The number of frames, if known.
        progress: Called after each frame.

    Raises:
        UsageError: The suffix or the rate is not valid, or there are no frames.
        SefaError: The film cannot be written.
        ValueError: The frames differ in shape.
    """
    target = check_film_path(path, overwrite, fps)
    stream = iter(frames)
    first = next(stream, None)
    if first is None:
        raise UsageError("the film has no frames", "at least one")
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
    """Check before rendering that `write_film` can write to `path`.

    A name without suffix, or with a slash at its end, is a folder for PNG frames. Raises
    UsageError or SefaError.
    """
    target = Path(path)
    if fps is not None:
        check_fps(fps)
    if str(path) == "-":
        raise UsageError("cannot write a film to stdout", either([*_KINDS, "a folder"]))
    if _is_folder(path):
        check_frame_folder(target, overwrite)
        return target
    kind = _KINDS.get(target.suffix.lower())
    if kind is None:
        expected = either([*_KINDS, "a name without suffix for a folder of PNG frames"])
        check_suffix(target, tuple(_KINDS), expected)
        raise UsageError(f"unknown film suffix {target.suffix!r}", expected)
    if fps is not None and fps > kind.fastest:
        raise UsageError(f"fps must be at most {kind.fastest:g} for {target.suffix}, got {fps:g}")
    ffmpeg_path()
    return check_writable(target, overwrite)


def timing(path: str | Path, count: int, fps: float) -> tuple[str, bool]:
    """Return a film's duration in words, and whether its format has to round it.

    GIF counts in 10 ms and WebP in 1 ms. The start of each frame is rounded, so the whole film is
    right to one count.
    """
    whole = f"{count:,} frames, {count / fps:.2f} s at {fps:g} frames a second"
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
    """Yield the frames after checking their shape; call `progress` after each."""
    for number, frame in enumerate(frames):
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape != shape:
            found = f"{frame.dtype} {frame.shape}"
            raise ValueError(f"frame {number} is {found}, expected uint8 {shape}")
        yield frame
        progress()
