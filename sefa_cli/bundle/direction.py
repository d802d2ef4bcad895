"""One direction of a bundle, or a weighted sum of several, as a value to compute with."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sefa_cli.arguments import check_digits
from sefa_cli.bundle.algebra import Algebra, Source
from sefa_cli.bundle.annotations import relabeled
from sefa_cli.bundle.picking import combined
from sefa_cli.editing.sum import Codes, add, for_every_layer, parse_alpha, shift
from sefa_cli.errors import MismatchError, SefaError, UsageError
from sefa_cli.ranges import format_range

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle


class Term(NamedTuple):
    """A direction of a bundle with its weight in a sum."""

    weight: float
    bundle: "Bundle"
    k: int


@dataclass(frozen=True, eq=False, repr=False)
class Direction:
    """A vector in the latent space: Σ weight · nₖ over unit directions of one or more bundles.

    `bundle[3]` and `bundle["smile"]` are directions. They support `a + b`, `a - b`, `-a`, `2 * a`
    and `a / 2`; all bundles in a sum must belong to one model and space.

    Attributes:
        terms: The sum, a `Term(weight, bundle, k)` for each direction in it.

    Example:
        >>> bundle = sefa.factorize(tiny, layers="0-1", num=4).name({1: "smile"})
        >>> mixed = (bundle["smile"] - 0.5 * bundle[2]).normalized()
        >>> mixed
        <Direction 0.894*smile - 0.447*k2, w, layers 0-1, length 1>
        >>> mixed.move(np.zeros((1, 8, 32), np.float32), 2).shape
        (1, 8, 32)
    """

    terms: tuple[Term, ...]

    @cached_property
    def vector(self) -> NDArray[np.float32]:
        """The vector, float32: `(dim,)`, or `(layers, dim)` with a row for each layer."""
        if self._single:
            own: NDArray[np.float32] = self._single.bundle.directions[self._single.k]
            return own
        algebra = self._algebra
        rows = [t.weight * algebra.row(self._source(t.bundle), t.k) for t in self.terms]
        total: NDArray[np.float32] = np.sum(rows, axis=0).astype(np.float32)
        return total

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers it moves: increasing code indices from 0."""
        return tuple(int(layer) for layer in self._algebra.layers)

    @property
    def space(self) -> str:
        """The latent space it lives in: "z", "w" or "w+"."""
        return self.terms[0].bundle.space

    @property
    def length(self) -> float:
        """Its Euclidean norm over all layers: 1 for a direction of a bundle."""
        return float(np.linalg.norm(self.vector.astype(np.float64)))

    @property
    def label(self) -> str | None:
        """Its label, None if it has none, or was scaled or added to another."""
        single = self._single
        return single and single.bundle.labels[single.k]

    @property
    def eigenvalue(self) -> float | None:
        """Its eigenvalue, None if it has none, or was scaled or added to another."""
        single = self._single
        if single is None or single.bundle.eigenvalues is None:
            return None
        return float(single.bundle.eigenvalues[single.k])

    @property
    def step(self) -> float:
        """The suggested step α, in units of the latent; see `Bundle.step`.

        For a sum Σ wᵢ nᵢ it is 1 / √(Σ (wᵢ / stepᵢ)²), as if the terms changed different things.
        """
        shares = [t.weight / t.bundle.step(t.k) for t in self.terms]
        return float(f"{1 / max(math.hypot(*shares), 0.1):.2g}")

    def normalized(self) -> "Direction":
        """Return the direction with length 1.

        Returns:
            A new direction with the same `layers`.

        Raises:
            SefaError: It is zero.

        Example:
            >>> bundle = sefa.factorize(tiny)
            >>> (bundle[0] + 2 * bundle[1]).normalized().length.__round__(6)
            1.0
        """
        if self.length < 1e-9:
            raise SefaError(f"the direction {self} is zero", "a sum that moves something")
        return self / self.length

    def move(self, codes: Codes, alpha: float = 1.0) -> Codes:
        """Return code + alpha · this direction.

        Args:
            codes: A numpy array or a tensor `(n, num_layers, dim)`; `(n, dim)` is repeated for
                every layer if the model has more than one.
            alpha: The step, in units of the latent.

        Returns:
            A new array or tensor of the same kind, `(n, num_layers, dim)`.

        Raises:
            UsageError: The codes are not an array of floats with two or three axes, or alpha is
                not a finite number.
            MismatchError: The codes are not those of this model.

        Example:
            >>> both = sefa.factorize(tiny)[0] + sefa.factorize(tiny)[1]
            >>> both.move(np.zeros((2, 32), np.float32), 1.5).shape
            (2, 8, 32)
        """
        _check_floats(codes)
        count = int(self.terms[0].bundle.model["num_layers"])
        _check_shape(tuple(codes.shape), (count, self.vector.shape[-1]))
        alpha = parse_alpha(alpha)
        codes = for_every_layer(codes, count)
        rows = shift(self.vector[None], [(0, alpha)], len(self.layers))
        return add(codes, rows, self.layers)

    def as_bundle(self, label: str | None = None) -> "Bundle":
        """Return a bundle of this one direction, to save or to edit with.

        Args:
            label: What to call it. Default: no label.

        Returns:
            A bundle of the unit vector; `info[0]["scale"]` keeps the length that it had.

        Raises:
            SefaError: It is zero, or the label is not valid.

        Example:
            >>> bundle = sefa.factorize(tiny)
            >>> (3 * bundle[0]).as_bundle("turn")["turn"].length.__round__(6)
            1.0
        """
        terms = [(t.weight, (self._source(t.bundle), t.k)) for t in self.terms]
        made = combined(self._algebra, terms, self._text)
        return made if label is None else relabeled(made, {0: label})

    def __add__(self, other: "Direction") -> "Direction":
        if not isinstance(other, Direction):
            return NotImplemented
        return _collected([*self.terms, *other.terms])

    def __sub__(self, other: "Direction") -> "Direction":
        if not isinstance(other, Direction):
            return NotImplemented
        return self + -other

    def __neg__(self) -> "Direction":
        return self * -1

    def __mul__(self, number: float) -> "Direction":
        if isinstance(number, bool) or not isinstance(number, int | float | np.number):
            return NotImplemented
        check_digits("weight", number)
        return Direction(tuple(t._replace(weight=t.weight * float(number)) for t in self.terms))

    __rmul__ = __mul__

    def __truediv__(self, number: float) -> "Direction":
        if isinstance(number, bool) or not isinstance(number, int | float | np.number):
            return NotImplemented
        return self * (1 / float(number))

    def __array__(self, dtype: object = None, copy: bool | None = None) -> NDArray[np.float32]:
        """Return the vector, so that numpy and torch take a direction as an array."""
        return np.array(self.vector, dtype=dtype)  # type: ignore[call-overload,no-any-return]

    def __repr__(self) -> str:
        layers = format_range(self.layers)
        return f"<Direction {self._text}, {self.space}, layers {layers}, length {self.length:.4g}>"

    @property
    def _single(self) -> Term | None:
        """Return the direction of a bundle that this is, unless it was changed."""
        return self.terms[0] if len(self.terms) == 1 and self.terms[0].weight == 1 else None

    @cached_property
    def _bundles(self) -> Sequence["Bundle"]:
        return list({id(term.bundle): term.bundle for term in self.terms}.values())

    def _source(self, bundle: "Bundle") -> Source:
        """Return the bundle with a name: bundles have none here, so they are counted."""
        place = next(i for i, own in enumerate(self._bundles) if own is bundle)
        return Source("bundle" if len(self._bundles) == 1 else f"bundle{place}", bundle)

    @cached_property
    def _algebra(self) -> Algebra:
        return Algebra([self._source(bundle) for bundle in self._bundles])

    @property
    def _text(self) -> str:
        """Return text such as `0.7*smile - 2*k3`."""
        words = []
        for weight, bundle, k in self.terms:
            name = bundle.labels[k] or f"k{k}"
            name = f'"{name}"' if " " in name else name
            times = "" if abs(weight) == 1 else f"{abs(weight):.3g}*"
            words.append(f"{'-' if weight < 0 else '+'} {times}{name}")
        text = " ".join(words)
        return text[2:] if text.startswith("+ ") else f"-{text[2:]}"


