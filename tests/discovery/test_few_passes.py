"""All of w in a few passes against a pass for every dimension."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sefa_cli.discovery import few_passes
from sefa_cli.discovery.collect import Collector
from sefa_cli.discovery.directions import factors_of
from sefa_cli.discovery.few_passes import companions, first_basis, have_to_be_right, probed_trace
from sefa_cli.discovery.gram_matrices import Grams, Spanned, mean, mean_grams
from sefa_cli.discovery.partial import Partial
from sefa_cli.discovery.request import Request
from sefa_cli.discovery.search import Search, Target
from sefa_cli.families.build import build
from sefa_cli.generators.base import Generator
from tests.helpers import networks

FEW = Search(layers=tuple(range(8)), space="w", size=32, num=6)
EXACT = replace(FEW, sketch=0)


@pytest.fixture
def pictures(hammer: Generator, monkeypatch: pytest.MonkeyPatch) -> Collector:
    """Two pictures of a network of 48 dimensions, which begin with 10 and add 8, 7, 6, …."""
    for name, value in (("START", 10), ("KEPT", 6), ("MORE", 2), ("FEWER", 1)):
        monkeypatch.setattr(few_passes, name, value)
    monkeypatch.setattr(few_passes, "SMALL", 0.1)  # random weights tell less than trained ones
    fore = np.zeros((32, 32), np.uint8)
    fore[16:24, 8:16] = 255
    codes = hammer.map(hammer.sample([0, 1]))
    return Collector(hammer, codes, [0, 1], Target("box 16,8,8,8", fore))


@pytest.mark.parametrize("joint", [True, False])
def test_the_leading_directions_are_those_of_all_passes(pictures: Collector, joint: bool) -> None:
    """And fewer residuals are worse, so that it is not the beginning that finds them."""
    found: list[Any] = pictures.matrices(FEW, joint)
    exact: list[Any] = pictures.matrices(EXACT, joint)
    if joint:
        weights = [own.weights for own in found]  # from estimated traces
        found, exact = [mean(found)], [mean_grams(exact, weights)]
    for ours, whole in zip(found, exact, strict=True):
        assert isinstance(ours, Spanned) and isinstance(whole, Grams)
        same = replace(EXACT, tau=FEW.tau * ours.trace / np.trace(whole.back))  # the same ridge
        a, b = factors_of(ours, FEW).directions, factors_of(whole, same).directions
        assert ours.lacking.max() < few_passes.SMALL
        assert np.abs(np.sum(a * b, axis=1)).min() > 0.99
        begun = ours.basis[:, :10] @ ours.basis[:, :10].T @ b.T
        assert np.linalg.norm(begun, axis=0).min() < 0.95


def test_the_last_residuals_join_too(pictures: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are used, not only measured."""
    monkeypatch.setattr(few_passes, "TURNS", 1)
    made: list[int] = []
    (one, _) = replace(pictures, advance=made.append).matrices(FEW)
    assert isinstance(one, Spanned) and one.basis.shape[1] == 10 + few_passes.PROBES + FEW.block(0)
    assert sum(made) == FEW.passes(48, 2)


def test_a_search_that_goes_on_counts_what_it_need_not_do_again(
    pictures: Collector, tmp_path: Path
) -> None:
    """And finds the same: residuals are kept, the passes along the basis are made again."""
    whole: list[int] = []
    found = replace(pictures, advance=whole.append).matrices(FEW)
    after = 2 * (10 + few_passes.PROBES + 2 * FEW.block(0)) + 1  # within the second turn
    for limit in (after, 10_000):
        told: list[int] = []

        def advance(passes: int, limit: int = limit, told: list[int] = told) -> None:
            told.append(passes)
            if sum(told) > limit:
                raise KeyboardInterrupt

        partial = Partial(tmp_path / "a.dirs.partial", {})
        if limit > after:
            partial.read()
        with suppress(KeyboardInterrupt):
            again = replace(pictures, advance=advance, partial=partial).matrices(FEW)
    assert sum(told) == sum(whole)
    a, b = (factors_of(mean(one), FEW).directions for one in (found, again))
    assert np.abs(np.sum(a * b, axis=1)).min() > 0.9999


def test_the_trace_is_within_its_error(pictures: Collector) -> None:
    (ours,), (whole,) = (
        replace(pictures, codes=pictures.codes[:1], numbers=[0]).matrices(search)
        for search in (FEW, EXACT)
    )
    assert isinstance(ours, Spanned) and isinstance(whole, Grams)
    trace, error = probed_trace(ours.grams.back, 48)
    assert trace == pytest.approx(ours.trace)
    assert abs(trace - np.trace(whole.back)) < 3 * error


