"""Random directions: orthonormal, and the same for the same seed."""

import numpy as np

from sefa_cli.discovery.random_directions import random_directions


def test_they_are_orthonormal_and_a_seed_gives_the_same() -> None:
    rows = random_directions(16, 7, seed=3)
    np.testing.assert_allclose(rows @ rows.T, np.eye(7), atol=1e-6)
    np.testing.assert_array_equal(rows, random_directions(16, 7, seed=3))
    assert not np.allclose(rows, random_directions(16, 7, seed=4))
