"""From Gram matrices to directions: find them, choose layers and τ, measure how well they hold."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from sefa_cli.discovery.gram_matrices import Grams, Leading, Matrices, Spanned
from sefa_cli.discovery.null_space import leading, low_rank, null_space
from sefa_cli.discovery.resefa import TAUS, as_factors, left_out, resefa, resefa_in_span
from sefa_cli.discovery.search import Search
from sefa_cli.discovery.sefa import Factors, Float64
from sefa_cli.errors import SefaError, UsageError

_stage = logging.getLogger("sefa_cli.stage")


def factors_of(matrices: Matrices, search: Search) -> Factors:
    """Return the leading directions `(k, dim)` for these matrices, by the search's method."""
    if isinstance(matrices, Spanned):
        basis = matrices.basis
        if search.method == "resefa":
            return resefa_in_span(*matrices.grams, basis, matrices.trace, search.tau, search.num)
        found = null_space(*matrices.grams, search.rank, search.num)
        return as_factors(found.eigenvalues, found.directions @ basis.T, None)
    if search.method == "nullspace":
        return null_space(*matrices, search.rank, search.num)
    if search.method == "lowrank":
        _stage.debug("splitting matrices of %s dimensions", f"{len(matrices.fore):,}")
        return low_rank(*matrices, num=search.num)
    return resefa(*matrices, search.tau, search.num)


def leading_of(
    M: Grams, basis: Float64, trace: float, search: Search, block: int | None
) -> Leading:
    """Return what a basis has to hold for a search, from the matrices within it.

    For "resefa", `block` limits how much, and `trace` is that of the whole M_b.
    """
    if search.method == "nullspace":
        return leading(*M, basis, search.rank, search.block(0) - search.rank)
    found = resefa_in_span(*M, basis, trace, search.tau, block)
    quotients = found.eigenvalues
    scale = search.tau * trace * quotients  # λ c
    return Leading(found.directions.astype(np.float64), np.ones(len(scale)), quotients, scale)


def residuals(pictures: Sequence[Matrices]) -> Float64 | None:
    """Return the last residuals `(p,)` of the leading directions in a basis; None without a basis.

    Each is the largest residual of its eigenproblem over all bases, as a share of λ c n, or of
    the eigenvalue, before it joined the basis. The error of a direction is less.
    """
    spanned = [picture.lacking for picture in pictures if isinstance(picture, Spanned)]
    return np.max(spanned, axis=0) if spanned else None


def settled(
    tried: Sequence[tuple[Search, Sequence[Matrices]]],
) -> tuple[Search, Sequence[Matrices], float | None]:
    """Choose layers and τ: return the search, its matrices, and the quotient that decided.

    The chosen ones have the leading direction that keeps to the region best on a picture left out.
    The quotient is how many times as much it changes the region as the rest (`resefa.left_out`);
    None if there was nothing to choose. Raises SefaError if no search changes both parts of every
    picture.
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
        raise SefaError("nothing changes in the region or outside it", "layers that reach it")
    return best


def stability(pictures: Iterable[Matrices], search: Search, leading: int = 5) -> float:
    """Return how much the pictures' leading directions agree: 1 for the same span, 0 for none.

    It is the mean cos² of the principal angles between the spans, over all pairs of pictures.
    Raises UsageError for a single picture.
    """
    spans = [
        np.linalg.qr(factors_of(picture, search).directions[:leading].T.astype(np.float64))[0]
        for picture in pictures
    ]
    pairs = [(a, b) for i, a in enumerate(spans) for b in spans[i + 1 :]]
    if not pairs:
        raise UsageError("stability of one picture", "two seeds or more")
    return float(np.mean([np.square(a.T @ b).sum() / a.shape[1] for a, b in pairs]))
