"""A region drawn over pictures, to reveal mistakes before a long run."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sefa_cli.rendering.pictures import Picture, nearest, to_rgb
from sefa_cli.rendering.sheets import grid

Weights = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_MIDDLE_GRAY = 128  # fading to it lowers the contrast of light and dark pictures alike
_FADED = 0.65  # how much the background is faded
_STRIPE = 4  # pixels of a stripe and of a gap, where neither region nor background counts


def region_preview(
    pictures: Sequence[Picture],
    weights: Weights,
    background: Weights | None = None,
    captions: Sequence[str] = (),
) -> Picture:
    """Return a sheet of the pictures with the region outlined and the rest faded.

    `weights` and `background` are `(height, width)` for all pictures, or `(s, height, width)` with
    one for each; pictures may be larger. Pixels fade in proportion to their weight, and pixels
    that belong to neither region nor `background` are striped.
    """
    count = len(pictures)
    regions = _one_each(weights, count)
    rests = _one_each(255 - weights if background is None else background, count)
    shown = [
        _shown(to_rgb(picture), region, rest)
        for picture, region, rest in zip(pictures, regions, rests, strict=True)
    ]
    return grid(shown, captions)


def _one_each(weights: Weights, count: int) -> Sequence[Weights]:
    return [weights] * count if weights.ndim == 2 else list(weights)


def _shown(picture: Picture, region: Weights, rest: Weights) -> Picture:
    height, width = picture.shape[:2]
    region, rest = nearest(region, height, width), nearest(rest, height, width)
    fading = _FADED * (1 - region[..., None] / 255)  # (height, width, 1)
    faded = picture + fading * (_MIDDLE_GRAY - picture.astype(np.float64))
    shown = np.rint(faded).astype(np.uint8)
    diagonal = np.add.outer(np.arange(height), np.arange(width)) % (2 * _STRIPE) < _STRIPE
    shown[diagonal & (region == 0) & (rest == 0)] = _MIDDLE_GRAY
    _outline(shown, region, 0, 255)
    return shown


def _outline(shown: Picture, region: Weights, dark: ArrayLike, light: ArrayLike) -> None:
    """Draw a light line around the region, and a dark one around that."""
    thickness = max(1, round(max(region.shape) / 256))
    inside = region >= 128
    shown[_grown(inside, 2 * thickness) & ~inside] = dark
    shown[_grown(inside, thickness) & ~inside] = light


def _grown(mask: Mask, pixels: int) -> Mask:
    """Return `mask` grown by `pixels` along rows, columns and diagonals."""
    for axis in (0, 1):
        padded = np.pad(mask, [(pixels, pixels) if a == axis else (0, 0) for a in (0, 1)])
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * pixels + 1, axis=axis)
        mask = np.asarray(windows.any(axis=-1))
    return mask


def region_overlay(weights: Weights) -> Picture:
    """Return the same fading and outline as an overlay for any picture: RGBA `(height, width, 4)`.

    `weights` is `(h, w)`; small masks are enlarged to keep the outline thin.
    """
    times = max(1, 512 // max(weights.shape))
    weights = weights.repeat(times, axis=0).repeat(times, axis=1)
    overlay = np.full((*weights.shape, 4), _MIDDLE_GRAY, np.uint8)
    overlay[..., 3] = np.rint(_FADED * (255 - weights.astype(np.float64)))
    _outline(overlay, weights, [0, 0, 0, 255], [255, 255, 255, 255])
    return overlay
