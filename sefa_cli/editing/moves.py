"""Moves along directions: what `--k`, `--alpha` and the steps of `edit` mean."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sefa_cli.arguments import in_short
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.canonical import shown
from sefa_cli.editing.sum import parse_alpha
from sefa_cli.errors import UsageError, either
from sefa_cli.ranges import check_once, format_range, is_whole

EASES = ("linear", "smooth")
MOST_STEPS = 201  # of one sweep or range


@dataclass(frozen=True)
class Move:
    """One move: the sum Σ αᵢ nᵢ over its steps (k, α); α is in units of the latent."""

    steps: tuple[tuple[int, float], ...]

    def __post_init__(self) -> None:
        check_once([k for k, _ in self.steps], "direction")

    @property
    def name(self) -> str:
        """For file names: `k3_+2.00`, several steps joined."""
        return "_".join(f"k{k}_{alpha:+.2f}" for k, alpha in self.steps)


AUTO = "auto"  # instead of α: the step that the bundle suggests
AUTO_STEPS = (-2, -1, 1, 2)  # in suggested steps
FARTHEST = 2.0  # suggested steps, to both sides, of films and reports

Step = float | str  # "auto" is the only text
Table = Sequence[Sequence[Move]]  # a row for each direction, a column for each step
Steps = (
    Mapping[Any, Step | Sequence[float]]
    | Iterable[tuple[str | int, Step] | str | int]
    | str
    | int
    | Table
)  # {"smile": 2, 3: -1}, {"smile": [-2, 2]}, [("smile", "auto")], "smile", or a table of moves


def moves_of(bundle: Bundle, steps: Steps) -> Table:
    """Return the table of moves that `steps` stands for.

    Args:
        bundle: The bundle whose directions are named.
        steps: Steps by index or label, as a mapping or as pairs, make one move along all of
            them. A list of steps makes a column for each; it must be the only one. "auto" is the
            suggested step (`Bundle.step`); alone it makes columns of -2, -1, 1 and 2 of them, and
            so does a direction without a step, a row for each. A table is returned as it is.

    Raises:
        UsageError: A direction does not exist, a step is not a finite number, or several
            directions have a list of steps.

    Example:
        >>> bundle = sefa.factorize(tiny, num=4).name({1: "smile"})
        >>> from sefa_cli.editing.moves import moves_of
        >>> moves_of(bundle, {"smile": 2, 3: -1})[0][0].name
        'k1_+2.00_k3_-1.00'
        >>> [move.name for move in moves_of(bundle, {"smile": [-2, 2]})[0]]
        ['k1_-2.00', 'k1_+2.00']
    """
    if isinstance(steps, str) or is_whole(steps, -math.inf):
        return [auto_moves(bundle, bundle.index(steps))]  # type: ignore[arg-type]
    if not isinstance(steps, Iterable):
        steps = [steps]
    pairs: list[Any] = list(steps.items()) if isinstance(steps, Mapping) else list(steps)
    if pairs and all(isinstance(name, str) or is_whole(name, -math.inf) for name in pairs):
        return [auto_moves(bundle, bundle.index(name)) for name in pairs]
    if pairs and isinstance(pairs[0], Sequence) and all(isinstance(m, Move) for m in pairs[0]):
        return pairs
    expected = 'directions and steps such as {"smile": 2, 3: -1}'
    if odd := [pair for pair in pairs if not isinstance(pair, tuple | list) or len(pair) != 2]:
        raise UsageError(f"steps must be directions, got {in_short(odd[0])}", expected)
    pairs = [(name, _plain(step)) for name, step in pairs]
    if not pairs or any(isinstance(step, Sequence) and not step for _, step in pairs):
        raise UsageError("no step given", expected)
    found = [(bundle.index(name), step) for name, step in pairs]
    if len(found) == 1 and found[0][1] == AUTO:
        return [auto_moves(bundle, found[0][0])]
    listed = [step for _, step in found if isinstance(step, Sequence) and not isinstance(step, str)]
    if not listed:
        return [[Move(tuple((k, alpha_of(bundle, k, step)) for k, step in found))]]
    if len(found) > 1:
        raise UsageError("a list of steps with several directions", "one direction at a time")
    return [[Move(((found[0][0], parse_alpha(step)),)) for step in listed[0]]]


def _plain(step: Any) -> Any:
    """Return an array's or a tensor's steps as numbers; anything else as it is."""
    return step.tolist() if hasattr(step, "tolist") else step


def auto_moves(bundle: Bundle, k: int) -> list[Move]:
    """Return the moves of -2, -1, 1 and 2 suggested steps along direction `k`."""
    return [Move(((k, n * bundle.step(k)),)) for n in AUTO_STEPS]


def alpha_of(bundle: Bundle, k: int, step: str | float) -> float:
    """Return α as a number: "auto" is the suggested step. Raises UsageError as `parse_alpha`."""
    return bundle.step(k) if step == AUTO else parse_alpha(step)


def parse_moves(bundle: Bundle, ks: Sequence[str], alphas: Sequence[str]) -> list[list[Move]]:
    """Return the table of moves that the repeated options `--k` and `--alpha` mean.

    One `--k` (indices, ranges and labels) with one `--alpha` (a number, or several with commas)
    gives a row for each direction and a column for each α. Several pairs make one move. "auto" is
    one suggested step; with one `--k` it makes columns of -2, -1, 1 and 2 of them. Without any
    `--alpha` all are "auto".
    Raises UsageError for an unknown direction, an α that is not a finite number, or unequal
    counts.
    """
    if not ks:
        raise UsageError("a direction is missing", "--k 3")
    alphas = alphas or [AUTO] * len(ks)
    if len(ks) == 1 and list(alphas) == [AUTO]:
        return [auto_moves(bundle, k) for k in bundle.indices(ks[0])]
    if len(ks) == len(alphas) == 1:
        steps = parse_alphas(alphas[0])
        return [[Move(((k, a),)) for a in steps] for k in bundle.indices(ks[0])]
    if len(ks) != len(alphas):
        raise UsageError(
            f"{len(ks)} --k with {len(alphas)} --alpha", "one --alpha for each --k",
            "Pairs combine into one move.",
        )  # fmt: skip
    pairs = [(parse_direction(bundle, k), alpha) for k, alpha in zip(ks, alphas, strict=True)]
    return [[Move(tuple((k, alpha_of(bundle, k, alpha)) for k, alpha in pairs))]]


def name_of(table: Sequence[Sequence[Move]]) -> str:
    """Return a name for a table of moves, for files: `k3_+2.00`, `k0-4_+2.00`."""
    ks, alphas = [row[0].steps[0][0] for row in table], [move.steps[0][1] for move in table[0]]
    if len(table) == len(alphas) == 1:
        return table[0][0].name
    steps = f"{alphas[0]:+.2f}" + (f"to{alphas[-1]:+.2f}" if len(alphas) > 1 else "")
    return f"k{format_range(ks)}_{steps}"


def check_ease(ease: object) -> None:
    """Raise UsageError unless this says how a film goes from one stop to the next."""
    if ease not in EASES:
        raise UsageError(f"unknown ease {ease!r}", either(EASES))


def check_seconds(name: str, seconds: float) -> None:
    """Raise UsageError for a time that a film cannot have: it lasts an hour at most."""
    if not 0 <= seconds <= 3600:
        raise UsageError(f"{name} must be between 0 and 3600 seconds, got {seconds:g}")


def stops_of(span: Sequence[float] | str) -> list[float]:
    """Return the steps where a sweep begins, turns and ends: `-3:3`, `0,3,-3,0` or `(-3, 3)`.

    Raises UsageError for anything else.
    """
    parts = span.replace(":", ",").split(",") if isinstance(span, str) else np.atleast_1d(span)
    if len(parts) < 2:
        raise UsageError(f"range must be a sweep, got {in_short(span)}", "first:last, such as -3:3")
    stops = [parse_alpha(part) for part in parts]
    if len(set(stops)) == 1:
        raise UsageError(f"range {shown(span)} does not move", "two ends, such as -3:3")
    return stops


def ends_of(span: str) -> tuple[float, float]:
    """Return the first and the last step of a range such as `-3:3`.

    Raises UsageError for anything else.
    """
    first, *between, last = stops_of(span)
    if between:
        raise UsageError(f"range {span!r} has more than two ends", "first:last, such as -3:3")
    return first, last


def parse_alphas(text: str) -> list[float]:
    """Return the steps that `text` means: `2`, `-4,-2,2,4`, or `-3:3` for -3, -2, -1, 1, 2, 3.

    A range goes in steps of 1 and ends exactly at its end. It leaves out 0, which is the picture
    before the move.

    Raises:
        UsageError: A step is not a finite number, is given twice, or there are too many.

    Example:
        >>> parse_alphas("-2:2"), parse_alphas("0:1.5")
        ([-2.0, -1.0, 1.0, 2.0], [1.0, 1.5])
    """
    if ":" not in text:
        steps = [parse_alpha(part) for part in text.split(",")]
        check_once([f"{step:g}" for step in steps], "alpha")
        return steps
    first, last = ends_of(text)
    count = math.ceil(abs(last - first))
    if not 0 < count <= MOST_STEPS:
        raise UsageError(
            f"range {text!r} has {count + 1:,} steps", f"a range of 1 to {MOST_STEPS} units"
        )
    sign = math.copysign(1, last - first)
    steps = [first + sign * i for i in range(count)] + [last]
    return [step for step in steps if step != 0]


def parse_direction(bundle: Bundle, text: str) -> int:
    """Return the one direction that `text` names. Raises UsageError for several or none."""
    found = bundle.indices(text)
    if len(found) > 1:
        raise UsageError(
            f"--k {text} names {len(found):,} directions",
            "one here",
            "A range goes with a single --k and --alpha of `sefa edit`.",
        )
    return found[0]
