"""The strength at which a picture changes as asked."""

import math

import pytest

from sefa_cli.evaluation.locality import strength


@pytest.mark.parametrize("first", [0.01, 2.0, 300.0, -0.01, -300.0])
@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_strength_is_found_from_any_beginning(first: float, power: float) -> None:
    alpha = strength(lambda a: 7 * abs(a) ** power, 20, first)
    assert alpha is not None and math.copysign(1, alpha) == math.copysign(1, first)
    assert 7 * abs(alpha) ** power == pytest.approx(20, rel=0.02)


def test_a_steep_step_is_bisected() -> None:
    alpha = strength(lambda a: 40 / (1 + math.exp(-10 * (a - 3))), 20, 0.5)
    assert alpha == pytest.approx(3, abs=0.01)


def test_a_saturated_picture_has_no_such_strength() -> None:
    assert strength(lambda a: 15 * math.tanh(abs(a)), 20, 1) is None
    assert strength(lambda a: 0.0, 20, 1) is None
