"""From the matrices of a region to the bundle of its directions."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.discovery.directions import factors_of
from sefa_cli.discovery.gram_matrices import Matrices, Spanned, mean, mean_grams
from sefa_cli.discovery.search import Search, Target
from sefa_cli.projections import model_card
from sefa_cli.ranges import format_range


def region_bundles(
    checkpoint: Checkpoint,
    found: Sequence[Matrices],
    target: Target,
    search: Search,
    numbers: Sequence[int],
    params: dict[str, Any],
    joint: bool = True,
) -> list[Bundle]:
    """Return one bundle for the mean of all pictures, or without `joint` one for each."""
    if joint:
        return [region_bundle(checkpoint, found, target, search, numbers, params)]
    return [
        region_bundle(checkpoint, [matrices], target.only(i), search, numbers[i : i + 1], params)
        for i, matrices in enumerate(found)
    ]


def region_bundle(
    checkpoint: Checkpoint,
    pictures: Sequence[Matrices],
    target: Target,
    search: Search,
    numbers: Sequence[int],
    params: dict[str, Any],
) -> Bundle:
    """Return the bundle of directions for the mean of these pictures.

    `numbers` are the seeds (or places in a file of codes), `params` what else changed the codes.
    Each direction's `change` is the root mean square change of the pixels for α = 1, to first
    order, inside and outside, over all pictures as they are: √(nᵀ M n) for the plain mean.
    """
    together = mean(pictures)
    found = factors_of(together, search)
    rows = found.directions.astype(np.float64)  # (k, dim)
    if isinstance(together, Spanned):
        rows = rows @ together.basis
    inner = mean_grams([p.grams if isinstance(p, Spanned) else p for p in pictures])
    inside, outside = (
        np.sqrt(np.einsum("kd,de,ke->k", rows, M, rows, optimize=True).clip(min=0)) for M in inner
    )
    directions = found.directions
    if search.space == "w+":
        directions = directions.reshape(len(rows), len(search.layers), -1)
    d = checkpoint.config["w_dim"]
    return Bundle(
        directions=directions,
        eigenvalues=found.eigenvalues,
        layers=np.array(search.layers),
        mask=target.fore,
        background=target.back,
        method=search.method,
        params={**parameters(target, search, numbers, d), **params},
        space=search.space,
        model=model_card(checkpoint),
        info=tuple(
            {"change": {"inside": float(f"{i:.4g}"), "outside": float(f"{o:.4g}")}}
            for i, o in zip(inside, outside, strict=True)
        ),
    )


def parameters(target: Target, search: Search, numbers: Sequence[int], d: int) -> dict[str, Any]:
    """Return what the numbers depend on besides the model and codes; d is a code's length."""
    return {
        "region": target.text,
        "seeds": list(numbers),
        "layers": format_range(search.layers),
        "size": search.size,
        "fast": search.fast,
        **({"tau": search.tau} if search.method == "resefa" else {}),
        **({"rank": search.rank} if search.method == "nullspace" else {}),
        **({"tau_auto": True} if search.auto_tau else {}),
        **({"layers_auto": True} if search.auto_layers else {}),
        "num": search.num,
        "sum_channels": search.sum_channels,
        "sketch": search.sketched(d) or None,
        **({"few_passes": True} if search.few(d) else {}),
        "precision": search.precision,
    }
