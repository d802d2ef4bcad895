"""The published region factorization, re-stated: a reverse pass for every value of the picture.

What zhujiapeng/resefa does, in our words. Its Jacobian is torch's own, row by row: the picture is
painted once from w, the same for all layers, and its graph is kept; then every one of its values is
differentiated alone. A picture above 256 px is reduced to 256 px, nearest pixels, and its channels
summed; up to 256 px all three channels have rows of their own. The directions are the eigenvectors
of inv(M_b + τ tr(M_b) I) M_f by a non-symmetric solver, real parts, sorted.
"""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

Paint = Callable[[Tensor], Tensor]  # codes (1, num_layers, d) → picture (1, C, H, W)
MOST_PIXELS = 256


class Rows(NamedTuple):
    """Rows of the Jacobian, and what they took."""

    values: np.ndarray  # (len(chosen), d)
    total: int  # rows there are
    forward: float  # seconds of the one forward pass
    each: list[float]  # seconds of every reverse pass


def jacobian_rows(
    paint: Paint, w: Tensor, num_layers: int, chosen: Sequence[int] | None = None
) -> Rows:
    """Rows `chosen` of the Jacobian at w `(1, d)`, in the order channel, row, column; None: all."""
    start = time.perf_counter()
    w = w.clone().requires_grad_()
    picture = paint(w[:, None].repeat(1, num_layers, 1))
    if picture.shape[-1] > MOST_PIXELS:
        scale = MOST_PIXELS / picture.shape[-1]
        picture = torch.nn.functional.interpolate(picture, scale_factor=scale).sum(dim=1)
    flat = picture.flatten()
    forward = time.perf_counter() - start
    chosen = range(len(flat)) if chosen is None else chosen
    values, each = np.empty((len(chosen), w.shape[1]), np.float32), []
    for place, row in enumerate(chosen):
        start = time.perf_counter()
        (gradient,) = torch.autograd.grad(flat[row], w, retain_graph=True)
        values[place] = gradient[0].numpy()
        each.append(time.perf_counter() - start)
    return Rows(values, len(flat), forward, each)


def directions(jacobian: np.ndarray, mask: np.ndarray, tau: float = 1e-3) -> np.ndarray:
    """Unit directions `(d, d)`, leading first, for J `(C · H · W, d)` and a mask `(H, W)`."""
    inside = np.resize(mask.astype(bool).ravel(), len(jacobian))  # the same for every channel
    M_f, M_b = (rows.T @ rows / len(rows) for rows in (jacobian[inside], jacobian[~inside]))
    M_b = M_b + tau * np.trace(M_b) * np.identity(len(M_b))
    values, vectors = np.linalg.eig(np.linalg.inv(M_b) @ M_f)
    leading = vectors.real[:, np.argsort(-values.real)].T
    return leading / np.linalg.norm(leading, axis=1, keepdims=True)
