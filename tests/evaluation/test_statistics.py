"""Numbers over seeds: intervals that cover, shares, and what must not score."""

import numpy as np
import pytest

from sefa_cli.evaluation.statistics import (
    consistency,
    dependency,
    interval,
    median_interval,
    monotone_range,
    transfer,
    uniformity,
)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    random = np.random.RandomState(0)
    samples = random.randn(40, 300) * 2 + 1  # 300 studies of 40 seeds each
    found = interval(samples)
    covered = np.mean((found.low <= 1) & (found.high >= 1))
    assert 0.9 <= covered <= 0.98
    np.testing.assert_allclose(found.mean, samples.mean(axis=0))


def test_a_few_seeds_have_no_interval_of_the_median() -> None:
    found = median_interval(np.array([[1.0], [2.0], [4.0]]))
    assert found.mean[0] == 2 and np.isnan(found.low[0]) and np.isnan(found.high[0])


@pytest.mark.parametrize("seeds", [6, 7, 10, 41, 200])
def test_intervals_of_medians_cover_too(seeds: int) -> None:
    samples = np.exp(np.random.RandomState(0).randn(seeds, 400))  # skewed, of the median 1
    found = median_interval(samples)
    assert 0.92 <= np.mean((found.low <= 1) & (found.high >= 1)) <= 0.99
    np.testing.assert_array_equal(found.mean, np.median(samples, axis=0))


def test_lost_seeds_are_left_out_of_a_mean() -> None:
    values = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    found = interval(values)
    assert found.mean[0] == 2 and np.isnan(found.mean[1]) and np.isnan(found.high[1])
    assert transfer(values)[0] == 1


def test_an_effect_that_is_shuffled_over_seeds_is_not_steady() -> None:
    random = np.random.RandomState(1)
    steady, shuffled = 1 + 0.2 * random.randn(200), random.randn(200)
    assert transfer(np.stack([steady, shuffled], axis=1)).tolist() == pytest.approx(
        [1, 0.5], abs=0.1
    )
    found = interval(np.stack([steady, shuffled], axis=1))
    assert found.low[0] > 0.9 and found.low[1] < 0 < found.high[1]


def test_fields_that_agree_and_fields_that_do_not() -> None:
    random = np.random.RandomState(2)
    pattern = random.randn(8, 8, 3)
    same, share = consistency(np.array([pattern * size for size in (1, 2, 5)]))
    assert same == pytest.approx(1) and share == 1
    unrelated, share = consistency(random.randn(50, 8, 8, 3))
    assert abs(unrelated) < 0.05 and 0.2 < share < 0.8
    assert consistency(np.zeros((3, 8, 8, 3))) == (0, 0)


def test_even_steps_are_uniform() -> None:
    assert uniformity(np.array([[2.0, 2, 2], [5, 5, 5]])) == 1
    assert uniformity(np.array([[1.0, 2, 4], [1, 2, 4]])) == 0.25
    assert uniformity(np.zeros((2, 3))) == 0


def test_the_range_ends_where_a_picture_no_longer_moves_away() -> None:
    alphas = np.array([-4.0, -2, 2, 4])
    away = np.tile([5.0, 3, 3, 2], (10, 1))
    assert monotone_range(alphas, away) == (-4, 2)
    away[:, 1] = 6  # the first step already overshoots
    assert monotone_range(alphas, away) == (-2, 2)


def test_dependency_is_zero_for_an_attribute_that_moves_alone() -> None:
    alone, both = np.array([2.0, 0, 0]), np.array([2.0, 1, 1])
    effects = np.array([[alone, both]] * 4)  # (seeds, k, attributes)
    assert dependency(effects)[:, 0].tolist() == [0, 0.5]


def test_a_score_without_variance_has_no_part_in_dependency() -> None:
    """Such as the saturation of a gray model: the others' numbers stay what they are."""
    effects = np.array([[2.0, 1, np.nan]] * 4)
    np.testing.assert_array_equal(dependency(effects), [0.5, 2, np.nan])
