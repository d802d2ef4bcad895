"""Crop and turn a face as FFHQ's were, from the places of its eyes and mouth."""

import logging
import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from sefa_cli.discovery.regions.landmarks import LEFT_EYE, OVAL, RIGHT_EYE, every_face, refusal
from sefa_cli.errors import SefaError

Points = NDArray[np.float64]  # (478, 2): y and x of every landmark, as fractions of the picture
Find = Callable[[NDArray[np.uint8]], Sequence[Points]]  # every face, from the left

logger = logging.getLogger(__name__)

_MOUTH = (61, 291)  # its corners, in MediaPipe's mesh
_SEEN = 1280  # pixels of the longer side in which faces are looked for
_PART = 0.6  # of the picture's height and width
_RIM = 0.02  # of a part: a face that comes nearer to its edge may be cut
_WIDER = 1.15  # than the oval of the landmarks: it ends at the hairline and before the ears
_EDGE = 0.02  # of the square: how soft the edge of the face is
_LARGE = 0.25  # of the picture's height: the network finds such a face in the whole picture


def face_finder(offline: bool | None = None) -> Find | None:
    """Return what finds faces; None, with a warning, if the landmark package cannot be used."""
    if (refused := refusal()) is not None:
        logger.warning("photos are taken as they are: %s", refused)
        return None
    return lambda picture: look_closer(lambda part: every_face(part, offline), picture)


def look_closer(look: Find, picture: NDArray[np.uint8]) -> list[Points]:
    """Return every face that `look` finds in a picture or in four overlapping parts, from the left.

    The network overlooks small faces, or places them badly; a part shows them larger. Faces that
    a part cuts are not taken from it.
    """
    size = np.array(picture.shape[:2])
    side = np.ceil(_PART * size).astype(int)
    whole, closer = look(picture), []
    for corner in [(y, x) for y in (0, size[0] - side[0]) for x in (0, size[1] - side[1])]:
        (top, left), (bottom, right) = corner, corner + side
        closer += [
            (points * side + corner) / size
            for points in look(np.ascontiguousarray(picture[top:bottom, left:right]))
            if points.min() > _RIM and points.max() < 1 - _RIM
        ]
    large = [points for points in whole if np.ptp(points[:, 0]) > _LARGE]
    faces: list[Points] = []
    for points in (*large, *closer, *whole):
        middle, height = points.mean(axis=0), np.ptp(points[:, 0])
        away = [np.linalg.norm((face.mean(axis=0) - middle) * size) for face in faces]
        if all(distance > height * size[0] / 2 for distance in away):
            faces.append(points)
    return sorted(faces, key=lambda points: float(points[:, 1].mean()))


def aligned(
    image: Image.Image, side: int, find: Find, face: int | None, label: str
) -> tuple[Image.Image, NDArray[np.float32], list[str]]:
    """Return one face of a photo, cropped and turned as in FFHQ, `side` pixels large.

    Also return where the face is in the crop, `(side, side)`, 1 inside and 0 outside; and notes.
    Raises SefaError, as `face_square`.
    """
    points, square, note = face_square(image, find, face, label)
    axes = np.stack([square[3] - square[0], square[1] - square[0]], axis=1)
    oval = (points[list(OVAL)] - square[0]) @ np.linalg.inv(axes).T * side
    notes, own = [note], round(math.dist(square[0], square[3]))
    if own < side:
        notes.append(f"enlarged: it has only {own} pixels")
    return _cut(image, square, side), _inside(oval, side), notes


def _inside(oval: Points, side: int) -> NDArray[np.float32]:
    """Return the inside of the oval around `(n, 2)` points, wider and with a soft edge."""
    oval = oval.mean(axis=0) + _WIDER * (oval - oval.mean(axis=0))
    mask = Image.new("L", (side, side))
    ImageDraw.Draw(mask).polygon([(float(x), float(y)) for x, y in oval], fill=255)
    soft = mask.filter(ImageFilter.GaussianBlur(_EDGE * side))
    return np.asarray(soft, np.float32) / np.float32(255)


def face_square(
    image: Image.Image, find: Find, face: int | None, label: str
) -> tuple[Points, NDArray[np.float64], str]:
    """Return the landmarks of one face of a photo, the corners of FFHQ's crop, and a note.

    Landmarks `(478, 2)` and corners `(4, 2)` are x and y in pixels.

    Args:
        image: The upright photo.
        find: What finds faces.
        face: Which face, from 0 at the left. Default: the largest.
        label: What the photo is called in errors.

    Raises:
        SefaError: There is no face, or none with this number.
    """
    faces = find(np.asarray(_at_most(image, _SEEN).convert("RGB")))
    count = len(faces)
    if not count:
        raise SefaError(
            f"no face found in {label}", "a face", "Without align=True, its middle is taken."
        )
    if face is not None and face >= count:
        numbers = f"face 0 to {count - 1}" if count > 1 else "face 0"
        raise SefaError(f"{label} has {count} face{'s' * (count > 1)}", numbers)
    meshes = [points[:, ::-1] * image.size for points in faces]
    squares = [ffhq_square(points) for points in meshes]
    sizes = [math.dist(square[0], square[3]) for square in squares]
    chosen = int(np.argmax(sizes)) if face is None else face
    note = "aligned" + (f" by face {chosen} of {count}, counted from 0" if count > 1 else "")
    return meshes[chosen], squares[chosen], note


