"""What can be done with a bundle: move, name, pick, mix and compare its directions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

from sefa_cli.arguments import in_short, public
from sefa_cli.bundle.annotations import relabeled
from sefa_cli.bundle.lookup import Lookup
from sefa_cli.editing.sum import Codes
from sefa_cli.errors import UsageError
from sefa_cli.ranges import format_range, is_whole

if TYPE_CHECKING:  # the algebra is imported when it is used: `factorize` and `inspect` start faster
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.bundle.compare import Comparison
    from sefa_cli.bundle.direction import Direction


class Operations(Lookup):
    """The methods of `Bundle` that compute: none of them changes it."""

    @property
    def _bundle(self) -> Bundle:
        """Return this bundle, for type checkers."""
        return cast("Bundle", self)

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

        Source: Shen & Zhou, CVPR 2021, equation 1.

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
        the styles as 2 along the leading direction.

        Args:
            direction: An index or a label.

        Returns:
            The step, above 0 and at most 10.

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

        Returns:
            A new bundle of the same directions.

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

        Returns:
            A new bundle. `info[k]["from"]` records where each direction came from.

        Raises:
            UsageError: A direction does not exist, or `label` is given for several.

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

        Returns:
            A new bundle of the sum, made a unit vector; `info[0]["scale"]` keeps its length.

        Raises:
            UsageError: The text is not such a sum, or a direction does not exist.
            SefaError: The sum is zero.

        Example:
            >>> mixed = sefa.factorize(tiny).name({3: "yaw"}).mix("0.6*yaw - 0.8*0", "turn")
            >>> mixed.labels, mixed.directions.shape
            (['turn'], (1, 32))
        """
        from sefa_cli.bundle.picking import mix

        return mix({"bundle": self._bundle}, text, label=label)

    @public
    def without(self, *names: str | int) -> Bundle:
        """Return the other directions, each made orthogonal to the named ones.

        Moving along them leaves the named ones alone to first order.

        Args:
            *names: Indices, ranges and labels of the directions to take out.

        Returns:
            A new bundle of unit vectors, k less the number of named ones.

        Raises:
            UsageError: A direction does not exist, or no other is left.
            SefaError: One of the others is made of the named ones.

        Source: Shen et al., CVPR 2020 (conditional manipulation).

        Example:
            >>> bundle = sefa.factorize(tiny, num=6)
            >>> rest = bundle.without("0-1", 5)
            >>> rest.k, float(abs(rest.directions @ bundle.directions[0]).max()) < 1e-6
            (3, True)
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

        Example:
            >>> low, high = (sefa.factorize(tiny, layers=own) for own in ("0-1", "2-7"))
            >>> low.compare(high, num=3).angles.shape
            (3,)
        """
        from sefa_cli.bundle.compare import compare

        return compare(self._bundle, other, num)

    def _repr_html_(self) -> str:
        """Return a table of the leading directions with a bar chart, as notebooks show it."""
        from sefa_cli.bundle.html import bundle_html

        return bundle_html(self._bundle)
