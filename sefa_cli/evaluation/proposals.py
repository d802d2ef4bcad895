"""Propose names from what was measured; people decide whether to use them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sefa_cli.bundle.bundle import Bundle

# What a score means when it falls, when it grows, its unit, and the least change that one notices.
_WORDS: Mapping[str, tuple[str, str, str, float]] = {
    "yaw": ("turns left", "turns right", "°", 5),
    "pitch": ("tips the head down", "tips the head back", "°", 3),
    "roll": ("leans right", "leans left", "°", 3),
    "smile": ("less smile", "bigger smile", "", 0.1),
    "mouth open": ("closes the mouth", "opens the mouth", "", 0.05),
    "eyes open": ("closes the eyes", "opens the eyes", "", 0.05),
    "brows up": ("lowers the brows", "raises the brows", "", 0.05),
    "age": ("younger", "older", " years", 3),
    "male": ("more feminine", "more masculine", "", 0.15),
    "brightness": ("darker", "brighter", "", 5),
    "contrast": ("less contrast", "more contrast", "", 3),
    "saturation": ("muted colors", "stronger colors", "", 5),
    "warmth": ("cooler", "warmer", "", 5),
    "skin brightness": ("darker skin", "paler skin", "", 5),
    "skin warmth": ("cooler skin", "warmer skin", "", 5),
    "skin redness": ("less red skin", "redder skin", "", 3),
    "sharpness": ("smoother", "sharper", "", 0.5),
}
_CLEAR = 0.5  # standard deviations for the full step, where the least one notices is not known
_STABLE = 0.8  # share of seeds
_SIDE_EFFECTS = 2
_FOLLOWS = ("sharpness",)  # it follows exposure, so it names what moves nothing else
_EQUAL = 0.8  # of the largest effect, from which on the name says both
_SKIN = "skin "


def noticeable(attribute: str) -> float:
    """Return the least change of a score that one notices; 0 if that is not known."""
    return _words(attribute)[3]


def proposal(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a name and a note for a direction, or None if nothing moves clearly and steadily.

    Args:
        row: One of `Evaluation.results`.

    Example:
        >>> smile = {"mean": 1.5, "low": 1.3, "high": 1.8, "per_alpha": 0.1, "transfer": 0.96}
        >>> proposal({"alpha": 3.0, "effects": {"smile": smile}})["label"]
        'bigger smile'
    """
    sizes = {name: _size(name, found, row["alpha"]) for name, found in row["effects"].items()}
    order = sorted(sizes, key=lambda name: (name in _FOLLOWS, -sizes[name]))
    order = [name for name in order if sizes[name] and _names(row["effects"][name])]
    if not order:
        return None
    first, *others = order
    parts = [_measured(name, row["effects"][name]) for name in order[: 1 + _SIDE_EFFECTS]]
    stable = f"stable on {row['effects'][first]['transfer']:.0%} of seeds"
    said = [first]
    for name in others[:1]:
        if sizes[name] >= _EQUAL * sizes[first] and _color(name) != _color(first):
            said.append(name)
    return {
        "label": ", ".join(_word(name, row["effects"][name]["mean"]) for name in said),
        "attribute": first,
        "attributes": said,
        "note": f"{', '.join(parts)} a unit, {stable}",
    }


def with_proposals(bundle: Bundle, rows: Mapping[int, Mapping[str, Any]]) -> Bundle:
    """Return the bundle with a `proposal` in the annotation of each direction that has one.

    Args:
        bundle: The bundle.
        rows: Results of `evaluate` by direction.
    """
    info = [dict(about) for about in bundle.info]
    for k, row in rows.items():
        kept = info[k].get("annotation")
        annotation = dict(kept) if isinstance(kept, dict) else {}
        annotation.pop("proposal", None)
        if (found := proposal(row)) is not None:
            annotation["proposal"] = found
        if annotation or kept is not None:
            info[k]["annotation"] = annotation
    return replace(bundle, info=tuple(info))


def _size(attribute: str, found: Mapping[str, Any], alpha: float) -> float:
    """Return an effect in units of the least that one notices; 0 if it is smaller."""
    if found["mean"] is None:
        return 0.0
    least = noticeable(attribute)
    units = abs(found["per_alpha"]) * alpha / least if least else abs(found["mean"]) / _CLEAR
    return float(units) if units >= 1 else 0.0


def _names(found: Mapping[str, Any]) -> bool:
    """Return whether an effect is sure and steady enough for a name."""
    return bool(found["low"] * found["high"] > 0 and found["transfer"] >= _STABLE)


def _color(attribute: str) -> str:
    return attribute.removeprefix(_SKIN)


def _words(attribute: str) -> tuple[str, str, str, float]:
    return _WORDS.get(attribute, (f"less {attribute}", f"more {attribute}", "", 0.0))


def _word(attribute: str, effect: float) -> str:
    less, more, *_ = _words(attribute)
    return more if effect > 0 else less


def _measured(attribute: str, found: Mapping[str, Any]) -> str:
    unit = _words(attribute)[2]
    return f"{attribute} {found['per_alpha']:+.2g}{unit}"
