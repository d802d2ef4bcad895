"""GIFs of the same frames by several writers: PSNR against the frames, bytes, frames kept.

    python bench/gif_palette.py FOLDER [FOLDER …]   a folder of PNG frames is a film
    python bench/gif_palette.py                     three sweeps of the default model, 256 px

PSNR is over all pixels of all frames. The script fails if our file is worse than that of ffmpeg's
two passes without dithering, in decibels or in bytes.
"""

import math
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import imageio.v3
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sefa_cli.rendering.films import write_film
from sefa_cli.rendering.pictures import to_uint8
from sefa_cli.rendering.sweeps import frame_alphas

FPS = 25
SWEEPS = {  # name: (layers, direction, seed)
    "head turn": ("0-4", 1, 0),
    "light": ("7-12", 1, 1),
    "hair": ("0-4", 2, 1),
}

Film = NDArray[np.uint8]  # (frames, height, width, 3)


def ours(path: Path, film: Film) -> None:
    write_film(path, film, FPS)


def imageio_default(path: Path, film: Film) -> None:
    imageio.v3.imwrite(path, film, duration=1000 / FPS, loop=0)


def pillow_default(path: Path, film: Film) -> None:
    first, *rest = map(Image.fromarray, film)
    first.save(path, save_all=True, append_images=rest, duration=1000 / FPS, loop=0)


def pillow_one_palette(path: Path, film: Film) -> None:
    frames, height, width, _ = film.shape
    palette = Image.fromarray(film.reshape(frames * height, width, 3)).quantize(256)
    first, *rest = (
        Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in film
    )
    first.save(path, save_all=True, append_images=rest, duration=1000 / FPS, loop=0)


def two_passes(dither: str) -> Callable[[Path, Film], None]:
    """ffmpeg's palette, as every recipe has it: palettegen, then paletteuse."""

    def write(path: Path, film: Film) -> None:
        _, height, width, _ = film.shape
        raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(FPS)]
        palette = str(path.with_suffix(".png"))
        ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", *raw, "-i", "-"]
        count = ["-vf", "palettegen=stats_mode=full", "-update", "1", palette]
        use = ["-i", palette, "-lavfi", f"paletteuse=dither={dither}", str(path)]
        for arguments in (count, use):
            subprocess.run([*ffmpeg, *arguments], input=film.tobytes(), check=True)

    return write


WRITERS = {
    "sefa": ours,
    "imageio": imageio_default,
    "Pillow": pillow_default,
    "Pillow, one palette": pillow_one_palette,
    "ffmpeg, two passes": two_passes("none"),
    "ffmpeg, Bayer": two_passes("bayer"),
}


def psnr(path: Path, film: Film) -> tuple[float, int]:
    """Decibels over the whole film, and the number of frames read back."""
    with Image.open(path) as gif:
        count = getattr(gif, "n_frames", 1)
        if count != len(film):
            return math.nan, count
        error = 0.0
        for number, frame in enumerate(film):
            gif.seek(number)
            error += np.square(np.asarray(gif.convert("RGB"), float) - frame).mean() / count
    return 10 * math.log10(255**2 / error), count


def films(folders: list[str]) -> Iterator[tuple[str, Film]]:
    """The films to compare, by name."""
    for folder in folders:
        paths = sorted(Path(folder).glob("*.png"))
        yield folder, np.stack([np.asarray(Image.open(path).convert("RGB")) for path in paths])
    if not folders:
        yield from default_sweeps()


def default_sweeps() -> Iterator[tuple[str, Film]]:
    """48 frames of the default model per direction, psi 0.7, from -3 to 3."""
    import torch

    import sefa_cli as sefa

    model = "mobilestylegan_ffhq"
    sefa.keep_blocks()
    generator = sefa.load_generator(model)
    for name, (layers, k, seed) in SWEEPS.items():
        bundle = sefa.factorize(model, layers=layers)
        code = generator.truncate(generator.map(generator.sample([seed])), 0.7)
        pictures = []
        for alpha in frame_alphas((-3, 3), 48):
            moved = bundle.move(code, k, alpha)
            with torch.inference_mode():
                pictures.append(to_uint8(generator.synthesize(moved, size=256).numpy())[0])
        yield name, np.stack(pictures)


def main() -> int:
    worse = False
    with tempfile.TemporaryDirectory() as folder:
        for film_name, film in films(sys.argv[1:]):
            frames, height, width, _ = film.shape
            print(f"{film_name}: {frames} frames, {width} x {height}")
            measured = {}
            for number, (name, write) in enumerate(WRITERS.items()):
                path = Path(folder) / f"{number}.gif"
                path.unlink(missing_ok=True)
                write(path, film)
                size, (decibels, count) = path.stat().st_size, psnr(path, film)
                measured[name] = (decibels, size)
                print(f"  {name:20} {decibels:5.1f} dB  {size / 1e6:5.2f} MB  {count} frames")
            (ours_db, ours_size), (db, size) = measured["sefa"], measured["ffmpeg, two passes"]
            worse |= ours_db < db or ours_size > size
    if worse:
        print("sefa is worse than ffmpeg's two passes")
    return int(worse)


if __name__ == "__main__":
    sys.exit(main())
