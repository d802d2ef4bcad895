"""`--k` and `--alpha`: rows, columns, sums, labels, and what is refused."""

from typing import Any

import numpy as np
import pytest

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.moves import Move, ends_of, moves_of, name_of, parse_moves, stops_of
from sefa_cli.errors import SefaError, UsageError


@pytest.fixture
def bundle() -> Bundle:
    return Bundle(
        directions=np.eye(8, dtype=np.float32)[:5],
        eigenvalues=np.arange(5.0)[::-1],
        layers=np.array((2, 3)),
        method="sefa",
        params={},
        space="w",
        model={
            "ref": "m.pt", "family": "stylegan2", "resolution": 32, "z_dim": 8, "w_dim": 8,
            "num_layers": 8, "layer_names": [f"l{i}" for i in range(8)], "fingerprint": "a" * 64,
        },
        info=({}, {"label": "smile"}, {}, {}, {}),
    )  # fmt: skip


def steps(table: list[list[Move]]) -> list[list[tuple[tuple[int, float], ...]]]:
    return [[move.steps for move in row] for row in table]


def test_one_direction_one_step(bundle: Bundle) -> None:
    assert steps(parse_moves(bundle, ["3"], ["2"])) == [[((3, 2.0),)]]


def test_a_range_makes_a_row_each(bundle: Bundle) -> None:
    rows = [[((0, 2.0),)], [((1, 2.0),)]]
    assert steps(parse_moves(bundle, ["0-1"], ["2"])) == rows
    assert steps(parse_moves(bundle, ["0,smile"], ["2"])) == rows


def test_several_alphas_make_a_column_each(bundle: Bundle) -> None:
    assert steps(parse_moves(bundle, ["0"], ["-2,2"])) == [[((0, -2.0),), ((0, 2.0),)]]


def test_pairs_combine(bundle: Bundle) -> None:
    table = parse_moves(bundle, ["0", "smile"], ["2", "-1.5"])
    assert steps(table) == [[((0, 2.0), (1, -1.5))]]
    assert table[0][0].name == "k0_+2.00_k1_-1.50"


@pytest.mark.parametrize(
    ("ks", "alphas", "said"),
    [
        (["5"], ["1"], "direction 5 is out of range; expected 0-4"),
        (["0"], ["nan"], "alpha must be finite, got"),
        (["0"], ["inf"], "alpha must be finite, got"),
        (
            ["0"],
            ["1e30"],
            "alpha must be between -1000 and 1000, got 1e\\+30. `sefa inspect` shows",
        ),
        (["0"], ["-1001:2"], "alpha must be between -1000 and 1000, got -1001"),
        (["0"], ["much"], "alpha must be a number, got 'much'"),
        (["0", "1"], ["1"], "2 --k with 1 --alpha"),
        (["0-1", "2"], ["1", "1"], "names 2 directions"),
        (["1", "smile"], ["1", "2"], "direction 1 is given twice"),
        ([], [], "a direction is missing"),
    ],
)
def test_refusals(bundle: Bundle, ks: list[str], alphas: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_moves(bundle, ks, alphas)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"smile": 1, 1: 2}, "direction 1 is given twice; expected each direction once"),
        ([3, ("smile", 2)], "steps must be directions, got 3; expected directions and steps"),
        ([("smile", 2, 3)], r"steps must be directions, got \('smile', 2, 3\)"),
        (3.5, "steps must be directions, got 3.5"),
        ([], "no step given"),
    ],
)
def test_steps_of_the_library_that_are_none(bundle: Bundle, wrong: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        moves_of(bundle, wrong)


def test_an_unknown_label_names_the_nearest(bundle: Bundle) -> None:
    with pytest.raises(SefaError, match="smile"):
        parse_moves(bundle, ["smille"], ["1"])


@pytest.mark.parametrize(
    ("ks", "alphas", "name"),
    [
        (["3"], ["2"], "k3_+2.00"),
        (["0-3"], ["2"], "k0-3_+2.00"),
        (["0"], ["-2,2"], "k0_-2.00to+2.00"),
        (["0", "1"], ["2", "-1"], "k0_+2.00_k1_-1.00"),
    ],
)
def test_names(bundle: Bundle, ks: list[str], alphas: list[str], name: str) -> None:
    assert name_of(parse_moves(bundle, ks, alphas)) == name


def test_spans() -> None:
    assert ends_of("-3:3") == (-3.0, 3.0)
    assert stops_of((-3, 3)) == [-3.0, 3.0] and stops_of("0,3,-3,0") == [0, 3, -3, 0]
    for wrong in ("3", "a:b", "0:nan", "", "3:3", "3,3,3"):
        with pytest.raises(UsageError):
            stops_of(wrong)
    with pytest.raises(UsageError, match="range '-3:0:3' has more than two ends"):
        ends_of("-3:0:3")
