"""Rules that turn one code base's tensor names and layouts into a family's native ones."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sefa_cli.containers.checkpoint import LazyTensor
from sefa_cli.containers.faults import damaged
from sefa_cli.errors import SefaError

Shape = tuple[int, ...]


class State(NamedTuple):
    """One network as a file holds it: its tensors by the file's names, and what else is known."""

    path: Path
    leaves: Mapping[str, Any]
    tensor: Callable[[Any], LazyTensor | None]
    modules: Mapping[str, Mapping[str, Any]] = MappingProxyType({})  # attributes, if stored

    def attribute(self, module: str, name: str, default: Any = None) -> Any:
        """Return what the module of a dotted name holds under `name`."""
        return self.modules.get(module, {}).get(name, default)

    @property
    def tensors(self) -> dict[str, LazyTensor]:
        """The leaves that are tensors; one of a type no network is made of is left out."""
        return {name: t for name, leaf in self.leaves.items() if (t := self._readable(leaf))}

    def _readable(self, leaf: Any) -> LazyTensor | None:
        try:
            return self.tensor(leaf)
        except SefaError:
            return None


class Change(NamedTuple):
    """What is done to a tensor: a new shape for the same numbers, or new numbers."""

    shape: Callable[[Shape], Shape] = lambda shape: shape
    numbers: Callable[[NDArray[Any]], NDArray[Any]] | None = None

    def __call__(self, tensor: LazyTensor) -> LazyTensor:
        """Return the tensor with this change."""
        return tensor.then(self.numbers or (lambda a: a), self.shape(tensor.shape))


AS_STORED = Change()
FLAT = Change(lambda shape: (math.prod(shape),))
SCALAR = Change(lambda shape: () if math.prod(shape) == 1 else shape)
UNBATCHED = Change(lambda shape: shape[1:] if shape[:1] == (1,) else shape)
ONE_MAP = Change(lambda shape: shape[2:] if shape[:2] == (1, 1) else shape)  # (1, 1, r, r)
PLUS_ONE = Change(numbers=lambda a: a + a.dtype.type(1))
FLIPPED = Change(numbers=lambda a: a[..., ::-1, ::-1])
FIRST_ROW = Change(lambda shape: shape[-1:], lambda a: a.reshape(-1, a.shape[-1])[0])


class Rule(NamedTuple):
    """Names that fully match `pattern` become `native`, or stay where that is empty.

    In `native`, `{n}` is the pattern's number plus `shift`; a family adds other words for it.
    """

    pattern: str
    native: str = ""
    change: Change = AS_STORED
    shift: int = 0


def pair(
    theirs: str,
    native: str,
    weight: Change = AS_STORED,
    bias: Change = AS_STORED,
    shift: int = 0,
) -> tuple[Rule, Rule]:
    """Return the rules of a layer's weight and bias; the names of both begin as given."""
    return (
        Rule(f"{theirs}weight", f"{native}weight", weight, shift),
        Rule(f"{theirs}bias", f"{native}bias", bias, shift),
    )


class Translation(NamedTuple):
    """Native tensors, the file's own name for each, and the names no rule knows."""

    tensors: dict[str, LazyTensor]
    names: dict[str, str]
    unknown: list[str]


def translate(
    state: State,
    rules: Sequence[Rule],
    words: Callable[[int], Mapping[str, str]],
    shared: Iterable[str] = (),
) -> Translation:
    """Apply the first rule that matches to each name; `words` gives `{…}` for a number.

    Natives in `shared` may have several sources, of which the first counts. Raises SefaError
    where two names become one, or a name that should hold a tensor does not.
    """
    compiled = [(re.compile(rule.pattern), rule) for rule in rules]
    found = Translation({}, {}, [])
    for name, leaf in state.leaves.items():
        native, change = _native(name, compiled, words)
        if not native:
            found.unknown.append(name)
        elif native in found.tensors and native in shared:
            continue
        elif native in found.tensors:
            raise damaged(f"{found.names[native]!r:.60} and {name!r:.60} are the same")
        else:
            tensor = state.tensor(leaf)
            if tensor is None:
                raise damaged(f"{name!r:.60} should be a tensor")
            found.names[native] = name
            found.tensors[native] = change(tensor).named(name, state.path)
    return found


def _native(
    name: str, rules: list[tuple[re.Pattern[str], Rule]], words: Callable[[int], Mapping[str, str]]
) -> tuple[str, Change]:
    for pattern, rule in rules:
        if match := pattern.fullmatch(name):
            if not rule.native:
                return name, rule.change
            number = int(match[1]) + rule.shift if match.groups() else 0
            return rule.native.format(n=number, **words(number)), rule.change
    return "", AS_STORED


def fit(name: str, rules: Sequence[Rule]) -> bool:
    """Return whether some rule knows the name."""
    return any(re.fullmatch(rule.pattern, name) for rule in rules)


def is_default_filter(kernel: NDArray[np.float32]) -> bool:
    """Return whether a resampling kernel is [1, 3, 3, 1] ⊗ [1, 3, 3, 1], whatever its gain."""
    row = np.array([1, 3, 3, 1], np.float32) / 8
    total = float(kernel.sum())
    return kernel.shape == (4, 4) and np.allclose(kernel, np.outer(row, row) * total, rtol=1e-4)
