"""What a picture shows, as numbers: its colors, its face, or what a user's own scorer says.

A scorer takes a picture, uint8 `(height, width, channels)`, and returns numbers by name, or None
if the picture does not show its subject. A scorer with a true attribute `compares` takes two, the
picture before and the one after a move. One with `embeds` returns features instead, from which the
distance of sets of pictures is made. Packages add scorers by the entry point `sefa.scorers`.
"""

import hashlib
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.discovery.regions import landmarks
from sefa_cli.errors import SefaError, UsageError, either
from sefa_cli.evaluation import inception, perception, persons
from sefa_cli.evaluation.faces import FaceFinder, FaceScorer
from sefa_cli.ranges import check_once

Picture = NDArray[np.uint8]  # (height, width, channels)
Scores = Mapping[str, float]
Scorer = Callable[..., Any]  # Scores or None, of one picture, or of two if it `compares`

GROUP = "sefa.scorers"
_OWN = ("colors", "face", "person", "identity", "lpips", "inception")
_NEEDS = {
    "face": landmarks.refusal,
    "person": persons.install_refusal,
    "identity": persons.install_refusal,
}
MEASURES = {  # what our own scorers of one picture return
    "colors": ("brightness", "contrast", "saturation", "warmth", "sharpness"),
    "face": (
        *("yaw", "pitch", "roll", "smile", "mouth open", "eyes open", "brows up"),
        *("skin brightness", "skin warmth", "skin redness"),
    ),
    "person": ("age", "male"),
}


def color_scores(picture: Picture) -> Scores:
    """Return what can be measured in any picture, each from 0 to 255.

    `brightness` is the mean gray, `contrast` its standard deviation, `saturation` the mean spread
    of the channels, `warmth` how much redder than blue, and `sharpness` the mean difference of
    neighbors.

    Example:
        >>> gray = np.full((4, 4, 3), 100, np.uint8)
        >>> color_scores(gray)["brightness"], color_scores(gray)["contrast"]
        (100.0, 0.0)
    """
    colors = picture.astype(np.float64)
    gray = colors.mean(axis=2)
    steps = [np.abs(np.diff(gray, axis=axis)).mean() for axis in (0, 1)]
    return {
        "brightness": float(gray.mean()),
        "contrast": float(gray.std()),
        "saturation": float(np.ptp(colors, axis=2).mean()),
        "warmth": float((colors[..., 0] - colors[..., -1]).mean()),
        "sharpness": float(np.mean(steps)),
    }


def open_scorers(
    names: str | Iterable[str] | None = None, offline: bool | None = None
) -> dict[str, Scorer]:
    """Return scorers by name; None means `colors`, and `face` and `person` if they are installed.

    `names` may be one string, with commas.

    Raises:
        UsageError: A scorer does not exist.
        SefaError: A scorer cannot be loaded; for those of faces, how to install what they need.
    """
    asked, own = scorer_names(names)
    scorers: dict[str, Scorer] = {}
    finder: FaceFinder | None = None
    for name in asked:
        if name == "colors":
            scorers[name] = color_scores
        elif name == "lpips":
            scorers[name] = perception.LpipsScorer(offline)
        elif name == "inception":
            scorers[name] = inception.InceptionScorer(offline)
        elif name in _OWN:
            finder = FaceFinder(offline) if finder is None else finder
            scorers[name] = _of_faces(name, finder, offline)
        else:
            try:
                scorers[name] = own[name].load()
            except Exception as error:  # whatever a stranger's module raises
                raise SefaError(f"the scorer {name} cannot be loaded: {error!r}") from error
    return scorers


def scorer_names(names: str | Iterable[str] | None) -> tuple[list[str], dict[str, EntryPoint]]:
    """Return the names of scorers, and the entry points of strangers' scorers.

    Raises UsageError for none, for one that is unknown, and for one that is given twice.
    """
    own = {entry.name: entry for entry in entry_points(group=GROUP)}
    given = _installed() if names is None else names
    given = given.split(",") if isinstance(given, str) else given
    asked = list(filter(None, map(str.strip, given)))
    if not asked:
        raise UsageError("no scorer is given", "colors, face, or your own")
    check_once(asked, "scorer")
    for name in asked:
        if name not in (*_OWN, *own):
            raise UsageError(f"unknown scorer {name!r}", either([*_OWN, *own]))
    return asked, own


