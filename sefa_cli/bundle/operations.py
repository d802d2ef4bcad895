"""What can be done with a bundle: find, move, name, pick, mix and compare its directions."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from sefa_cli.arguments import in_short, public
from sefa_cli.bundle.annotations import relabeled
from sefa_cli.canonical import shown
from sefa_cli.editing.sum import Codes
from sefa_cli.errors import UsageError, either
from sefa_cli.ranges import check_indices, format_range, is_range, is_whole, parse_range

if TYPE_CHECKING:  # the algebra is imported when it is used: `factorize` and `inspect` start faster
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.bundle.compare import Comparison
    from sefa_cli.bundle.direction import Direction

_FROM_END = re.compile(r"-[1-9][0-9]*")  # -1 is the last direction


class Operations:
    """The methods of `Bundle` that look up and compute: none of them changes it."""

    directions: NDArray[np.float32]
    info: tuple[dict[str, Any], ...]

    @property
    def k(self) -> int:
        """The number of directions."""
        return len(self.directions)

    @property
    def dim(self) -> int:
        """The dimension of the latent, 512 for most published models."""
        return int(self.directions.shape[-1])

    @property
    def labels(self) -> list[str | None]:
        """The label of each direction; None for a direction without one."""
        return [entry.get("label") for entry in self.info]

    def index(self, name: str | int) -> int:
        """Return the index of a direction, given its index (−1 is the last) or label.

        Args:
            name: An index from −k to k − 1, or a label.

        Raises:
            UsageError: A direction does not exist; the error names similar labels.
        """
        if not isinstance(name, str):
            last = is_whole(name, -self.k, -1)
            return check_indices((name + self.k if last else name,), "direction", self.k)[0]
        if len(found := self.indices(name)) != 1:
            raise UsageError(f"{name!r} means {len(found)} directions", "one index or label")
        return found[0]

    def indices(self, names: str | int) -> tuple[int, ...]:
        """Return the indices of directions, given indices, ranges and labels with commas.

        Args:
            names: Such as `"0-2,7"`, `"smile,3"` or `3`. A label that contains a comma is found
                whole. `"-1"` is the last direction, `"all"` is every one.

        Raises:
            UsageError: A direction does not exist; the error names similar labels.

        Example:
            >>> sefa.factorize(tiny).name({5: "smile"}).indices("0-2,smile")
            (0, 1, 2, 5)
        """
        if not isinstance(names, str):
            return (self.index(names),)
        if names == "all" and "all" not in self.labels:
            return tuple(range(self.k))
        if _FROM_END.fullmatch(names) and names not in self.labels:
            if not -self.k <= int(names):
                raise UsageError(f"direction {names} is out of range", f"-{self.k} to -1")
            return (self.k + int(names),)
        if is_range(names):
            return parse_range(names, "direction", self.k)
        parts = [part.strip() for part in names.split(",")]
        numbered = (is_range(part) or bool(_FROM_END.fullmatch(part)) for part in parts)
        known = [n or _nfc(part) in self.labels for n, part in zip(numbered, parts, strict=True)]
        if len(parts) == 1 or _nfc(names) in self.labels or not any(known):
            return (self._labeled(names),)
        return check_indices([k for part in parts for k in self.indices(part)], "direction")

    def _labeled(self, label: str) -> int:
        wanted = _nfc(label)
        if wanted in self.labels:
            return self.labels.index(wanted)
        known = [name for name in self.labels if name is not None]
        near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.4) or known[:3]
        raise UsageError(
            f"no direction is called {shown(label)}",
            either([f"an index 0-{self.k - 1}", *(shown(name) for name in near)]),
        )

    @property
    def _bundle(self) -> Bundle:
        """Return this bundle, for type checkers."""
        return cast("Bundle", self)

    def __len__(self) -> int:
        """Return the number of directions."""
        return self.k

    def __contains__(self, name: object) -> bool:
        """Return whether a direction has this label or index."""
        if isinstance(name, str):
            return _nfc(name) in self.labels
        return is_whole(name, -self.k, self.k - 1)

    def __getitem__(self, name: int | str) -> Direction:
        """Return a direction by its index, from 0 (or −1 for the last), or by its label.

        Raises:
            IndexError: The index is out of range.
            TypeError: It is neither an index nor a label.
            UsageError: No direction has that label.
        """
        from sefa_cli.bundle.direction import Direction, Term

        if isinstance(name, str):
            k = self.index(name)
        elif not is_whole(name, -math.inf):
            several = 'bundle.pick("0-2") makes a bundle of several'
            raise TypeError(f"a direction has an index or a label, got {in_short(name)}; {several}")
        elif not -self.k <= (k := int(name)) < self.k:
            raise IndexError(f"direction {k} is out of range; expected 0-{self.k - 1}")
        return Direction((Term(1.0, self._bundle, k % self.k),))

    def __iter__(self) -> Iterator[Direction]:
        """Iterate over the directions."""
        return (self[k] for k in range(self.k))

    @public
    def move(self, codes: Codes, direction: int | str | Direction, alpha: float = 1.0) -> Codes:
        """Return codes moved along one direction: code + alpha · n on the bundle's layers.

        Args:
            codes: A numpy array or a tensor `(n, num_layers, dim)`; `(n, dim)` is repeated for
                every layer if the model has more than one.
            direction: An index, a label, or a direction made from others.
            alpha: The step, in units of the latent; ±3 is usual.

        Returns:
            A new array or tensor of the same kind, `(n, num_layers, dim)`.

        Raises:
            UsageError: The direction does not exist, the codes are not an array of floats with two
                or three axes, or alpha is not a finite number.
            MismatchError: The codes are not those of this model.

        Example:
            >>> bundle = sefa.factorize(tiny, layers="0-1").name({3: "smile"})
            >>> bundle.move(np.zeros((1, 32), np.float32), "smile", 2).shape
            (1, 8, 32)
        """
        from sefa_cli.bundle.direction import Direction

        chosen = direction if isinstance(direction, Direction) else self[self.index(direction)]
        return chosen.move(codes, alpha)

    def step(self, direction: int | str) -> float:
        """Return the suggested step α along a direction, in units of the latent.

        One step changes the picture visibly, two steps strongly. It is the α that changes the
        region's pixels by 0.25 (root mean square, pictures in [-1, 1]) if `localize` or
        `evaluate --calibrate` measured the change; otherwise 2 √(λ_max / λ_k), as much change of
        the styles as 2 along the leading direction. At most 10.

        Args:
            direction: An index or a label.

        Raises:
            UsageError: The direction does not exist.

        Example:
            >>> bundle = sefa.factorize(tiny, layers="0-1")
            >>> bundle.step(0), bundle.step(5) > bundle.step(0)
            (2.0, True)
        """
        return self._bundle.steps[self.index(direction)]

    @public
    def name(self, labels: Mapping[int | str, str | None]) -> Bundle:
        """Return the bundle with other labels; a label is accepted wherever an index is.

        Args:
            labels: The new label by index or old label; None removes a label.

        Raises:
            UsageError: A direction does not exist, or this is not a mapping.
            SefaError: A label is used twice, reads as an index, or is not one line of text.

        Example:
            >>> sefa.factorize(tiny, num=2).name({0: "turns left"}).labels
            ['turns left', None]
        """
        if not isinstance(labels, Mapping):
            raise UsageError(
                f"labels must be a mapping, got {labels!r}", 'something like {3: "yaw"}'
            )
        return relabeled(self._bundle, {self.index(k): label for k, label in labels.items()})

    @public
    def pick(self, *names: str | int, flip: bool = False, label: str | None = None) -> Bundle:
        """Return a bundle of some of the directions.

        Args:
            *names: Indices, ranges and labels: `bundle.pick("0-2", "smile", 7)`.
            flip: Turn them round: α becomes −α.
            label: The label of the new direction, if there is only one.

        Raises:
            UsageError: The direction does not exist.

        Example:
            >>> sefa.factorize(tiny).pick("0-2", 7).k
            4
        """
        from sefa_cli.bundle.picking import pick

        return pick({"bundle": self._bundle}, names, flip=flip, label=label)

    @public
    def mix(self, text: str, label: str | None = None) -> Bundle:
        """Return a bundle of one direction, a weighted sum such as `"0.7*yaw + 0.3*5"`.

        Args:
            text: The sum; a label with spaces stands in double quotes.
            label: The label of the new direction.

        Raises:
            UsageError: The text is not such a sum.
            SefaError: The sum is zero.
        """
        from sefa_cli.bundle.picking import mix

        return mix({"bundle": self._bundle}, text, label=label)

    @public
    def without(self, *names: str | int) -> Bundle:
        """Return the other directions, each made orthogonal to the named ones.

        Moving along them leaves the named ones alone to first order.

        Args:
            *names: Indices, ranges and labels of the directions to take out.

        Raises:
            UsageError: A direction does not exist, or no other is left.
            SefaError: One of the others is made of the named ones.
        """
        from sefa_cli.bundle.picking import pick

        taken = [k for name in names for k in self.indices(name)]
        if not (rest := [k for k in range(self.k) if k not in taken]):
            raise UsageError("no direction is left", "fewer directions to take out")
        return pick({"bundle": self._bundle}, format_range(rest), without=[str(k) for k in taken])

    @public
    def compare(self, other: Bundle, num: int = 10) -> Comparison:
        """Compare the leading `num` directions with those of another bundle.

        Args:
            other: The other bundle.
            num: How many, from 1.

        Returns:
            Angles and matches: see [sefa_cli.compare][], which says more.

        Raises:
            MismatchError: The latents have different dimensions.
            UsageError: `num` is less than 1.
        """
        from sefa_cli.bundle.compare import compare

        return compare(self._bundle, other, num)

    def _repr_html_(self) -> str:
        """Return a table of the leading directions with a bar chart, as notebooks show it."""
        from sefa_cli.bundle.html import bundle_html

        return bundle_html(self._bundle)


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
