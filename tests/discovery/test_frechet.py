"""Fréchet basis: what scattered local bases have in common comes back."""

import numpy as np

from sefa_cli.discovery.frechet import frechet, grassmann_mean, rotation_mean


def scattered(noise: float, count: int = 30) -> tuple[np.ndarray, list[np.ndarray]]:
    """A basis (8, 3), and bases near it with signs of their own."""
    random = np.random.RandomState(2)
    truth = np.linalg.qr(random.randn(8, 3))[0]
    near = [np.linalg.qr(truth + noise * random.randn(8, 3))[0] for _ in range(count)]
    signs = [np.sign(np.sum(basis * truth, axis=0)) for basis in near]
    flips = random.choice([-1, 1], (count, 3))
    return truth, [b * s * f for b, s, f in zip(near, signs, flips, strict=True)]


def test_the_common_basis_comes_back() -> None:
    truth, local = scattered(0.1)
    found = frechet(local, truth @ np.diag([3.0, 1.0, 2.0]) @ truth.T)
    cosines = np.abs(found.directions @ truth)
    assert cosines.argmax(axis=1).tolist() == [0, 2, 1]  # by the variance along them
    assert cosines.max(axis=1).min() > 0.99 > cosines_of(local[0], truth)
    np.testing.assert_allclose(found.eigenvalues, [3, 2, 1], rtol=0.05)


def cosines_of(basis: np.ndarray, truth: np.ndarray) -> float:
    return float(np.abs(np.sum(basis * truth, axis=0)).min())


def test_the_span_to_refine_is_kept() -> None:
    truth, local = scattered(0.1)
    turned = truth @ np.linalg.qr(np.random.RandomState(9).randn(3, 3))[0]
    found = frechet(local, truth @ truth.T, turned)
    np.testing.assert_allclose(found.directions.T @ found.directions, truth @ truth.T, atol=1e-6)
    assert cosines_of(turned, truth) < 0.9
    assert np.abs(found.directions @ truth).max(axis=1).min() > 0.99


def test_a_mean_of_subspaces_is_nearer_to_all_than_any_of_them() -> None:
    _, local = scattered(0.2)

    def scatter(center: np.ndarray) -> float:
        cosines = [np.linalg.svd(center.T @ basis)[1].clip(0, 1) for basis in local]
        return float(np.square(np.arccos(cosines)).sum())

    assert scatter(grassmann_mean(local)) < min(map(scatter, local))


def test_a_mean_of_rotations_of_one_axis_turns_by_the_mean_angle() -> None:
    def turn(angle: float) -> np.ndarray:
        found = np.eye(3)
        found[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        return found

    mean = rotation_mean([turn(angle) for angle in (0.1, 0.2, 0.9)])
    np.testing.assert_allclose(mean, turn(0.4), atol=1e-6)
