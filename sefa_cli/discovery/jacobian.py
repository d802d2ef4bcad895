"""The two Gram matrices of a picture's Jacobian, inside and outside a region, in forward mode.

The published code runs one reverse pass per pixel and channel; the same matrix comes from one
forward pass per latent dimension, and only its Gram matrices are needed.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from sefa_cli.discovery.gram_matrices import Grams
from sefa_cli.discovery.memory import OUT_OF_MEMORY, budget_for, refuse_others, too_little
from sefa_cli.discovery.sefa import Float64
from sefa_cli.errors import SefaError
from sefa_cli.generators.linearize import Linearization

Report = Callable[[int, int], None]  # passes done, passes to do
Watch = Callable[[slice, Tensor], None]  # which directions, what they change (b, C, H, W)

_AT_ONCE = 1 << 29  # bytes of all passes of a batch, on CPUs
_BLOCK = 1 << 14  # rows of J multiplied at once in its own precision; the sums are in float64


class Begun:
    """Rows of one picture's unfinished work, from which an interrupted search can go on."""

    def __init__(self, rows: NDArray[np.float32] | None = None) -> None:
        self.rows = None if rows is None else torch.from_numpy(rows)  # (done, width)


def grams(
    linearization: Linearization,
    fore: ArrayLike,
    back: ArrayLike,
    memory: int | None = None,
    *,
    basis: Float64 | None = None,
    sum_channels: bool = False,
    progress: Report | None = None,
    begun: Begun | None = None,
    watch: Watch | None = None,
) -> Grams:
    """Return M_f and M_b for weights `fore` and `back` `(H, W)` of the picture's size.

    `memory` is the budget in bytes (None: half of what is free) for the passes and for the
    columns of J that wait for their products. If they do not all fit, they are made again for
    every group; on out-of-memory the batch is halved. With `basis` `(dim, k)` in place of the
    identity, M is of J · basis: `(k, k)`. `sum_channels` sums a position's channels before the
    products, as the published code does above 256 px.

    Raises SefaError for weights of another size, negative or all zero, and for too small a budget.
    """
    parts = Parts(linearization, fore, back, sum_channels)
    vectors = np.eye(linearization.dim) if basis is None else basis.T  # (k, dim)
    rows = torch.from_numpy(np.ascontiguousarray(vectors)).to(linearization.dtype)
    columns = Columns(linearization, parts, rows.to(linearization.device), memory, progress, watch)
    count = len(rows)
    sums = np.zeros((2, count, count))
    first = 0
    while first < count:
        waiting = columns.hold(first, begun)  # (g, rows of J)
        held = slice(first, first + len(waiting))
        sums[:, held, held] = parts.products(waiting, waiting)
        for at, other in columns.made(slice(held.stop, count)):
            sums[:, held, at] = parts.products(waiting, other)
            sums[:, at, held] = sums[:, held, at].transpose(0, 2, 1)
        first = held.stop
    return Grams(*(sums / parts.totals[:, None, None]))


def jacobian(
    linearization: Linearization, memory: int | None = None, progress: Report | None = None
) -> NDArray[np.float32]:
    """Return J itself, `(C · H · W, dim)`, for callers that want to keep it."""
    everywhere = np.ones(linearization.picture.shape[1:])
    parts = Parts(linearization, everywhere, everywhere, False)
    rows = torch.eye(linearization.dim, dtype=linearization.dtype, device=linearization.device)
    columns = Columns(linearization, parts, rows, memory, progress)
    whole = np.empty((parts.size, len(rows)), np.float32)
    for at, made in columns.made(slice(0, len(rows))):
        whole[:, at] = made.T.cpu().numpy()
    return whole


