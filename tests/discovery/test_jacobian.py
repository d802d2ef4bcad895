"""Gram matrices in batches and groups against the Jacobian as a whole, and what they refuse."""

from typing import Any

import numpy as np
import pytest
import torch

from sefa_cli.discovery.jacobian import Begun, grams, jacobian
from sefa_cli.errors import SefaError
from sefa_cli.generators.base import Generator
from sefa_cli.generators.linearize import Linearization

Regions = dict[str, np.ndarray]
GRAY = np.random.RandomState(0).rand(2, 32, 32) * (np.random.RandomState(1).rand(2, 32, 32) > 0.3)


def exactly(J: np.ndarray, weights: np.ndarray, channels: int = 3) -> np.ndarray:
    rows = np.tile(weights.ravel(), channels)[:, None]
    return J.T @ (rows * J) / rows.sum()


def test_jacobian_is_the_published_one(regions: Regions, linearized: Linearization) -> None:
    published = regions["jacobian"].reshape(-1, 48)
    assert np.abs(jacobian(linearized) - published).max() < 1e-5 * np.abs(published).max()


def test_gray_weights_count_as_much_as_they_say(linearized: Linearization) -> None:
    J = jacobian(linearized).astype(np.float64)
    M = grams(linearized, *GRAY)
    for ours, weights in zip(M, GRAY, strict=True):
        exact = exactly(J, weights)
        assert np.abs(ours - exact).max() < 1e-6 * np.abs(exact).max()


def test_single_precision_costs_less_than_a_millionth(
    hammer: Generator, regions: Regions, linearized: Linearization
) -> None:
    """The whole way in double precision, against passes and products in single."""
    single = grams(linearized, *GRAY)
    hammer.double()
    try:
        double = grams(hammer.linearize(regions["in/w"][0], range(hammer.num_layers)), *GRAY)
    finally:
        hammer.float()
    for ours, exact in zip(single, double, strict=True):
        assert np.linalg.norm(ours - exact) < 1e-6 * np.linalg.norm(exact)


def test_a_small_budget_changes_the_passes_not_the_result(linearized: Linearization) -> None:
    few = np.eye(48)[:, :16]
    everything = grams(linearized, *GRAY, basis=few)
    passes: list[tuple[int, int]] = []
    column = 3 * 32 * 32 * 4
    once = linearized.pass_bytes + 2 * column
    for memory in (once, once + 8 * column):
        passes.clear()
        found = grams(
            linearized,
            GRAY[0],
            GRAY[1],
            memory,
            basis=few,
            progress=lambda *seen: passes.append(seen),
        )
        assert passes[-1][0] == passes[-1][1] > 16  # columns were made more than once
        for ours, same in zip(found, everything, strict=True):
            np.testing.assert_allclose(ours, same, atol=1e-6 * np.abs(same).max())


def test_a_budget_too_small_for_one_pass_is_refused(linearized: Linearization) -> None:
    with pytest.raises(SefaError, match=r"too small for one pass; expected \d+ MiB or more"):
        grams(linearized, GRAY[0], GRAY[1], memory=1000)


