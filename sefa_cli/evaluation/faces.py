"""Scores of a face: how it is turned and what its expression is, by MediaPipe's face landmarker."""

import math
from importlib import metadata

import numpy as np
from numpy.typing import NDArray

from sefa_cli.discovery.regions.landmarks import (
    NETWORK,
    Picture,
    hushed,
    landmark_network,
    refusal,
    rgb,
)

Scores = dict[str, float]


class FaceScorer:
    """The scores of the clearest face, None where there is no face.

    `yaw`, `pitch` and `roll` are degrees: positive where the face looks to the picture's right,
    looks up, and leans to the picture's left. `smile`, `mouth open`, `eyes open` and `brows up`
    are from 0 to 1.
    """

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

    def __call__(self, picture: Picture) -> Scores | None:
        """Return the scores of a picture."""
        found = self._landmarker.detect(self._image(self._format, rgb(picture)))
        if not found.face_blendshapes:
            return None
        shapes = {shape.category_name: shape.score for shape in found.face_blendshapes[0]}
        pose = found.facial_transformation_matrixes[0][:3, :3]
        return {**_pose(pose), **_expression(shapes)}

    def close(self) -> None:
        """Release the network, before Python ends: it cannot do that later."""
        self._landmarker.close()


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