def test_a_beginning_is_orthonormal_and_the_same_each_time() -> None:
    matrices = [np.random.RandomState(0).randn(90, 300).astype(np.float32)]
    basis = first_basis(matrices)
    np.testing.assert_allclose(basis.T @ basis, np.eye(68), atol=1e-12)
    np.testing.assert_array_equal(basis, first_basis(matrices))


def test_companions_join_one_or_two_pictures_and_are_none_of_them() -> None:
    asked = Request()
    assert [asked.pictures(FEW, given, 512) for given in (1, 2, 3, 4)] == [3, 3, 3, 4]
    for own in (Request(alone=True), Request(per_seed=True)):
        assert own.pictures(FEW, 1, 512) == 1
    assert asked.pictures(EXACT, 1, 512) == 1
    assert companions(2, [10_000]) == (10_001, 10_002) and companions(0, [0]) == ()


@pytest.mark.parametrize(
    "other",
    [{"tau": 0.0}, {"auto_tau": True}, {"num": 21}, {"sketch": 0}, {"method": "lowrank"},
     {"space": "z"}, {"space": "w+"}],
)  # fmt: skip
def test_what_takes_every_pass(other: dict[str, Any]) -> None:
    assert FEW.few(512) and not FEW.few(48) and FEW.passes(512) == 68 + 2 * (14 + 10 + 5 * 8)
    assert not replace(FEW, **other).few(512)


def test_later_turns_add_fewer_residuals(
    pictures: Collector, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And what has to be right, with what would mix with it, decides how few."""
    quotients = np.array([9.0, 8, 7, 6, 5, 4, 3, 2, 1])
    assert have_to_be_right(quotients) == few_passes.LEADING
    assert have_to_be_right(np.sqrt(quotients)) == few_passes.LEADING + 1
    for near, right, expected in ((2.0, 6, [8, 7, 6, 6, 6]), (0.0, 8, [8] * 5)):
        monkeypatch.setattr(few_passes, "NEAR", near)
        partial = Partial(tmp_path / f"{near}.partial", {})
        replace(pictures, partial=partial).matrices(FEW)
        turns = [found[1] for turn in range(9) if (found := partial.found(f"turn {turn}", 0))]
        counts = [len(lacking) for lacking in turns]
        assert len(turns) > 2 and counts == expected[: len(turns)]
        ends = [lacking[:right].max() < few_passes.SMALL for lacking in turns]
        assert ends == [False] * (len(turns) - 1) + [True]


def test_a_derivative_is_built_once(pictures: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[torch.Tensor] = []
    real = Search.linearize
    monkeypatch.setattr(
        Search, "linearize", lambda self, *args: made.append(args[1]) or real(self, *args)
    )
    pictures.matrices(FEW)
    assert len(made) == 2


@pytest.mark.parametrize("fast", [True, False], ids=["a CPU with bf16", "one without"])
def test_a_few_passes_are_coarse_where_that_is_faster(
    pictures: Collector, monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    monkeypatch.setattr("sefa_cli.discovery.search.multiplies_bf16", lambda device: fast)
    for search, coarse in (
        (FEW, fast), (EXACT, False), (replace(FEW, space="w+"), False),
        (replace(FEW, method="nullspace"), False),
    ):  # fmt: skip
        settled = replace(search, precision="auto").settled(pictures.generator)
        assert settled.precision == ("bf16" if coarse else "float32")
    assert FEW.settled(pictures.generator) == FEW  # what was asked for stays


def test_what_torch_derives_stays_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its trace is lost in bfloat16, so that every pass paints again: StyleGAN3 took four times."""
    monkeypatch.setattr("sefa_cli.discovery.search.multiplies_bf16", lambda device: True)
    monkeypatch.setattr(few_passes, "START", 2)
    search = replace(FEW, precision="auto")
    for made, precision in (
        (networks.stylegan(), "bf16"), (networks.stylegan2(), "bf16"),
        (networks.mobilestylegan(), "bf16"), (networks.stylegan3(), "float32"),
        (networks.lucidrains(), "float32"),
    ):  # fmt: skip
        generator = build(made, "cpu")
        assert search.few(generator.w_dim)
        assert search.settled(generator).precision == precision, generator.family


def test_coarse_passes_find_the_same_directions(pictures: Collector) -> None:
    a, b = (
        factors_of(mean(pictures.matrices(replace(FEW, precision=precision))), FEW).directions
        for precision in ("float32", "bf16")
    )
    assert not np.array_equal(a, b) and np.abs(np.sum(a * b, axis=1))[:3].min() > 0.999
    span = np.linalg.qr(b.T)[0]  # directions are not at right angles
    assert np.linalg.norm(a[:5] @ span, axis=1).min() > 0.99  # close ones mix among themselves
