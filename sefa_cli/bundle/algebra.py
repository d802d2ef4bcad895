"""The vector space that directions of several bundles share, and bundles made of its vectors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.bundle.compare import check_same_model
from sefa_cli.bundle.expressions import unquoted
from sefa_cli.bundle.rules import TOOL, VERSION
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.ranges import is_range

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle

Row = NDArray[np.float64]  # a direction: (dim,), or (layers, dim)


@dataclass(frozen=True)
class Source:
    """A bundle and its name in expressions and in the record of where a direction came from."""

    name: str  # usually the file's name
    bundle: "Bundle"

    @property
    def stem(self) -> str:
        """`face` of `face.dirs`."""
        return self.name.removesuffix(".dirs")


Chosen = tuple[Source, int]  # a bundle and the index of one of its directions


class Algebra:
    """Directions of several bundles of one model and space, as vectors over the same layers.

    Rows are `(dim,)` if every direction of every bundle is one row for the same layers. Otherwise
    each direction has a row for each layer of the union, zero on layers that it does not move.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        """Raise SefaError for bundles of different models or spaces."""
        self.sources = sources
        first = sources[0]
        for other in sources[1:]:
            check_same_model((source.name, source.bundle) for source in (first, other))
            if first.bundle.space != other.bundle.space:
                raise SefaError(
                    f"{other.name} is in {other.bundle.space}, {first.name} in "
                    f"{first.bundle.space}",
                    "bundles of one space",
                )
        self.layers = np.unique(np.concatenate([source.bundle.layers for source in sources]))
        self.flat = all(
            source.bundle.directions.ndim == 2 and np.array_equal(source.bundle.layers, self.layers)
            for source in sources
        )

    def find(self, text: str) -> Chosen:
        """Return the direction that `text` names: `smile`, `3` (of a single bundle), `face:3`.

        Raises UsageError unless it names exactly one.
        """
        found = self.find_all(text)
        if len(found) > 1:
            raise UsageError(f"{text!r} means {len(found)} directions", "one index or label")
        return found[0]

    def find_all(self, text: str) -> list[Chosen]:
        """Return the directions that `text` names, `0-3` and `smile,3` included."""
        source, name = self._source_of(text)
        return [(source, k) for k in source.bundle.indices(name)]

    def _source_of(self, text: str) -> tuple[Source, str]:
        """Return the bundle that `text` points to, and the name there."""
        file, colon, name = text.partition(":")
        among = [source for source in self.sources if colon and file in (source.name, source.stem)]
        if len(among) > 1:
            raise UsageError(f"{len(among)} bundles are called {file}", "a name for each",
                             "Rename one of the files.")  # fmt: skip
        if not among:
            among, name = list(self.sources), text
        if not any(name in source.bundle.labels for source in among):
            name = unquoted(name)
        if len(among) == 1:
            return among[0], name
        if is_range(name):
            raise UsageError(f"direction {name} of which bundle", f"{among[0].stem}:{name}")
        holding = [source for source in among if name in source.bundle.labels]
        if len(holding) > 1:
            names = " and ".join(source.name for source in holding)
            raise UsageError(f"{name!r} is a direction of {names}", f"{holding[0].stem}:{name}")
        return (holding or among)[0], name

    def row(self, source: Source, k: int) -> Row:
        """Return a direction as it moves the code, in double precision: a `Row`."""
        direction: Row = source.bundle.directions[k].astype(np.float64)
        if self.flat:
            return direction
        rows = np.zeros((len(self.layers), source.bundle.dim))
        rows[np.searchsorted(self.layers, source.bundle.layers)] = direction
        return rows

    def bundle(self, rows: Iterable[tuple[Row, dict[str, Any]]], method: str) -> "Bundle":
        """Return a bundle of these rows, scaled to unit length, with their annotations.

        None of the rows may be zero. The region that directions were found for is kept if all
        bundles have the same.
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
        return replace(
            first,
            directions=np.array(directions),
            layers=self.layers,
            eigenvalues=None,
            method=method,
            params={
                "bundles": [source.name for source in self.sources],
                **{key: first.params[key] for key in shared},
            },
            mask=first.mask if alike else None,
            background=first.background if alike else None,
            info=tuple(info),
            version=VERSION,
            tool=TOOL,
            unknown={},
            private={},
        )


def _model(source: Source) -> str:
    model = source.bundle.model
    return f"{model['ref']} ({model['fingerprint'][:16]})"


def _region(bundle: "Bundle") -> tuple[Any, ...]:
    """Return what two bundles of one region have in common."""
    masks = (bundle.mask, bundle.background)
    numbers = (None if mask is None else (mask.shape, mask.tobytes()) for mask in masks)
    return (*numbers, bundle.params.get("seeds"))


def _measured_at(about: dict[str, Any], norm: float) -> dict[str, Any]:
    """Return what is known about a row of length `norm`, for the unit vector along it."""
    if abs(norm - 1) < 1e-5:
        return about
    changed = {**about, "scale": norm * about.get("scale", 1.0)}
    if "change" in about:
        sides = {side: about["change"][side] / norm for side in ("inside", "outside")}
        changed["change"] = {**about["change"], **sides}
    return changed
