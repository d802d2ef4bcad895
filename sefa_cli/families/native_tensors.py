"""Native tensors while they are checked: what is there, which shapes, in which order it runs.

For the families whose blocks are called `synthesis.b4`, `synthesis.b8` …
"""

import re
from collections.abc import Iterator, Mapping

from sefa_cli.containers.checkpoint import LazyTensor
from sefa_cli.containers.faults import FileError
from sefa_cli.families.arguments import listed
from sefa_cli.families.names import Shape, Translation

START = 4  # the first block's name, whatever its size
BY_NAME = "`sefa.factorize_tensors(FILE, PATTERN)` takes matrices of any file by their names."
_BLOCK = re.compile(r"synthesis\.b(\d+)\.")
_COUNTER = "num_batches_tracked"  # of batch norms: never part of a picture


class Network:
    """Native tensors while they are checked, in the order in which data runs through them."""

    def __init__(self, found: Translation, dialect: str, family: str = "StyleGAN2") -> None:
        """`family` is written as people do."""
        self._found, self._tensors, self._names = found, found.tensors, found.names
        self._dialect, self._family = dialect, family
        self.ordered: dict[str, LazyTensor] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def shape(self, name: str, axes: int) -> Shape:
        """Return the shape of a tensor that must be there and have `axes` axes."""
        found = self._required(name)
        if len(found) != axes or 0 in found:
            raise self.refusal(f"{self._named(name)} has the shape {found}")
        return found

    def axes(self, name: str) -> int:
        """Return how many axes a tensor has that must be there."""
        return len(self._required(name))

    def expect(self, name: str, shape: Shape, optional: bool = False) -> None:
        """Refuse another shape than this, and absence unless that is allowed."""
        if optional and name not in self._tensors:
            return
        found = self._required(name)
        if found != shape:
            raise self.refusal(f"{self._named(name)} has the shape {found} and not {shape}")

    def _required(self, name: str) -> Shape:
        if name not in self._tensors:
            raise self.refusal(f"{name} is missing")
        self.ordered[name] = self._tensors[name]
        return self._tensors[name].shape

    def count(self, pattern: str) -> int:
        """Return how many parts `pattern.format(0)`, `pattern.format(1)` … there are.

        Raises SefaError that names the missing tensors if a number is left out.
        """
        part = re.compile(re.escape(pattern).replace(r"\{\}", r"(\d+)") + r"(?=\.|$)")
        matches = [match for name in self._tensors if (match := part.match(name))]
        matches.sort(key=lambda match: int(match[1]))
        tails = {match.string[match.end() :]: match[1] for match in matches}
        there = {int(match[1]) for match in matches}
        gaps = sorted(set(range(max(there, default=-1))) - there)
        missing = [
            self._missing(pattern, gap, int(there), tail)
            for gap in gaps
            for tail, there in tails.items()
        ]
        if missing:
            verb = "is" if len(missing) == 1 else "are"
            raise self.refusal(f"{listed(missing)} {verb} missing")
        return len(there)

    def _missing(self, pattern: str, gap: int, there: int, tail: str) -> str:
        """Return what a missing tensor would be called in the file, by that of a sibling."""
        sibling, name = pattern.format(there) + tail, pattern.format(gap) + tail
        theirs = re.split(r"(\d+)", self._names.get(sibling, sibling))
        for k in range(1, len(theirs), 2):
            for step, start in ((1, 0), (1, 1), (2, 0), (2, 1)):  # as lists are numbered
                if int(theirs[k]) == step * there + start:
                    theirs[k] = str(step * gap + start)
                    return "".join(theirs)
        return name

    def resolutions(self) -> list[int]:
        """Return the numbers of the blocks: 4, 8, 16 … without a gap."""
        found = {int(match[1]) for name in self._tensors if (match := _BLOCK.match(name))}
        expected = [START << k for k in range(max(len(found), 1))]
        if missing := sorted(set(expected) - found):
            raise self.refusal(f"the block synthesis.b{missing[0]} is missing")
        return expected

    def left_out(self) -> tuple[str, ...]:
        """Return a note on the file's tensors that are not part of the network, if there are any.

        Raises SefaError for one inside a part that is in use: the pictures would be wrong.
        """
        unused = [name for name in self._tensors if name not in self.ordered]
        theirs = [*self._found.unknown, *(self._names[n] for n in unused if n in self._names)]
        theirs = [name for name in theirs if not name.endswith(_COUNTER)]
        parts = {_part(self._names.get(name, name)) for name in self.ordered}
        if inside := [name for name in theirs if _part(name) in parts]:
            verb = "is" if len(inside) == 1 else "are"
            raise self.refusal(f"{listed(inside)} {verb} not part of it")
        return (f"Not part of a known generator, left out: {listed(theirs)}.",) if theirs else ()

    def _named(self, name: str) -> str:
        ours = self._names.get(name, name)
        return name if ours == name else f"{name} ({ours!r:.60} in the file)"

    def refusal(self, why: str) -> FileError:
        """Return the error for tensors that do not make a network."""
        return FileError(
            f"looks like a {self._family} generator ({self._dialect}), but {why}",
            remedy=f"It may be incomplete, or of a variant that is not known here. {BY_NAME}",
        )


def notes_on_absence(tensors: Mapping[str, LazyTensor]) -> Iterator[str]:
    """Yield sentences on a mean w and noise maps that a StyleGAN's file does not store."""
    if "mapping.w_avg" not in tensors:
        yield "The file stores no mean w; truncation computes it from 10,000 samples."
    if "synthesis.b4.conv1.noise_const" not in tensors:
        yield "The file stores no noise maps; the noise mode const adds none."


def _part(name: str) -> str:
    """Return the part of a network that a name belongs to: what comes before its first dot."""
    return re.split(r"[./]", name, maxsplit=1)[0]
