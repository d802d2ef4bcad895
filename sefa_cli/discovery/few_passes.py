"""All of w in a few dozen passes of both modes, instead of one along every dimension.

What moves the picture shows in the weights: the leading directions of SeFa for the layers that
move span most of it. A forward pass along each gives the exact matrices within their span, and
these the directions, nearly. What a direction n of quotient λ still lacks is its residual
M_f n − λ (M_b + c I) n, one reverse pass: it joins the basis (Davidson's method), turn by turn,
until a turn's residuals are small: those are the last. The first turn adds the most, so that none
of the leading directions is missed; later turns only sharpen these. `collect` does the turns, as it
does after a `sketch`.
The ridge c = τ tr M_b needs the trace beyond the basis too: random directions, orthogonal to it,
estimate that, and their spread says how well.
"""

from collections.abc import Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from sefa_cli.discovery import sefa
from sefa_cli.discovery.sefa import Float32, Float64

START = 64  # directions from the weights
PROBES = 4  # random directions, for the trace
KEPT = 6  # directions of a bundle, if `num` does not say
MORE = 8  # residuals that the first turn adds beyond the directions kept
FEWER = 4  # residuals less in each further turn, but never fewer than have to be right
TURNS = 7  # of adding residuals, at most
LEADING = KEPT  # directions that have to be right
NEAR = 0.8  # share of the last one's quotient: a closer direction would mix with it
MOST_RIGHT = 8  # directions that have to be right with those close to them
SMALL = 0.6  # the last residuals, as shares of λ c; with them in the basis, |cos| is 0.99
MOST = 20  # directions; for more of them all passes are cheaper
PICTURES = 3  # a single picture's directions hold for few others: companions join it
COMPANIONS = 10_000  # the first of their seeds


def first_basis(matrices: Sequence[Float32]) -> Float64:
    """Return orthonormal columns `(dim, START + PROBES)`: SeFa's leading directions, then probes.

    Args:
        matrices: The projections A of the layers that move, each `(outputs, dim)`.

    Example:
        >>> basis = first_basis([np.eye(300, dtype=np.float32)])
        >>> basis.shape, bool(np.allclose(basis.T @ basis, np.eye(68)))
        ((300, 68), True)
    """
    with threadpool_limits(1, user_api="blas"):  # the same bits on any number of threads
        known = sefa.factorize(matrices, num=START).directions.astype(np.float64).T
        noise = np.random.RandomState(0).randn(len(known), PROBES)
        basis: Float64 = np.linalg.qr(np.concatenate([known, noise], axis=1))[0]
    return basis


def probed_trace(M: Float64, dim: int) -> tuple[float, float]:
    """Return the trace of a whole matrix, and its standard error, from one within `first_basis`.

    Args:
        M: The matrix within a basis `(k, k)` that begins with `first_basis`.
        dim: Dimensions of the whole.

    Source:
        Hutchinson's estimator beyond a known span: Meyer et al., Hutch++, 2021.

    Example:
        >>> probed_trace(np.eye(70), dim=300)
        (300.0, 0.0)
    """
    own = np.diag(M)
    beyond = (dim - START) * own[START : START + PROBES]
    error = float(beyond.std(ddof=1)) / PROBES**0.5
    return float(own[:START].sum() + beyond.mean()), error


def block(turn: int, num: int | None, right: int = LEADING) -> int:
    """Return how many residuals a turn adds, of which `right` directions have to be right.

    Example:
        >>> [block(turn, num=6) for turn in range(5)]
        [14, 10, 6, 6, 6]
    """
    return max(right, max(num or 0, KEPT) + MORE - FEWER * turn)


def have_to_be_right(quotients: Float64) -> int:
    """Return how many directions must be right, so that the leading ones do not mix with others.

    Args:
        quotients: λ of the directions `(k,)`, from the largest.

    Example:
        >>> have_to_be_right(np.array([9, 8, 7, 6, 5, 4, 3.5, 3.3, 3.1]))
        8
    """
    near = int(np.sum(quotients >= NEAR * quotients[:LEADING][-1]))
    return min(max(near, LEADING), MOST_RIGHT)


def companions(count: int, seeds: Sequence[int]) -> tuple[int, ...]:
    """Return `count` seeds that are none of `seeds`.

    Example:
        >>> companions(2, [0])
        (10000, 10001)
    """
    return tuple(seed for seed in range(COMPANIONS, COMPANIONS + 10) if seed not in seeds)[:count]
