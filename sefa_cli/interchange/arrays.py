"""Directions from bare arrays: boundaries, rows of directions, W+ arrays.

Such a file does not name its axes. The published files suggest a rule: eigenvectors and boundaries
are unit rows; a W+ array has a row per layer, mostly one row repeated, and not of unit length.
"""

import numpy as np
from numpy.typing import NDArray

from sefa_cli.errors import SefaError
from sefa_cli.interchange.foreign import Foreign, Latent, check_width

ROWS = ("npy", "resefa", "interfacegan", "lowrankgan")  # (k, dim): a direction per row
PER_LAYER = ("w+", "e4e")  # (layers, dim) or (k, layers, dim): a row per layer
_NEAR = 1e-3  # the largest deviation of published unit rows from 1


def from_array(array: NDArray[np.floating], latent: Latent, wanted: str | None) -> Foreign:
    """Return the directions in a bare array; `wanted` (a format) names its axes.

    Raises SefaError for another shape or width, and for what may be latent codes.
    """
    check_width(array, latent)
    vectors = array.astype(np.float64)
    if vectors.ndim == 1:
        vectors = vectors[None]
    if vectors.ndim > 3:
        raise SefaError(f"an array of shape {array.shape} does not hold directions",
                        "two or three axes", "Jacobians and pictures have more.")  # fmt: skip
    if vectors.ndim == 3:
        return _stacked(vectors, wanted)
    notes: tuple[str, ...] = ()
    if wanted in PER_LAYER:
        per_layer = len(vectors) > 1
    elif wanted in ROWS:
        per_layer = False
    else:
        per_layer = _reads_as_layers(vectors, latent)
        notes = _doubts(vectors, per_layer)
    if per_layer:
        return Foreign(format=wanted or "w+", vectors=vectors[None], notes=notes)
    if len(vectors) > latent.dim:
        raise SefaError(
            f"{len(vectors):,} rows are more than the {latent.dim} dimensions of the latent",
            "directions",
            "StyleCLIP's fs3.npy looks like this; it holds style channels, not latent codes.",
        )
    form = wanted or ("interfacegan" if len(vectors) == 1 else "npy")
    return Foreign(format=form, vectors=vectors, notes=notes)


def _doubts(vectors: NDArray[np.float64], per_layer: bool) -> tuple[str, ...]:
    """Return another reading of the rows, if only their number and length decided."""
    if len(vectors) == 1 or (vectors == vectors[0]).all():
        return ()
    if per_layer:
        return (f"read as one direction with a row per layer; if it holds {len(vectors)} "
                "directions, use --format npy",)  # fmt: skip
    if (np.abs(np.linalg.norm(vectors, axis=1) - 1) < _NEAR).all():
        return ()
    return (f"read as {len(vectors)} directions, although not of unit length; if it holds one "
            "with a row per layer, use --format w+",)  # fmt: skip


def _stacked(vectors: NDArray[np.float64], wanted: str | None) -> Foreign:
    """Return `(k, layers, dim)` as directions if each has unit length or repeats one row."""
    rows = vectors.shape[1]
    repeated = rows > 1 and (vectors == vectors[:, :1]).all()
    unit = np.abs(np.linalg.norm(vectors.reshape(len(vectors), -1), axis=1) - 1) < _NEAR
    if not (wanted or repeated or unit.all()):
        raise SefaError(
            f"an array of shape {vectors.shape} may hold latent codes",
            "directions",
            f"If it holds directions, use --format {'npy' if rows == 1 else 'w+'}; "
            "for codes, use --codes.",
        )
    if rows > 1:
        return Foreign(format=wanted or "w+", vectors=vectors)
    return Foreign(format=wanted or "npy", vectors=vectors[:, 0])


def _reads_as_layers(vectors: NDArray[np.float64], latent: Latent) -> bool:
    """Return whether the rows are the layers of one direction, not a direction each."""
    if len(vectors) == 1:
        return False
    if (vectors == vectors[0]).all():
        return True
    moving = vectors[vectors.any(axis=1)]
    unit = np.abs(np.linalg.norm(moving, axis=1) - 1) < _NEAR
    whole = len(moving) == len(vectors)
    return len(vectors) == latent.num_layers and not (unit.all() and whole)
