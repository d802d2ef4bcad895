"""A bare array of numbers → directions: boundaries, rows of directions, W+ arrays.

Nothing in such a file says what its axes are. What is known of the published files decides:
directions of eigenvectors and boundaries are unit rows; a W+ array has a row per layer, mostly
the same row repeated, and is not of unit length.
"""

import numpy as np
from numpy.typing import NDArray

from sefa_cli.errors import SefaError
from sefa_cli.interchange.foreign import Foreign, Latent, check_width

ROWS = ("npy", "resefa", "interfacegan", "lowrankgan")  # (k, dim): a direction per row
PER_LAYER = ("w+", "e4e")  # (layers, dim) or (k, layers, dim): a row per layer
_NEAR = 1e-3  # how far published unit rows are from 1, at most
_OTHERWISE = "say so if it holds"


def from_array(array: NDArray[np.floating], latent: Latent, wanted: str | None) -> Foreign:
    """The directions in a bare array; `wanted` (a format) says what its axes are.

    Raises SefaError for what is no direction set, of another width, or may be latent codes.
    """
    check_width(array, latent)
    vectors = array.astype(np.float64)
    if vectors.ndim == 1:
        vectors = vectors[None]
    if vectors.ndim > 3:
        raise SefaError(f"an array of shape {array.shape} is no direction set",
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
            "StyleCLIP's fs3.npy, of style channels, looks like this; styles are not codes.",
        )
    form = wanted or ("interfacegan" if len(vectors) == 1 else "npy")
    return Foreign(format=form, vectors=vectors, notes=notes)


def _doubts(vectors: NDArray[np.float64], per_layer: bool) -> tuple[str, ...]:
    """What else the rows may be, where only their number and their length told it."""
    if len(vectors) == 1 or (vectors == vectors[0]).all():
        return ()
    if per_layer:
        return (f"read as one direction, a row per layer; {_OTHERWISE} {len(vectors)}: "
                "--format npy",)  # fmt: skip
    if (np.abs(np.linalg.norm(vectors, axis=1) - 1) < _NEAR).all():
        return ()
    return (f"read as {len(vectors)} directions, though not of unit length; {_OTHERWISE} one, "
            "a row per layer: --format w+",)  # fmt: skip


def _stacked(vectors: NDArray[np.float64], wanted: str | None) -> Foreign:
    """(k, layers, dim): directions if each is of unit length or one row repeated, else unclear.

    With one row each, (k, 1, dim), repetition says nothing.
    """
    rows = vectors.shape[1]
    repeated = rows > 1 and (vectors == vectors[:, :1]).all()
    unit = np.abs(np.linalg.norm(vectors.reshape(len(vectors), -1), axis=1) - 1) < _NEAR
    if not (wanted or repeated or unit.all()):
        raise SefaError(
            f"an array of shape {vectors.shape} may hold latent codes",
            "directions",
            f"If it holds directions say --format {'npy' if rows == 1 else 'w+'}; "
            "codes are for `--codes`.",
        )
    if rows > 1:
        return Foreign(format=wanted or "w+", vectors=vectors)
    return Foreign(format=wanted or "npy", vectors=vectors[:, 0])


def _reads_as_layers(vectors: NDArray[np.float64], latent: Latent) -> bool:
    """Whether the rows are one direction's, one per layer, rather than a direction each."""
    if len(vectors) == 1:
        return False
    if (vectors == vectors[0]).all():
        return True
    moving = vectors[vectors.any(axis=1)]
    unit = np.abs(np.linalg.norm(moving, axis=1) - 1) < _NEAR
    whole = len(moving) == len(vectors)
    return len(vectors) == latent.num_layers and not (unit.all() and whole)
