"""A large latent: a few hundred passes in both modes instead of one along every dimension.

Random mixtures of the region's pixels, and of the background's, are pulled back to the latent: one
reverse pass gives a row for every layer at once. The rows span most of what moves either of them
(Halko, Martinsson & Tropp, SIAM Review 2011); along an orthonormal basis of that span a forward
pass each gives the exact matrices within it, and these the directions, nearly. What a direction n
of quotient λ still lacks is its residual M_f n − λ (M_b + c I) n, and that is one reverse pass:
Jᵀ of (m_f − λ m_b) · J n. Residuals join the basis until a turn's are small (Davidson's method);
the sketch has already seen the background's large values, all the preconditioning it needs.
The ridge c needs the trace of the whole M_b: rows that were kept out of the basis estimate what
lies beyond it (Meyer et al., Hutch++, 2021).
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits
from torch import Tensor

from sefa_cli.discovery.gram_matrices import Grams
from sefa_cli.discovery.jacobian import Begun, Parts, Report, grams
from sefa_cli.discovery.memory import OUT_OF_MEMORY, budget_for, refuse_others, too_little
from sefa_cli.discovery.sefa import Float64
from sefa_cli.errors import SefaError
from sefa_cli.generators.linearize import Linearization

Float32 = NDArray[np.float32]
Region = tuple[ArrayLike, ArrayLike]  # weights (H, W) of the region and of the background

_GROUP = 16  # directions whose changes are summed at once
_NEW = 1e-3  # a unit row with a smaller part outside the basis adds nothing to it


class Sketch(NamedTuple):
    """Random rows r of one picture, with E[r rᵀ] = M."""

    fore: Float32  # (half, dim)
    back: Float32  # (half, dim)
    spare: Float32  # (spare, dim), of the background, for its trace


def sketch(
    linearization: Linearization,
    region: Region,
    half: int,
    spare: int,
    memory: int | None = None,
    *,
    seed: int = 0,
    sum_channels: bool = False,
    progress: Report | None = None,
    begun: Begun | None = None,
) -> Sketch:
    """Return `half` random rows of the region, as many of the background, and the spare ones.

    Each row depends on `seed` and its own place alone. `memory`, `progress`, `begun` and the
    refusals are those of `jacobian.grams`.
    """
    parts = Parts(linearization, *region, sum_channels)

    def cotangents(places: range) -> Tensor:
        noise = torch.stack([_noise(seed, i, parts.size) for i in places])
        noise = noise.to(linearization.dtype).to(linearization.device)
        return torch.cat(
            [parts.mixed(noise[j : j + 1], int(i >= half)) for j, i in enumerate(places)]
        )

    rows = _pulled(linearization, cotangents, 2 * half + spare, memory, progress, begun)
    return Sketch(rows[:half], rows[half : 2 * half], rows[2 * half :])


class Within:
    """M_f and M_b of one picture within a basis, which may grow; J · basis is kept if it fits."""

    def __init__(self, region: Region, memory: int | None = None, sum_channels: bool = False):
        self._region, self._memory, self._sum_channels = region, memory, sum_channels
        self._basis: Float64 | None = None  # (dim, k)
        self._columns: list[Tensor] | None = []  # of J · basis, in blocks (·, rows of J)
        self.grams = Grams(np.zeros((0, 0)), np.zeros((0, 0)))  # (k, k)

    def extend(
        self, linearization: Linearization, basis: Float64, progress: Report | None = None
    ) -> None:
        """Go on to `basis`, which begins with the previous one: a forward pass for each new vector.

        If the previous columns did not fit into the memory budget, all are made again.
        """
        known = 0 if self._basis is None or self._columns is None else self._basis.shape[1]
        begun = Begun()
        made = grams(
            linearization,
            *self._region,
            self._memory,
            basis=basis[:, known:],
            sum_channels=self._sum_channels,
            progress=progress,
            begun=begun,
        )
        if begun.rows is None:
            self._columns = None
        if known and begun.rows is not None and self._columns is not None:
            parts = Parts(linearization, *self._region, self._sum_channels)
            beside = [parts.products(block, begun.rows) for block in self._columns]
            cross = np.concatenate(beside, axis=1) / parts.totals[:, None, None]  # (2, known, new)
            made = Grams(*(
                np.block([[old, c], [c.T, new]])
                for old, c, new in zip(self.grams, cross, made, strict=True)
            ))  # fmt: skip
        if begun.rows is not None and self._columns is not None:
            self._columns.append(begun.rows)
        self._basis, self.grams = basis, made

    def pulled(
        self,
        linearization: Linearization,
        inner: Float64,
        fore: Float64,
        back: Float64,
        progress: Report | None = None,
    ) -> Float32:
        """Return (a M_f − b M_b) n `(p, dim)` for n = basis · inner `(k, p)`: a reverse pass each.

        `fore` holds the a, `back` the b.
        """
        basis = self._basis
        assert basis is not None
        parts = Parts(linearization, *self._region, self._sum_channels)

        def own(array: Float64) -> Tensor:
            return torch.from_numpy(array).to(linearization.dtype).to(linearization.device)

        @lru_cache(maxsize=1)
        def group(number: int, columns: tuple[Tensor, ...]) -> Tensor:
            """J n of several directions, for which the columns are read once."""
            chosen = slice(number * _GROUP, (number + 1) * _GROUP)
            widths = [len(block) for block in columns]
            shares = torch.split(own(inner[:, chosen].T.copy()), widths, dim=1)
            changes = shares[0] @ columns[0]
            for share, block in zip(shares[1:], columns[1:], strict=True):
                changes.addmm_(share, block)
            return changes

        def cotangents(places: range) -> Tensor:
            chosen = slice(places.start, places.stop)
            if self._columns is None:
                directions = own((basis @ inner[:, chosen]).T.copy())
                changes = parts.rows(linearization.forward(directions))
            else:
                columns = tuple(self._columns)
                changes = torch.stack([group(i // _GROUP, columns)[i % _GROUP] for i in places])
            return parts.contrast(changes, own(fore[chosen]), own(back[chosen]))

        return _pulled(linearization, cotangents, len(fore), self._memory, progress, None)


def first_basis(sketches: Sequence[Sketch]) -> Float64:
    """Return an orthonormal basis `(dim, k)` of all rows but the spare ones.

    Raises SefaError if nothing moves the picture.
    """
    return widened(None, np.concatenate([rows for made in sketches for rows in made[:2]]))


def widened(basis: Float64 | None, rows: NDArray[np.floating]) -> Float64:
    """Return the basis with what `rows` `(p, dim)` add to it, each with equal weight."""
    new = rows.astype(np.float64)
    lengths = np.linalg.norm(new, axis=1, keepdims=True)
    new = new[lengths[:, 0] > 0] / lengths[lengths[:, 0] > 0]
    with threadpool_limits(1, user_api="blas"):  # the same bits on any number of threads
        if basis is not None:
            for _ in range(2):  # twice, because of rounding
                new = new - (new @ basis) @ basis.T
        if not len(new):
            raise SefaError("no direction changes the picture", "layers that reach the region")
        _, values, vectors = np.linalg.svd(new, full_matrices=False)
    added = vectors[values > _NEW].T
    return np.ascontiguousarray(added if basis is None else np.concatenate([basis, added], axis=1))


def whole_trace(within: Grams, basis: Float64, made: Sketch) -> float:
    """Return tr M_b: exact within the basis, the rest from the spare rows, unknown to the basis."""
    spare = made.spare.astype(np.float64)
    beyond = spare - (spare @ basis) @ basis.T
    return float(np.trace(within.back) + np.square(beyond).sum() / len(spare))


def _pulled(
    linearization: Linearization,
    cotangents: Callable[[range], Tensor],
    count: int,
    memory: int | None,
    progress: Report | None,
    begun: Begun | None,
) -> Float32:
    """Return Jᵀ of `count` cotangents `(b, C, H, W)`, requested in batches: `(count, dim)`."""
    begun = Begun() if begun is None else begun
    rows = torch.empty(count, linearization.dim)
    done = 0
    if begun.rows is not None:
        done = len(begun.rows)
        rows[:done] = begun.rows
    once = linearization.graph_bytes
    budget = budget_for(once, linearization.device, memory)
    batch = linearization.together(budget)
    while done < count:
        places = range(done, min(done + batch, count))
        try:
            made = linearization.reverse(cotangents(places))
        except OUT_OF_MEMORY as error:
            refuse_others(error)
            if batch == 1:
                raise too_little() from error
            batch //= 2
            continue
        rows[done : places.stop] = made.cpu().float()
        done = places.stop
        begun.rows = rows[:done]
        if progress:
            progress(done, count)
    found: Float32 = rows.numpy()
    return found


def _noise(seed: int, place: int, size: int) -> Tensor:
    """Return normal numbers `(size,)`, drawn on the CPU so every device has the same."""
    generator = torch.Generator().manual_seed((seed << 16) + place)
    return torch.randn(size, generator=generator)
