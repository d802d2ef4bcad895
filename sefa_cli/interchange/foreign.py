"""The content of another tool's file, before it becomes a bundle."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sefa_cli.errors import SefaError

MEAN = "x.sefa.mean"  # a bundle's private tensor for the mean of its components


class Latent(NamedTuple):
    """The latent of the model that the directions belong to."""

    num_layers: int
    dim: int


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """k vectors as written in the file, with its facts about each."""

    format: str  # a name of formats.py
    vectors: NDArray[np.float64]  # (k, dim), or (k, n, dim): a row per layer
    layers: tuple[int, ...] | None = None  # n code indices, if the file has them
    factors: NDArray[np.float64] | None = None  # (k,) additional lengths
    labels: tuple[str | None, ...] = ()
    origins: tuple[dict[str, Any], ...] = ()  # k entries for `from`
    mean: NDArray[np.float64] | None = None  # (dim,) the mean of its components
    notes: tuple[str, ...] = field(default=())  # sentences for the user


def check_width(array: NDArray[Any], latent: Latent, what: str = "the array") -> None:
    """Raise SefaError unless these are floats with the latent's dimension as last axis."""
    if array.dtype.kind != "f":
        raise SefaError(f"{what} is of type {array.dtype}", "floating-point numbers")
    if array.ndim == 0 or 0 in array.shape:
        raise SefaError(f"{what} is empty: its shape is {array.shape}")
    if array.shape[-1] != latent.dim:
        raise SefaError(
            f"{what} of shape {array.shape} is {array.shape[-1]} wide",
            f"{latent.dim}, the dimension of the model's latent",
        )
