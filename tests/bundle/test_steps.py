"""Suggested steps: from measured changes, else from eigenvalues, at most 10."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import sefa_cli as sefa
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.moves import moves_of, parse_moves
from tests.helpers.networks import stylegan2


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return sefa.factorize(stylegan2(resolution=32), layers="0-1", num=4)


def test_equal_steps_change_the_styles_equally(bundle: Bundle) -> None:
    made = replace(bundle, eigenvalues=np.array([64.0, 16.0, 4.0, 1.0]))
    assert [made.step(k) for k in range(4)] == [2, 4, 8, 10]


def test_a_common_gain_is_not_the_measure(bundle: Bundle) -> None:
    values = np.array([400.0, 16.0, 4.0, 1.0])
    made = replace(bundle, eigenvalues=values, info=({"gain": 0.9}, {}, {}, {}))
    assert [made.step(k) for k in range(4)] == [0.4, 2, 4, 8]


def test_a_measured_change_decides(bundle: Bundle) -> None:
    change = {"inside": 0.1, "outside": 0.01}
    made = replace(
        bundle, info=({"change": change}, {}, {}, {"change": {"inside": 0, "outside": 0}})
    )
    assert made.step(0) == 2.5
    assert made.step(3) == bundle.step(3)


@pytest.mark.parametrize("values", [None, np.zeros(4), -np.arange(4.0)])
def test_without_positive_eigenvalues_a_step_is_2(bundle: Bundle, values: np.ndarray) -> None:
    assert replace(bundle, eigenvalues=values).step(1) == 2


def test_a_sum_goes_as_far_as_its_terms(bundle: Bundle) -> None:
    made = replace(bundle, eigenvalues=np.array([64.0, 16.0, 4.0, 1.0])).name({1: "smile"})
    assert made["smile"].step == made.step("smile") == 4
    assert (2 * made["smile"]).step == 2
    assert (made[0] + made[1]).step == 1.8  # 1 / √(1/4 + 1/16)


def test_alpha_auto(bundle: Bundle) -> None:
    made = replace(bundle, eigenvalues=np.array([64.0, 16.0, 4.0, 1.0]))
    table = parse_moves(made, ["0-1"], ["auto"])
    assert [[move.steps[0][1] for move in row] for row in table] == [[-4, -2, 2, 4], [-8, -4, 4, 8]]
    assert parse_moves(made, ["0", "1"], ["auto", "3"])[0][0].steps == ((0, 2.0), (1, 3.0))
    assert parse_moves(made, ["0-1"], []) == table
    assert moves_of(made, [(0, "auto")]) == table[:1]
    both: Any = {0: "auto", 1: 3}
    assert moves_of(made, both)[0][0].steps == ((0, 2.0), (1, 3.0))
