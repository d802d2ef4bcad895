"""LOCO Edit's null space and LowRankGAN, on matrices and on a generator with known factors."""

from typing import Any

import numpy as np
import pytest
import torch

from sefa_cli.discovery import few_passes
from sefa_cli.discovery.collect import Collector
from sefa_cli.discovery.directions import factors_of
from sefa_cli.discovery.gram_matrices import Grams, Spanned, mean, mean_grams
from sefa_cli.discovery.jacobian import grams
from sefa_cli.discovery.null_space import low_rank, low_rank_part, null_space
from sefa_cli.discovery.search import Search, Target
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.generators.base import Generator
from sefa_cli.generators.linearize import Linearization

Regions = dict[str, np.ndarray]
DIM = 96


@pytest.fixture
def known() -> tuple[Grams, np.ndarray]:
    """Matrices of a painter of 96 factors, and its factors as rows.

    The first brightens all of the picture, most of all the region; the second turns the region
    alone; the third and fourth change the rest alone. The others are faint noise everywhere.
    """
    random = np.random.RandomState(0)
    factors = np.linalg.qr(random.randn(DIM, DIM))[0].T
    patterns = 0.01 * random.randn(DIM, 3, 16, 16)
    inside = np.zeros((16, 16))
    inside[4:9, 4:9] = 1
    patterns[0] += 1 + inside
    own = inside * random.randn(16, 16)
    patterns[1] += own - inside * own.sum() / inside.sum()
    patterns[2:4] += (1 - inside) * random.randn(2, 1, 16, 16)
    weights = torch.from_numpy(factors.T @ patterns.reshape(DIM, -1))  # picture = w @ weights

    def paint(codes: torch.Tensor) -> torch.Tensor:
        return (codes[:, 0] @ weights).reshape(-1, 3, 16, 16)

    linearization = Linearization(paint, torch.zeros(1, DIM, dtype=torch.float64), [0])
    return grams(linearization, inside, 1 - inside), factors


def test_the_regions_own_factor_is_found_and_the_shared_one_left_out(
    known: tuple[Grams, np.ndarray],
) -> None:
    M, factors = known
    plain = np.linalg.eigh(M.fore)[1][:, -1]
    assert abs(plain @ factors[0]) > 0.98  # what moves the region most moves the rest, too
    for found in (null_space(*M, rank=3, num=2), low_rank(*M, num=2)):
        assert abs(found.directions[1] @ factors[1]) > 0.98
        for n in found.directions.astype(np.float64):  # of the first, only noise is left
            assert n @ M.back @ n < 2e-3 * (plain @ M.back @ plain)


def test_directions_are_principal_ones_without_their_part_in_the_rest(
    known: tuple[Grams, np.ndarray],
) -> None:
    M, _ = known
    found = null_space(*M, rank=4, num=3)
    values, vectors = np.linalg.eigh(M.fore)
    *_, vh = np.linalg.svd(np.sqrt(values.clip(min=0))[:, None] * vectors.T)  # a J with JᵀJ = M_f
    rest = np.linalg.eigh(M.back)[1][:, -4:]
    expected = vh[:3] - vh[:3] @ rest @ rest.T
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(np.abs(np.sum(found.directions * expected, axis=1)), 1, atol=1e-5)
    np.testing.assert_allclose(found.directions @ rest, 0, atol=1e-6)
    np.testing.assert_allclose(found.eigenvalues, np.linalg.eigvalsh(M.fore)[:-4:-1])


def test_more_rank_keeps_the_rest_more_still(regions: Regions) -> None:
    M_f, M_b = (regions[f"box/{name}"].astype(np.float64) for name in ("M_fore", "M_back"))
    change = []
    for rank in (1, 5, 20):
        n = null_space(M_f, M_b, rank, num=1).directions[0]
        change.append((n @ M_b @ n) / (n @ M_f @ n))
    assert change[0] > 1.5 * change[1] > 1.5 * 1.5 * change[2]


def test_as_many_directions_as_the_null_space_has_dimensions() -> None:
    v = np.array([0.6, 0.8, 0.0])
    M_f, M_b = 4 * np.outer(v, v) + np.diag([0, 0, 1.0]), np.diag([1.0, 1e-9, 1e-9])
    np.testing.assert_allclose(
        null_space(M_f, M_b, rank=1).directions, [[0, 1, 0], [0, 0, 1]], atol=1e-6
    )


def test_directions_that_the_rest_has_wholly_are_skipped() -> None:
    """In a turned basis, where the projection leaves about 1e-17 instead of 0."""
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 6)))[0]
    M_f, M_b = ((turn * v) @ turn.T for v in ([9, 8, 7, 6, 5, 4], [1, 0, 0, 0, 0, 0]))
    found = null_space(M_f, M_b, rank=1, num=2)
    np.testing.assert_allclose(found.eigenvalues, [8, 7])
    cosines = np.abs(np.sum(found.directions * turn[:, 1:3].T, axis=1))
    np.testing.assert_allclose(cosines, 1, atol=1e-6)


@pytest.mark.parametrize("rank", [0, 3, 1.5])
def test_a_rank_that_leaves_nothing_is_refused(rank: Any) -> None:
    with pytest.raises(UsageError, match="rank must be between 1 and 2, got"):
        null_space(np.eye(3), np.eye(3), rank)


def test_a_low_rank_part_is_told_from_a_sparse_one() -> None:
    random = np.random.RandomState(0)
    basis = np.linalg.qr(random.randn(60, 3))[0]
    L = (basis * [3.0, 2.0, 1.0]) @ basis.T
    S = np.zeros((60, 60))
    S[random.randint(0, 60, 20), random.randint(0, 60, 20)] = 0.5
    S += S.T
    found = low_rank_part(L + S, weight=1)
    np.testing.assert_allclose(found.values, [3, 2, 1], atol=1e-6)
    np.testing.assert_allclose((found.vectors * found.values) @ found.vectors.T, L, atol=1e-6)
    assert np.abs(np.linalg.eigvalsh(L + S)[:-3]).max() > 0.5  # no cut of the spectrum finds it


def test_matrices_without_a_low_rank_part_are_refused() -> None:
    sparse = np.diag(np.arange(1.0, 41))
    with pytest.raises(SefaError, match="ranks 0 and 0; expected 1 or more, and less than 40"):
        low_rank(sparse, sparse)


def test_a_few_passes_find_what_all_do(hammer: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the beginning alone does not."""
    monkeypatch.setattr(few_passes, "START", 10)
    fore = np.zeros((32, 32), np.uint8)
    fore[16:24, 8:16] = 255
    codes = hammer.map(hammer.sample([0, 1]))
    pictures = Collector(hammer, codes, [0, 1], Target("box 16,8,8,8", fore))
    few = Search(layers=tuple(range(8)), space="w", size=32, num=4, method="nullspace", rank=3)
    every = Search(
        layers=few.layers, space="w", size=32, num=4, method="nullspace", rank=3, sketch=0
    )
    found: list[Any] = pictures.matrices(few)
    whole = mean_grams(pictures.matrices(every), [own.weights for own in found])
    joint = mean(found)
    assert isinstance(joint, Spanned) and joint.basis.shape[1] < 48
    a, b = factors_of(joint, few).directions, factors_of(whole, every).directions
    assert np.abs(np.sum(a * b, axis=1)).min() > 0.99
    begun = joint.basis[:, :10] @ joint.basis[:, :10].T @ b.T
    assert np.linalg.norm(begun, axis=0).min() < 0.95
