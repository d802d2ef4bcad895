"""Principal components: GANSpace's `.npz` and the `*_pca.pt` of e4e.

Edits add component × standard deviation × sigma: the deviation becomes `scale`.
"""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.errors import SefaError
from sefa_cli.interchange.containers import Archive
from sefa_cli.interchange.foreign import Foreign, Latent, check_width
from sefa_cli.interchange.torch_writer import torch_archive

_NOT_KEPT = "the activations' components (act_comp, act_mean) are dropped: edits do not use them"


def from_ganspace(archive: Archive, latent: Latent) -> Foreign:
    """Read `lat_comp (k, 1, dim)`, `lat_stdev (k,)` and, if present, the other keys."""
    notes = (_NOT_KEPT,) if _has_own_activations(archive) else ()
    mean = archive.get("lat_mean")
    facts = {
        key: archive[key] for key in ("act_stdev", "var_ratio", "random_stdevs") if key in archive
    }
    return _foreign(
        "ganspace", archive["lat_comp"], archive["lat_stdev"], mean, latent, facts, notes
    )


def _has_own_activations(archive: Archive) -> bool:
    if "act_comp" not in archive:
        return False
    return not np.array_equal(archive["act_comp"], archive["lat_comp"])


def from_e4e_pca(
    comp: NDArray[Any], std: NDArray[Any], mean: NDArray[Any] | None, latent: Latent
) -> Foreign:
    """Return the directions of `comp (k, 1, dim)`, `std (k,)` and `mean (1, dim)`."""
    return _foreign("e4e-pca", comp, std, mean, latent, {}, ())


def _foreign(
    name: str,
    comp: NDArray[Any],
    deviations: NDArray[Any],
    mean: NDArray[Any] | None,
    latent: Latent,
    facts: dict[str, NDArray[Any]],
    notes: tuple[str, ...],
) -> Foreign:
    check_width(comp, latent, "the array of components")
    if comp.ndim == 3 and comp.shape[1] == 1:
        comp = comp[:, 0]
    if comp.ndim != 2 or deviations.shape != comp.shape[:1] or deviations.dtype.kind != "f":
        raise SefaError(
            f"components of shape {comp.shape} with deviations of shape {deviations.shape}",
            f"(k, 1, {latent.dim}) and (k,)",
        )
    usable = mean is not None and mean.size == latent.dim and np.isfinite(mean).all()
    known = {
        key: values.astype(np.float64)
        for key, values in facts.items()
        if values.dtype.kind == "f" and values.shape == comp.shape[:1] and np.isfinite(values).all()
    }
    return Foreign(
        format=name,
        vectors=comp.astype(np.float64),
        factors=deviations.astype(np.float64),
        origins=tuple(
            {key: float(values[row]) for key, values in known.items()} for row in range(len(comp))
        ),
        mean=mean.astype(np.float64).reshape(-1) if mean is not None and usable else None,
        notes=notes,
    )


def ganspace_bytes(
    rows: NDArray[np.float64],
    scales: NDArray[np.float64],
    mean: NDArray[np.float64],
    origins: Sequence[dict[str, Any]],
) -> bytes:
    """Return GANSpace's archive of unit rows `(k, dim)`, deviations `(k,)` and mean `(dim,)`.

    The activations' arrays repeat the latent's, as they do when GANSpace decomposes w itself.
    Unknown shares of variance are NaN.
    """
    comp = rows[:, None].astype(np.float32)  # (k, 1, dim)
    center = mean[None].astype(np.float32)  # (1, dim)
    deviations = scales.astype(np.float32)

    def measured(key: str) -> NDArray[np.float32]:
        return np.array([origin.get(key, np.nan) for origin in origins], np.float32)

    unmeasured = np.isnan(own := measured("act_stdev"))
    file = io.BytesIO()
    np.savez(
        file,
        act_comp=comp,
        act_mean=center,
        act_stdev=np.where(unmeasured, deviations, own),
        lat_comp=comp,
        lat_mean=center,
        lat_stdev=deviations,
        var_ratio=measured("var_ratio"),
        random_stdevs=measured("random_stdevs"),
    )
    return file.getvalue()


def e4e_pca_bytes(
    rows: NDArray[np.float64], scales: NDArray[np.float64], mean: NDArray[np.float64]
) -> bytes:
    """Return the dict `comp (k, 1, dim)`, `mean (1, dim)`, `std (k,)` of e4e's editing."""
    return torch_archive({"comp": rows[:, None], "mean": mean[None], "std": scales})
