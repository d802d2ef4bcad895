"""New bundles from directions of others: picked, mixed, cleaned, with a record of their origin."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sefa_cli.arguments import in_short, public
from sefa_cli.bundle.algebra import Algebra, Chosen, Source
from sefa_cli.bundle.annotations import relabeled
from sefa_cli.bundle.expressions import parse_mix
from sefa_cli.bundle.provenance import origin_of, recent
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.ranges import check_once

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle

Bundles = Mapping[str, "Bundle"] | Iterable[tuple[str, "Bundle"]]  # each with its name

_ZERO = 1e-6  # anything shorter than this part of its terms is rounding error


@public
def pick(
    bundles: Bundles,
    names: str | Sequence[str | int],
    *,
    flip: bool = False,
    without: Sequence[str] = (),
    label: str | None = None,
) -> Bundle:
    """Return a bundle of some directions of one or several bundles.

    Args:
        bundles: The bundles with their names, all of one model and space.
        names: The directions: indices, ranges and labels such as `"0-2,smile"`; one text for
            all bundles, or a list with one for each.
        flip: Turn the directions round: α becomes −α.
        without: Directions whose share is taken out of the picked ones.
        label: The label of the new direction, if there is only one.

    Returns:
        The new bundle. `info[k]["from"]` records where each direction came from.

    Raises:
        SefaError: The bundles do not belong together, or two directions have the same label.
        UsageError: A direction does not exist, or `label` is given for several.

    Example:
        >>> low = sefa.factorize(tiny, layers="0-1").name({3: "smile"})
        >>> high = sefa.factorize(tiny, layers="2-3")
        >>> both = sefa.pick({"low": low, "high": high}, ["smile", "0-1"])
        >>> both.labels, both.directions.shape, both.info[1]["from"]["bundle"]
        (['smile', None, None], (3, 4, 32), 'high')
    """
    algebra = _algebra(bundles)
    chosen = [
        (source, k)
        for source, text in _paired(algebra.sources, [names] if isinstance(names, str) else names)
        for k in source.bundle.indices(text)
    ]
    if not chosen:
        raise UsageError("no direction given", "at least one index")
    check_once([f"{source.name}:{k}" for source, k in chosen], "direction")
    return _finished(picked(algebra, chosen, flip), algebra, without, label)


@public
def mix(
    bundles: Bundles, text: str, *, without: Sequence[str] = (), label: str | None = None
) -> Bundle:
    """Return a bundle of one direction, a weighted sum of unit vectors.

    Args:
        bundles: The bundles with their names, all of one model and space.
        text: The sum, such as `0.7*yaw + 0.3*face:5`. A direction is a label, an index, or
            NAME:K if there are several bundles; a label with spaces stands in double quotes.
        without: Directions whose share is taken out of the sum.
        label: The label of the new direction.

    Returns:
        A new bundle of the sum, made a unit vector; `info[0]["scale"]` keeps its length.

    Raises:
        UsageError: The text is not such a sum, or comes out zero.
        SefaError: The bundles do not belong together.

    Example:
        >>> bundle = sefa.factorize(tiny).name({3: "smile"})
        >>> mixed = sefa.mix({"face": bundle}, "0.6*smile - 0.8*0", label="grin")
        >>> mixed.labels, mixed.info[0]["from"]["mix"]
        (['grin'], '0.6*smile - 0.8*0')
    """
    algebra = _algebra(bundles)
    return _finished(mixed(algebra, text), algebra, without, label)


def _algebra(bundles: Bundles) -> Algebra:
    pairs = bundles.items() if isinstance(bundles, Mapping) else bundles
    pairs = list(pairs) if isinstance(pairs, Iterable) else [pairs]
    if not pairs or not all(isinstance(pair, tuple) and len(pair) == 2 for pair in pairs):
        raise UsageError(f"bundles must have names, got {in_short(bundles)}", '{"face": bundle}')
    return Algebra([Source(name, bundle) for name, bundle in pairs])


def _paired(
    sources: Sequence[Source], names: Sequence[str | int]
) -> list[tuple[Source, str | int]]:
    """Which bundle each text is for."""
    if len(sources) == 1:
        return [(sources[0], text) for text in names]
    if len(names) == 1:
        return [(source, names[0]) for source in sources]
    if len(names) != len(sources):
        raise UsageError(
            f"{len(names)} choices for {len(sources)} bundles", "one for all or one each"
        )
    return list(zip(sources, names, strict=True))


def _finished(made: Bundle, algebra: Algebra, names: Sequence[str], label: str | None) -> Bundle:
    if len(names):
        made = without(made, algebra, names)
    if label is None:
        return made
    if made.k > 1:
        raise UsageError(f"the label {label!r} for {made.k} directions", "one",
                         "Name them afterwards: sefa name.")  # fmt: skip
    return relabeled(made, {0: label})


def picked(algebra: Algebra, chosen: Sequence[Chosen], flip: bool = False) -> Bundle:
    """Return a bundle of the chosen directions and all that is known of them.

    Raises SefaError if two have the same label.
    """

    def about(source: Source, k: int) -> dict[str, Any]:
        origin = origin_of(source.name, source.bundle, k)
        turned = origin.pop("flipped", False) != flip
        origin |= {"flipped": True} if turned else {}
        return {**source.bundle.info[k], "from": origin}

    held: dict[str, Source] = {}
    for source, k in chosen:
        label = source.bundle.labels[k]
        if label is not None and (other := held.setdefault(label, source)) is not source:
            raise SefaError(
                f"{other.name} and {source.name} both have a direction {label!r}",
                "labels that are used once",
                "Give one of them another: sefa name FILE K LABEL",
            )
    sign = -1 if flip else 1
    rows = ((algebra.row(source, k) * sign, about(source, k)) for source, k in chosen)
    return algebra.bundle(rows, "pick")


def combined(algebra: Algebra, terms: Sequence[tuple[float, Chosen]], text: str) -> Bundle:
    """Return a bundle of the one direction Σ weight · unit vector; `text` is how it was written.

    Raises UsageError if the sum is zero.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        rows = np.array([weight * algebra.row(*chosen) for weight, chosen in terms])
        row = rows.sum(axis=0)  # (dim,) or (layers, dim)
        length, most = float(np.linalg.norm(row)), float(np.linalg.norm(rows))
    if not math.isfinite(most):
        raise UsageError(f"the mix {text!r} is too long to be measured", "smaller weights")
    if length <= _ZERO * most:
        raise UsageError(f"the mix {text!r} comes out zero", "a sum that moves something")
    parts = [
        {"weight": weight, **origin_of(source.name, source.bundle, k)}
        for weight, (source, k) in terms
    ]
    return algebra.bundle([(row, {"from": {"mix": text, "parts": recent(parts)}})], "mix")


