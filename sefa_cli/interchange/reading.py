"""A bundle from another tool's file: recognized, cut to layers, folded, normalized."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.rules import SPACES
from sefa_cli.container import Tensor
from sefa_cli.containers.contents import Contents
from sefa_cli.errors import SefaError, UsageError, either
from sefa_cli.file_kinds import not_here
from sefa_cli.interchange.arrays import PER_LAYER, ROWS, from_array
from sefa_cli.interchange.components import from_ganspace
from sefa_cli.interchange.containers import Archive, opened
from sefa_cli.interchange.foreign import MEAN, Foreign, Latent
from sefa_cli.interchange.formats import FORMATS
from sefa_cli.interchange.gguf import ControlVector
from sefa_cli.interchange.labels import label_in_name, usable_labels
from sefa_cli.interchange.trees import from_tree
from sefa_cli.ranges import format_range

# A norm this close to 1 is a float32 unit vector; division would only change its last bits.
_UNIT = 1e-6


def read_directions(
    path: Path | str,
    model: Mapping[str, Any],
    *,
    space: str,
    layers: Sequence[int] | None = None,
    format: str | None = None,
) -> tuple[Bundle, tuple[str, ...]]:
    """Read another tool's file of directions.

    Args:
        path: The file.
        model: The card of the model they belong to (`projections.model_card`).
        space: What they move: "z", "w" or "w+".
        layers: The code indices they move. Default: those in the file, else all.
        format: A name of formats.py, to override what the content looks like.

    Returns:
        The bundle, and sentences about what it could not keep.

    Raises:
        SefaError: The file does not hold directions for this model; the error names the file.
    """
    path = Path(path)
    if space not in SPACES:
        raise UsageError(f"unknown space {space!r}", either(SPACES))
    latent = Latent(model["num_layers"], model["z_dim" if space == "z" else "w_dim"])
    if not path.exists():
        raise not_here(path)
    if path.is_dir():
        endings = {form.suffix for form in FORMATS.values()}
        one = min((file for file in path.iterdir() if file.suffix in endings), default=None)
        raise SefaError(
            f"{path} is a folder",
            f"a file, such as {one}" if one else "a file",
            "Import its files one by one; `sefa pick` joins the bundles." if one else "",
        )
    try:
        found = _recognized(path, latent, format)
        return _bundle(found, path.name, model, space, layers), found.notes
    except SefaError as error:
        if error.found.startswith(f"{path} ") or f"{path}: " in error.found:
            raise  # it already names the file
        raise error.about(path) from error


def _recognized(path: Path, latent: Latent, wanted: str | None) -> Foreign:
    content = opened(path)
    axes = wanted if wanted in (*ROWS, *PER_LAYER) else None
    if isinstance(content, np.ndarray):
        found = from_array(content, latent, axes)
    elif isinstance(content, Archive):
        found = _from_archive(content, latent)
    elif isinstance(content, Contents):
        found = from_tree(content, latent, axes)
    else:
        found = _from_control_vector(content, latent)
    if wanted not in (None, found.format):
        raise SefaError(f"its format is {found.format}", str(wanted))
    if len(found.vectors) == 1 and not any(found.labels):
        found = replace(found, labels=(label_in_name(path.name),))
    return found


def _from_archive(archive: Archive, latent: Latent) -> Foreign:
    if "lat_comp" in archive and "lat_stdev" in archive:
        return from_ganspace(archive, latent)
    if "w" in archive or "z" in archive:
        raise SefaError("it holds latent codes, not directions", remedy="Use it as --codes.")
    shown = ", ".join(repr(name[:30]) for name in archive.names[:4])
    raise SefaError(f"it is an archive with {shown}", "GANSpace's keys lat_comp and lat_stdev")


def _from_control_vector(vector: ControlVector, latent: Latent) -> Foreign:
    rows = vector.rows[None]  # (1, n, dim)
    if rows.shape[-1] != latent.dim:
        raise SefaError(f"its vectors are {rows.shape[-1]} wide", f"{latent.dim}, as the model's")
    return Foreign(
        format="gguf",
        vectors=rows,
        layers=tuple(layer - 1 for layer in vector.layers),  # they count from 1
        labels=(vector.name or None,),
        origins=({"model_hint": vector.hint} if vector.hint else {},),
    )


def _bundle(
    found: Foreign,
    name: str,
    model: Mapping[str, Any],
    space: str,
    layers: Sequence[int] | None,
) -> Bundle:
    vectors, indices = _on_layers(found, model["num_layers"], space, layers)
    if vectors.ndim == 3:
        vectors, indices = _folded(vectors, indices)
    directions, norms = _unit(vectors)
    scales = norms if found.factors is None else norms * found.factors
    labels = usable_labels(found.labels, len(directions))
    info = []
    for row, (label, scale) in enumerate(zip(labels, scales, strict=True)):
        if not (np.isfinite(scale) and scale > 0):
            raise SefaError(f"the deviation of direction {row} is {scale:g}", "a number above 0")
        origin = {"file": _plain(name), "format": found.format, "row": row}
        if found.origins:
            origin |= found.origins[row]
        about: dict[str, Any] = {"from": origin}
        if label is not None:
            about["label"] = label
        if scale != 1:
            about["scale"] = float(scale)
        info.append(about)
    return Bundle(
        directions=directions.astype(np.float32),
        layers=np.array(indices),
        method="imported",
        params={"file": _plain(name), "format": found.format, "layers": format_range(indices)},
        space="w+" if directions.ndim == 3 and space == "w" else space,
        model=dict(model),
        info=tuple(info),
        private={} if found.mean is None else {MEAN: _tensor(found.mean)},
    )


def _on_layers(
    found: Foreign, num_layers: int, space: str, wanted: Sequence[int] | None
) -> tuple[NDArray[np.float64], list[int]]:
    """Return the vectors on the requested layers, and those layers in increasing order."""
    vectors = found.vectors
    if vectors.ndim == 2:
        if space == "z":  # z enters once: there are no layers to choose
            return vectors, [0]
        return vectors, sorted(wanted) if wanted is not None else list(range(num_layers))
    rows = vectors.shape[1]
    own = found.layers or (tuple(range(num_layers)) if rows == num_layers else None)
    if own is None and wanted is not None and rows == len(wanted):
        own = tuple(sorted(wanted))
    if own is None:
        given = f", and --layers names {len(wanted)}" if wanted is not None else ""
        raise SefaError(
            f"its directions have {rows} rows, one per layer; the model has {num_layers} "
            f"layers{given}",
            remedy=f"Use --layers to name the {rows} layers they move.",
        )
    if wanted is None:
        wanted = own
    if missing := [layer for layer in wanted if layer not in own]:
        raise UsageError(f"the file has no row for layer {missing[0]}", f"of {format_range(own)}")
    if max(own) >= num_layers:
        raise SefaError(f"it moves layer {max(own)}", f"layers 0-{num_layers - 1} of the model")
    indices = sorted(wanted)
    return vectors[:, [own.index(layer) for layer in indices]], indices


def _folded(
    vectors: NDArray[np.float64], layers: list[int]
) -> tuple[NDArray[np.float64], list[int]]:
    """Drop layers that do not move from `(k, n, dim)`; return `(k, dim)` if all move alike."""
    moving = np.atleast_1d(vectors.any(axis=(0, 2)))  # (n,)
    if moving.any():
        vectors = vectors[:, moving]
        layers = [layer for layer, moves in zip(layers, moving, strict=True) if moves]
    if (vectors == vectors[:, :1]).all():
        return vectors[:, 0], layers
    return vectors, layers


def _unit(vectors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return unit vectors, and their former lengths (1 for unit vectors)."""
    flat = vectors.reshape(len(vectors), -1)
    for row, vector in enumerate(flat):
        if not np.isfinite(vector).all():
            raise SefaError(f"direction {row} holds NaN or infinity", "finite numbers")
    with np.errstate(over="ignore"):
        norms = np.linalg.norm(flat, axis=1)
    if np.isinf(norms).any():
        raise SefaError(f"the length of direction {int(norms.argmax())} overflows")
    if not norms.all():
        raise SefaError(f"direction {int((norms == 0).argmax())} is zero")
    norms = np.where(np.abs(norms - 1) < _UNIT, 1.0, norms)
    return vectors / norms.reshape(-1, *[1] * (vectors.ndim - 1)), norms


def _tensor(values: NDArray[np.float64]) -> Tensor:
    return Tensor("F32", values.shape, values.astype("<f4").tobytes())


def _plain(name: str) -> str:
    """Return a file's name as text for JSON, whatever bytes it has."""
    return name.encode("utf-8", "replace").decode("utf-8")
