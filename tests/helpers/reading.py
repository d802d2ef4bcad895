"""Films read back by other programs: Pillow, ffmpeg through imageio, and a GIF by its bytes."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from PIL import Image


def shown(path: Path, mode: str = "RGB") -> tuple[list[np.ndarray], list[float]]:
    """The frames and their durations in ms, as Pillow shows them."""
    frames, durations = [], []
    with Image.open(path) as film:
        for number in range(num_frames(film)):
            film.seek(number)
            frames.append(np.asarray(film.convert(mode)))
            durations.append(film.info.get("duration", 0))
    return frames, durations


def num_frames(film: Image.Image | str | Path) -> int:
    """How many pictures a file holds: Pillow's stubs know no `n_frames`."""
    if not isinstance(film, Image.Image):
        with Image.open(film) as opened:
            return num_frames(opened)
    return getattr(film, "n_frames", 1)


def decoded(path: Path) -> tuple[np.ndarray, dict]:
    """All frames `(n, height, width, 3)` as ffmpeg decodes them, and what it says of the film."""
    reader = imageio_ffmpeg.read_frames(str(path), output_params=["-fps_mode", "passthrough"])
    about = next(reader)
    width, height = about["size"]
    frames = [np.frombuffer(data, np.uint8).reshape(height, width, 3) for data in reader]
    return np.stack(frames), about


def described(path: Path) -> str:
    """What ffmpeg prints of a file."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def psnr(one, other) -> float:
    """Decibels between two uint8 arrays; 99 where they are equal."""
    error = np.square(np.asarray(one, float) - np.asarray(other, float)).mean()
    return 99.0 if error == 0 else float(10 * np.log10(255**2 / error))


@dataclass
class Gif:
    """The structure of a GIF file, by its own bytes."""

    delays: list[int]  # in 10 ms, one a frame
    palettes: set[bytes]  # ffmpeg 7 repeats the one of the file at the first frame
    repeats: int | None  # 0 is for ever, None once

    @classmethod
    def of(cls, path: Path) -> "Gif":
        data = path.read_bytes()
        assert data[:6] == b"GIF89a" and data[10] & 0x80, "no global palette"
        at = 13 + 3 * (2 << (data[10] & 7))
        gif = cls([], {data[13:at]}, None)
        while data[at] != 0x3B:
            if data[at] == 0x21:  # an extension
                if data[at + 1] == 0xF9:
                    gif.delays.append(int.from_bytes(data[at + 4 : at + 6], "little"))
                if data[at + 3 : at + 14] == b"NETSCAPE2.0":
                    gif.repeats = int.from_bytes(data[at + 16 : at + 18], "little")
                at += 2
            else:  # an image
                assert data[at] == 0x2C
                packed, at = data[at + 9], at + 10
                if packed & 0x80:
                    begin, at = at, at + 3 * (2 << (packed & 7))
                    gif.palettes.add(data[begin:at])
                at += 1
            while data[at]:
                at += data[at] + 1
            at += 1
        return gif
