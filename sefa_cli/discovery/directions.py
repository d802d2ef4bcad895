"""From Gram matrices to directions: find them, choose layers and τ, measure how well they hold."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sefa_cli.discovery.gram_matrices import Grams, Matrices, Spanned
from sefa_cli.discovery.resefa import TAUS, as_factors, left_out, lowrank, resefa, resefa_in_span
from sefa_cli.discovery.search import Search
from sefa_cli.discovery.sefa import Factors
from sefa_cli.errors import SefaError, UsageError


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
