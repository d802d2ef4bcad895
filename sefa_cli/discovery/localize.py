"""From pictures and a region to a bundle of directions that change the region and little else."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.discovery.jacobian import Grams
from sefa_cli.discovery.pictures import Matrices, Pictures, Spanned, mean, mean_grams
from sefa_cli.discovery.resefa import TAUS, as_factors, left_out, lowrank, resefa, resefa_in_span
from sefa_cli.discovery.search import Search, Target, parameters
from sefa_cli.discovery.sefa import Factors
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.projections import model_card

__all__ = [
    "Matrices", "Pictures", "Search", "Target",
    "factors_of", "mean", "parameters", "region_bundle", "region_bundles", "residual", "settled",
    "stability",
]  # fmt: skip


def factors_of(matrices: Matrices, search: Search) -> Factors:
    """The leading directions `(k, dim)` for these matrices, by the method asked for."""
    if isinstance(matrices, Spanned):
        basis = matrices.basis
        if search.method == "resefa":
            return resefa_in_span(*matrices.grams, basis, matrices.trace, search.tau, search.num)
        found = lowrank(*matrices.grams, num=search.num)
        return as_factors(found.eigenvalues, found.directions @ basis.T, None)
    if search.method == "lowrank":
        return lowrank(*matrices, num=search.num)
    return resefa(*matrices, search.tau, search.num)


def residual(pictures: Sequence[Matrices]) -> float | None:
    """How far a sketch's ten leading directions are from right, as a share of 1; None without one.

    The largest residual of the generalized eigenproblem, over all bases, in parts of λ c n; what is
    missing in a direction is of this order.
    """
    sketched = [picture.lacking for picture in pictures if isinstance(picture, Spanned)]
    return max(sketched, default=None)


def settled(
    tried: Sequence[tuple[Search, Sequence[Matrices]]],
) -> tuple[Search, Sequence[Matrices], float | None]:
    """Of searches and what each found, the one to go on with, τ included.

    Where layers or τ are to be chosen, those whose leading direction keeps to the region best on a
    picture that was left out, and how many times more it changes there than the rest: see
    `resefa.left_out`. Raises SefaError where no search changes both parts of every picture.
    """
    (search, found), *others = tried
    if not (search.auto_tau or others):
        return search, found, None
    best: tuple[Search, Sequence[Matrices], float] | None = None
    for own, pictures in tried:
        exact = [picture for picture in pictures if isinstance(picture, Grams)]
        if not all(np.trace(M) > 0 for picture in exact for M in picture):
            continue  # layers that do not reach the region, or the rest
        for tau in TAUS if own.auto_tau else (own.tau,):
            one = replace(own, tau=tau, num=1)
            quotient = left_out(exact, lambda *M, one=one: factors_of(Grams(*M), one))
            if best is None or quotient > best[2]:
                best = replace(own, tau=tau), pictures, quotient
    if best is None:
        raise SefaError("nothing in the region, or beside it, changes", "layers that reach it")
    return best


def stability(pictures: Sequence[Matrices], search: Search, leading: int = 5) -> float:
    """How much the pictures' own leading directions agree: 1 is the same span, 0 nothing shared.

    The mean cos² of the principal angles between the spans, over all pairs of pictures.
    """
    spans = [
        np.linalg.qr(factors_of(picture, search).directions[:leading].T.astype(np.float64))[0]
        for picture in pictures
    ]
    pairs = [(a, b) for i, a in enumerate(spans) for b in spans[i + 1 :]]
    if not pairs:
        raise UsageError("stability of one picture", "two seeds or more")
    return float(np.mean([np.square(a.T @ b).sum() / a.shape[1] for a, b in pairs]))


def region_bundles(
    checkpoint: Checkpoint,
    found: Sequence[Matrices],
    target: Target,
    search: Search,
    numbers: Sequence[int],
    params: dict[str, Any],
    joint: bool = True,
) -> list[Bundle]:
    """One bundle for all pictures, whose matrices are averaged, or if not `joint` one for each."""
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
    """The bundle of directions for the mean of these pictures.

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
