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
_CLEAR, _STABLE = 0.5, 0.8  # standard deviations for the full step, and share of seeds
_SIDE_EFFECTS = 2
_FOLLOWS = ("sharpness",)  # it follows exposure, so it names what moves nothing else
_EQUAL = 0.8  # of the largest effect, from which on the name says both
_SKIN = "skin "  # a color of the skin follows that of the picture if this moves half as far


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
    order = [name for name in order if sizes[name] and not _is_the_pictures(name, row["effects"])]
    if not order:
        return None
    first = row["effects"][order[0]]
    if not _names(sizes[order[0]], first):
        return None
    others = [name for name in order[1:] if sizes[name] >= _CLEAR][:_SIDE_EFFECTS]
    parts = [_measured(name, row["effects"][name]) for name in (order[0], *others)]
    stable = f"stable on {first['transfer']:.0%} of seeds"
    said = [order[0]]
    for name in others[:1]:
        equal = sizes[name] >= _EQUAL * sizes[order[0]] and name not in _FOLLOWS
        if equal and _names(sizes[name], row["effects"][name]) and _color(name) != _color(order[0]):
            said.append(name)
    return {
        "label": ", ".join(_word(name, row["effects"][name]["mean"]) for name in said),
        "attribute": order[0],
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
    """Return an effect in standard deviations, 0 if it is too small to notice."""
    if found["mean"] is None or abs(found["per_alpha"]) * alpha < noticeable(attribute):
        return 0.0
    return abs(float(found["mean"]))


def _names(size: float, found: Mapping[str, Any]) -> bool:
    """Return whether an effect is clear, sure and steady enough for a name."""
    return size >= _CLEAR and found["low"] * found["high"] > 0 and found["transfer"] >= _STABLE


def _color(attribute: str) -> str:
    return attribute.removeprefix(_SKIN)


def _is_the_pictures(attribute: str, effects: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether a color of the skin moves because that of the whole picture does."""
    whole = effects.get(_color(attribute), {"per_alpha": None})["per_alpha"]
    if not attribute.startswith(_SKIN) or whole is None:
        return False
    return bool(
        whole * effects[attribute]["per_alpha"] > 0.5 * effects[attribute]["per_alpha"] ** 2
    )


def _words(attribute: str) -> tuple[str, str, str, float]:
    return _WORDS.get(attribute, (f"less {attribute}", f"more {attribute}", "", 0.0))


def _word(attribute: str, effect: float) -> str:
    less, more, *_ = _words(attribute)
    return more if effect > 0 else less


def _measured(attribute: str, found: Mapping[str, Any]) -> str:
    unit = _words(attribute)[2]
    return f"{attribute} {found['per_alpha']:+.2g}{unit}"
