"""Faces in pictures: how each is turned and its expression, by MediaPipe's face landmarker."""

import math
from dataclasses import dataclass
from importlib import metadata

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from sefa_cli.discovery.regions.landmarks import (
    NETWORK,
    OVAL,
    Picture,
    Points,
    hushed,
    landmark_network,
    refusal,
    rgb,
)

Scores = dict[str, float]


@dataclass(frozen=True)
class Face:
    """The clearest face of a picture."""

    points: Points  # (478, 2): y and x of every landmark, as fractions of the picture
    shapes: dict[str, float]  # how much each muscle moves, from 0 to 1
    pose: NDArray[np.floating]  # (3, 3), the face's own axes in the camera's


class FaceFinder:
    """Finds the clearest face of a picture; scorers of one picture share what was found."""

    def __init__(self, offline: bool | None = None) -> None:
        """Load the network. Raises SefaError with the line that installs a missing package."""
        if (refused := refusal()) is not None:
            raise refused
        network = landmark_network(offline)
        with hushed():
            import mediapipe
            from mediapipe.tasks.python import BaseOptions, vision

            self.version = f"{metadata.version('mediapipe')} {NETWORK.facts.sha256}"
            self._image, self._format = mediapipe.Image, mediapipe.ImageFormat.SRGB
            self._landmarker = vision.FaceLandmarker.create_from_options(
                vision.FaceLandmarkerOptions(
                    BaseOptions(model_asset_path=str(network)),
                    output_face_blendshapes=True,
                    output_facial_transformation_matrixes=True,
                )
            )
        self._last: tuple[Picture, Face | None] | None = None
        self._open = True

    def __call__(self, picture: Picture) -> Face | None:
        """Return the face, None if the picture has none."""
        if self._last is None or self._last[0] is not picture:
            self._last = picture, self._find(picture)
        return self._last[1]

    def _find(self, picture: Picture) -> Face | None:
        found = self._landmarker.detect(self._image(self._format, rgb(picture)))
        if not found.face_blendshapes:
            return None
        return Face(
            np.array([(p.y, p.x) for p in found.face_landmarks[0]]),
            {shape.category_name: shape.score for shape in found.face_blendshapes[0]},
            found.facial_transformation_matrixes[0][:3, :3],
        )

    def close(self) -> None:
        """Release the network, before Python ends: it cannot do that later."""
        if self._open:
            self._landmarker.close()
        self._open = False


class FaceScorer:
    """The scores of the clearest face, None if no face was found.

    `yaw`, `pitch` and `roll` are degrees: positive where the face looks to the picture's right,
    looks up, and leans to the picture's left. `smile`, `mouth open`, `eyes open` and `brows up`
    are from 0 to 1. `skin brightness`, `skin warmth` (red minus blue) and `skin redness` (red minus
    green) are those of the face's median color, in levels of 255.
    """

    def __init__(self, finder: FaceFinder) -> None:
        """Take what finds the face."""
        self._finder, self.version, self.close = finder, finder.version, finder.close

    def __call__(self, picture: Picture) -> Scores | None:
        """Return the scores of a picture."""
        face = self._finder(picture)
        if face is None:
            return None
        return {**_pose(face.pose), **_expression(face.shapes), **_skin(picture, face.points)}


def _pose(pose: NDArray[np.floating]) -> Scores:
    """Return the angles of the face's own axes in the camera's: x right, y up, z toward it."""
    x, y, z = pose[:, 2]  # where the face looks
    return {
        "yaw": math.degrees(math.atan2(x, z)),
        "pitch": math.degrees(math.atan2(y, math.hypot(x, z))),
        "roll": math.degrees(math.atan2(pose[1, 0], pose[0, 0])),
    }


def _expression(shapes: dict[str, float]) -> Scores:
    def mean(*names: str) -> float:
        return float(np.mean([shapes[name] for name in names]))

    return {
        "smile": mean("mouthSmileLeft", "mouthSmileRight"),
        "mouth open": shapes["jawOpen"],
        "eyes open": 1 - mean("eyeBlinkLeft", "eyeBlinkRight"),
        "brows up": mean("browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    }


def _skin(picture: Picture, points: Points) -> Scores:
    """Return scores of the median color within the face's outline: eyes and lips are the few."""
    height, width = picture.shape[:2]
    mask = Image.new("L", (width, height))
    outline = [(x * width, y * height) for y, x in points[list(OVAL)]]
    ImageDraw.Draw(mask).polygon(outline, fill=1)
    inside = rgb(picture)[np.asarray(mask, bool)]
    if not len(inside):  # the face lies outside the picture
        return {}
    red, green, blue = np.median(inside, axis=0)
    return {
        "skin brightness": float((red + green + blue) / 3),
        "skin warmth": float(red - blue),
        "skin redness": float(red - green),
    }
