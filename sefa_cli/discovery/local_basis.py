"""Local basis: directions of one w from the mapping network (Choi et al., ICLR 2022).

"Do Not Escape From the Manifold: Discovering the Local Coordinates on the Latent Space of GANs".
The singular value decomposition of the mapping network's derivative at z, df = V S Uᵀ, says where
w can go from w = f(z): along v₁ fastest, along v₂ next. The leading vᵢ span the tangent space.
"""

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sefa_cli.discovery.sefa import Factors, fix_sign


def local_basis(jacobian: NDArray[np.floating], num: int | None = None) -> Factors:
    """Return the left singular vectors of df `(w_dim, z_dim)` as rows `(k, w_dim)`.

    The eigenvalues are those of df dfᵀ, the squares of the singular values.

    Example:
        >>> found = local_basis(np.diag([1.0, 3.0, 2.0]))
        >>> found.eigenvalues.tolist(), found.directions[0].tolist()
        ([9.0, 4.0, 1.0], [0.0, 1.0, 0.0])
    """
    with threadpool_limits(1, user_api="blas"):
        vectors, values, _ = np.linalg.svd(np.asarray(jacobian, np.float64), full_matrices=False)
    rows = np.ascontiguousarray(vectors.T[:num], np.float32)
    return Factors(fix_sign(rows), np.square(values[:num]))
