"""The sum that every edit stands for: code′ = code + Σ αᵢ nᵢ. Nothing else adds to a code.

Pure functions of arrays: they know neither bundles nor networks, and need no torch. SeFa moves z
(Shen & Zhou, CVPR 2021, equation 1); in a style-based generator the same sum moves w, on some
layers or on all.
"""

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from sefa_cli.arguments import check_digits, in_short
from sefa_cli.errors import MismatchError, UsageError
from sefa_cli.ranges import format_range

if TYPE_CHECKING:
    import torch

Codes = TypeVar("Codes", NDArray[np.float32], "torch.Tensor")  # (n, layers, dim) or (n, dim)
MOST_ALPHA = 1000.0  # a code's own length is about √512, and suggested steps end at 10
Rows = NDArray[np.float32]  # (layers, dim)
MOST_PSI = 2  # further from the mean no published network gives a picture


def shift(directions: Rows, steps: Iterable[tuple[int, float]], layers: int) -> Rows:
    """Return Σ αᵢ nᵢ as a row for each layer.

    Args:
        directions: The unit vectors n, float32 `(k, dim)`, or `(k, layers, dim)` with a row for
            each layer.
        steps: Pairs (i, αᵢ); α is in units of the latent.
        layers: How many layers are moved.

    Returns:
        float32 `(layers, dim)`.

    Example:
        >>> shift(np.eye(3, dtype=np.float32), [(0, 2.0), (2, -1.0)], layers=2)
        array([[ 2.,  0., -1.],
               [ 2.,  0., -1.]], dtype=float32)
    """
    total = np.zeros((layers, directions.shape[-1]), np.float32)
    for k, alpha in steps:
        total += np.float32(alpha) * directions[k]  # (dim,) or (layers, dim)
    return total


def parse_alpha(step: str | float) -> float:
    """Return a step as a number; raises UsageError unless it is finite and at most 1000."""
    check_digits("alpha", step)
    try:
        alpha = float("" if isinstance(step, bool) else step)
    except (TypeError, ValueError):
        raise UsageError(f"alpha must be a number, got {in_short(step)}") from None
    if not math.isfinite(alpha):
        raise UsageError(f"alpha must be finite, got {step}")
    if abs(alpha) > MOST_ALPHA:
        raise UsageError(
            f"alpha must be between -{MOST_ALPHA:g} and {MOST_ALPHA:g}, got {alpha:g}",
            remedy="`sefa inspect` shows each direction's suggested step.",
        )
    return alpha


def check_space(directions: str, codes: str) -> None:
    """Raise MismatchError for directions of z where the codes are w."""
    if directions == "z" and codes == "w":
        raise MismatchError(
            "the bundle's directions are for z, but the codes are w",
            "directions for w",
            "If they are for w after all, import them again: `sefa import --space w`.",
        )


def check_truncation(psi: float | None, what: str = "truncation") -> None:
    """Raise UsageError for a truncation that gives no picture."""
    number = isinstance(psi, int | float | np.number)
    if psi is not None and not (number and abs(psi) <= MOST_PSI):
        got = f"{psi:g}" if number else repr(psi)
        raise UsageError(f"{what} must be between -{MOST_PSI} and {MOST_PSI}, got {got}")


def for_every_layer(codes: Codes, count: int) -> Codes:
    """Return codes `(n, dim)` as `(n, count, dim)`, the same on every layer.

    Codes that have layers already, and those of a model with a single one, come back as they are.

    Example:
        >>> for_every_layer(np.ones((2, 3)), count=4).shape
        (2, 4, 3)
    """
    if codes.ndim != 2 or count == 1:
        return codes
    if isinstance(codes, np.ndarray):
        return np.repeat(codes[:, None], count, axis=1)
    return codes[:, None].repeat(1, count, 1)


def on_layers(rows: Rows, own: Sequence[int], layers: Sequence[int], per_layer: bool) -> Rows:
    """Return the rows that move `layers` instead of their own layers.

    Args:
        rows: float32 `(len(own), dim)`.
        own: The code indices that the rows belong to.
        layers: The code indices to move.
        per_layer: Whether each layer has a row of its own; otherwise all rows are the same.

    Returns:
        float32 `(len(layers), dim)`.

    Raises:
        UsageError: With `per_layer`, one of `layers` has no row.
    """
    if not per_layer:
        return rows[:1].repeat(len(layers), axis=0)
    if missing := [layer for layer in layers if layer not in own]:
        raise UsageError(
            f"the directions have no row for layer {missing[0]}", f"layers of {format_range(own)}"
        )
    return rows[[own.index(layer) for layer in layers]]


def add(codes: Codes, rows: Rows, layers: Sequence[int]) -> Codes:
    """Return code + shift as a new array or tensor of the shape of `codes`.

    Args:
        codes: A numpy array or a tensor `(n, num_layers, dim)`, or `(n, dim)` where the model's
            z is one code.
        rows: What is added on each of `layers`, float32 `(len(layers), dim)`.
        layers: Code indices, starting at 0. They do not matter where z is one code.

    Raises:
        MismatchError: The codes have another dimension, or too few layers.

    Example:
        >>> add(np.zeros((1, 2, 3)), np.array([[0, 0, 5]], np.float32), layers=[1])
        array([[[0., 0., 0.],
                [0., 0., 5.]]])
    """
    if codes.shape[-1] != rows.shape[-1]:
        raise MismatchError(
            f"the bundle's directions have {rows.shape[-1]} numbers, the model's latent has "
            f"{codes.shape[-1]}",
            remedy="Use the model the bundle was made from.",
        )
    if codes.ndim == 3 and max(layers) >= codes.shape[1]:
        raise MismatchError(
            f"the directions move layer {max(layers)}, but the model has {codes.shape[1]} layers",
            remedy="Choose other layers.",
        )
    if isinstance(codes, np.ndarray):
        moved, step = codes.copy(), rows.astype(codes.dtype)
    else:
        moved, step = codes.clone(), codes.new_tensor(rows)
    if codes.ndim == 2:
        moved += step.sum(0)
    else:
        moved[:, list(layers)] += step
    return moved
