"""Large latents: random rows and residuals against a pass along every dimension."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sefa_cli.discovery.collect import Collector
from sefa_cli.discovery.directions import factors_of
from sefa_cli.discovery.gram_matrices import Grams, Spanned, mean, mean_grams
from sefa_cli.discovery.partial import Partial
from sefa_cli.discovery.resefa import equal_weights, resefa, resefa_in_span
from sefa_cli.discovery.search import Search, Target
from sefa_cli.discovery.sketch import first_basis, sketch, whole_trace, widened
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.generators.base import Generator

SKETCHED = Search(layers=tuple(range(8)), space="w+", size=32, num=10, sketch=100)
EXACT = replace(SKETCHED, sketch=0)


@pytest.fixture(scope="module")
def target() -> Target:
    fore = np.zeros((32, 32), np.uint8)
    fore[16:24, 8:16] = 255
    return Target("box 16,8,8,8", fore)


@pytest.fixture
def pictures(hammer: Generator, target: Target) -> Collector:
    """Two pictures of a network with 8 × 48 dimensions in w+."""
    return Collector(hammer, hammer.map(hammer.sample([0, 1])), [0, 1], target)


def least_cosine(pictures: Collector, joint: bool = True) -> float:
    """Of the leading ten, both ways; the exact matrices count with the sketch's own weights."""
    spanned = pictures.matrices(SKETCHED, joint)
    weights = [own.weights for own in spanned if isinstance(own, Spanned)]
    whole = [own for own in pictures.matrices(EXACT, joint) if isinstance(own, Grams)]
    ours, exact = mean(spanned), mean_grams(whole, weights)
    a, b = (factors_of(matrices, search) for matrices, search in ((ours, SKETCHED), (exact, EXACT)))
    np.testing.assert_allclose(a.eigenvalues, b.eigenvalues, rtol=1e-3)
    return float(np.abs(np.sum(a.directions * b.directions, axis=1)).min())


def test_both_routes_agree_on_the_leading_ten(pictures: Collector) -> None:
    assert least_cosine(pictures) > 0.9999


def test_a_sketch_weighs_the_pictures_as_the_whole_matrices_do(pictures: Collector) -> None:
    loud = replace(pictures, codes=pictures.codes * torch.tensor([[1.0], [3.0]]))
    weights = [own.weights for own in loud.matrices(SKETCHED) if isinstance(own, Spanned)]
    exact = [[np.trace(M) for M in own] for own in loud.matrices(EXACT) if isinstance(own, Grams)]
    assert abs(np.log(equal_weights(exact))).max() > 0.1
    np.testing.assert_allclose(weights, equal_weights(exact), rtol=0.01)


def test_also_where_the_columns_do_not_fit(pictures: Collector) -> None:
    """Then they are made again, turn for turn."""
    linearization = SKETCHED.linearize(pictures.generator, pictures.codes[0])
    column = 3 * 32 * 32 * 4
    once = max(linearization.pass_bytes + 20 * column, linearization.graph_bytes)
    little = replace(SKETCHED, memory=2 * once)
    found, same = (mean(pictures.matrices(search)) for search in (little, SKETCHED))
    a, b = (factors_of(matrices, SKETCHED) for matrices in (found, same))
    assert np.abs(np.sum(a.directions * b.directions, axis=1)).min() > 0.9999


def test_weights_may_be_gray_and_channels_summed(hammer: Generator) -> None:
    random = np.random.RandomState(0)
    gray = (random.rand(2, 32, 32) * 255).astype(np.uint8)
    gray[0, :12] = 0
    codes = hammer.map(hammer.sample([0]))
    pictures = Collector(hammer, codes, [0], Target("mask", gray[0], gray[1]))
    ours, exact = (
        factors_of(pictures.matrices(search)[0], search)
        for search in (replace(SKETCHED, sum_channels=True), replace(EXACT, sum_channels=True))
    )
    assert np.abs(np.sum(ours.directions * exact.directions, axis=1))[:5].min() > 0.999


def test_the_formula_is_the_cholesky_route_where_the_basis_is_everything() -> None:
    random = np.random.RandomState(0)
    J = random.randn(2, 90, 30) * np.geomspace(1, 1e-3, 30)
    M_f, M_b = (A.T @ A / 90 for A in J)
    Q = np.linalg.qr(random.randn(30, 30))[0]
    ours = resefa_in_span(Q.T @ M_f @ Q, Q.T @ M_b @ Q, Q, float(np.trace(M_b)))
    exact = resefa(M_f, M_b)
    np.testing.assert_allclose(ours.eigenvalues, exact.eigenvalues, rtol=1e-8)
    np.testing.assert_allclose(ours.directions, exact.directions, atol=1e-5)


