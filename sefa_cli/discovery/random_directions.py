"""Random directions: what every method has to beat."""

import numpy as np

from sefa_cli.discovery.sefa import Float32, fix_sign


def random_directions(dim: int, num: int, seed: int = 0) -> Float32:
    """Return orthonormal rows `(num, dim)` of a uniformly distributed orthogonal matrix.

    They are the orthonormal factor of a Gaussian matrix `(dim, num)`. The largest component of
    each is positive.

    Source: Stewart, "The Efficient Generation of Random Orthogonal Matrices", 1980.

    Example:
        >>> rows = random_directions(dim=5, num=3)
        >>> np.allclose(rows @ rows.T, np.eye(3), atol=1e-6)
        True
    """
    q, _ = np.linalg.qr(np.random.RandomState(seed).randn(dim, num))
    return fix_sign(np.ascontiguousarray(q.T, np.float32))
