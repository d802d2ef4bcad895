"""Moves along directions: what `--k` and `--alpha` mean, and the sum they stand for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.errors import UsageError
from sefa_cli.ranges import format_range


@dataclass(frozen=True)
class Move:
    """One move: the sum of αᵢ nᵢ over its steps (k, α); α is in units of the latent."""

    steps: tuple[tuple[int, float], ...]

    @property
    def name(self) -> str:
        """For file names: `k3_+2.00`, several steps joined."""
        return "_".join(f"k{k}_{alpha:+.2f}" for k, alpha in self.steps)

    def shift(self, bundle: Bundle) -> NDArray[np.float32]:
        """Σ αᵢ nᵢ as a row per layer of the bundle: `(layers, dim)`."""
        n = len(bundle.layers)
        total = np.zeros((n, bundle.dim), np.float32)
        for k, alpha in self.steps:
            total += np.float32(alpha) * bundle.directions[k]  # (dim,) or (layers, dim)
        return total


def parse_moves(bundle: Bundle, ks: Sequence[str], alphas: Sequence[str]) -> list[list[Move]]:
    """Rows of moves from the repeated options `--k` and `--alpha`.

    One `--k` (indices, ranges and labels) with one `--alpha` (a number, or several with
    commas) gives a row per direction and a column per α. Several pairs combine into one move.
    Raises UsageError for an unknown direction, an α that is no finite number, unequal counts.
    """
    if not ks or not alphas:
        raise UsageError("a move needs a direction and a step", "--k 3 --alpha 2")
    if len(ks) == len(alphas) == 1:
        steps = [parse_alpha(part) for part in alphas[0].split(",")]
        return [[Move(((k, a),)) for a in steps] for k in bundle.indices(ks[0])]
    if len(ks) != len(alphas):
        raise UsageError(
            f"{len(ks)} --k with {len(alphas)} --alpha", "one --alpha for each --k",
            "Pairs combine into one move.",
        )  # fmt: skip
    return [
        [
            Move(
                tuple(
                    (parse_direction(bundle, k), parse_alpha(a))
                    for k, a in zip(ks, alphas, strict=True)
                )
            )
        ]
    ]


def name_of(table: Sequence[Sequence[Move]]) -> str:
    """A telling name for a table of moves, for files: `k3_+2.00`, `k0-4_+2.00`."""
    ks, alphas = [row[0].steps[0][0] for row in table], [move.steps[0][1] for move in table[0]]
    if len(table) == len(alphas) == 1:
        return table[0][0].name
    steps = f"{alphas[0]:+.2f}" + (f"to{alphas[-1]:+.2f}" if len(alphas) > 1 else "")
    return f"k{format_range(ks)}_{steps}"


def parse_span(text: str) -> tuple[float, float]:
    """First and last step of a sweep, `-3:3`. Raises UsageError for anything else."""
    first, colon, last = text.partition(":")
    if not colon:
        raise UsageError(f"range {text!r} is not a sweep", "first:last, such as -3:3")
    return parse_alpha(first), parse_alpha(last)


def parse_direction(bundle: Bundle, text: str) -> int:
    """The one direction that `text` names. Raises UsageError where it names several or none."""
    found = bundle.indices(text)
    if len(found) > 1:
        raise UsageError(
            f"--k {text} names {len(found)} directions",
            "one here",
            "A range goes with a single --k and --alpha of `sefa edit`.",
        )
    return found[0]


def parse_alpha(text: str) -> float:
    """A finite step; raises UsageError for anything else."""
    try:
        alpha = float(text)
    except ValueError:
        raise UsageError(f"alpha {text!r} is not a number", "a step such as 2 or -1.5") from None
    if not math.isfinite(alpha):
        raise UsageError(f"alpha {text} is not finite", "a step such as 2 or -1.5")
    return alpha