class Parts:
    """Which rows of J count, and how much, in the region and in the background."""

    def __init__(
        self, linearization: Linearization, fore: ArrayLike, back: ArrayLike, sum_channels: bool
    ) -> None:
        self._shape = linearization.picture.shape
        channels, *sides = self._shape
        self.sum_channels, repeat = sum_channels, 1 if sum_channels else channels
        weights = np.stack([_weights("region", fore, sides), _weights("background", back, sides)])
        kept = (weights > 0).any(axis=0).ravel()  # positions
        self.kept = torch.from_numpy(np.flatnonzero(kept)).to(linearization.device)
        rows = np.tile(weights.reshape(2, -1)[:, kept], repeat)  # (2, rows of J)
        self.size = rows.shape[1]
        self.totals: Float64 = rows.sum(axis=1)
        scale = torch.from_numpy(np.sqrt(rows)).to(linearization.dtype)
        self._scale = scale.to(linearization.device)
        self._blocks = [
            (part, slice(start, start + _BLOCK))
            for part in range(2)
            for start in range(0, self.size, _BLOCK)
            if rows[part, start : start + _BLOCK].any()
        ]

    def rows(self, changes: Tensor) -> Tensor:
        """Return changes of the picture `(b, C, H, W)` as columns of J, flat: `(b, size)`."""
        if self.sum_channels:
            changes = changes.sum(dim=1, keepdim=True)
        positions = changes.flatten(2)
        if len(self.kept) < positions.shape[2]:
            positions = positions[:, :, self.kept]
        return positions.flatten(1)

    def spread(self, rows: Tensor) -> Tensor:
        """Return the transpose of `rows`: `(b, size)` → `(b, C, H, W)`."""
        channels, *sides = self._shape
        positions = rows.new_zeros(len(rows), 1 if self.sum_channels else channels, *sides)
        flat = positions.flatten(2)  # the same memory
        flat[:, :, self.kept] = rows.reshape(len(rows), flat.shape[1], -1)
        return positions.expand(-1, channels, -1, -1)

    def mixed(self, noise: Tensor, part: int) -> Tensor:
        """Return √m · noise `(b, size)` as pictures, for one part's weights m, which sum to 1.

        Independent noise of variance 1 makes Jᵀ of it a random row r with E[r rᵀ] = M.
        """
        return self.spread(noise * (self._scale[part] / math.sqrt(self.totals[part])))

    def contrast(self, changes: Tensor, fore: Tensor, back: Tensor) -> Tensor:
        """Return (a m_f − b m_b) · changes `(n, size)` as pictures; the weights m sum to 1.

        `fore` `(n,)` holds the a, `back` `(n,)` the b.
        """
        m_f, m_b = (self._scale[i].square() / self.totals[i] for i in range(2))
        return self.spread(changes * (fore[:, None] * m_f - back[:, None] * m_b))

    def products(self, a: Tensor, b: Tensor) -> Float64:
        """Return Σ m a bᵀ for both weights, `(2, len(a), len(b))`, of columns `(·, size)`."""
        total = np.zeros((2, len(a), len(b)))
        for part, block in self._blocks:
            left = a[:, block] * self._scale[part, block]
            right = left if a is b else b[:, block] * self._scale[part, block]
            total[part] += (left @ right.T).cpu().double().numpy()  # Apple's has no double
        return total


class Columns:
    """Columns of J, made in batches and held in groups as the memory budget allows."""

    def __init__(
        self,
        linearization: Linearization,
        parts: Parts,
        directions: Tensor,
        memory: int | None,
        progress: Report | None,
        watch: Watch | None = None,
    ) -> None:
        self._linearization, self._parts, self._directions = linearization, parts, directions
        self._watch = watch
        device, count = linearization.device, len(directions)
        column = parts.size * linearization.dtype.itemsize
        budget = budget_for(linearization.pass_bytes + 2 * column, device, memory)
        passes = budget // 2 // linearization.pass_bytes
        if device.type == "cpu":  # more are not faster, and getting the memory takes time
            passes = min(8, passes, _AT_ONCE // linearization.pass_bytes)
        self.batch = max(1, min(64, passes))
        spare = budget - self.batch * linearization.pass_bytes
        self.held = int(max(1, min(count, spare // column)))
        self._progress, self._done = progress, 0
        self._total = self._passes(0)

    def hold(self, first: int, begun: Begun | None = None) -> Tensor:
        """Return columns `(g, rows of J)` of the next directions, as many as fit at once."""
        count = min(self.held, len(self._directions) - first)
        try:
            held = self._directions.new_empty(count, self._parts.size)
        except OUT_OF_MEMORY as error:
            refuse_others(error)
            if count == 1:
                raise too_little() from error
            self.held = count // 2
            self._total = self._done + self._passes(first)
            return self.hold(first, begun)
        start = first
        if begun is not None and count == len(self._directions):
            if begun.rows is not None:
                held[: len(begun.rows)] = begun.rows
                start += len(begun.rows)
                self._advance(len(begun.rows))
        else:
            begun = None
        for at, made in self.made(slice(start, first + count)):
            held[at.start - first : at.stop - first] = made
            if begun is not None:
                begun.rows = held[: at.stop - first]
        return held

    def made(self, chosen: slice) -> Iterator[tuple[slice, Tensor]]:
        """Yield batches of the chosen directions and their columns `(b, rows of J)`."""
        start = chosen.start
        while start < chosen.stop:
            at = slice(start, min(start + self.batch, chosen.stop))
            try:
                changes = self._linearization.forward(self._directions[at])
            except OUT_OF_MEMORY as error:
                self._halve(error)
                continue
            if self._watch:
                self._watch(at, changes)
            yield at, self._parts.rows(changes)
            start = at.stop
            self._advance(at.stop - at.start)

    def _passes(self, first: int) -> int:
        """Return how many passes the directions from `first` on take, in groups of `held`."""
        count = len(self._directions)
        return sum(count - start for start in range(first, count, self.held))

    def _advance(self, passes: int) -> None:
        self._done += passes
        if self._progress:
            self._progress(self._done, self._total)

    def _halve(self, error: Exception) -> None:
        refuse_others(error)
        if self.batch == 1:
            raise too_little() from error
        self.batch //= 2
        if self._linearization.device.type == "cuda":
            torch.cuda.empty_cache()


def _weights(what: str, weights: ArrayLike, sides: list[int]) -> Float64:
    found = np.asarray(weights, np.float64)
    if list(found.shape) != sides:
        raise SefaError(f"{what} weights of shape {found.shape}", f"{tuple(sides)}, as the picture")
    if not np.isfinite(found).all() or found.min() < 0:
        raise SefaError(f"{what} weights below zero or not finite", "weights of 0 or more")
    if not found.any():
        raise SefaError(f"the {what} is empty", "at least one pixel with a weight above 0")
    return found
