"""What people say about directions: labels, answers to the user study, and a table of them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sefa_cli.arguments import check_kind
from sefa_cli.bundle.rules import LEVELS, check_answers
from sefa_cli.canonical import shown
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.ranges import format_range

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle


def relabeled(bundle: "Bundle", labels: Mapping[int, str | None]) -> "Bundle":
    """Return the bundle with other labels; everything else stays as it was.

    Args:
        bundle: The bundle. It is not changed.
        labels: The new label of each direction by its index, from 0; None removes a label.

    Raises:
        UsageError: A label is used twice, reads as an index, or is not one line of text.
    """
    info = [dict(about) for about in bundle.info]
    for k in labels:
        info[k].pop("label", None)
    for k, label in labels.items():
        if label is not None:
            check_kind("label", label, "str | None")
            if label == "all" or re.fullmatch(r"-\d+", label):
                raise UsageError(f"the label {shown(label)} reads as an index or a range", "a word")
            info[k]["label"] = label
    try:
        return replace(bundle, info=tuple(info))
    except SefaError as error:  # the labels are wrong, not the bundle
        raise UsageError(error.found, error.expected) from None


def annotate(bundle: "Bundle", k: int | str, answers: Mapping[str, Any] | None) -> "Bundle":
    """Return the bundle with `answers` in the annotation of one direction.

    Args:
        bundle: The bundle. It is not changed.
        k: The direction: an index from 0, or a label.
        answers: What to add. The format's own keys are `level` ("bottom", "middle" or "top"),
            `obvious` and `meaningful` (booleans) and `note` (one line); others may be added. A
            value of None removes its key; None instead of a mapping removes the annotation.

    Raises:
        UsageError: The bundle has no direction `k`.
        SefaError: An answer has the wrong type.
    """
    info = [dict(about) for about in bundle.info]
    about = info[bundle.index(k)]
    merged = {} if answers is None else {**about.get("annotation", {}), **answers}
    annotation = {key: value for key, value in merged.items() if value is not None}
    check_answers(annotation)
    about["annotation"] = annotation
    if not annotation:
        del about["annotation"]
    return replace(bundle, info=tuple(info))


@dataclass(frozen=True)
class Tally:
    """The answers about the directions of one level, counted.

    Attributes:
        layers: The layers of all bundles with answers for this level, as a range.
        asked: How many directions were asked about.
        obvious: How many of them change the picture obviously.
        meaningful: How many of them have a meaning.
    """

    layers: str
    asked: int = 0
    obvious: int = 0
    meaningful: int = 0


def tallies(bundles: Iterable["Bundle"]) -> dict[str, Tally]:
    """Count the answers in these bundles by level, as table 1 of the SeFa paper does.

    Returns:
        A tally for each level that has answers, in the order bottom, middle, top.

    Source: Shen & Zhou, CVPR 2021, table 1.
    """
    answers: dict[str, list[Mapping[str, Any]]] = {}
    layers: dict[str, set[int]] = {}
    for bundle in bundles:
        for about in bundle.info:
            annotation = about.get("annotation", {})
            level = annotation.get("level")
            if level in LEVELS and "obvious" in annotation:
                answers.setdefault(level, []).append(annotation)
                layers.setdefault(level, set()).update(int(layer) for layer in bundle.layers)
    return {
        level: Tally(
            format_range(sorted(layers[level])),
            asked=len(answers[level]),
            obvious=sum(answer["obvious"] is True for answer in answers[level]),
            meaningful=sum(answer.get("meaningful") is True for answer in answers[level]),
        )
        for level in LEVELS
        if level in answers
    }
