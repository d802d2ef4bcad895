"""Photographs: read with Pillow, turned upright, cropped to the model's shape, made smaller.

Nothing is guessed silently: each photo carries notes about what was done to it.
"""

import hashlib
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from sefa_cli.errors import SefaError
from sefa_cli.file_kinds import check_exists, open_file, why_not
from sefa_cli.inversion.align import Find, aligned
from sefa_cli.ranges import check_once
from sefa_cli.rendering.pictures import BROKEN, broken_picture, open_picture

Given = str | Path | bytes | Image.Image | NDArray[np.uint8]

# An allowlist: some of Pillow's other formats start programs, and many hold data, not photos.
_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "AVIF", "TIFF", "GIF", "BMP", "PPM", "JPEG2000")
_HEIC_SUFFIXES = (".heic", ".heif")
_TURNS = {  # by EXIF's orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SMALLEST = 16  # pixels of the shorter side: nothing can be seen below


@dataclass(frozen=True)
class Photo:
    """A photo as the network will see it.

    Attributes:
        name: The file's name without its suffix.
        pixels: uint8 `(height, width, channels)`, at the working size.
        notes: What was done to it, in words, such as "cropped to its center".
        inside: Where its face is, `(height, width)`, 1 inside and 0 outside, if it was aligned.
    """

    name: str
    pixels: NDArray[np.uint8]
    notes: tuple[str, ...] = ()
    inside: NDArray[np.float32] | None = None


def read_photo(
    given: Given,
    size: tuple[int, int],
    channels: int = 3,
    name: str | None = None,
    find: Find | None = None,
    face: int | None = None,
) -> Photo:
    """Read a photo at `size` (height, width): upright, its center, each pixel a mean of its area.

    Args:
        given: A file or its bytes, a Pillow image, or an array `(height, width[, channels])` of
            uint8.
        size: The height and width that are wanted, in pixels.
        channels: 1 for gray, 3 for RGB, 4 for RGB and opacity.
        name: Its name. Default: the file's, or "photo".
        find: Finds faces, of which one is cropped and turned as in FFHQ.
        face: Which face, from 0 at the left. Default: the largest.

    Raises:
        SefaError: It cannot be read, is not a picture, or is far too small.
    """
    is_file = isinstance(given, str | Path)
    label = str(given) if is_file else name or "the picture"
    notes: list[str] = []
    inside = None
    image = upright_photo(given, channels, label, notes)
    if find is not None:
        image, inside, more = aligned(image, max(size), find, face, label)
        notes += more
        top, left = (inside.shape - np.array(size)) // 2  # as `_fitted` crops
        inside = inside[top : top + size[0], left : left + size[1]]
    image = _fitted(image, size, notes)
    pixels = np.asarray(image).reshape(*size, channels)
    own = name or (Path(given).stem if is_file else "photo")  # type: ignore[arg-type]
    return Photo(own, pixels, tuple(notes), inside)


def upright_photo(given: Given, channels: int, label: str, notes: list[str]) -> Image.Image:
    """Return a whole photo, upright, with 8 bits a channel; `notes` are added to. Raises SefaError.

    `label` is what the photo is called in errors.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's: of size (beyond twice that: error), of tags
        if isinstance(given, str | Path | bytes):
            source = given if isinstance(given, bytes) else Path(given)
            image = open_picture(source, label, _FORMATS)
        else:
            image = _image(given, label)
        try:
            if image.mode == "F" or (image.mode == "I" and image.format not in ("PNG", "PPM")):
                kind = "real numbers" if image.mode == "F" else "whole numbers of 32 bits"
                raise ValueError(f"its pixels are {kind}")
            if ";16" in str(getattr(image, "tile", "")) and not image.mode.startswith("I"):
                notes.append("from 16 bits")  # of each color: Pillow has taken the upper 8
            image = _upright(image, notes)
            image = _levels(image, channels, notes)
        except BROKEN as error:
            raise broken_picture(label, error) from error
    if min(image.size) < _SMALLEST:
        raise SefaError(
            f"{label} has {image.width} x {image.height} pixels", f"at least {_SMALLEST} each way"
        )
    return image


def check_photo(given: Given) -> None:
    """Raise SefaError for what `read_photo` would refuse after a glance."""
    if isinstance(given, str | Path):
        open_picture(Path(given), str(given), _FORMATS).close()
    elif not isinstance(given, bytes):
        _image(given, "the picture")


def find_photos(paths: Sequence[str | Path]) -> list[Path]:
    """Return the files that `paths` name; a folder stands for the pictures in it, sorted.

    Raises SefaError for a path that does not exist and for a folder without pictures.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        check_exists(path)
        inside = sorted(_pictures_in(path)) if path.is_dir() else [path]
        if not inside:
            raise SefaError(f"the folder {path} has no pictures", "files such as .jpg or .png")
        found += inside
    check_once(found, "photo")
    return found


def unlike(names: Iterable[str]) -> list[str]:
    """Return the names with `-2`, `-3` … after those that were used before.

    Example:
        >>> unlike(["me", "you", "me"])
        ['me', 'you', 'me-2']
    """
    made: list[str] = []
    for name in names:
        number, unique = 1, name
        while unique in made:
            number += 1
            unique = f"{name}-{number}"
        made.append(unique)
    return made


def digest(photo: Path | bytes) -> str:
    """Return the SHA-256 of a file. Raises SefaError."""
    if isinstance(photo, bytes):
        return hashlib.sha256(photo).hexdigest()
    try:
        with open_file(photo) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise why_not(photo, error, "read") from error


def _pictures_in(folder: Path) -> Iterable[Path]:
    suffixes = Image.registered_extensions().items()
    known = {*(suffix for suffix, kind in suffixes if kind in _FORMATS), *_HEIC_SUFFIXES}
    for path in folder.iterdir():
        if path.suffix.lower() in known and path.is_file() and not path.name.startswith("."):
            yield path


def _image(given: Image.Image | NDArray[np.uint8], label: str) -> Image.Image:
    if isinstance(given, Image.Image):
        return given
    array = np.asarray(given)
    if not array.ndim:
        raise SefaError(f"{label} is {given!r}", "a file, a Pillow image or uint8 pixels")
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise SefaError(
            f"{label} is an array of {array.dtype} and shape {array.shape}",
            "uint8 (height, width, 3)",
        )
    return Image.fromarray(array[:, :, 0] if array.ndim == 3 and channels == 1 else array)


def _upright(image: Image.Image, notes: list[str]) -> Image.Image:
    """Return the first picture of the file, turned as the camera says."""
    if getattr(image, "n_frames", 1) > 1:
        notes.append(f"the first of its {image.n_frames} pictures")  # type: ignore[attr-defined]
        image.seek(0)
    try:
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # Pillow reads EXIF lazily, and damaged EXIF makes no picture unreadable
        return image
    if turn is None:
        return image
    notes.append("turned as the camera says")
    return image.transpose(turn)


def _levels(image: Image.Image, channels: int, notes: list[str]) -> Image.Image:
    """Return the picture with 8 bits a channel; what is transparent becomes white."""
    if image.mode.startswith("I"):  # 16 bits of gray
        notes.append("from 16 bits")
        levels: NDArray[np.float64] = np.asarray(image, dtype=np.float64) / 257
        image = Image.fromarray(np.rint(levels.clip(0, 255)).astype(np.uint8))
    elif (gray := image.mode in ("1", "L", "LA")) != (channels == 1):
        notes.append("from gray" if gray else "made gray")
    elif image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        notes.append(f"from {image.mode}")
    if channels == 4:
        return image.convert("RGBA")
    if image.mode in ("LA", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        own = image.convert("RGBA")
        if own.getchannel("A").getextrema() != (255, 255):
            notes.append("on white where it is transparent")
        white = Image.new("RGBA", own.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, own)
    return image.convert("L" if channels == 1 else "RGB")


def _fitted(image: Image.Image, size: tuple[int, int], notes: list[str]) -> Image.Image:
    """Return the center of the picture, in the shape and size that are wanted."""
    height, width = size
    w = min(image.width, round(image.height * width / height))
    h = min(image.height, round(image.width * height / width))
    if (w, h) != image.size:
        shape = "square" if height == width else "part of the model's shape"
        notes.append(f"cropped to its middle {shape}")
        left, top = (image.width - w) // 2, (image.height - h) // 2
        image = image.crop((left, top, left + w, top + h))
    if h < height:
        notes.append(f"enlarged: it has only {max(w, h)} pixels")
        return image.resize((width, height), Image.Resampling.BICUBIC)
    return image.resize((width, height), Image.Resampling.BOX)
