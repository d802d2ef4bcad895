"""Convert a network's images to 8-bit pictures, and pictures to PNG, JPEG and WebP files.

A picture is a uint8 array `(height, width, channels)`: gray 1, RGB 3, RGBA 4 channels.
"""

import struct
import zlib
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from sefa_cli.errors import SefaError, either
from sefa_cli.file_kinds import Bounded, kind_of, open_file, why_not
from sefa_cli.files import open_atomically, write_stdout

Picture = NDArray[np.uint8]

LARGEST = {".jpg": 65_500, ".jpeg": 65_500, ".webp": 16_383}  # pixels of a side
PICTURE_SUFFIXES = (".png", *LARGEST)
_KNOWN = ("PNG", "JPEG", "WEBP", "BMP")  # formats that errors recommend
_HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")  # brands of the container
BROKEN = (  # what Pillow raises for damaged pictures
    OSError, ValueError, TypeError, SyntaxError, KeyError, IndexError, AttributeError, EOFError,
    OverflowError, MemoryError, RuntimeError, struct.error, zlib.error,
    Image.DecompressionBombError,
)  # fmt: skip


def open_picture(source: Path | bytes, label: str, formats: Sequence[str]) -> Image.Image:
    """Open a picture of one of Pillow's `formats`; its pixels are read later.

    Raises SefaError that says what the file is instead, calling it `label`.
    """
    try:
        with BytesIO(source) if isinstance(source, bytes) else open_file(source) as file:
            start = file.read(4096)
        if not start:
            raise SefaError(f"{label} is empty", "a picture", "Get the file again.")
        Image.init()
        whole = BytesIO(source) if isinstance(source, bytes) else Bounded(source)
        return Image.open(whole, formats=[name for name in formats if name in Image.OPEN])
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise too_large(label) from None
    except BROKEN as error:
        if isinstance(error, OSError) and error.errno:
            raise why_not(label, error, "read") from None
        raise _no_picture(label, start, formats, error) from error


def too_large(label: str) -> SefaError:
    """Return the error for a picture of more pixels than Pillow's limit."""
    return SefaError(f"{label} is too large", f"at most {Image.MAX_IMAGE_PIXELS:,} pixels")


def broken_picture(label: str, why: object) -> SefaError:
    """Return the error for a picture that is damaged or cut off."""
    return SefaError(f"{label} cannot be read as a picture: {why}", remedy="Get the file again.")


def _no_picture(label: str, start: bytes, formats: Sequence[str], error: Exception) -> SefaError:
    """Return the error for a file that Pillow does not open, by its first bytes."""
    if start[4:8] == b"ftyp" and start[8:12] in _HEIC:
        return SefaError(
            f"{label} is a HEIC photo, which cannot be read here",
            "a JPEG or PNG",
            "Export it as JPEG from the program that shows it.",
        )
    kind, remedy = kind_of(start)
    if kind.endswith("picture"):
        if kind.split()[1].upper() in formats:
            return broken_picture(label, str(error).replace(f" {label!r}", ""))
        return SefaError(f"{label} is {kind}", _listed(formats))
    return SefaError(f"{label} is not a picture: it is {kind}", _listed(formats), remedy)


def _listed(formats: Sequence[str]) -> str:
    """Return the names of the best-known formats: `PNG, JPEG, WEBP or BMP`."""
    known = [name for name in _KNOWN if name in formats]
    return either(known)


def to_uint8(images: ArrayLike) -> Picture:
    """Convert images in [-1, 1] to 8-bit pictures, clamped and rounded to the nearest level.

    Args:
        images: `(n, channels, height, width)` with 1, 3 or 4 channels.

    Returns:
        uint8 `(n, height, width, channels)`.

    Raises:
        SefaError: The images hold NaN or infinity, which a far too large step can cause, or have
            another shape.
    """
    levels = np.asarray(images).astype(np.float32)  # a copy to work in
    if levels.ndim != 4 or levels.shape[1] not in (1, 3, 4):
        raise SefaError(
            f"images of shape {levels.shape}",
            "(n, channels, height, width) with 1, 3 or 4 channels",
        )
    if not np.isfinite(levels).all():
        raise SefaError("the network's image holds NaN or infinity", remedy="Use a smaller step.")
    levels += 1
    levels *= 127.5
    np.rint(np.clip(levels, 0, 255, out=levels), out=levels)
    return np.ascontiguousarray(levels.astype(np.uint8).transpose(0, 2, 3, 1))


