"""A unit of change: measured on the generator with known factors, it is the same for every one."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from sefa_cli.evaluation.calibration import calibrated, change_per_alpha, unit
from sefa_cli.evaluation.found import Evaluation
from tests.evaluation.conftest import bundle


def test_a_unit_between_two_steps_and_beyond_the_last() -> None:
    alphas = np.array([-2.0, -1, 1, 2])
    changes = np.array([[0.8, 0.2, 0.1, 0.2]] * 3 + [[9, 9, 9, 9]])  # one seed that broke
    below, above = unit(alphas, changes, 0.25)
    assert below == pytest.approx(1 + 0.05 / 0.6, abs=1e-3) and above == pytest.approx(2.5)
    assert unit(alphas, np.zeros((3, 4)), 0.25) == (math.inf, math.inf)
    falling = np.array([[0.1, 0.3, 0.3, 0.1]])  # pictures that come nearer again
    assert unit(alphas, falling, 0.25) == pytest.approx((0.833, 0.833), abs=1e-3)


def test_the_rate_outside_is_that_of_a_unit() -> None:
    alphas = np.array([-1.0, 1])
    inside, outside = np.full((2, 2), 127.5 * 0.25), np.full((2, 2), 127.5 * 0.05)
    rates = change_per_alpha(alphas, inside, outside)
    assert rates == pytest.approx({"inside": 0.25, "outside": 0.05})


def test_a_unit_is_the_same_change_for_every_direction(run: Callable[..., Evaluation]) -> None:
    found = run({"right": bundle()}, steps=3)
    rows = {row["k"]: row for row in found.results}
    made = calibrated(bundle(), rows)
    # brightness changes all pixels by 0.05 and a sixteenth of them by 0.15; warmth two of three
    # channels by 0.1
    assert rows[0]["change_per_alpha"]["inside"] == pytest.approx(math.sqrt(0.00375), rel=0.02)
    assert rows[1]["change_per_alpha"]["inside"] == pytest.approx(math.sqrt(0.02 / 3), rel=0.02)
    assert rows[1]["unit"] == pytest.approx([0.25 / math.sqrt(0.02 / 3)] * 2, rel=0.02)
    assert bundle().step(0) == bundle().step(1) == 2
    for k in (0, 1):
        rate = rows[k]["change_per_alpha"]["inside"]
        assert made.step(k) * rate == pytest.approx(0.25, rel=0.05)
    assert made.info[0]["change"]["outside"] == 0 and rows[0]["holds"] is None
    flat = np.eye(4, dtype=np.float32)[3:]  # the code's last part changes pixels a little
    assert calibrated(bundle(flat), {0: run({"flat": bundle(flat)}).results[0]}).step(0) == 10


def test_a_unit_of_a_region_is_its_own_change(run: Callable[..., Evaluation]) -> None:
    mask = np.zeros((32, 32), np.uint8)
    mask[8:16, 8:16] = 255
    (row,) = run({"right": bundle(mask=mask)}, k=0).results
    assert row["change_per_alpha"] == pytest.approx({"inside": 0.15, "outside": 0.05}, rel=0.03)
