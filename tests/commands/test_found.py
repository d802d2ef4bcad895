"""What `localize` says of the directions that it found: which are approximate, and how much."""

import numpy as np
import pytest

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.commands.found import _report_residuals
from tests.bundle.test_bundle import parts


def found(k: int, method: str = "resefa", few: bool = True) -> Bundle:
    rows = np.full((k, 4), 0.5, np.float32)
    params = {"few_passes": True} if few else {}
    return Bundle(**parts(directions=rows, method=method, params=params))


@pytest.mark.parametrize(
    "residuals, k, said",
    [
        ([0.01, 0.02, 0.05, 0.19, 0.2, 0.2], 6, ""),
        ([0.01, 0.02, 0.05, 0.7, 0.19, 1.2], 6, "directions 3,5 are approximate (residual 1.2"),
        ([0.01, 0.02, 0.05, 1.1, 0.2, 1.2], 4, "direction 3 is approximate (residual 1.1"),
        ([0.01, 0.02, 0.05, 1.1, 0.2, 1.2], 2, ""),  # of what is not written, nothing is said
        ([0.6, 0.7, 0.7, 0.7, 0.6, 0.8], 6, ""),  # only with -v
    ],
)
def test_few_passes_name_the_directions_that_are_one_of_many(
    residuals: list[float], k: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _report_residuals(np.array(residuals), found(k))
    printed = capsys.readouterr().err
    assert said in printed and bool(said) == bool(printed)
    assert not said or "--exact-gram takes every derivative" in printed


def test_a_sketch_says_how_right_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    _report_residuals(np.array([0.001, 0.02]), found(2, few=False))
    assert "to within 2.0%; a larger --sketch gives better ones" in capsys.readouterr().err


@pytest.mark.parametrize("worst, said", [(0.03, ""), (0.1, ""), (0.2, "directions 0-2 are")])
def test_a_null_space_has_its_own_measure_and_depends_on_all_residuals(
    worst: float, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those of the background come first, so that no residual belongs to one direction."""
    _report_residuals(np.array([0.01, 0.01, 0.01, 0.01, worst]), found(3, "nullspace"))
    printed = capsys.readouterr().err
    assert said in printed and bool(said) == bool(printed)
    assert not said or "(residual 0.2, 0.03 is small)" in printed
