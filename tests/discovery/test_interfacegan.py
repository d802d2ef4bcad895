"""InterFaceGAN's boundary on codes with a known attribute."""

import numpy as np
import pytest

from sefa_cli.discovery.interfacegan import boundary, conditioned, separate
from sefa_cli.errors import SefaError, UsageError


def samples(noise: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes of 12 dimensions that vary unequally, an attribute's direction, and its scores."""
    random = np.random.RandomState(0)
    codes = random.randn(600, 12) * np.linspace(2, 0.5, 12) + 3
    axis = random.randn(12)
    axis /= np.linalg.norm(axis)
    return codes, axis, codes @ axis + noise * random.randn(600)


def test_the_normal_is_the_attributes_direction() -> None:
    codes, axis, scores = samples()
    found = boundary(codes, scores)
    assert found.normal @ axis > 0.97 and found.accuracy == 1
    np.testing.assert_allclose(np.linalg.norm(found.normal), 1, atol=1e-6)
    np.testing.assert_allclose(boundary(codes, -scores).normal, -found.normal, atol=1e-5)


def test_shuffled_scores_have_no_boundary() -> None:
    codes, axis, scores = samples()
    found = boundary(codes, np.random.RandomState(1).permutation(scores))
    assert abs(found.normal @ axis) < 0.7 and found.accuracy < 0.75


def test_codes_without_a_score_are_left_out() -> None:
    codes, _, scores = samples(noise=0.5)
    lost = np.arange(600) % 4 == 0
    some = np.where(lost, np.nan, scores)
    np.testing.assert_array_equal(
        boundary(codes, some).normal, boundary(codes[~lost], scores[~lost]).normal
    )


def test_a_support_vector_machine_keeps_the_widest_margin() -> None:
    """Two separable classes: the margin lies between the nearest of both, wherever the rest is."""
    high = np.array([[1.0, 0], [1, 50], [9, -3]])
    low = np.array([[-1.0, 0], [-1, -50], [-7, 20]])
    normal, offset = separate(high * 100, low * 100)
    np.testing.assert_allclose(normal / np.linalg.norm(normal), [1, 0], atol=1e-3)
    assert offset == pytest.approx(0, abs=1e-3)
    shifted, beside = separate(high * 100 + 7, low * 100 + 7)
    np.testing.assert_allclose(shifted, normal, atol=1e-9)
    assert beside == pytest.approx(offset - 7 * normal.sum(), abs=1e-6)


def test_a_condition_is_projected_out() -> None:
    random = np.random.RandomState(0)
    normal, *others = (row / np.linalg.norm(row) for row in random.randn(3, 8))
    found = conditioned(normal.astype(np.float32), np.array(others))
    np.testing.assert_allclose(np.array(others) @ found, 0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found), 1, atol=1e-6)
    one = normal - (normal @ others[0]) * others[0]
    alone = conditioned(normal.astype(np.float32), np.array(others[:1]))
    np.testing.assert_allclose(alone, one / np.linalg.norm(one), atol=1e-6)
    with pytest.raises(SefaError, match="lies within those of the condition"):
        conditioned(others[0].astype(np.float32), np.array(others))


@pytest.mark.parametrize("share", [0, -0.1, 0.6, float("nan")])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    codes, _, scores = samples()
    with pytest.raises(UsageError, match="share must be above 0"):
        boundary(codes, scores, share)


def test_what_has_no_two_classes_is_refused() -> None:
    codes, _, scores = samples()
    with pytest.raises(SefaError, match="4 of 40 samples in each class; expected 5 or more"):
        boundary(codes[:40], scores[:40])
    with pytest.raises(SefaError, match="the highest and the lowest scores are the same"):
        boundary(codes, np.zeros(600))
