"""InterFaceGAN: the direction of an attribute that is scored in many pictures.

The codes with the highest and the lowest scores are two classes. A linear support vector machine
separates them, and the direction is the unit normal n of its boundary: along n, the distance
nᵀw + b grows fastest. To leave other attributes alone, n is projected off their directions.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sefa_cli.discovery.sefa import Float32, Float64
from sefa_cli.errors import SefaError, UsageError

if TYPE_CHECKING:
    import torch

LEAST = 5  # codes in each class
SHARE = 0.1  # of all codes, in each class

_WEIGHT = 1.0  # C: of the codes on the wrong side
_HELD = 0.3  # share of each class that tells how right the boundary is
_LEFT = 1e-3  # length of a projected unit vector below which nothing is left of it


class Boundary(NamedTuple):
    """The unit normal of a boundary, and how right the boundary is."""

    normal: Float32  # (dim,), toward higher scores
    accuracy: float  # share of right answers on 30 % of the classes, by a boundary of the rest


def boundary(
    codes: NDArray[np.floating], scores: NDArray[np.floating], share: float = SHARE
) -> Boundary:
    """Return the boundary between the codes with the highest and with the lowest scores.

    Args:
        codes: Codes `(n, dim)`.
        scores: Their scores `(n,)`. Codes whose score is NaN are left out.
        share: Share of the codes in each class: above 0, at most 0.5.

    Raises:
        UsageError: for a share out of range.
        SefaError: for fewer than five codes in a class, or classes with the same score.

    Source:
        Shen et al., "Interpreting the Latent Space of GANs for Semantic Face Editing", CVPR 2020,
        section 3.

    Example:
        >>> codes = np.random.RandomState(0).randn(200, 3)
        >>> found = boundary(codes, scores=codes[:, 1])
        >>> bool(found.normal[1] > 0.9), found.accuracy
        (True, 1.0)
    """
    if not 0 < share <= 0.5:
        raise UsageError(f"share must be above 0 and at most 0.5, got {share:g}")
    known = np.flatnonzero(np.isfinite(scores))
    count = int(len(known) * share)
    if count < LEAST:
        raise SefaError(
            f"{count:,} of {len(known):,} samples in each class",
            f"{LEAST} or more",
            "Take more seeds, or a larger share.",
        )
    order = known[np.argsort(scores[known], kind="stable")]
    low, high = order[:count], order[::-1][:count]
    if not scores[high[-1]] > scores[low[-1]]:
        raise SefaError("the highest and the lowest scores are the same", "scores that differ")
    mixed = np.random.RandomState(0).permutation(count)
    held, rest = mixed[: max(1, int(count * _HELD))], mixed[max(1, int(count * _HELD)) :]
    normal, offset = separate(codes[high[rest]], codes[low[rest]])
    sides = [codes[part[held]] @ normal + offset for part in (high, low)]
    accuracy = float(np.mean([*(sides[0] > 0), *(sides[1] <= 0)]))
    normal, _ = separate(codes[high], codes[low])
    return Boundary((normal / np.linalg.norm(normal)).astype(np.float32), accuracy)


def separate(high: NDArray[np.floating], low: NDArray[np.floating]) -> tuple[Float64, float]:
    """Return v `(dim,)` and b of the linear support vector machine of two classes `(n, dim)`.

    v and b minimize ‖v‖²/2 + C Σ max(0, 1 − y (vᵀw + b))², where y is 1 for `high` and −1 for
    `low`, by torch's L-BFGS. C is 1.
    """
    import torch

    codes = torch.from_numpy(np.concatenate([high, low]).astype(np.float64))
    middle = codes.mean(dim=0)
    codes = torch.cat([codes - middle, torch.ones_like(codes[:, :1])], dim=1)
    side = torch.ones(len(codes), dtype=torch.float64)
    side[len(high) :] = -1
    found = torch.zeros(codes.shape[1], dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS(
        [found],
        max_iter=1000,
        tolerance_grad=1e-9,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )

    def loss() -> "torch.Tensor":
        search.zero_grad()
        missing = (1 - side * (codes @ found)).clamp(min=0)
        total = found[:-1].square().sum() / 2 + _WEIGHT * missing.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    with threadpool_limits(1):  # the same bits on any number of threads
        search.step(loss)  # type: ignore[no-untyped-call]
    whole: Float64 = found.detach().numpy()
    return whole[:-1], float(whole[-1] - whole[:-1] @ middle.numpy())


def conditioned(normal: Float32, others: NDArray[np.floating]) -> Float32:
    """Return the part of a unit normal that is orthogonal to all `others` `(k, dim)`, as a unit.

    Raises SefaError if nothing is left.

    Source:
        Shen et al., CVPR 2020, section 3.2: n₁ − (n₁ᵀn₂) n₂, and for several their whole span.

    Example:
        >>> conditioned(np.array([0.6, 0.8], np.float32), np.array([[1.0, 0.0]]))
        array([0., 1.], dtype=float32)
    """
    with threadpool_limits(1, user_api="blas"):
        span = np.linalg.qr(np.asarray(others, np.float64).T)[0]  # (dim, k)
        left = normal - span @ (span.T @ normal)
    length = np.linalg.norm(left)
    if length < _LEFT:
        raise SefaError("the direction lies within those of the condition", "other directions")
    return (left / length).astype(np.float32)
