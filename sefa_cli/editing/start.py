"""The codes an edit starts from, and what each is called."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.codes import codes_from_seeds, load_codes
from sefa_cli.editing.moves import Move
from sefa_cli.editing.sum import add, on_layers, shift
from sefa_cli.errors import MismatchError
from sefa_cli.generators.base import Generator
from sefa_cli.ranges import parse_range


@dataclass(frozen=True)
class Start:
    """Truncated codes `(n, layers, dim)` or `(n, dim)`, with a number and a name for each."""

    codes: torch.Tensor
    numbers: tuple[int, ...]  # the seed, or the place in the file; also seeds random noise
    kind: str  # "seed" or "code"
    space: str = ""  # "w" or "z", which only the generator knows; "" where nobody asked it

    @property
    def names(self) -> list[str]:
        """For people: `seed 3`."""
        return [f"{self.kind} {number}" for number in self.numbers]

    def stem(self, i: int) -> str:
        """For files: `seed0003`."""
        return f"{self.kind}{self.numbers[i]:04d}"


def start_from(
    generator: Generator,
    seeds: str,
    codes: Path | str | None = None,
    psi: float | None = None,
    trunc_layers: str | None = None,
    label: int | None = None,
) -> Start:
    """Codes from the range `seeds`, or from the file `codes`, which are truncated only if asked.

    `trunc_layers` is a range of code indices. Raises UsageError or SefaError for bad values.
    """
    layers = (
        None
        if trunc_layers is None
        else parse_range(trunc_layers, "truncation layer", generator.num_layers)
    )
    if codes is None:
        numbers = parse_range(seeds, "seed", 2**32)
        made = codes_from_seeds(generator, numbers, psi, layers, label)
        return Start(made, numbers, "seed", generator.space)
    read = load_codes(codes, generator)
    if psi is not None and generator.space == "w":
        read = generator.truncate(read, psi, layers)
    return Start(read, tuple(range(len(read))), "code", generator.space)


def moved(
    start: Start, bundle: Bundle, move: Move, layers: Sequence[int] | None = None
) -> torch.Tensor:
    """The codes of `start` after `move`, on the bundle's layers or on `layers` instead.

    Raises UsageError where directions with a row per layer have none for one of `layers`,
    MismatchError where the model has another latent than the bundle.
    """
    if bundle.space == "z" and start.space == "w":
        raise MismatchError(
            "the bundle's directions are of z, the codes they should move are w",
            "directions of w",
            "If they are of w after all, import them again with --space w.",
        )
    own = [int(layer) for layer in bundle.layers]
    rows = shift(bundle.directions, move.steps, len(own))  # (len(own), dim)
    if layers is not None and start.codes.ndim == 3:
        rows, own = on_layers(rows, own, layers, bundle.directions.ndim == 3), list(layers)
    return add(start.codes, rows, own)
