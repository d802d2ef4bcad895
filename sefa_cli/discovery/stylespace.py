"""StyleSpace: single channels of the styles that change a region (Wu et al., CVPR 2021).

The style of a layer is s = A w + b. The gradient map of channel c is |∂x/∂s_c|, pixel by pixel. Its
overlap with a region is the share of the region among the map's largest values, as many as the
region has pixels. The channels of largest overlap are the region's own.

Bundles know no space of styles. A channel is a direction of w+ instead: with A A⁺ = I, moving the
row of its layer by A⁺ e_c changes channel c by 1, and no other channel of any layer. That takes an
A of full row rank, with all styles that the row drives stacked in it.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits
from torch import Tensor

from sefa_cli.discovery.jacobian import Columns, Parts, Report
from sefa_cli.discovery.sefa import Float32, Float64
from sefa_cli.errors import UsageError
from sefa_cli.generators.linearize import Linearization

_SINGULAR = 1e-6  # share of the largest singular value below which a row is a sum of others


class Channels(NamedTuple):
    """The channels of several layers, and how w+ moves each of them alone."""

    layers: tuple[int, ...]  # of each
    numbers: tuple[int, ...]  # of each within its layer
    rows: Float64  # unit rows of w for the layer of each (count, d)
    lengths: Float64  # how far w goes for one unit of style (count,)

    def spread(self, chosen: Sequence[int], moved: Sequence[int]) -> Float32:
        """Return some channels as directions `(k, n, d)` of the layers `moved`."""
        directions = np.zeros((len(chosen), len(moved), self.rows.shape[1]), np.float32)
        for row, i in zip(directions, chosen, strict=True):
            row[list(moved).index(self.layers[i])] = self.rows[i]
        return directions


def channels(matrices: Mapping[int, Float32]) -> Channels:
    """Return all channels of the layers, from each one's stacked A `(channels, d)`.

    Raises UsageError for a layer whose channels cannot move one by one.

    Example:
        >>> found = channels({3: np.array([[2.0, 0, 0], [0, 4, 0]], np.float32)})
        >>> found.layers, found.numbers, found.rows.tolist(), found.lengths.tolist()
        ((3, 3), (0, 1), [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [0.5, 0.25])
    """
    rows: list[Float64] = []
    layers: list[int] = []
    numbers: list[int] = []
    with threadpool_limits(1, user_api="blas"):  # the same bits on any number of threads
        for layer, matrix in matrices.items():
            u, values, vh = np.linalg.svd(matrix.astype(np.float64), full_matrices=False)
            if len(matrix) > matrix.shape[1] or values[-1] <= _SINGULAR * values[0]:
                raise UsageError(
                    f"the {len(matrix)} channels of layer {layer} cannot move one by one: they "
                    f"depend on {int((values > _SINGULAR * values[0]).sum())} numbers",
                    "other layers, or another method",
                )
            rows.append((u / values) @ vh)  # (A⁺)ᵀ
            layers += [layer] * len(matrix)
            numbers += range(len(matrix))
    moves = np.concatenate(rows)
    lengths: Float64 = np.linalg.norm(moves, axis=1)
    return Channels(tuple(layers), tuple(numbers), moves / lengths[:, None], lengths)


class Reach(NamedTuple):
    """Where channels change one picture: each `(count,)`."""

    overlap: Float64  # share of the region among the pixels that change most, 0 … 1
    inside: Float64  # mean square change for a unit step, inside the region
    outside: Float64


def reach(
    linearization: Linearization,
    fore: ArrayLike,
    back: ArrayLike,
    directions: Float32,
    memory: int | None = None,
    progress: Report | None = None,
) -> Reach:
    """Return where directions `(count, n, d)` change a picture, by a forward pass each.

    `memory` and the refusals are those of `jacobian.grams`.
    """
    parts = Parts(linearization, fore, back, sum_channels=False)
    weights = [torch.from_numpy(np.asarray(part, np.float64)) for part in (fore, back)]
    flat = torch.from_numpy(directions.reshape(len(directions), -1))
    found: list[list[Float64]] = []

    def watch(at: slice, changes: Tensor) -> None:
        maps = changes.square().mean(dim=1).cpu().double()  # (b, H, W)
        means = [(maps * own).sum(dim=(1, 2)) / own.sum() for own in weights]
        found.append([overlaps(maps, weights[0]), *(mean.numpy() for mean in means)])

    placed = flat.to(linearization.dtype).to(linearization.device)
    columns = Columns(linearization, parts, placed, memory, progress, watch)
    for _ in columns.made(slice(0, len(flat))):
        pass  # `watch` has seen it
    return Reach(*(np.concatenate(part) for part in zip(*found, strict=True)))


def overlaps(maps: Tensor, fore: Tensor) -> Float64:
    """Return the share of a region `(H, W)` of weights 0 … 255 in the largest values of each map.

    Example:
        >>> region = torch.zeros(4, 4)
        >>> region[0] = 255
        >>> maps = torch.arange(16.0).reshape(1, 4, 4)
        >>> overlaps(torch.cat([maps, -maps]), region).tolist()
        [0.0, 1.0]
    """
    size = max(1, round(float(fore.sum()) / 255))
    largest = maps.flatten(1).topk(size, dim=1).indices  # (b, size)
    share: Float64 = (fore.flatten()[largest].mean(dim=1) / 255).double().numpy()
    return share


def leading(found: Sequence[Reach], num: int) -> tuple[list[int], Reach]:
    """Return the channels that overlap most over all pictures, and their mean reach, in order.

    Of equal ones, the one with more of its change inside comes first.
    """
    mean = Reach(*(np.mean(part, axis=0) for part in zip(*found, strict=True)))
    whole = mean.inside + mean.outside
    share = np.divide(mean.inside, whole, out=np.zeros_like(whole), where=whole > 0)
    order = np.lexsort((-share, -mean.overlap))[:num]
    return order.tolist(), Reach(*(part[order] for part in mean))
