"""Local basis: the left singular vectors of the mapping network's derivative."""

import numpy as np

from sefa_cli.discovery.local_basis import local_basis


def test_a_step_along_the_first_moves_w_the_farthest() -> None:
    jacobian = np.random.RandomState(0).randn(6, 4)
    found = local_basis(jacobian)
    assert found.directions.shape == (4, 6)
    np.testing.assert_allclose(
        found.eigenvalues, np.linalg.eigvalsh(jacobian.T @ jacobian)[::-1], rtol=1e-9
    )
    steps = np.random.RandomState(1).randn(4, 500)
    reached = jacobian @ (steps / np.linalg.norm(steps, axis=0))
    assert np.linalg.norm(reached, axis=0).max() <= np.sqrt(found.eigenvalues[0])
    np.testing.assert_array_equal(local_basis(jacobian, num=2).directions, found.directions[:2])
