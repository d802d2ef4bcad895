"""Bundles made from bundles: directions named, picked, turned round, mixed and cleaned."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.rules import check_answers
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.ranges import is_range

# A number, `*`, then a direction: a label, "a label in quotes", an index, or file:either of them.
_TERM = re.compile(
    r'\s*(?P<sign>[+-]?)\s*(?:(?P<weight>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*\*\s*)?'
    r'(?P<name>(?:[^\s"*+:]+:)?(?:"(?:[^"\\]|\\.)+"|[^\s"*+]+))\s*'
)  # fmt: skip
_ZERO = 1e-6  # what is shorter than this part of what it was made of is nothing but rounding
_MEMORY = 6  # bundles that provenance goes back: JSON may nest 32 levels, a mix takes three

Row = NDArray[np.float64]


def relabeled(bundle: Bundle, labels: Mapping[int, str | None]) -> Bundle:
    """The bundle with other labels (None takes one away); all else stays as it was.

    Raises SefaError for a label that is there twice, reads as an index, or is no line of text.
    """
    info = [dict(about) for about in bundle.info]
    for k in labels:
        info[k].pop("label", None)
    for k, label in labels.items():
        if label is not None:
            info[k]["label"] = label
    return replace(bundle, info=tuple(info))


def annotate(bundle: Bundle, k: int | str, answers: Mapping[str, Any] | None) -> Bundle:
    """The bundle with `answers` in the annotation of direction `k`; all else stays as it was.

    The format's own keys are `level` ("bottom", "middle", "top"), `obvious` and `meaningful`
    (booleans) and `note` (a line); others may be added. What `answers` does not name stays, a value
    of None takes its key away, and None instead of answers the whole annotation.
    Raises UsageError where `k` is no direction, SefaError for an answer of another kind.
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
class Source:
    """A bundle and what it is called in expressions and provenance: its file's name."""

    name: str
    bundle: Bundle

    @property
    def stem(self) -> str:
        """`face` of `face.dirs`."""
        return self.name.removesuffix(".dirs")


