"""Fewer products for 3×3 convolutions: tiles of features, transformed (Winograd).

What a filter g gives at a few places of one axis is y = Aᵀ [(G g) ⊙ (Bᵀ d)], d the features there
(Lavin & Gray, CVPR 2016). Four outputs of a convolution take six products instead of twelve: F(4,
3). One that doubles the resolution gives g₀ dᵢ + g₂ dᵢ₋₁ at even places and g₁ dᵢ at odd ones: four
outputs take five products instead of six, F(2, 2) beside two plain ones. Along both axes these are
a quarter of the products, and seven of ten.

F(4, 3) evaluates polynomials at 0, ±21/32, ±25/16 and ∞: rounding errors are less than twice those
of torch's own convolution in `fast_layout`, and half those with 0, ±1, ±2 and ∞, as in the paper.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

Axis = tuple[Tensor, Tensor, Tensor]  # Bᵀ `(products, taken)`, G `(products, 3)`, Aᵀ `(given, ·)`
Multiply = Callable[[Tensor], Tensor]  # (tiles, products, inputs) → (tiles, products, outputs)


def _winograd(points: list[float], taps: int) -> Axis:
    """Evaluate at the points and ∞, in float64, by the construction of Toom and Cook."""
    at = torch.tensor(points, dtype=torch.float64)
    taken, given = len(at) + 1, len(at) + 2 - taps
    into, kernel, back = (at.new_zeros(*s) for s in ((taken,) * 2, (taken, taps), (given, taken)))
    for i, point in enumerate(at):
        others = torch.cat([at[:i], at[i + 1 :]])
        into[i, :-1] = _polynomial(others)
        kernel[i] = point ** torch.arange(taps) / (point - others).prod()
        back[:, i] = point ** torch.arange(given)
    into[-1], kernel[-1, -1], back[-1, -1] = _polynomial(at), 1, 1  # ∞
    return into, kernel, back


def _polynomial(roots: Tensor) -> Tensor:
    """Return the coefficients of Π (t − root), the constant first."""
    found, zero = roots.new_ones(1), roots.new_zeros(1)
    for root in roots:
        found = torch.cat([zero, found]) - root * torch.cat([found, zero])
    return found


def _doubled() -> Axis:
    """Outputs 2i to 2i + 3 of features i − 1 to i + 1: even ones by g₂ and g₀, odd ones by g₁."""
    into, kernel, back = _winograd([0.0, 1.0], 2)
    plain = torch.eye(2, dtype=into.dtype)
    even, odd = into.new_tensor([[0, 0, 1], [1, 0, 0]]), into.new_tensor([[0, 1, 0]] * 2)
    return (
        torch.cat([into, F.pad(plain, (1, 0))]),
        torch.cat([kernel @ even, odd]),
        torch.cat([F.pad(back, (0, 2)), F.pad(plain, (3, 0))])[[0, 2, 1, 3]],  # even, odd, …
    )


class Scheme(NamedTuple):
    """The matrices for tiles, which are Kronecker products of those for one axis."""

    into: Tensor
    kernel: Tensor
    back: Tensor
    taken: int  # features along each axis of a tile
    step: int  # features from one tile to the next
    given: int  # outputs

    @classmethod
    def of(cls, step: int, axis: Axis) -> "Scheme":
        """Take the matrices of one axis."""
        taken, given = axis[0].shape[1], len(axis[2])
        into, kernel, back = (torch.kron(one, one) for one in axis)
        return cls(into, kernel, back, taken, step, given)


PLAIN = Scheme.of(4, _winograd([0.0, 21 / 32, -21 / 32, 25 / 16, -25 / 16], 3))
DOUBLING = Scheme.of(2, _doubled())


def multiplied(kernels: Tensor, tiles: int) -> Multiply:
    """Return the product with kernels `(products, outputs, inputs)`, fast for a number of tiles."""
    return _laid_out(kernels, tiles) if _lays_out() else _by_bmm(kernels)


def _by_bmm(kernels: Tensor) -> Multiply:
    turned = kernels.mT.contiguous()
    return lambda into: torch.bmm(into.transpose(0, 1), turned).transpose(0, 1)


def _laid_out(kernels: Tensor, tiles: int) -> Multiply:
    """Take the product as a convolution of one pixel whose kernels are laid out before.

    It is a fifth faster than `bmm`.
    """
    products, outputs, inputs = kernels.shape
    how = [0, 0], [1, 1], [1, 1], products  # padding, stride, dilation, groups
    packed = torch._C._nn.mkldnn_reorder_conv2d_weight(  # type: ignore[call-arg]
        kernels.reshape(-1, inputs, 1, 1).to_mkldnn(), *how, [1, products * inputs, 1, tiles]
    )

    def convolve(into: Tensor) -> Tensor:
        x = into.view(1, 1, len(into), -1).permute(0, 3, 1, 2)
        y: Tensor = torch.ops.mkldnn._convolution_pointwise(x, packed, None, *how, "none", [], "")
        return y.permute(0, 2, 3, 1).view(len(into), products, outputs)

    return convolve


@cache
def _lays_out() -> bool:
    """Whether `_laid_out` works: torch does not promise these operations, and may lack them.

    Other processors than x86 may have them without fast code for groups.
    """
    if "AVX" not in torch.backends.cpu.get_cpu_capability():
        return False
    kernels = torch.linspace(-1, 1, 3 * 4 * 8).view(3, 4, 8)  # (products, outputs, inputs)
    into = torch.linspace(-2, 3, 5 * 3 * 8).view(5, 3, 8)  # (tiles, products, inputs)
    try:
        made = _laid_out(kernels, len(into))(into)
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        return False
    return torch.allclose(made, _by_bmm(kernels)(into), atol=1e-5)


class Band:
    """`tall` rows of `wide` tiles, and room for what lies between features and outputs.

    All bands are of one size: kernels are laid out for it.
    """

    def __init__(
        self, scheme: Scheme, multiply: Multiply, size: tuple[int, int], inputs: int, outputs: int,
        like: Tensor, reach: tuple[int, int],
    ) -> None:  # fmt: skip
        """`reach`: how many outputs before and after its own one that is smoothed takes."""
        (tall, wide), (before, after) = size, reach
        self._scheme, self._multiply = scheme, multiply
        self._into, self._back = scheme.into.to(like), scheme.back.to(like)
        taken, step, given = scheme.taken, scheme.step, scheme.given
        rows, columns = (step * tiles + taken - step for tiles in size)
        self._rows = like.new_zeros(rows, columns, inputs)
        overlapping = self._rows.unfold(0, taken, step).unfold(1, taken, step)
        self._windows = overlapping.permute(0, 1, 3, 4, 2)  # (tall, wide, taken, taken, inputs)
        self._tiles = like.new_empty(self._windows.shape)
        self._products = like.new_empty(tall * wide, len(self._into), inputs)
        self._given = like.new_empty(tall, wide, given, given, outputs)
        self._above = before + after
        self._lines = like.new_zeros(self._above + given * tall, before + given * wide, outputs)
        inside = self._lines[self._above :, before:]
        self._new = inside.view(tall, given, wide, given, outputs).transpose(1, 2)

    def outputs(self, features: Tensor, factor: Tensor, first: int) -> Tensor:
        """Return those of its rows of tiles `(rows, columns, outputs)`, until it is asked again.

        Features are `(h, w, inputs)`, to be multiplied by the factor `(w, inputs)`. For the filter,
        zeros are to the left and the last outputs of the band above, or zeros, over them.
        """
        _take(self._rows, features, self._scheme.step * first - 1, factor)
        self._tiles.copy_(self._windows)
        many, _, inputs = self._products.shape
        tiles, given = self._tiles.view(many, -1, inputs), self._given.flatten(2, 3).flatten(0, 1)
        torch.bmm(self._into.expand(many, -1, -1), tiles, out=self._products)
        torch.bmm(self._back.expand(many, -1, -1), self._multiply(self._products), out=given)
        lines, above = self._lines, self._above
        lines[:above] = lines[len(lines) - above :].clone() if first else 0.0
        self._new.copy_(self._given)
        return lines


def _take(rows: Tensor, features: Tensor, first: int, scale: Tensor) -> None:
    """Fill `rows` with those of `features` from `first` on × scale, and zeros beyond them."""
    start = max(first, 0)
    end = max(start, min(first + len(rows), len(features)))
    rows[: start - first].zero_()
    rows[end - first :].zero_()
    inside = rows[start - first : end - first, 1 : 1 + features.shape[1]]
    torch.mul(features[start:end], scale, out=inside)
