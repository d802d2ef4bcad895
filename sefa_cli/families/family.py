"""The contract of a family: everything sefa asks about one kind of generator.

A family is a folder whose `__init__.py` holds one `Family` called `FAMILY`: either a folder beside
this file, or an installed package that an entry point names (docs/plugins.md). That file stays
cheap: what reads tensors or needs torch is imported inside the methods, when it is called for.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sefa_cli.containers.checkpoint import Checkpoint, Config, LazyTensor
from sefa_cli.families.names import Rule, State

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator

__all__ = ["Checkpoint", "Config", "Dialect", "Family", "Layer", "LazyTensor", "Model", "State"]

Tensors = Mapping[str, LazyTensor]
Rules = tuple[Rule, ...]


@dataclass(frozen=True)
class Layer:
    """One first projection: code `index` enters the network through `matrix` and `bias`."""

    index: int
    name: str
    resolution: int  # pixels, where the result is applied
    kind: str  # "conv", "torgb", "up": the list is in formats/directions-v1.md
    matrix: LazyTensor  # (outputs, latent dim)
    bias: LazyTensor | None  # (outputs,)

    @classmethod
    def affine(cls, tensors: Tensors, index: int, name: str, resolution: int, kind: str) -> "Layer":
        """Return the style affine `{name}.affine.weight` and `.bias` as a first projection."""
        # Read by the fingerprint and by the method.
        matrix = tensors[f"{name}.affine.weight"].kept()
        return cls(index, name, resolution, kind, matrix, tensors[f"{name}.affine.bias"])


class Model(NamedTuple):
    """A recognized generator: its configuration and its tensors under native names."""

    dialect: str
    config: Config
    tensors: Tensors
    notes: tuple[str, ...] = ()  # sentences a user should see
    family: str = ""  # filled in by whoever asked the family
    origin: str = ""  # the dialect that a file of our own was converted from


class Dialect(NamedTuple):
    """One code base's way of writing a family, and the names that tell it."""

    name: str
    marks: tuple[str, ...]  # names that together only this dialect has
    variant: str = ""  # tells dialects of one code base apart

    @property
    def key(self) -> str:
        """Return the name, with the variant if there is one: "mmgen", "mmgen-deep"."""
        return f"{self.name}-{self.variant}" if self.variant else self.name


class Reader(NamedTuple):
    """What turns a state of one dialect into a model: imported once the dialect's marks match."""

    rules: Rules
    read: Callable[[str, Rules, State], Model]  # (the dialect's name, its rules, the state)


class Family:
    """One kind of generator. Subclasses state its facts and import the rest when called."""

    name: str  # what bundles and `sefa inspect` call it: letters, digits, _ . + -
    dialects: tuple[Dialect, ...] = ()
    demodulates: bool = True  # False: nothing undoes a common scale of the styles at run time
    places: bool = False  # True: its pictures can be moved and turned
    subject: str = ""  # what all published networks show ("face", "car"), if they show the same

    def recognize(self, state: State) -> Model | None:
        """Return the model in a state, or None if the state is another family's.

        The default tries `dialects` in order and reads the first whose marks are all there.
        """
        for dialect in self.dialects:
            if all(mark in state.leaves for mark in dialect.marks):
                reader = self.reader(dialect)
                return reader.read(dialect.name, reader.rules, state)
        return None

    def reader(self, dialect: Dialect) -> Reader:
        """Return what reads one of `dialects`.

        The default takes `RULES[dialect.key]` and `read` from `dialects.py` in the family's folder.
        """
        module = import_module(f"{type(self).__module__}.dialects")
        return Reader(module.RULES[dialect.key], module.read)

    def read_path(self, path: Path) -> tuple[str, Model] | None:
        """Return (container, model) of a file or folder no container reader knows, or None.

        Called for folders, XML files and zip archives that torch did not write.
        """
        return None

    def projections(self, tensors: Tensors) -> list[Layer]:
        """Return the first projections of native tensors, in order of execution, without torch."""
        raise NotImplementedError(f"{self.name} states no first projections")

    def generator(self, checkpoint: Checkpoint) -> "Generator":
        """Return the network, its weights read. The only method that may import torch."""
        raise NotImplementedError(f"{self.name} has no network")

    def levels(self, resolutions: Mapping[int, int]) -> tuple[list[int], list[int]]:
        """Return the code indices of the levels bottom and middle; the rest is the top.

        Args:
            resolutions: The pixels at which each code index is first applied.

        By default the bottom is what is applied at up to 8 px, the middle at up to 32 px.
        """
        low = [index for index, px in resolutions.items() if px <= 8]
        return low, [index for index, px in resolutions.items() if 8 < px <= 32]


def paper_levels(indices: Iterable[int]) -> tuple[list[int], list[int]]:
    """Return SeFa's levels for StyleGAN and StyleGAN2: code indices 0-1, 2-5 and the rest."""
    ordered = sorted(indices)
    return ordered[:2], ordered[2:6]
