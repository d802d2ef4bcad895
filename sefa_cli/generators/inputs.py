"""What callers hand to a generator, checked: arrays, seeds, labels, sizes."""

import math
from collections.abc import Iterable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike
from torch import Tensor

from sefa_cli.arguments import in_short
from sefa_cli.errors import SefaError, UsageError, either
from sefa_cli.ranges import is_whole

Array = Tensor | ArrayLike
Shape = tuple[int | str, ...]  # a word names a side that may have any length but 0


def as_tensor(value: Array, what: str, shapes: Iterable[Shape]) -> Tensor:
    """`value` as a tensor, on its own device, if it has one of `shapes`; else SefaError."""
    try:
        tensor = value if isinstance(value, Tensor) else torch.from_numpy(np.array(value))
    except (TypeError, ValueError):
        got = in_short(value)
        raise UsageError(f"{what} must be an array or a tensor of numbers, got {got}") from None
    if not any(_fits(tensor, shape) for shape in shapes):
        verb = "have" if what.endswith("s") else "has"
        shape = _text(tensor.shape)
        raise SefaError(f"{what} {verb} the shape {shape}", either(map(_text, shapes)))
    return tensor


def as_floats(value: Array, what: str, shapes: Iterable[Shape]) -> Tensor:
    """`as_tensor` for z and codes, which are floats."""
    tensor = as_tensor(value, what, shapes)
    if not tensor.is_floating_point():
        raise UsageError(f"{what} must be an array or a tensor of floats, got {tensor.dtype}")
    return tensor


def _text(shape: Iterable[int | str]) -> str:
    """`(12,)`, `(n, 12)`."""
    return str(tuple(shape)).replace("'", "")


def _fits(tensor: Tensor, shape: Shape) -> bool:
    return tensor.ndim == len(shape) and all(
        length > 0 if isinstance(side, str) else length == side
        for side, length in zip(shape, tensor.shape, strict=True)
    )


def as_seeds(seeds: Iterable[int]) -> list[int]:
    """Seeds as integers that numpy's generator takes; at least one. Raises SefaError."""
    numbers = list(seeds) if isinstance(seeds, Iterable) and not isinstance(seeds, bytes) else None
    if numbers is None or not all(is_whole(seed, -math.inf) for seed in numbers):
        got = in_short(seeds)
        raise UsageError(f"seeds must be whole numbers, got {got}", "a list such as [0, 1, 2]")
    if not numbers:
        raise SefaError("no seeds", "at least one")
    if wrong := [seed for seed in numbers if not 0 <= seed < 2**32]:
        raise SefaError(f"seed {in_short(wrong[0])} is out of range", f"0-{2**32 - 1}")
    return [int(seed) for seed in numbers]


def as_one_hot(label: Array | None, n: int, classes: int) -> Tensor | None:
    """Labels `(n,)` or one-hot rows `(n, classes)` as rows; None for unconditional networks.

    Raises SefaError for a label that is missing, out of range, or of no use.
    """
    if classes == 0:
        if label is None or np.shape(label) == (n, 0):  # NVIDIA's tools pass such empty rows
            return None
        raise UsageError("the model has no classes", remedy="Leave out the class.")
    expected = f"label, one of 0-{classes - 1}, for each of {n} samples"
    if label is None:
        raise UsageError(
            f"no label for a network of {classes} classes", expected, "Give one with label=."
        )
    labels = as_tensor(label, "label", [(n,), (n, classes)])
    if labels.ndim == 2:
        return labels
    if labels.is_floating_point() or labels.is_complex():
        raise SefaError(f"labels of type {labels.dtype}", "integers")
    if wrong := [index for index in labels.tolist() if not 0 <= index < classes]:
        raise SefaError(f"label {wrong[0]} is out of range", expected)
    return F.one_hot(labels.long(), classes)


def as_size(size: int | None, largest: int) -> int:
    """Return the side in pixels: `size`, or `largest` for None. Raises UsageError out of range."""
    if size is not None and not is_whole(size, -math.inf):
        raise UsageError(f"size must be a whole number or None, got {in_short(size)}")
    pixels = largest if size is None else int(size)
    if not 1 <= pixels <= largest:
        raise UsageError(f"size {size} is out of range", f"1-{largest} pixels")
    return pixels