def test_out_of_memory_halves_the_batch(
    linearized: Linearization, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything, forward, batches = grams(linearized, *GRAY), linearized.forward, []

    def short(directions: torch.Tensor) -> torch.Tensor:
        batches.append(len(directions))
        if len(directions) > 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to …")
        return forward(directions)

    monkeypatch.setattr(linearized, "forward", short)
    found = grams(linearized, *GRAY)
    assert batches[:4] == [8, 4, 2, 2]
    np.testing.assert_allclose(found.fore, everything.fore, rtol=1e-4, atol=1e-5)


def test_never_enough_memory_is_a_stated_error(
    linearized: Linearization, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(directions: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(linearized, "forward", never)
    with pytest.raises(SefaError, match="not enough memory for one pass"):
        grams(linearized, *GRAY)


@pytest.mark.parametrize(
    "said",
    [
        "shapes do not match",
        "The tensor's data is not allocated yet; call mutable_data() to actually allocate memory.",
    ],
)
def test_other_failures_are_not_taken_for_lack_of_memory(
    linearized: Linearization, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    def broken(directions: torch.Tensor) -> torch.Tensor:
        raise RuntimeError(said)

    monkeypatch.setattr(linearized, "forward", broken)
    with pytest.raises(RuntimeError, match=said[:10]):
        grams(linearized, *GRAY)


def test_channels_summed_first(linearized: Linearization) -> None:
    J = jacobian(linearized).astype(np.float64).reshape(3, -1, 48).sum(axis=0)
    M = grams(linearized, *GRAY, sum_channels=True)
    for ours, weights in zip(M, GRAY, strict=True):
        exact = exactly(J, weights, channels=1)
        assert np.abs(ours - exact).max() < 1e-6 * np.abs(exact).max()


def test_a_basis_takes_the_place_of_the_identity(linearized: Linearization) -> None:
    Q = np.linalg.qr(np.random.RandomState(0).randn(48, 7))[0]
    whole, part = grams(linearized, *GRAY), grams(linearized, *GRAY, basis=Q)
    for ours, exact in zip(part, whole, strict=True):
        np.testing.assert_allclose(ours, Q.T @ exact @ Q, atol=1e-5 * np.abs(exact).max())


@pytest.mark.parametrize(
    ("fore", "message"),
    [
        (np.zeros((32, 32)), "the region is empty"),
        (np.ones((16, 32)), r"shape \(16, 32\); expected \(32, 32\)"),
        (-np.ones((32, 32)), "below zero"),
        (np.full((32, 32), np.nan), "not finite"),
    ],
)
def test_bad_weights_are_refused(linearized: Linearization, fore: np.ndarray, message: str) -> None:
    with pytest.raises(SefaError, match=message):
        grams(linearized, fore, np.ones((32, 32)))
    if not fore.any():
        with pytest.raises(SefaError, match="the background is empty"):
            grams(linearized, np.ones((32, 32)), fore)


def test_an_interrupted_picture_is_gone_on_with(
    linearized: Linearization, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything, forward, begun = grams(linearized, *GRAY), linearized.forward, Begun()
    seen: list[Any] = []

    def interrupted(directions: torch.Tensor) -> torch.Tensor:
        if len(seen) == 3:
            raise KeyboardInterrupt
        seen.append(len(directions))
        return forward(directions)

    monkeypatch.setattr(linearized, "forward", interrupted)
    with pytest.raises(KeyboardInterrupt):
        grams(linearized, *GRAY, begun=begun)
    assert begun.rows is not None and len(begun.rows) == sum(seen) == 24
    monkeypatch.setattr(linearized, "forward", forward)
    passes: list[int] = []
    found = grams(
        linearized,
        *GRAY,
        begun=Begun(begun.rows.numpy()),
        progress=lambda done, _: passes.append(done),
    )
    assert passes[0] == 24 and len(passes) == 4  # three batches were left
    np.testing.assert_array_equal(found.fore, everything.fore)


def test_out_of_memory_for_the_columns_takes_them_in_groups(
    linearized: Linearization, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything, real = grams(linearized, *GRAY), torch.Tensor.new_empty

    def short(tensor: torch.Tensor, *shape: int) -> torch.Tensor:
        if shape[0] > 12:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(tensor, *shape)

    monkeypatch.setattr(torch.Tensor, "new_empty", short)
    passes: list[tuple[int, int]] = []
    found = grams(linearized, *GRAY, progress=lambda *at: passes.append(at))
    assert all(done <= total for done, total in passes) and passes[-1][0] == passes[-1][1]
    np.testing.assert_allclose(found.back, everything.back, rtol=1e-4, atol=1e-5)