def test_the_trace_is_estimated_without_bias(pictures: Collector) -> None:
    """Over many sketches its mean is the trace, and each alone is within a few percent."""
    region, linearization = pictures.target.of(0), SKETCHED.linearize(
        pictures.generator, pictures.codes[0]
    )  # fmt: skip
    exact = pictures.matrices(EXACT)[0]
    assert isinstance(exact, Grams)
    estimates = []
    for seed in range(20):
        rows = sketch(linearization, region, 8, 4, seed=seed)
        basis = first_basis([rows])
        within = Grams(*(basis.T @ M @ basis for M in exact))
        estimates.append(whole_trace(within, basis, rows))
    ratio = np.array(estimates) / np.trace(exact.back)
    assert abs(ratio.mean() - 1) < 3 * ratio.std() / np.sqrt(20) < 0.1


def test_rows_depend_on_their_place_alone(pictures: Collector) -> None:
    region = pictures.target.of(0)
    linearization = SKETCHED.linearize(pictures.generator, pictures.codes[0])
    some, more = (sketch(linearization, region, 3, spare, seed=5) for spare in (1, 2))
    np.testing.assert_array_equal(some.back, more.back)
    other = sketch(linearization, region, 3, 1, seed=6)
    assert not np.array_equal(some.fore, other.fore)


def test_a_basis_grows_by_what_is_new() -> None:
    basis = widened(None, np.eye(5)[:2])
    rows = np.array([[3.0, 4, 0, 0, 0], [1, 0, 1e-9, 0, 0], [0, 0, 0, 2, 0], [0, 0, 0, 0, 0]])
    grown = widened(basis, rows)
    assert grown.shape == (5, 3) and np.array_equal(grown[:, :2], basis)
    np.testing.assert_allclose(grown.T @ grown, np.eye(3), atol=1e-12)
    with pytest.raises(SefaError, match="no direction changes the picture"):
        widened(None, np.zeros((2, 5)))


def test_each_seed_by_itself_has_a_basis_of_its_own(pictures: Collector) -> None:
    joint, alone = pictures.matrices(SKETCHED), pictures.matrices(SKETCHED, joint=False)
    assert isinstance(joint[0], Spanned) and isinstance(joint[1], Spanned)
    assert joint[0].basis is joint[1].basis
    one = replace_codes(pictures, [1]).matrices(SKETCHED)[0]
    assert isinstance(one, Spanned) and isinstance(alone[1], Spanned)
    np.testing.assert_array_equal(alone[1].basis, one.basis)


def replace_codes(pictures: Collector, chosen: list[int]) -> Collector:
    numbers = [pictures.numbers[i] for i in chosen]
    return replace(pictures, codes=pictures.codes[chosen], numbers=numbers)


def test_an_interrupt_within_a_picture_loses_no_reverse_pass(
    pictures: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sefa_cli.generators.linearize import Linearization

    real, done, limit = Linearization.reverse, [0], [70]

    def counted(self: Linearization, cotangents: torch.Tensor) -> torch.Tensor:
        if done[0] == limit[0]:
            raise KeyboardInterrupt
        done[0] += 1
        return real(self, cotangents)

    whole = mean(pictures.matrices(SKETCHED))
    monkeypatch.setattr(Linearization, "reverse", counted)
    for stop in (70, 150, 10_000):  # in the second sketch; among the residuals; never
        done[0], limit[0] = 0, stop
        partial = Partial(tmp_path / "a.dirs.partial", {"task": 1})
        if stop > 70:
            partial.read()
        try:
            found = replace(pictures, partial=partial).matrices(SKETCHED)
        except KeyboardInterrupt:
            continue
    assert done[0] < 100  # of the residuals alone
    a, b = (factors_of(matrices, SKETCHED) for matrices in (whole, mean(found)))
    assert np.abs(np.sum(a.directions * b.directions, axis=1)).min() > 0.9999


def test_a_budget_too_small_for_the_graph_is_refused(pictures: Collector) -> None:
    with pytest.raises(SefaError, match=r"too small for one pass; expected \d+ MiB or more"):
        pictures.matrices(replace(SKETCHED, memory=1000))


def test_out_of_memory_in_reverse_is_a_stated_error(
    pictures: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sefa_cli.generators.linearize import Linearization

    def never(self: Linearization, cotangents: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Linearization, "reverse", never)
    with pytest.raises(SefaError, match="not enough memory for one pass"):
        pictures.matrices(SKETCHED)


def test_the_raw_form_is_refused() -> None:
    with pytest.raises(UsageError, match="tau above 0"):
        resefa_in_span(np.eye(2), np.eye(2), np.eye(4)[:, :2], 2.0, tau=0)
    with pytest.raises(UsageError, match="sketch must be 0 or more, got -1"):
        replace(SKETCHED, sketch=-1)


def test_nothing_said_sketches_large_latents_alone() -> None:
    """All of w takes fewer passes: see few_passes."""
    w = Search(layers=tuple(range(23)), space="w")
    assert w.sketched(512) == 0 and replace(w, sketch=0).passes(512) == 512
    assert replace(w, space="w+").sketched(512) == 200
    assert replace(w, sketch=32).sketched(512) == 32
    assert replace(w, space="w+", sketch=0).sketched(512) == 0
