"""From the matrices of a region to the bundle of its directions."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.discovery.directions import factors_of, residuals, settled, stability
from sefa_cli.discovery.gram_matrices import Matrices, Spanned, mean, mean_grams
from sefa_cli.discovery.search import Search, Target
from sefa_cli.discovery.sefa import Float64
from sefa_cli.ranges import format_range

Tried = Sequence[tuple[Search, Sequence[Matrices]]]  # each search with the matrices of all pictures


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        bundles: One, or with `per_seed` one for each picture.
        paths: The files they were written to, if any.
        search: The search, with the layers and tau that were chosen.
        quotient: If layers or tau were chosen: change of the region divided by change of the
            rest, on a seed left out.
        residuals: Of a sketch or a few passes: the errors of the leading directions, as shares
            of 1.
        stability: If asked for: how much of the leading spans the seeds share, 0 … 1.
    """

    bundles: tuple[Bundle, ...]
    paths: tuple[Path, ...]
    search: Search
    quotient: float | None
    residuals: Float64 | None
    stability: float | None


def found_in(
    tried: Tried,
    model: Mapping[str, Any],
    target: Target,
    numbers: Sequence[int],
    params: dict[str, Any],
    *,
    joint: bool = True,
    agreement: bool = False,
) -> Found:
    """Return what the matrices of all pictures tell, one search or several; see `region_bundle`.

    `target` and `numbers` are those of the pictures that were asked for: the first ones.
    With `agreement`, measure how much their directions agree.
    """
    search, matrices, quotient = settled(tried)
    if joint:
        bundles = [region_bundle(model, matrices, target, search, numbers, params)]
    else:
        bundles = [
            region_bundle(model, [own], target.only(i), search, numbers[i : i + 1], params)
            for i, own in enumerate(matrices)
        ]
    asked = itertools.islice(matrices, len(numbers))
    shared = stability(asked, search) if agreement else None
    return Found(tuple(bundles), (), search, quotient, residuals(matrices), shared)


def region_bundle(
    model: Mapping[str, Any],
    pictures: Sequence[Matrices],
    target: Target,
    search: Search,
    numbers: Sequence[int],
    params: dict[str, Any],
) -> Bundle:
    """Return the bundle of directions for the mean of these pictures.

    `model` is its card (`projections.model_card`),
    `numbers` are the seeds (or places in a file of codes), `params` what else changed the codes.
    Each direction's `change` is the root mean square change of the pixels for α = 1, to first
    order, inside and outside, over all pictures as they are: √(nᵀ M n) for the plain mean.
    """
    together = mean(pictures)
    found = factors_of(together, search)
    rows = found.directions.astype(np.float64)  # (k, dim)
    if isinstance(together, Spanned):
        rows = rows @ together.basis
    inner = mean_grams(pictures)
    inside, outside = (
        np.sqrt(np.einsum("kd,de,ke->k", rows, M, rows, optimize=True).clip(min=0)) for M in inner
    )
    directions = found.directions
    if search.space == "w+":
        directions = directions.reshape(len(rows), len(search.layers), -1)
    return Bundle(
        directions=directions,
        eigenvalues=found.eigenvalues,
        layers=np.array(search.layers),
        mask=target.fore,
        background=target.back,
        method=search.method,
        params={**parameters(target, search, numbers, model["w_dim"]), **params},
        space=search.space,
        model=dict(model),
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
