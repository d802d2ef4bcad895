"""code′ = code + Σ αᵢ nᵢ: the same for arrays and tensors, and written down in one place."""

import re

import numpy as np
import pytest
import torch

from sefa_cli.editing.sum import add, for_every_layer, on_layers, shift
from sefa_cli.errors import MismatchError, UsageError
from tests.helpers import ROOT

ROWS = np.eye(4, dtype=np.float32)


def test_a_shift_adds_up_steps() -> None:
    np.testing.assert_array_equal(shift(ROWS, [(0, 2), (3, -1.5)], 2), [[2, 0, 0, -1.5]] * 2)
    layered = np.stack([ROWS[:2], ROWS[2:]])  # (k, layers, dim)
    np.testing.assert_array_equal(shift(layered, [(1, 2)], 2), 2 * ROWS[2:])
    assert not shift(ROWS, [], 3).any()


def test_arrays_and_tensors_move_alike() -> None:
    codes = np.random.RandomState(0).randn(2, 5, 4).astype(np.float32)
    rows = shift(ROWS, [(1, 3)], 2)
    moved = add(codes, rows, [1, 4])
    assert isinstance(moved, np.ndarray)
    np.testing.assert_array_equal(moved, add(torch.tensor(codes), rows, [1, 4]).numpy())
    np.testing.assert_array_equal((moved - codes)[:, [0, 2, 3]], 0)
    assert (moved[:, [1, 4], 1] > codes[:, [1, 4], 1] + 2.9).all()


def test_precision_and_input_are_kept() -> None:
    codes = torch.zeros(1, 2, 4, dtype=torch.float64)
    assert add(codes, shift(ROWS, [(0, 1)], 1), [0]).dtype == torch.float64
    assert not codes.any()


def test_a_single_code_is_repeated_for_every_layer() -> None:
    code = np.ones((1, 4), np.float32)
    assert for_every_layer(code, 3).shape == (1, 3, 4)
    assert for_every_layer(torch.tensor(code), 3).shape == (1, 3, 4)
    assert for_every_layer(code, 1) is code


def test_other_layers() -> None:
    np.testing.assert_array_equal(on_layers(ROWS[:1], [0], [5, 6], False), [ROWS[0]] * 2)
    np.testing.assert_array_equal(on_layers(ROWS[:2], [0, 1], [1], True), ROWS[1:2])
    with pytest.raises(UsageError, match="no row for layer 2; expected layers of 0-1"):
        on_layers(ROWS[:2], [0, 1], [2], True)


def test_codes_of_another_model_are_refused() -> None:
    with pytest.raises(MismatchError, match="directions have 4 numbers, the model's latent has 5"):
        add(np.zeros((1, 2, 5), np.float32), ROWS[:1], [0])
    with pytest.raises(
        MismatchError, match="the directions move layer 2, but the model has 2 layers"
    ):
        add(np.zeros((1, 2, 4), np.float32), ROWS[:1], [2])


def test_nothing_else_adds_to_a_code() -> None:
    """No other file multiplies a step with a direction, or adds one to some layers of a code."""
    added = re.compile(r"\[:, list\([^)]*\)\] \+=|alpha\)? \* \w*\.?(directions|rows)\[")
    homes = [path.name for path in (ROOT / "sefa_cli").rglob("*.py")
             if added.search(path.read_text())]  # fmt: skip
    assert homes == ["sum.py"]
