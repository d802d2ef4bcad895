"""The formats for writing directions: what each can hold, and how.

The facts come from published files. A test compares them with the table in `docs/formats.md`.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.errors import SefaError, UsageError, either
from sefa_cli.interchange.components import e4e_pca_bytes, ganspace_bytes
from sefa_cli.interchange.foreign import MEAN
from sefa_cli.interchange.gguf import ControlVector, control_vector_bytes
from sefa_cli.interchange.torch_writer import torch_archive
from sefa_cli.ranges import format_range


@dataclass(frozen=True)
class Chosen:
    """Directions of a bundle for one file."""

    bundle: Bundle
    ks: tuple[int, ...]

    @property
    def units(self) -> NDArray[np.float64]:
        """The unit vectors of the bundle: `(k, dim)` or `(k, n, dim)`."""
        return self.bundle.directions[list(self.ks)].astype(np.float64)

    @property
    def scales(self) -> NDArray[np.float64]:
        """The lengths in their source: `(k,)`."""
        return np.array([self.bundle.info[k].get("scale", 1.0) for k in self.ks])

    @property
    def vectors(self) -> NDArray[np.float64]:
        """The vectors with the lengths in their source, shaped as `units`."""
        units = self.units
        return units * self.scales.reshape(-1, *[1] * (units.ndim - 1))

    @property
    def per_layer(self) -> NDArray[np.float64]:
        """A row for every layer of the model, zero if it does not move: `(k, layers, dim)`."""
        vectors, layers = self.vectors, self.bundle.layers
        rows = np.zeros((len(self.ks), self.bundle.model["num_layers"], self.bundle.dim))
        rows[:, layers] = vectors if vectors.ndim == 3 else vectors[:, None]
        return rows

    @property
    def mean(self) -> NDArray[np.float64]:
        """The mean of imported components, else zero: `(dim,)`."""
        kept = self.bundle.private.get(MEAN)
        if kept is None or kept.dtype != "F32" or kept.shape != (self.bundle.dim,):
            return np.zeros(self.bundle.dim)
        return np.frombuffer(kept.data, "<f4").astype(np.float64)


@dataclass(frozen=True)
class Format:
    """One format; `holds` names any of "rows" (one per layer), "layers", "scale" and "labels"."""

    name: str
    about: str  # its tools and its content
    suffix: str
    single: bool  # one direction per file
    holds: frozenset[str]
    content: Callable[[Chosen], bytes]

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The suffixes that suit a file of this format."""
        return (".pt", ".pth") if self.suffix == ".pt" else (self.suffix,)

    def ending(self, space: str) -> str:
        """Return the end of the file name for one direction."""
        if self.name != "interfacegan":
            return self.suffix
        return "_boundary.npy" if space == "z" else "_w_boundary.npy"


def _npy(array: NDArray[np.floating]) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _ganspace(chosen: Chosen) -> bytes:
    origins = [chosen.bundle.info[k].get("from", {}) for k in chosen.ks]
    return ganspace_bytes(chosen.units, chosen.scales, chosen.mean, origins)


def _e4e(chosen: Chosen) -> bytes:
    """Return `(1, dim)` if one row moves every layer, as published; else `(layers, dim)`."""
    everywhere = len(chosen.bundle.layers) == chosen.bundle.model["num_layers"]
    flat = everywhere and chosen.bundle.directions.ndim == 2
    return torch_archive(chosen.vectors if flat else chosen.per_layer[0])


def _rosinality(chosen: Chosen) -> bytes:
    columns = chosen.vectors.T  # (dim, k)
    return torch_archive({"ckpt": str(chosen.bundle.model["ref"]), "eigvec": columns})


def _anycost(chosen: Chosen) -> bytes:
    return torch_archive(
        {
            chosen.bundle.labels[k] or f"direction {k}": vector[None]
            for k, vector in zip(chosen.ks, chosen.vectors, strict=True)
        }
    )


