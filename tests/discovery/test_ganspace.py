"""GANSpace: known components come back; the regression is the paper's, solved in closed form."""

import numpy as np

from sefa_cli.discovery.ganspace import ganspace, ganspace_by_regression


def known(spread: list[float], samples: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Codes whose components are known, and these as rows."""
    random = np.random.RandomState(3)
    axes = np.linalg.qr(random.randn(len(spread), len(spread)))[0]
    return random.randn(samples, len(spread)) * spread @ axes.T + 7, axes.T


def test_known_components_come_back_in_order() -> None:
    codes, axes = known([0.2, 3, 1, 2])
    found = ganspace(codes)
    cosines = np.abs(found.directions @ axes.T)
    assert cosines.argmax(axis=1).tolist() == [1, 3, 2, 0] and cosines.max(axis=1).min() > 0.99
    np.testing.assert_allclose(found.lengths, [3, 2, 1, 0.2], rtol=0.05)
    np.testing.assert_allclose(found.variances, found.lengths**2)
    assert np.abs(found.directions).max(axis=1).tolist() == found.directions.max(axis=1).tolist()


def test_without_the_pairing_of_their_numbers_they_do_not() -> None:
    codes, axes = known([0.2, 3, 1, 2])
    shuffled = np.stack([np.random.RandomState(j).permutation(codes[:, j]) for j in range(4)], 1)
    assert np.abs(ganspace(shuffled).directions @ axes.T).max(axis=1).min() < 0.95


def test_a_dimension_that_never_varies_gives_no_direction() -> None:
    codes, _ = known([1, 2, 0])
    assert ganspace(codes).directions.shape == (2, 3)
    assert ganspace(codes, num=1).directions.shape == (1, 3)


def test_regression_is_least_squares_on_the_features_coordinates() -> None:
    random = np.random.RandomState(0)
    z, A = random.randn(3000, 5) * [1, 2, 1, 3, 1], random.randn(9, 5).astype(np.float32)
    found = ganspace_by_regression(z, A, num=3)
    features = z @ A.T.astype(np.float64)
    centered = features - features.mean(axis=0)
    V = np.linalg.svd(centered, full_matrices=False)[2][:3]  # (3, 9)
    x = centered @ V.T
    U = np.linalg.lstsq(x, z - z.mean(axis=0), rcond=None)[0]  # (3, 5)
    np.testing.assert_allclose(found.variances, x.var(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.lengths, np.linalg.norm(U, axis=1) * x.std(axis=0), rtol=1e-5)
    cosines = np.sum(found.directions * U, axis=1) / np.linalg.norm(U, axis=1)
    np.testing.assert_allclose(np.abs(cosines), 1, atol=1e-6)
