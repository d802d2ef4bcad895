"""The strength at which a picture changes as asked."""

import csv
import math
from collections.abc import Callable

import numpy as np
import pytest

from sefa_cli.evaluation.found import Evaluation
from sefa_cli.evaluation.locality import strength
from sefa_cli.evaluation.output import as_csv
from tests.evaluation.conftest import bundle


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


def test_locality_of_a_direction_with_a_region(run: Callable[..., Evaluation]) -> None:
    mask = np.zeros((32, 32), np.uint8)
    mask[8:16, 8:16] = 255
    found = run({"right": bundle(mask=mask)})
    rows = found.results
    assert rows[0]["inside_over_outside"] == pytest.approx([9, 9], rel=0.05)  # (0.15 / 0.05)²
    assert rows[1]["inside_over_outside"] == pytest.approx([1, 1], rel=0.05)
    assert rows[0]["inside"] + rows[0]["outside"] == pytest.approx([57.4, 57.4, 19.1, 19.1], abs=1)
    for row in rows[:2]:
        low, middle, high = (row[f"inside_over_outside{end}"][-1] for end in ("_low", "", "_high"))
        assert 0.95 * middle < low < middle < high < 1.05 * middle
    kept = list(csv.DictReader(as_csv(found).splitlines()))
    assert float(kept[0]["inside_over_outside"]) == rows[0]["inside_over_outside"][-1]
    assert run({"right": bundle()}).results[0]["inside_over_outside"] is None
