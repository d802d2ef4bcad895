"""Masks and label maps from picture files, none decoded above Pillow's own size limit.

Pillow reads them, not imageio, because imageio cannot be told which formats to accept: some of
Pillow's start other programs.
"""

import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from sefa_cli.discovery.regions.shapes import Draw, Weights
from sefa_cli.errors import SefaError, UsageError, either
from sefa_cli.ranges import parse_range
from sefa_cli.rendering.pictures import (
    BROKEN,
    broken_picture,
    nearest,
    open_picture,
    too_large,
)

Labels = NDArray[np.uint16]

# Lossy formats would spoil labels.
_MASK_FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
_LABEL_FORMATS = ("PNG",)
_DEEP = ("I", "I;16", "I;16B")  # how Pillow calls 16-bit gray, depending on its version


def mask(source: Path | str | ArrayLike) -> Draw:
    """Return what draws a mask: a picture file (`read_mask`) or weights `(h, w)` (`as_weights`).

    Raises UsageError, when it is drawn, for another aspect than the picture's.
    """
    if isinstance(source, Path | str):
        return partial(_resampled, read_mask(source), f"mask {source}")
    return partial(_resampled, as_weights(source), "the mask")


def segments(source: Path | str | ArrayLike, ids: str | None) -> Draw:
    """Return what draws the segments `ids` ("3,4" or "3-5") of a label map: a file, or an array.

    Raises UsageError, which lists the ids that exist, for a missing id and for None.
    """
    chosen = parse_range(ids, "segment") if ids is not None else ()
    if isinstance(source, Path | str):
        weights = segment_weights(source, read_labels(source), chosen)
        return partial(_resampled, weights, f"label map {source}")
    labels = np.asarray(source)
    if labels.ndim != 2 or labels.dtype.kind not in "iu":
        raise UsageError(
            f"the label map is an array of {labels.dtype} {labels.shape}",
            "integers (height, width)",
        )
    weights = segment_weights("the label map", labels, chosen)
    return partial(_resampled, weights, "the label map")


def as_weights(mask: ArrayLike) -> Weights:
    """Return an array `(height, width)` as weights of 0 … 255.

    Args:
        mask: bool, uint8 of 0 … 255, or floats of 0 … 1.

    Raises:
        UsageError: for other shapes, types or numbers.

    Example:
        >>> as_weights([[0.0, 0.5], [1.0, 0.25]])
        array([[  0, 128],
               [255,  64]], dtype=uint8)
    """
    levels = np.asarray(mask)
    if levels.ndim == 2 and levels.dtype == np.uint8:
        return levels
    if levels.ndim == 2 and levels.dtype.kind in "bf" and levels.size:
        if levels.dtype.kind == "b" or (levels.min() >= 0 and levels.max() <= 1):
            return np.rint(levels.astype(np.float64) * 255).astype(np.uint8)
        raise UsageError("the mask holds numbers outside 0 … 1", "floats of 0 … 1, or uint8")
    raise UsageError(
        f"the mask is an array of {levels.dtype} {levels.shape}",
        "bool, uint8 or floats of 0 … 1 (height, width)",
    )


def read_mask(path: Path | str) -> Weights:
    """Return the weights `(height, width)`, 0 … 255, that a picture file gives its pixels.

    Luminance: white counts fully, black not at all, gray in between; transparent pixels do not
    count. If all visible pixels have one color (a drawing on a transparent ground), the opacity
    alone is the weight. Raises SefaError for a file that is not such a picture.
    """
    image = _open(path, _MASK_FORMATS)
    if image.mode in _DEEP:
        deep = np.asarray(image).astype(np.uint32)
        return _rounded_share(deep, 255, 65535)
    if image.mode == "P" and image.palette is None:
        raise broken_picture(str(path), "it has no palette")
    if not image.has_transparency_data:
        return np.asarray(image.convert("L"))
    pixels = np.asarray(image.convert("RGBA"))
    opacity = pixels[..., 3]
    visible = pixels[..., :3][opacity > 0]  # (pixels, 3)
    if opacity.min() < 255 and (visible == visible[:1]).all():
        return opacity
    luminance = np.asarray(image.convert("RGB").convert("L")).astype(np.uint32)
    return _rounded_share(luminance, opacity, 255)


def read_labels(path: Path | str) -> Labels:
    """Return the numbers `(height, width)` in a label map: a PNG with a palette or gray (16 bits).

    Raises SefaError for a file that is not such a picture.
    """
    image = _open(path, _LABEL_FORMATS)
    if image.mode not in ("1", "L", "P", *_DEEP):
        raise SefaError(f"{path} is a picture in colors", "a label map: a palette or gray PNG")
    return np.asarray(image).astype(np.uint16)


def segment_weights(path: Path | str, labels: NDArray[np.integer], ids: Sequence[int]) -> Weights:
    """Return 255 on the segments `ids`, 0 elsewhere. Raises UsageError that lists the segments."""
    there, counts = np.unique(labels, return_counts=True)
    if missing := [i for i in ids if i not in there]:
        raise UsageError(f"segment {missing[0]} is not in {path}", _shares(there, counts))
    if not ids:
        raise UsageError(f"no segment of {path} is chosen", _shares(there, counts))
    return np.where(np.isin(labels, ids), 255, 0).astype(np.uint8)


def segments_in(path: Path | str) -> str:
    """Return the segments of a label map with their shares. Raises SefaError as `read_labels`."""
    return _shares(*np.unique(read_labels(path), return_counts=True))


def _resampled(weights: Weights, name: str, height: int, width: int) -> Weights:
    """Return `weights` at the working size. Raises UsageError for another aspect."""
    tall, wide = weights.shape
    if abs(tall * width - wide * height) >= max(height, width):  # ignore a rounded pixel
        raise UsageError(
            f"{name} has {tall} rows × {wide} columns",
            f"the picture's aspect, {height} rows × {width} columns",
        )
    return nearest(weights, height, width)


def _rounded_share(levels: NDArray[np.uint32], times: Weights | int, of: int) -> Weights:
    """Return levels · times / of, rounded."""
    weights: Weights = ((levels * times + of // 2) // of).astype(np.uint8)
    return weights


def _shares(ids: NDArray[np.integer], counts: NDArray[np.intp], most: int = 16) -> str:
    """Return `0 (61.2 %) or 3 (4.1 %)`: the largest segments, in the order of their ids."""
    largest = np.sort(np.argsort(-counts, kind="stable")[:most])
    percents = 100 * counts / counts.sum()
    named = [
        f"{ids[i]} ({percents[i]:.1f} %)" if percents[i] >= 0.1 else f"{ids[i]} (< 0.1 %)"
        for i in largest
    ]
    more = len(ids) - len(largest)
    return either([*named, *([f"{more:,} smaller ones"] if more else [])])


def _open(path: Path | str, formats: tuple[str, ...]) -> Image.Image:
    """Return the decoded picture. Raises SefaError if the file has none of these formats."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with open_picture(Path(path), str(path), formats) as image:
                image.load()
                return image
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise too_large(str(path)) from None
    except BROKEN as error:
        raise broken_picture(str(path), error) from error