def mixed(algebra: Algebra, text: str) -> Bundle:
    """Return a bundle of the one direction that the sum `text` describes.

    Raises UsageError if the text is not a sum, or if the sum is zero.
    """
    terms = [(weight, algebra.find(name)) for weight, name in parse_mix(text)]
    return combined(algebra, terms, text)


def without(bundle: Bundle, algebra: Algebra, names: Sequence[str]) -> Bundle:
    """Return the directions of `bundle`, each made orthogonal to the span of the named ones.

    Moving along them leaves the named ones alone to first order. Measurements and answers about
    the old directions are dropped. Raises UsageError for a direction that lies in that span.
    """
    others = [pair for name in names for pair in algebra.find_all(name)]
    rows = np.array([algebra.row(*pair).ravel() for pair in others])
    left, sizes = np.linalg.svd(rows.T, full_matrices=False)[:2]
    basis = left[:, sizes > _ZERO * sizes[0]]  # (dim or layers · dim, rank)
    taken = [origin_of(source.name, source.bundle, k) for source, k in others]
    cleaned = []
    for k, (direction, about) in enumerate(zip(bundle.directions, bundle.info, strict=True)):
        row = direction.astype(np.float64).ravel()
        row = row - basis @ (basis.T @ row)
        if np.linalg.norm(row) < _ZERO:
            called = repr(about["label"]) if "label" in about else f"direction {k}"
            raise UsageError(f"nothing of {called} is left without {' and '.join(names)}",
                             "a direction that is not made of those")  # fmt: skip
        kept = {key: about[key] for key in about if key not in ("gain", "change", "annotation")}
        origin = {**about["from"], "without": [*about["from"].get("without", []), *taken]}
        cleaned.append((row.reshape(direction.shape), {**kept, "from": origin}))
    return algebra.bundle(cleaned, bundle.method)
