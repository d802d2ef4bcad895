"""The directions of a bundle by index and label, as commands and Python name them."""

from __future__ import annotations

import difflib
import re
import unicodedata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.canonical import shown
from sefa_cli.errors import UsageError, either
from sefa_cli.ranges import check_indices, is_range, is_whole, parse_range

_FROM_END = re.compile(r"-[1-9][0-9]*")  # -1 is the last direction


class Lookup:
    """The methods of `Bundle` that find its directions by index and label."""

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

        Returns:
            The index, from 0 to k − 1.

        Raises:
            UsageError: The direction does not exist; the error names similar labels.

        Example:
            >>> bundle = sefa.factorize(tiny, num=8).name({5: "smile"})
            >>> bundle.index("smile"), bundle.index(-1)
            (5, 7)
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

        Returns:
            The indices, from 0 to k − 1, in the order of `names`.

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

    def __len__(self) -> int:
        """Return the number of directions."""
        return self.k

    def __contains__(self, name: object) -> bool:
        """Return whether a direction has this label or index."""
        if isinstance(name, str):
            return _nfc(name) in self.labels
        return is_whole(name, -self.k, self.k - 1)


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