class Algebra:
    """Directions of several bundles of one model and space, over one set of layers.

    `(k, dim)` rows are kept where all bundles move the same layers with one row; else every
    direction has a row per layer of the union, zero where it moves nothing, and `scale` says how
    long it was. Raises SefaError for bundles of different models or spaces.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = sources
        first = sources[0]
        for other in sources[1:]:
            for what, a, b in (
                ("models", _model(first), _model(other)),
                ("spaces", first.bundle.space, other.bundle.space),
            ):
                if a != b:
                    raise SefaError(
                        f"{first.name} and {other.name} belong to different {what}: {a} and {b}",
                        "bundles of one model and one space",
                    )
        self.layers = np.unique(np.concatenate([source.bundle.layers for source in sources]))
        self.flat = all(
            source.bundle.directions.ndim == 2 and np.array_equal(source.bundle.layers, self.layers)
            for source in sources
        )

    def find(self, text: str) -> tuple[Source, int]:
        """The direction that `text` names: `smile`, `3` (of a single bundle), `face:3`.

        Raises UsageError where it names none or several.
        """
        found = self.find_all(text)
        if len(found) > 1:
            raise UsageError(f"{text!r} means {len(found)} directions", "one index or label")
        return found[0]

    def find_all(self, text: str) -> list[tuple[Source, int]]:
        """As `find`, for `0-3` and `smile,3` too."""
        file, colon, name = text.partition(":")
        among = [source for source in self.sources if colon and file in (source.name, source.stem)]
        if len(among) > 1:
            raise UsageError(f"{len(among)} bundles are called {file}", "a name for each",
                             "Rename one of the files.")  # fmt: skip
        if not among:
            among, name = list(self.sources), text
        if not any(name in source.bundle.labels for source in among):
            name = _unquoted(name)
        if len(among) == 1:
            return parse_chosen(among[0], name)
        if is_range(name):
            raise UsageError(f"direction {name} of which bundle", f"{among[0].stem}:{name}")
        holding = [source for source in among if name in source.bundle.labels]
        if len(holding) > 1:
            names = " and ".join(source.name for source in holding)
            raise UsageError(f"{name!r} is a direction of {names}", f"{holding[0].stem}:{name}")
        return parse_chosen((holding or among)[0], name)

    def row(self, source: Source, k: int) -> Row:
        """The direction as it moves the code, in double precision: `(dim,)` or `(layers, dim)`."""
        direction: Row = source.bundle.directions[k].astype(np.float64)
        if self.flat:
            return direction
        rows = np.zeros((len(self.layers), source.bundle.dim))
        rows[np.searchsorted(self.layers, source.bundle.layers)] = direction
        return rows

    def bundle(self, rows: Iterable[tuple[Row, dict[str, Any]]], method: str) -> Bundle:
        """A bundle of rows, none of them zero, with what is known of each; they get unit length.

        The region the directions were asked for is kept where all bundles have the same.
        """
        directions, info = [], []
        for row, about in rows:
            norm = float(np.linalg.norm(row))
            directions.append((row / norm).astype(np.float32))
            info.append(_measured_at(about, norm))
        first, rest = self.sources[0].bundle, [source.bundle for source in self.sources[1:]]
        alike = all(_region(other) == _region(first) for other in rest)
        shared = [key for key in ("gain_threshold", "seeds") if key in first.params and all(
            other.params.get(key) == first.params[key] for other in rest)]  # fmt: skip
        return Bundle(
            directions=np.array(directions),
            layers=self.layers,
            method=method,
            params={
                "bundles": [source.name for source in self.sources],
                **{key: first.params[key] for key in shared},
            },
            space=first.space,
            model=first.model,
            mask=first.mask if alike else None,
            background=first.background if alike else None,
            info=tuple(info),
        )


def _model(source: Source) -> str:
    model = source.bundle.model
    return f"{model['ref']} ({model['fingerprint'][:16]})"


def _region(bundle: Bundle) -> tuple[Any, ...]:
    """What two bundles of one region have in common."""
    masks = (bundle.mask, bundle.background)
    numbers = (None if mask is None else (mask.shape, mask.tobytes()) for mask in masks)
    return (*numbers, bundle.params.get("seeds"))


def _measured_at(about: dict[str, Any], norm: float) -> dict[str, Any]:
    """What is known of a row that was `norm` long, for the unit vector along it."""
    if abs(norm - 1) < 1e-5:
        return about
    changed = {**about, "scale": norm * about.get("scale", 1.0)}
    if "change" in about:
        sides = {side: about["change"][side] / norm for side in ("inside", "outside")}
        changed["change"] = {**about["change"], **sides}
    return changed


def picked(algebra: Algebra, chosen: Sequence[tuple[Source, int]], flip: bool = False) -> Bundle:
    """A bundle of the chosen directions, turned round with `flip`, and all that is known of them.

    Where they come from is `from`; of a direction that was picked before, where it was first.
    Raises SefaError where two have the same label.
    """

    def about(source: Source, k: int) -> dict[str, Any]:
        origin = _origin(source, k)
        turned = origin.pop("flipped", False) != flip
        origin |= {"flipped": True} if turned else {}
        return {**source.bundle.info[k], "from": origin}

    held: dict[str, Source] = {}
    for source, k in chosen:
        label = source.bundle.labels[k]
        if label is not None and (other := held.setdefault(label, source)) is not source:
            raise SefaError(
                f"{other.name} and {source.name} both have a direction {label!r}",
                "labels that are there once",
                "Give one of them another: sefa name FILE K LABEL",
            )
    sign = -1 if flip else 1
    rows = ((algebra.row(source, k) * sign, about(source, k)) for source, k in chosen)
    return algebra.bundle(rows, "pick")


def _origin(source: Source, k: int) -> dict[str, Any]:
    bundle, about = source.bundle, source.bundle.info[k]
    before = about.get("from", {})
    if bundle.method == "pick" and "bundle" in before:
        return dict(before)
    origin: dict[str, Any] = {"bundle": source.name, "k": k, "method": bundle.method}
    if "bundles" not in bundle.params:
        origin["params"] = bundle.params
    if bundle.eigenvalues is not None:
        origin["eigenvalue"] = float(bundle.eigenvalues[k])
    if "label" in about:
        origin["label"] = about["label"]
    return {**origin, "from": _recent(before)} if before else origin


def _recent(origin: Any, steps: int = _MEMORY) -> Any:
    """Provenance without what lies more than `steps` bundles back."""
    if isinstance(origin, list):
        return [_recent(part, steps) for part in origin]
    if not isinstance(origin, dict):
        return origin
    return {
        key: _recent(value, steps - 1) if key in ("from", "parts", "without") else value
        for key, value in origin.items()
        if steps > 1 or key not in ("from", "parts", "without")
    }


def parse_mix(text: str) -> list[tuple[float, str]]:
    """`0.7*yaw + 0.3*age` → `[(0.7, "yaw"), (0.3, "age")]`. Raises UsageError."""
    terms: list[tuple[float, str]] = []
    at = 0
    while at < len(text):
        match = _TERM.match(text, at)
        if not match or (terms and not match["sign"]):
            raise UsageError(f"the mix {text!r} cannot be read from {text[at:]!r} on",
                             'a sum such as 0.7*yaw + 0.3*"turns left"')  # fmt: skip
        weight = float(match["weight"] or 1)
        if not math.isfinite(weight):
            raise UsageError(f"the weight {match['weight']} is infinite", "a number such as 0.7")
        terms.append((-weight if match["sign"] == "-" else weight, match["name"]))
        at = match.end()
    if not terms:
        raise UsageError("the mix is empty", "a sum such as 0.7*yaw + 0.3*age")
    return terms


def _unquoted(name: str) -> str:
    """`turns left` of `"turns left"`; a backslash makes the next character an ordinary one."""
    if len(name) < 2 or not name.startswith('"') or not name.endswith('"'):
        return name
    return re.sub(r"\\(.)", r"\1", name[1:-1])


def mixed(algebra: Algebra, text: str, label: str | None = None) -> Bundle:
    """A bundle of one direction, the weighted sum `text` of unit vectors, called `label`.

    Raises UsageError for a text that is no sum, SefaError where the sum is zero.
    """
    found = [(weight, *algebra.find(name)) for weight, name in parse_mix(text)]
    with np.errstate(over="ignore", invalid="ignore"):
        terms = np.array([weight * algebra.row(source, k) for weight, source, k in found])
        row = terms.sum(axis=0)  # (dim,) or (layers, dim)
        length, most = float(np.linalg.norm(row)), float(np.linalg.norm(terms))
    if not math.isfinite(most):
        raise SefaError(f"the mix {text!r} is too long to be measured", "smaller weights")
    if length <= _ZERO * most:
        raise SefaError(f"the mix {text!r} comes out zero", "a sum that moves something")
    parts = [{"weight": weight, **_origin(source, k)} for weight, source, k in found]
    about: dict[str, Any] = {"from": {"mix": text, "parts": _recent(parts)}}
    if label is not None:
        about["label"] = label
    return algebra.bundle([(row, about)], "mix")


def without(bundle: Bundle, algebra: Algebra, names: Sequence[str]) -> Bundle:
    """The directions of `bundle` with all they share with the named ones taken out.

    Each becomes orthogonal to the span of those, so that moving along it leaves them alone to
    first order. What was measured and answered of the old direction is not kept.
    Raises SefaError for a direction that lies in that span.
    """
    others = [pair for name in names for pair in algebra.find_all(name)]
    rows = np.array([algebra.row(*pair).ravel() for pair in others])
    left, sizes = np.linalg.svd(rows.T, full_matrices=False)[:2]
    basis = left[:, sizes > _ZERO * sizes[0]]  # (dim or layers · dim, rank)
    taken = [_origin(*pair) for pair in others]
    cleaned = []
    for k, (direction, about) in enumerate(zip(bundle.directions, bundle.info, strict=True)):
        row = direction.astype(np.float64).ravel()
        row = row - basis @ (basis.T @ row)
        if np.linalg.norm(row) < _ZERO:
            called = repr(about["label"]) if "label" in about else f"direction {k}"
            raise SefaError(f"nothing of {called} is left without {' and '.join(names)}",
                            "a direction that is not made of those")  # fmt: skip
        kept = {key: about[key] for key in about if key not in ("gain", "change", "annotation")}
        origin = {**about["from"], "without": [*about["from"].get("without", []), *taken]}
        cleaned.append((row.reshape(direction.shape), {**kept, "from": origin}))
    return algebra.bundle(cleaned, bundle.method)


def parse_chosen(source: Source, text: str) -> list[tuple[Source, int]]:
    """Directions of one bundle: indices, ranges and labels."""
    return [(source, k) for k in source.bundle.indices(text)]