def _gguf(chosen: Chosen) -> bytes:
    layers = chosen.bundle.layers
    model = chosen.bundle.model
    vector = ControlVector(
        layers=tuple(int(layer) + 1 for layer in layers),  # they count from 1
        rows=chosen.per_layer[0][layers],
        hint=str(model["ref"]),
        name=chosen.bundle.labels[chosen.ks[0]] or "",
    )
    return control_vector_bytes(vector)


_ALL = frozenset({"rows", "layers", "scale", "labels"})
_SCALE, _NONE = frozenset({"scale"}), frozenset[str]()

FORMATS = {
    form.name: form
    for form in (
        Format("npy", "NumPy: the array (k, dim) or (k, layers, dim)", ".npy", False,
               frozenset({"rows", "scale"}), lambda c: _npy(c.vectors.astype(np.float32))),
        Format("w+", "STIT, stylegan-encoder, eps696: an array (layers, dim)", ".npy", True,
               _ALL - {"labels"}, lambda c: _npy(c.per_layer[0])),
        Format("interfacegan", "InterFaceGAN: a boundary (1, dim)", ".npy", True, _NONE,
               lambda c: _npy(c.units)),
        Format("lowrankgan", "LowRankGAN: a direction (1, dim)", ".npy", True, _NONE,
               lambda c: _npy(c.units)),
        Format("resefa", "ReSeFa: directions (k, dim)", ".npy", False, _NONE,
               lambda c: _npy(c.units.astype(np.float32))),
        Format("ganspace", "GANSpace: components and deviations", ".npz", False, _SCALE, _ganspace),
        Format("e4e-pca", "e4e: GANSpace's components as a torch file", ".pt", False, _SCALE,
               lambda c: e4e_pca_bytes(c.units, c.scales, c.mean)),
        Format("e4e", "e4e, PTI, HyperStyle: a tensor (1, dim) or (layers, dim)", ".pt", True,
               _ALL - {"labels"}, _e4e),
        Format("rosinality", "rosinality: factor.pt, a direction per column", ".pt", False, _SCALE,
               _rosinality),
        Format("anycost", "AnyCost-GAN: named boundaries", ".pt", False,
               frozenset({"scale", "labels"}), _anycost),
        Format("gguf", "llama.cpp, repeng: a control vector, a row per layer", ".gguf", True,
               _ALL, _gguf),
    )
}  # fmt: skip


def find_format(name: str) -> Format:
    """Return the format called `name`. Raises UsageError, with all names, if it is unknown."""
    if name not in FORMATS:
        raise UsageError(f"unknown format {name!r}", either(FORMATS))
    return FORMATS[name]


def content(form: Format, bundle: Bundle, ks: tuple[int, ...]) -> bytes:
    """Return the file of directions `ks`; equal directions give equal bytes.

    Raises SefaError if the format cannot hold a row per layer and they have one.
    """
    if bundle.directions.ndim == 3 and "rows" not in form.holds:
        able = [name for name, other in FORMATS.items() if "rows" in other.holds]
        raise SefaError(
            f"the directions have a row per layer, which {form.name} cannot hold",
            either(able),
        )
    return form.content(Chosen(bundle, ks))


def not_held(form: Format, bundle: Bundle, ks: tuple[int, ...]) -> list[str]:
    """Return in words what the file cannot hold of these directions, always the model."""
    info = [bundle.info[k] for k in ks]
    lost = []
    if "layers" not in form.holds and len(bundle.layers) < bundle.model["num_layers"]:
        lost.append(f"the layers ({format_range(bundle.layers.tolist())})")
    if "labels" not in form.holds and any("label" in about for about in info):
        lost.append("the labels")
    if "scale" not in form.holds and any("scale" in about for about in info):
        lost.append("the scales")
    if bundle.eigenvalues is not None:
        lost.append("the eigenvalues")
    if any(key in about for about in info for key in ("gain", "change", "annotation")):
        lost.append("their measurements")
    if bundle.mask is not None:
        lost.append("the region")
    return [*lost, "their space and the model's fingerprint"]
