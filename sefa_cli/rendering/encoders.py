"""The ffmpeg command for each film format; frames stream through and are not kept.

GIF, APNG and WebP do not go through imageio, which writes them with Pillow: that merges identical
frames and lets rounding errors add up. ffmpeg keeps every frame and rounds each time stamp, not
each duration, to what the format can hold.
"""

import math
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO

import imageio.v3 as iio
import numpy as np

from sefa_cli.rendering.ffmpeg import run_ffmpeg
from sefa_cli.rendering.pictures import Picture, to_rgb
from sefa_cli.scratch import scratch_beside

_PIXELS = {1: "gray", 3: "rgb24", 4: "rgba"}


@dataclass(frozen=True)
class Frames:
    """A stream of frames `(height, width, channels)` of one shape, with their timing."""

    shape: tuple[int, int, int]
    stream: Iterable[Picture]
    fps: float
    loop: bool

    def converted(self, change: Callable[[Picture], Picture]) -> "Frames":
        """Return the film with `change` applied to every frame."""
        height, width, channels = change(np.zeros(self.shape, np.uint8)).shape
        changed = (change(frame) for frame in self.stream)
        return Frames((height, width, channels), changed, self.fps, self.loop)

    def encode(self, *arguments: str) -> None:
        """Run ffmpeg on these frames."""
        chunks = (frame.tobytes() for frame in self.stream)
        self.feed(_PIXELS[self.shape[2]], chunks, *arguments)

    def feed(self, pixels: str, chunks: Iterable[bytes], *arguments: str) -> None:
        """Run ffmpeg on `chunks`, one per frame, of the pixel format `pixels`."""
        height, width, _ = self.shape
        rate = Fraction(self.fps).limit_denominator(1001)  # 23.976 is 24000/1001
        given = ["-f", "rawvideo", "-pix_fmt", pixels, "-s", f"{width}x{height}"]
        given += ["-framerate", f"{rate.numerator}/{rate.denominator}", "-i", "pipe:0"]
        run_ffmpeg([*given, *arguments], chunks)


def write_gif(path: Path, frames: Frames) -> None:
    """Write a GIF with one palette for the whole film, in ffmpeg's two passes.

    The palette is known only after the last frame, so frames wait on the disk in an unnamed file
    next to the output, which vanishes with the process. (ffmpeg's one-pass `split` would hold
    them in memory.) Each pixel takes the nearest color, without dithering: dithering noise costs
    bytes and crawls when the picture moves.
    """
    if frames.shape[2] == 1:
        frames = frames.converted(to_rgb)
    loop = ["-loop", "0" if frames.loop else "-1"]
    with (
        scratch_beside(path.with_name("palette.png")) as palette,
        tempfile.TemporaryFile(dir=path.parent) as spool,
    ):
        for frame in frames.stream:
            spool.write(frame.tobytes())
        size, pixels = math.prod(frames.shape), _PIXELS[frames.shape[2]]
        count = ["-vf", "palettegen=stats_mode=full", "-update", "1", str(palette)]
        frames.feed(pixels, _read_again(spool, size), *count)
        use = ["-i", str(palette), "-lavfi", "paletteuse=dither=none"]
        frames.feed(pixels, _read_again(spool, size), *use, *loop, "-f", "gif", str(path))


def write_mp4(path: Path, frames: Frames) -> None:
    """Write H.264 as MP4 or MOV that every browser plays: yuv420p, BT.709, the index in front.

    H.264 needs even sides: an odd one is extended by one row or column, and nothing is resampled.
    Transparent pixels become white.
    """
    codec = ["-c:v", "libx264", "-preset", "slow", "-crf", "18", "-movflags", "+faststart"]
    _write_video(path, frames, codec)


def write_webm(path: Path, frames: Frames) -> None:
    """Write VP9 as WebM, with the pixels and colors of `write_mp4`."""
    codec = ["-c:v", "libvpx-vp9", "-crf", "20", "-b:v", "0", "-cpu-used", "2", "-row-mt", "1"]
    _write_video(path, frames, codec)


def _write_video(path: Path, frames: Frames, codec: Sequence[str]) -> None:
    colors = "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int"
    tags = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
    frames.converted(lambda frame: _even(to_rgb(frame))).encode(
        *["-vf", f"{colors},format=yuv420p,{tags}", *codec],
        *["-fflags", "+bitexact", "-f", path.suffix[1:].lower(), str(path)],
    )


def write_webp(path: Path, frames: Frames) -> None:
    """Write lossy WebP of quality 90, each frame encoded by itself.

    libwebp's animation encoder, which Pillow uses too, drops frames that hardly differ. A repeated
    frame takes a hundred bytes.
    """
    loop = ["-loop", "0" if frames.loop else "1"]
    encoder = ["-pix_fmt", "bgra", "-c:v", "libwebp", "-quality", "90", "-compression_level", "4"]
    frames.encode(*encoder, *loop, "-f", "webp", str(path))
    _finish_webp(path)


def write_apng(path: Path, frames: Frames) -> None:
    """Write an animated PNG: lossless, every frame kept, times as exact fractions of a second."""
    loop = ["-plays", "0" if frames.loop else "1"]
    frames.encode(
        "-c:v", "apng", "-pred", "mixed", "-compression_level", "4", *loop, "-f", "apng", str(path)
    )


def _read_again(spool: IO[bytes], size: int) -> Iterator[bytes]:
    """Yield the frames of a spool file, `size` bytes each."""
    spool.seek(0)
    while frame := spool.read(size):
        yield frame


def _finish_webp(path: Path) -> None:
    """Make every frame of a WebP film replace the previous one, and shorten repeated frames.

    ffmpeg blends each frame over the previous one, which then shows through transparent pixels.
    A frame with the same bytes as the previous one becomes a single transparent pixel over it: its
    duration stays, but it takes little space.
    """
    clear: bytes = iio.imwrite(
        "<bytes>", np.zeros((1, 1, 4), np.uint8), plugin="pillow", extension=".webp",
        is_batch=False, lossless=True, exact=True,
    )  # fmt: skip
    pixel = clear[12:]  # past RIFF, the size and WEBP; chunks follow
    with open(path, "rb") as file, tempfile.TemporaryFile(dir=path.parent) as short:
        short.write(file.read(12))
        last = b""
        while head := file.read(8):  # name, size
            size = int.from_bytes(head[4:], "little")
            content = file.read(size + size % 2)
            if head[:4] == b"VP8X":
                content = bytes([content[0] | 0x10]) + content[1:]  # there is transparency
            if head[:4] == b"ANMF":
                place, lasts, flags, image = content[:12], content[12:15], content[15], content[16:]
                if image == last:
                    content = bytes(12) + lasts + bytes([flags & ~2]) + pixel
                else:
                    content = place + lasts + bytes([flags | 2]) + image
                last = image
            short.write(head[:4] + len(content).to_bytes(4, "little") + content)
        size = short.tell()
        short.seek(4)
        short.write((size - 8).to_bytes(4, "little"))
        short.seek(0)
        with open(path, "wb") as whole:
            shutil.copyfileobj(short, whole)


def _even(picture: Picture) -> Picture:
    """Return the picture with its last row or column repeated if its height or width is odd."""
    height, width = picture.shape[:2]
    return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
