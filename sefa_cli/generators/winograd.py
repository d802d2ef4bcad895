"""3×3 convolutions with half the products, for pictures on CPUs.

Four outputs y of a filter g of three taps over six inputs d are y = Aᵀ [(G g) ⊙ (Bᵀ d)]: six
products instead of twelve (Winograd's F(4, 3); Lavin & Gray, CVPR 2016). Here d are six rows of
features, and ⊙ convolves each row of Bᵀ d with the 1×3 kernels of its row of G g. Along both axes
it would take a quarter of the products, but more passes over memory than these save. A number that
is not finite spoils eight rows of three columns instead of three.

The matrices evaluate polynomials at 0, ±3/4, ±3/2 and ∞: rounding errors are 1.4 times those of
torch's own convolution in `fast_layout`, and twice those with 0, ±1, ±2 and ∞, as in the paper.
"""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.forward_ad import unpack_dual

_POINTS = (0.0, 0.75, -0.75, 1.5, -1.5)  # and ∞
_IN, _OUT, _TAPS = 6, 4, 3
_BAND = 16  # blocks of four rows at once, so that what lies between stays in the cache
_LEAST_SIDE, _LEAST_CHANNELS = 32, 64  # below, torch's own is as fast


def _matrices() -> tuple[Tensor, Tensor, Tensor]:
    """Bᵀ `(6, 6)`, G `(6, 3)` and Aᵀ `(4, 6)`, in float64, by Toom and Cook's construction."""
    points = torch.tensor(_POINTS, dtype=torch.float64)
    into, kernel, back = (points.new_zeros(*s) for s in ((_IN, _IN), (_IN, _TAPS), (_OUT, _IN)))
    for i, point in enumerate(points):
        others = torch.cat([points[:i], points[i + 1 :]])
        into[i, :-1] = _polynomial(others)
        kernel[i] = point ** torch.arange(_TAPS) / (point - others).prod()
        back[:, i] = point ** torch.arange(_OUT)
    into[-1], kernel[-1, -1], back[-1, -1] = _polynomial(points), 1, 1  # ∞
    return into, kernel, back


def _polynomial(roots: Tensor) -> Tensor:
    """Return the coefficients of Π (t − root), the constant first."""
    found, zero = roots.new_ones(1), roots.new_zeros(1)
    for root in roots:
        found = torch.cat([zero, found]) - root * torch.cat([found, zero])
    return found


_INTO, _KERNEL, _BACK = _matrices()


class Convolution:
    """A 3×3 convolution of stride and padding one. It keeps the kernels that it transformed."""

    def __init__(self) -> None:
        # A weight, so that no other takes its place in memory; its version; G g.
        self._kept: tuple[Tensor, int, Tensor] | None = None

    def __getstate__(self) -> dict[str, None]:
        """Leave the kernels out of copies: these may have other weights, of another type."""
        return {"_kept": None}

    def __call__(self, x: Tensor, weight: Tensor, scale: Tensor | None = None) -> Tensor:
        """Convolve x `(n, inputs, h, w)`, × scale `(n, inputs)`: `(n, outputs, h, w)`.

        The number of samples does not choose how: it must not change a picture.
        """
        if suits(x, weight, scale):
            return self._by_rows(x, weight, x.new_ones(x.shape[:2]) if scale is None else scale)
        return F.conv2d(x if scale is None else x * scale[:, :, None, None], weight, padding=1)

    def _by_rows(self, x: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
        kernels = self._kernels(weight)
        n, inputs, height, width = x.shape
        blocks, outputs = -(-height // _OUT), len(weight)
        result = x.new_empty(n, blocks, _OUT, width, outputs)
        band, line = min(_BAND, blocks), width * inputs
        rows = x.new_empty(_OUT * band + _IN - _OUT, width, inputs)  # d
        into = x.new_empty(_IN, band, width, inputs)  # Bᵀ d
        products = x.new_empty(_IN, band, width, outputs)
        for features, factor, target in zip(x.permute(0, 2, 3, 1), scale, result, strict=True):
            for first in range(0, blocks, band):
                count = min(band, blocks - first)
                _take(rows, features, _OUT * first - 1, factor)
                torch.bmm(
                    _INTO.to(x).expand(count, -1, -1),
                    rows.as_strided((count, _IN, line), (_OUT * line, line, 1)),
                    out=into[:, :count].view(_IN, count, line).transpose(0, 1),
                )
                for one, kernel, product in zip(into, kernels, products, strict=True):
                    y = F.conv2d(one[None, :count].permute(0, 3, 1, 2), kernel, padding=(0, 1))
                    product[:count] = y[0].permute(1, 2, 0)
                torch.bmm(
                    _BACK.to(x).expand(count, -1, -1),
                    products[:, :count].flatten(2).transpose(0, 1),
                    out=target[first : first + count].view(count, _OUT, -1),
                )
        return result.flatten(1, 2)[:, :height].permute(0, 3, 1, 2)

    def _kernels(self, weight: Tensor) -> Tensor:
        """G g of all kernels, `(6, outputs, inputs, 1, 3)`, transformed again after a change."""
        kept = self._kept
        if kept is not None and (kept[0].data_ptr(), kept[1]) == (
            weight.data_ptr(),
            weight._version,
        ):
            return kept[2]
        rows = torch.tensordot(_KERNEL.to(weight), weight.detach(), ([1], [2]))
        kernels: Tensor = (
            rows.transpose(2, 3).contiguous().transpose(2, 3)[:, :, :, None]
        )  # `fast_layout`
        self._kept = weight.detach(), weight._version, kernels
        return kernels


def suits(x: Tensor, weight: Tensor, scale: Tensor | None = None) -> bool:
    """Return whether x is convolved sooner so, and may be: it may not to be differentiated."""
    return (
        x.device.type == "cpu"
        and x.dtype == weight.dtype == torch.float32
        and min(x.shape[2:]) >= _LEAST_SIDE
        and min(weight.shape[:2]) >= _LEAST_CHANNELS
        and not torch.is_autocast_enabled("cpu")
        and not weight.is_inference()  # such a tensor does not tell when it changes
        and not _followed(x, weight, scale)
    )


def _take(rows: Tensor, features: Tensor, first: int, scale: Tensor) -> None:
    """Fill `rows` with those of `features` from `first` on × scale, and zeros beyond them."""
    start, end = max(first, 0), min(first + len(rows), len(features))
    rows[: start - first].zero_()
    rows[end - first :].zero_()
    torch.mul(features[start:end], scale, out=rows[start - first : end - first])


def _followed(*maybe: Tensor | None) -> bool:
    """Return whether torch follows what is computed from the tensors, to differentiate it."""
    tensors = [tensor for tensor in maybe if tensor is not None]
    if torch._C._are_functorch_transforms_active():
        return True
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        return True
    # torch gives `unpack_dual` no types.
    return any(unpack_dual(one).tangent is not None for one in tensors)  # type: ignore[no-untyped-call]