def to_image(picture: Picture) -> Image.Image:
    """Return a picture `(height, width[, channels])` as a Pillow image: L, RGB or RGBA."""
    return Image.fromarray(_drawable(picture))


def _drawable(picture: Picture) -> Picture:
    """Return the picture as Pillow and imageio expect it: a gray one without a channel axis."""
    gray = picture.ndim == 3 and picture.shape[2] == 1
    return np.ascontiguousarray(picture[:, :, 0] if gray else picture)


def to_rgb(picture: Picture, background: tuple[int, int, int] = (255, 255, 255)) -> Picture:
    """Return the picture `(height, width, 3)`; transparent pixels show `background`."""
    image = to_image(picture)
    if image.mode == "RGBA":
        backdrop = Image.new("RGBA", image.size, (*background, 255))
        image = Image.alpha_composite(backdrop, image)
    return np.asarray(image.convert("RGB"))


def nearest(levels: Picture, height: int, width: int) -> Picture:
    """Return `levels` `(…, h, w)` at another size, each pixel taken from under its center."""
    rows = (2 * np.arange(height) + 1) * levels.shape[-2] // (2 * height)
    columns = (2 * np.arange(width) + 1) * levels.shape[-1] // (2 * width)
    return levels[..., rows[:, None], columns]


def check_fits(path: Path | str, side: int) -> None:
    """Raise SefaError if the format of a file cannot have `side` pixels on a side."""
    suffix = Path(path).suffix.lower()
    if side > LARGEST.get(suffix, side):
        raise SefaError(
            f"a {suffix} picture cannot have {side:,} pixels on a side",
            f"at most {LARGEST[suffix]:,}",
            "Use a .png file.",
        )


def save_picture(
    path: Path | str,
    picture: Picture,
    overwrite: bool = False,
    text: Mapping[str, str] | None = None,
) -> None:
    """Write one picture as PNG, JPEG or WebP, by the suffix; `-` writes PNG to stdout.

    `text` becomes text entries of a PNG; a JPEG keeps its "Comment". Raises SefaError if the
    picture is too large for the format, or if writing fails.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in LARGEST or str(path) == "-":
        save_png(path, picture, overwrite, text)
        return
    check_fits(path, max(picture.shape[:2]))
    lossy = to_image(to_rgb(picture) if suffix != ".webp" else picture)
    comment = {"comment": text["Comment"]} if text and "Comment" in text else {}
    with open_atomically(path, overwrite) as file:
        if suffix == ".webp":
            lossy.save(file, "webp", quality=92, method=4)
        else:
            lossy.save(file, "jpeg", quality=95, subsampling=0, **comment)


def save_png(
    path: Path | str,
    picture: Picture,
    overwrite: bool = False,
    text: Mapping[str, str] | None = None,
) -> None:
    """Write one picture as PNG; `-` writes to stdout.

    `text` becomes text entries of the file (see `png`). Raises SefaError if writing fails.
    """
    encoded = png(picture, text)
    if str(path) == "-":
        write_stdout(encoded)
        return
    with open_atomically(path, overwrite) as file:
        file.write(encoded)


def png(picture: Picture, text: Mapping[str, str] | None = None, compression: int = 6) -> bytes:
    """Return the PNG file of a picture; equal pictures and texts give equal bytes.

    Args:
        picture: `(height, width[, channels])`.
        text: tEXt entries (iTXt if Latin-1 is not enough), such as the command that made it.
        compression: From 0 (none) to 9 (smallest and slowest).
    """
    notes = PngInfo()
    for key, value in (text or {}).items():
        notes.add_text(key, value)
    encoded: bytes = iio.imwrite(
        "<bytes>", _drawable(picture), plugin="pillow", extension=".png",
        is_batch=False, pnginfo=notes, compress_level=compression,
    )  # fmt: skip
    return encoded