def _check_floats(codes: object) -> None:
    """Raise UsageError unless codes are an array or a tensor of floats."""
    dtype = str(getattr(codes, "dtype", type(codes).__name__))
    if not hasattr(codes, "dtype") or not dtype.removeprefix("torch.").startswith(
        ("float", "bfloat")
    ):
        raise UsageError(f"codes must be an array or a tensor of floats, got {dtype}")


def _check_shape(shape: tuple[int, ...], own: tuple[int, int]) -> None:
    """Raise MismatchError unless codes have the layers and numbers of the model, `own`."""
    if len(shape) not in (2, 3) or shape[1:] not in (own, own[1:]):
        error = MismatchError if len(shape) in (2, 3) else UsageError
        raise error(
            f"codes have the shape ({', '.join(map(str, shape))})",
            f"(n, {own[0]}, {own[1]}) or (n, {own[1]})",
        )


def _collected(terms: Sequence[Term]) -> Direction:
    """Return the sum of the terms, each direction once. Raises SefaError for two models."""
    weights: dict[tuple[int, int], Term] = {}
    for term in terms:
        known = weights.get((id(term.bundle), term.k))
        weight = term.weight + (known.weight if known else 0)
        weights[id(term.bundle), term.k] = term._replace(weight=weight)
    made = Direction(tuple(weights.values()))
    _ = made._algebra  # refuses bundles that do not belong together
    return made