def check_scorers(names: str | Iterable[str] | None, here: bool = True) -> None:
    """Raise SefaError for an unknown scorer, and if it runs `here` for packages that it lacks."""
    for name in scorer_names(names)[0]:
        needed = _NEEDS.get(name)
        if here and needed and (refused := needed()) is not None:
            raise refused


def check_measured(attributes: Iterable[str], names: str | Iterable[str] | None) -> None:
    """Raise UsageError for scorers that do not exist, and for what ours alone do not measure."""
    check_scorers(names)
    asked, own = scorer_names(names)
    known = [attribute for name in asked for attribute in MEASURES.get(name, ())]
    unknown = [attribute for attribute in attributes if attribute not in known]
    if unknown and not any(name in own for name in asked):
        raise unmeasured(unknown[0], known)


def unmeasured(attribute: str, known: Iterable[str]) -> UsageError:
    """Return the error for an attribute that none of the scorers measures."""
    able = next((name for name, found in MEASURES.items() if attribute in found), None)
    remedy = f"The scorer {able} measures it: scorers={able!r}." if able else ""
    measured = either([*known] or ["an attribute of another scorer"])
    return UsageError(f"the chosen scorers do not measure {attribute!r}", measured, remedy)


def _installed() -> list[str]:
    """Return the scorers whose packages are here, but for networks that not everybody may use."""
    if landmarks.refusal():
        return ["colors"]
    return ["colors", "face"] if persons.install_refusal() else ["colors", "face", "person"]


def _of_faces(name: str, finder: FaceFinder, offline: bool | None) -> Scorer:
    if name == "face":
        return FaceScorer(finder)
    if name == "person":
        return persons.PersonScorer(finder, offline)
    return persons.IdentityScorer(finder, offline)


def comparing(scorers: Mapping[str, Scorer], compares: bool = True) -> dict[str, Scorer]:
    """Return the scorers that compare two pictures, or those that look at one."""
    return {
        name: scorer
        for name, scorer in scorers.items()
        if bool(getattr(scorer, "compares", False)) == compares
        and not getattr(scorer, "embeds", False)
    }


def embedder(scorers: Mapping[str, Scorer]) -> Scorer | None:
    """Return the scorer that returns features, None if there is none."""
    return next((s for s in scorers.values() if getattr(s, "embeds", False)), None)


def version_of(scorer: Scorer) -> str:
    """Return what changes with a scorer: its attribute `version`, and a digest of its file.

    The scorers of this package have no digest: their versions say when numbers change.
    """
    module = getattr(scorer, "__module__", None) or ""
    file = getattr(sys.modules.get(module), "__file__", None)
    own = module.startswith("sefa_cli.") or file is None or not Path(file).is_file()
    digest = "" if own else hashlib.sha256(Path(str(file)).read_bytes()).hexdigest()
    return f"{getattr(scorer, 'version', '')} {digest}"


def close_scorers(scorers: Mapping[str, Scorer]) -> None:
    """Release what scorers hold, those that have a method `close`."""
    for scorer in scorers.values():
        if callable(close := getattr(scorer, "close", None)):
            close()


def score(scorers: Mapping[str, Scorer], where: str, *pictures: Picture) -> dict[str, float]:
    """Return all scores of a picture, or of two; a scorer that sees no subject gives none.

    `where` names the picture in errors, such as "seed 3". Raises SefaError for a scorer that
    raises, or that returns anything but finite numbers by name.
    """
    found: dict[str, float] = {}
    for name, scorer in scorers.items():
        try:
            scores = scorer(*pictures)
        except Exception as error:
            raise SefaError(f"the scorer {name} failed on {where}: {error!r}") from error
        for attribute, value in ({} if scores is None else scores).items():
            if not (isinstance(value, int | float) and math.isfinite(value)):
                raise SefaError(
                    f"the scorer {name} says that {attribute} is {value!r} on {where}",
                    "a finite number",
                )
            if attribute in found:
                raise SefaError(f"two scorers measure {attribute}", "different names")
            found[attribute] = float(value)
    return found