def ffhq_square(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the corners `(4, 2)` of FFHQ's crop, from the top left, against the clock.

    `points` `(478, 2)` are x and y of MediaPipe's landmarks in pixels. The square's axis is the
    mean of the line between the eyes and the line across the one from eyes to mouth; its side is
    4 times the distance of the eyes, or 3.6 times that from eyes to mouth, if this is more.

    Source: Karras et al., CVPR 2019, appendix A; recreate_aligned_images of its data set.
    """
    left, right = points[list(LEFT_EYE)].mean(axis=0), points[list(RIGHT_EYE)].mean(axis=0)
    eyes, mouth = (left + right) / 2, points[list(_MOUTH)].mean(axis=0)
    across, down = right - left, mouth - eyes
    x = across + down[::-1] * (1, -1)
    x *= max(2 * math.hypot(*across), 1.8 * math.hypot(*down)) / math.hypot(*x)
    y = x[::-1] * (-1, 1)
    center = eyes + 0.1 * down
    return np.stack([center - x - y, center - x + y, center + x + y, center + x - y])


def _cut(image: Image.Image, square: NDArray[np.float64], side: int) -> Image.Image:
    """Return the part of the photo in a square; what lies outside the photo is made up."""
    factor = max(1, int(math.dist(square[0], square[3]) / (2 * side)))
    image, square = image.reduce(factor), square / factor
    low, high = (
        np.floor(square.min(axis=0)).astype(int) - 2,
        np.ceil(square.max(axis=0)).astype(int) + 2,
    )
    columns, rows = (_mirrored(low[axis], high[axis], image.size[axis]) for axis in (0, 1))
    part = Image.fromarray(np.asarray(image)[rows[:, None], columns])
    if (low < 0).any() or (high > image.size).any():
        part = _faded(part, low, image.size, math.dist(square[0], square[3]))
    corners = tuple((square - low).flatten())
    large = part.transform(
        (2 * side, 2 * side), Image.Transform.QUAD, corners, Image.Resampling.BILINEAR
    )
    return large.resize((side, side), Image.Resampling.BOX)


def _faded(
    part: Image.Image, low: NDArray[np.intp], size: tuple[int, int], side: float
) -> Image.Image:
    """Return a part whose mirrored pixels are blurred, and turn into its median color far outside.

    `low` is where it begins in a photo of `size`; FFHQ's pictures were made so. Without it, half a
    face at the edge of a photo gets a twin.
    """
    high = low + part.size
    axes = []
    for axis in (0, 1):
        x = np.arange(low[axis], high[axis])
        before = -x / max(-low[axis], 0.3 * side)
        after = (x - size[axis] + 1) / max(high[axis] - size[axis], 0.3 * side)
        axes.append(np.maximum(before, after))  # 0 at the photo's edge, 1 farthest outside
    outside = np.maximum(axes[0], axes[1][:, None]).reshape(part.height, part.width, 1)
    pixels = np.asarray(part, np.float64).reshape(part.height, part.width, -1)
    blurred = np.asarray(part.filter(ImageFilter.GaussianBlur(0.02 * side)), np.float64)
    pixels = pixels + (blurred.reshape(pixels.shape) - pixels) * np.clip(3 * outside + 1, 0, 1)
    median = np.median(pixels, axis=(0, 1))
    pixels += (median - pixels) * np.clip(outside, 0, 1)
    return Image.fromarray(np.rint(pixels).astype(np.uint8).reshape(np.asarray(part).shape))


def _mirrored(low: int, high: int, size: int) -> NDArray[np.intp]:
    """Return indices for places from `low` to `high`, mirrored at the edges of `size`.

    Example:
        >>> _mirrored(-2, 6, 4).tolist()
        [2, 1, 0, 1, 2, 3, 2, 1]
    """
    places = np.arange(low, high) % max(1, 2 * size - 2)
    return np.minimum(places, 2 * size - 2 - places) if size > 1 else np.zeros_like(places)


def _at_most(image: Image.Image, largest: int) -> Image.Image:
    return (
        image.reduce(math.ceil(max(image.size) / largest)) if max(image.size) > largest else image
    )
