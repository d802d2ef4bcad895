"""Distortion: tangent spaces that turn with w, and others that stay."""

import numpy as np
import pytest

from sefa_cli.editing.source import load_generator
from sefa_cli.errors import UsageError
from sefa_cli.evaluation.distortion import distance, distortion, measure_distortion
from tests.helpers import networks


def spans(angles: list[float]) -> list[np.ndarray]:
    return [np.array([[np.cos(a)], [np.sin(a)], [0]]) for a in angles]


def test_it_is_how_much_more_spaces_differ_apart_than_near() -> None:
    found = distortion(spans([0, 0.8]), spans([0.1, 0.7]))
    assert [found.apart, found.near] == pytest.approx([0.8, 0.1])
    assert found.ratio == pytest.approx(8)
    assert distortion(spans([0, 0.8]), spans([0, 0.8])).ratio > 1e6
    same = np.linalg.qr(np.random.RandomState(0).randn(6, 3))[0]
    turned = same @ np.linalg.qr(np.random.RandomState(1).randn(3, 3))[0]
    assert distance(same, turned) == pytest.approx(0, abs=1e-6)


def test_a_mapping_network_turns_less_over_a_shorter_step() -> None:
    generator = load_generator(networks.stylegan2(), "cpu")
    far, near = (measure_distortion(generator, range(6), 3, step) for step in (1.0, 0.01))
    assert far.apart == near.apart and near.near < far.near < far.apart


def test_refuses() -> None:
    with pytest.raises(UsageError, match="2 or more each"):
        distortion(spans([0]), spans([1]))
    with pytest.raises(UsageError, match="a model with a mapping network"):
        measure_distortion(load_generator(networks.pggan(), "cpu"), [0, 1])
