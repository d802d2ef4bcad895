"""Bundles made from bundles: directions named, picked, turned round, mixed and cleaned."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.bundle import Bundle
from sefa_cli.bundle_rules import check_answers
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.ranges import is_range, parse_range

# A number, `*`, then a direction: a label, "a label in quotes", an index, or file:either of them.
_TERM = re.compile(
    r'\s*(?P<sign>[+-]?)\s*(?:(?P<weight>\d+(?:\.\d*)?|\.\d+)\s*\*\s*)?'
    r'(?P<name>(?:[^\s"*+:]+:)?(?:"[^"]+"|[^\s"*+]+))\s*'
)  # fmt: skip


def relabelled(bundle: Bundle, labels: Mapping[int, str | None]) -> Bundle:
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
                ("models", first.bundle.model["fingerprint"], other.bundle.model["fingerprint"]),
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
        file, colon, name = text.partition(":")
        among = [s for s in self.sources if colon and file in (s.name, s.stem)]
        if not among:
            among, name = list(self.sources), text
        name = name.strip('"')
        if is_range(name):
            if len(among) > 1:
                raise UsageError(f"direction {name} of which bundle", f"{among[0].stem}:{name}")
            return among[0], among[0].bundle.index(name)
        holding = [source for source in among if name in source.bundle.labels]
        if len(holding) > 1:
            names = " and ".join(source.name for source in holding)
            raise UsageError(f"{name!r} is a direction of {names}", f"{holding[0].stem}:{name}")
        source = (holding or among)[0]
        return source, source.bundle.index(name)

    def row(self, source: Source, k: int) -> NDArray[np.float64]:
        """The direction as it moves the code, in double precision: `(dim,)` or `(layers, dim)`."""
        direction: NDArray[np.float64] = source.bundle.directions[k].astype(np.float64)
        if self.flat:
            return direction
        rows = np.zeros((len(self.layers), source.bundle.dim))
        rows[np.searchsorted(self.layers, source.bundle.layers)] = direction
        return rows

    def bundle(
        self, rows: Iterable[tuple[NDArray[np.float64], dict[str, Any]]], method: str
    ) -> Bundle:
        """A bundle of rows with what is known of each; each is made a unit vector.

        Raises SefaError for a row that is zero: there is nothing left to move along.
        """
        directions, info = [], []
        for row, about in rows:
            norm = float(np.linalg.norm(row))
            if norm < 1e-6:
                raise SefaError(f"the direction {about.get('label', about['from'])} comes out zero")
            directions.append((row / norm).astype(np.float32))
            scale = norm * about.pop("scale", 1.0)
            info.append(about if abs(scale - 1) < 1e-5 else {**about, "scale": scale})
        first = self.sources[0].bundle
        return Bundle(
            directions=np.array(directions),
            layers=self.layers,
            method=method,
            params={"bundles": [source.name for source in self.sources]},
            space=first.space,
            model=first.model,
            info=tuple(info),
        )


def picked(algebra: Algebra, chosen: Sequence[tuple[Source, int]], flip: bool = False) -> Bundle:
    """A bundle of the chosen directions, turned round with `flip`; labels and gains are kept."""
    return algebra.bundle(
        (
            (algebra.row(source, k) * (-1 if flip else 1), _provenance(source, k, flip))
            for source, k in chosen
        ),
        "pick",
    )


def _provenance(source: Source, k: int, flip: bool = False) -> dict[str, Any]:
    bundle = source.bundle
    kept = ("label", "gain", "scale")
    about: dict[str, Any] = {key: bundle.info[k][key] for key in kept if key in bundle.info[k]}
    origin: dict[str, Any] = {"bundle": source.name, "k": k, "method": bundle.method}
    if bundle.eigenvalues is not None:
        origin["eigenvalue"] = float(bundle.eigenvalues[k])
    if flip:
        origin["flipped"] = True
    if "from" in bundle.info[k]:
        origin["from"] = bundle.info[k]["from"]
    return {**about, "from": origin}


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
        terms.append((-weight if match["sign"] == "-" else weight, match["name"]))
        at = match.end()
    if not terms:
        raise UsageError("the mix is empty", "a sum such as 0.7*yaw + 0.3*age")
    return terms


def mixed(algebra: Algebra, text: str, label: str | None) -> Bundle:
    """A bundle of one direction, the weighted sum `text`, called `label`.

    Raises UsageError for a text that is no sum, SefaError where the sum is zero.
    """
    found = [(weight, *algebra.find(name)) for weight, name in parse_mix(text)]
    row = sum(weight * algebra.row(source, k) for weight, source, k in found)
    parts = [{"weight": weight, **_provenance(source, k)["from"]} for weight, source, k in found]
    about: dict[str, Any] = {"from": {"mix": text, "parts": parts}}
    if label is not None:
        about["label"] = label
    return algebra.bundle([(np.asarray(row), about)], "mix")


def without(bundle: Bundle, algebra: Algebra, names: Sequence[str]) -> Bundle:
    """The directions of `bundle` with all they share with the named ones taken out.

    Each becomes orthogonal to the span of those, so that moving along it leaves them alone to
    first order. Raises SefaError for a direction that lies in that span.
    """
    rows = np.array([algebra.row(*algebra.find(name)).ravel() for name in names])
    basis = np.linalg.qr(rows.T)[0]  # (dim or layers · dim, names)
    cleaned = []
    for direction, about in zip(bundle.directions, bundle.info, strict=True):
        row = direction.astype(np.float64).ravel()
        row = row - basis @ (basis.T @ row)
        origin = {**about.get("from", {}), "without": list(names)}
        kept = {key: value for key, value in about.items() if key != "gain"}
        cleaned.append((row.reshape(direction.shape), {**kept, "from": origin}))
    return algebra.bundle(cleaned, bundle.method)


def parse_chosen(source: Source, text: str) -> list[tuple[Source, int]]:
    """Directions of one bundle, by a range or a label."""
    if is_range(text):
        return [(source, k) for k in parse_range(text, "direction", source.bundle.k)]
    return [(source, source.bundle.index(text))]
