"""The codes that an edit starts from, with their names."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from sefa_cli.arguments import in_short
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.codes import CodeArray, as_codes, codes_from_seeds, load_codes
from sefa_cli.editing.moves import Move
from sefa_cli.editing.sum import add, check_space, on_layers, shift
from sefa_cli.errors import UsageError
from sefa_cli.generators.base import Generator
from sefa_cli.held import holdable
from sefa_cli.interchange.labels import in_file_name
from sefa_cli.ranges import Indices, as_indices

_stage = logging.getLogger("sefa_cli.stage")


class Named(Protocol):
    """Codes with the names of their pictures, as `invert` returns them."""

    @property
    def codes(self) -> torch.Tensor:
        """The codes `(n, layers, dim)` or `(n, dim)`."""

    @property
    def names(self) -> Sequence[str]:
        """The names, one for each."""


@dataclass(frozen=True)
class Start:
    """Truncated codes `(n, layers, dim)` or `(n, dim)`, with a number and a name for each."""

    codes: torch.Tensor
    numbers: tuple[int, ...]  # the seed, or the place in the file; also seeds random noise
    kind: str  # "seed" or "code"
    space: str = ""  # "w" or "z", which only the generator knows; "" where nobody asked it
    pictures: tuple[str, ...] = ()  # the names of the codes in their file, if it has any
    beside: int = 0  # of them the last ones, seeds that were not asked for
    mixed: str = ""  # the source and layers of `--mix-from` that they were mixed with

    @property
    def count(self) -> int:
        """How many were asked for."""
        return len(self.numbers) - self.beside

    @property
    def names(self) -> list[str]:
        """For people: `seed 3`, or the name of the picture that a code belongs to."""
        asked = list(self.pictures) or [f"{self.kind} {n}" for n in self.numbers[: self.count]]
        asked = [f"{name} + {self.mixed}" for name in asked] if self.mixed else asked
        return asked + [f"seed {n}" for n in self.numbers[self.count :]]

    def stem(self, i: int) -> str:
        """For files: `seed0003`, or `code0000_ann` for the picture `ann.jpg`."""
        name = in_file_name(Path(self.pictures[i]).stem) if i < len(self.pictures) else ""
        return f"{self.kind}{self.numbers[i]:04d}" + (f"_{name}" if name else "")

    def origin(self, i: int) -> dict[str, int | str]:
        """For notes in pictures: the seed or the number of a code, and what it was mixed with."""
        return {self.kind: self.numbers[i], **({"mixed": self.mixed} if self.mixed else {})}

    def only(self, first: int, end: int) -> "Start":
        """Return the codes from `first` up to and without `end`, of those asked for."""
        part = slice(first, min(end, self.count))
        return replace(
            self,
            codes=self.codes[part],
            numbers=self.numbers[part],
            pictures=self.pictures[part],
            beside=0,
        )

    def joined(
        self, seeds: Sequence[int], generator: Generator, psi: float | None, label: int | None
    ) -> "Start":
        """Return the same with the codes of further seeds beside them."""
        if not seeds:
            return self
        made = codes_from_seeds(generator, seeds, psi, None, label)
        codes = torch.cat([self.codes, made.to(self.codes)])
        return replace(self, codes=codes, numbers=(*self.numbers, *seeds), beside=len(seeds))


@holdable
def start_from(
    generator: Generator,
    seeds: Indices,
    codes: Path | str | CodeArray | Named | None = None,
    psi: float | None = None,
    trunc_layers: Indices | None = None,
    label: int | None = None,
) -> Start:
    """Return the codes that edits start from: those of seeds, or given ones.

    Args:
        generator: The generator.
        seeds: Seeds from 0 to 2³² − 1: a range such as `"0-4,7"`, a number, or a list.
        codes: A file, an array or a tensor of codes, or what `invert` returns; they take the
            place of the seeds. They are truncated only if `psi` is given.
        psi: Truncation; None is the family's default.
        trunc_layers: The code indices to truncate; None for all.
        label: The class of a conditional model.

    Raises:
        UsageError: A number is out of range.
        SefaError: The codes are not those of this model.
    """
    layers = (
        None
        if trunc_layers is None
        else as_indices(trunc_layers, "truncation layer", generator.num_layers)
    )
    if codes is None:
        numbers = as_indices(seeds, "seed", 2**32)
        _stage.debug("mapping %s seed%s", f"{len(numbers):,}", "s" * (len(numbers) != 1))
        made = codes_from_seeds(generator, numbers, psi, layers, label)
        return Start(made, numbers, "seed", generator.space)
    if label is not None and not generator.conditioned:
        raise UsageError("label has no effect with codes: these codes already have their class")
    if psi is not None and generator.space != "w" and not generator.conditioned:
        raise UsageError(f"cannot truncate codes of a {generator.family} model: they are z itself")
    pictures: tuple[str, ...] = ()
    if isinstance(codes, str | Path):
        read, pictures = load_codes(codes, generator)
    elif isinstance(codes, torch.Tensor | np.ndarray):
        read = as_codes(codes, generator)
    elif hasattr(codes, "codes") and hasattr(codes, "names"):
        read, pictures = as_codes(codes.codes, generator), tuple(codes.names)
    else:
        raise UsageError(f"codes must be a file, an array or a tensor, got {in_short(codes)}")
    if psi is not None and generator.space == "w":
        read = generator.truncate(read, psi, layers)
    return Start(read, tuple(range(len(read))), "code", generator.space, pictures)


def moved(
    start: Start, bundle: Bundle, move: Move, layers: Sequence[int] | None = None
) -> torch.Tensor:
    """Return the codes of `start` after `move`, on the bundle's layers or on `layers` instead.

    Raises UsageError if directions with a row per layer have none for one of `layers`,
    MismatchError if the model's latent is not the bundle's.
    """
    check_space(bundle.space, start.space)
    own = [int(layer) for layer in bundle.layers]
    rows = shift(bundle.directions, move.steps, len(own))  # (len(own), dim)
    if layers is not None and start.codes.ndim == 3:
        rows, own = on_layers(rows, own, layers, bundle.directions.ndim == 3), list(layers)
    return add(start.codes, rows, own)
