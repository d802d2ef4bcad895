"""Native tensors while they are checked: what is there, which shapes, in which order it runs.

For the families whose blocks are called `synthesis.b4`, `synthesis.b8` …
"""

import re
from collections.abc import Mapping

from sefa_cli.containers.checkpoint import LazyTensor
from sefa_cli.containers.faults import FileError
from sefa_cli.families.names import Shape

START = 4  # the first block's name, whatever its size
_BLOCK = re.compile(r"synthesis\.b(\d+)\.")


class Network:
    """Native tensors while they are checked, in the order in which data runs through them."""

    def __init__(
        self,
        tensors: Mapping[str, LazyTensor],
        names: Mapping[str, str],
        dialect: str,
        family: str = "StyleGAN2",
    ) -> None:
        """`names` are the file's own, by native name; `family` is written as people do."""
        self._tensors, self._names, self._dialect = tensors, names, dialect
        self._family = family
        self.ordered: dict[str, LazyTensor] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def shape(self, name: str, axes: int) -> Shape:
        """Return the shape of a tensor that must be there and have `axes` axes."""
        found = self._found(name)
        if len(found) != axes or 0 in found:
            raise self.refusal(f"{self._named(name)} has the shape {found}")
        return found

    def axes(self, name: str) -> int:
        """How many axes a tensor has that must be there."""
        return len(self._found(name))

    def expect(self, name: str, shape: Shape, optional: bool = False) -> None:
        """Refuse another shape than this, and absence unless that is allowed."""
        if optional and name not in self._tensors:
            return
        found = self._found(name)
        if found != shape:
            raise self.refusal(f"{self._named(name)} has the shape {found} and not {shape}")

    def _found(self, name: str) -> Shape:
        if name not in self._tensors:
            raise self.refusal(f"{name} is missing")
        self.ordered[name] = self._tensors[name]
        return self._tensors[name].shape

    def resolutions(self) -> list[int]:
        """Return the numbers of the blocks: 4, 8, 16 … without a gap."""
        found = {int(match[1]) for name in self._tensors if (match := _BLOCK.match(name))}
        expected = [START << k for k in range(max(len(found), 1))]
        if missing := sorted(set(expected) - found):
            raise self.refusal(f"the block synthesis.b{missing[0]} is missing")
        return expected

    def _named(self, name: str) -> str:
        ours = self._names.get(name, name)
        return name if ours == name else f"{name} ({ours!r:.60} in the file)"

    def refusal(self, why: str) -> FileError:
        """Return the error for tensors that do not make a network."""
        return FileError(
            f"looks like a {self._family} generator ({self._dialect}), but {why}",
            remedy="It may be incomplete, or of a variant that is not known here.",
        )
