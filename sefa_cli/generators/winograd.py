"""3×3 convolutions with a quarter of the products, for pictures on CPUs (see `tiles.py`).

A picture is computed in bands of tiles, from the features to the finished rows: a band stays in the
cache, a picture does not. A number that is not finite spoils every tile that takes it, and what the
filter of an up-convolution takes of these.
"""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.forward_ad import unpack_dual

from sefa_cli.generators.layers import Resampler, TensorModule, fast_layout
from sefa_cli.generators.tiles import DOUBLING, PLAIN, Band, Multiply, Scheme, multiplied

# In a band, at least one row of them: for one thread, what stays in its cache; for more, what keeps
# them busy, because they wait for each other after every step.
_TILES, _SHARED_TILES = 128, 512
_LEAST_SIDE, _LEAST_CHANNELS = 32, 64  # below, torch's own is as fast
_LEAST_DOUBLED, _GROUP = 128, 16  # of one that doubles; its outputs are whole groups


@dataclass(frozen=True)
class Finish:
    """What follows a convolution: × factor + bias + noise → leaky ReLU 0.2 → clamp."""

    factor: Tensor  # (n, outputs, 1, 1); of a `sample` (1, outputs, 1, w)
    bias: Tensor  # (outputs, 1, 1); of a `sample` (1, outputs, 1, w)
    noise: Tensor | None  # (n or 1, 1 or outputs, h, w)
    clamp: float | None

    def activated(self, y: Tensor) -> Tensor:
        """Return y × factor + bias, `(n, outputs, h, w)`, with noise and activation; y is lost."""
        if self.noise is not None:
            y = y.add_(self.noise)
        y = F.leaky_relu_(y, 0.2)
        return y if self.clamp is None else y.clamp(-self.clamp, self.clamp)

    def sample(self, i: int, width: int) -> "Finish":
        """Return that of one sample, with a factor and a bias for every column.

        So torch takes whole rows at once: a pixel at a time is half as fast.
        """
        factor, bias = (
            fast_layout(one.expand(1, -1, 1, width)) for one in (self.factor[i], self.bias)
        )
        noise = self.noise
        if noise is not None and len(noise) > 1:
            noise = noise[i : i + 1]
        return replace(self, factor=factor, bias=bias, noise=noise)

    def write(self, y: Tensor, rows: slice, out: Tensor) -> None:
        """Finish some rows of one sample, y `(1, outputs, rows, w)`, in `out`."""
        torch.addcmul(self.bias, y, self.factor, out=out)
        if self.noise is not None:
            out.add_(self.noise[:, :, rows])
        F.leaky_relu_(out, 0.2)
        if self.clamp is not None:
            out.clamp_(-self.clamp, self.clamp)


class Convolution(TensorModule):
    """A 3×3 convolution of stride and padding one, or one that doubles and smooths.

    It keeps the kernels that it transformed.
    """

    def __init__(self, resampler: Resampler | None = None) -> None:
        """With `resampler`, the resolution doubles: a transposed convolution, then its filter."""
        super().__init__()
        self.resampler = resampler
        # A weight, so that no other takes its place in memory; its version; tiles; × G g.
        self._kept: tuple[Tensor, int, int, Multiply] | None = None

    def __getstate__(self) -> dict[str, object]:
        """Leave the kernels out of copies: these may have other weights, of another type."""
        return self.__dict__ | {"_kept": None}

    def forward(
        self, x: Tensor, weight: Tensor, scale: Tensor | None = None, finish: Finish | None = None
    ) -> Tensor:
        """Convolve x `(n, inputs, h, w)`, × scale `(n, inputs)`: `(n, outputs, h, w)`, finished.

        The number of samples does not choose how: it must not change a picture.
        """
        after = () if finish is None else (finish.factor, finish.bias, finish.noise)
        if suits(x, weight, scale, *after, doubling=self.resampler is not None):
            return self._by_tiles(x, weight, scale, finish)
        y = self.plain(x if scale is None else x * scale[:, :, None, None], weight)
        if finish is None:
            return y
        y = torch.addcmul(finish.bias, y, finish.factor)  # from here on the convolution's is free
        return finish.activated(y)

    def plain(self, x: Tensor, weight: Tensor) -> Tensor:
        """By torch's own convolutions."""
        if self.resampler is None:
            return F.conv2d(x, weight, padding=1)
        return self.resampler.smooth(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2))

    def _by_tiles(
        self, x: Tensor, weight: Tensor, scale: Tensor | None, finish: Finish | None
    ) -> Tensor:
        (n, inputs, height, width), outputs, reach = x.shape, len(weight), (0, 0)
        if self.resampler is not None:
            height, width, reach = 2 * height, 2 * width, self.resampler.reach
        given = self._scheme.given
        tall, wide = (-(-(side + reach[1]) // given) for side in (height, width))
        most = _TILES if torch.get_num_threads() == 1 else _SHARED_TILES
        bands = -(-tall // max(1, most // wide))
        tall = -(-tall // bands)  # of one band
        multiply = self._multiply(weight, tall * wide)
        band = Band(self._scheme, multiply, (tall, wide), inputs, outputs, x, reach)
        scales = x.new_ones(n, inputs) if scale is None else scale
        result = x.new_empty(n, height, width, outputs).permute(0, 3, 1, 2)
        for i, (features, factor) in enumerate(zip(x.permute(0, 2, 3, 1), scales, strict=True)):
            own = None if finish is None else finish.sample(i, width)
            factor = factor.repeat(x.shape[3], 1)  # as in `Finish.sample`
            for first in range(0, bands * tall, tall):
                y = band.outputs(features, factor, first)[None].permute(0, 3, 1, 2)
                if self.resampler is not None:
                    y = self.resampler.filtered(y)
                start = given * first - reach[1]  # of y
                rows = slice(max(start, 0), max(0, min(start + y.shape[2], height)))
                y = y[:, :, rows.start - start : rows.stop - start, :width]
                out = result[i : i + 1, :, rows]
                if own is None:
                    out.copy_(y)
                else:
                    own.write(y, rows, out)
        return result

    @property
    def _scheme(self) -> Scheme:
        return PLAIN if self.resampler is None else DOUBLING

    def _multiply(self, weight: Tensor, tiles: int) -> Multiply:
        """Return the product with G g of all kernels, transformed again after a change."""
        kept, state = self._kept, (weight.data_ptr(), weight._version, tiles)
        if kept is not None and (kept[0].data_ptr(), *kept[1:3]) == state:
            return kept[3]
        weight = weight.detach()
        kernels = torch.tensordot(self._scheme.kernel.to(weight), weight.flatten(2), ([1], [2]))
        multiply = multiplied(kernels, tiles)
        self._kept = weight, weight._version, tiles, multiply
        return multiply


def suits(x: Tensor, weight: Tensor, *others: Tensor | None, doubling: bool = False) -> bool:
    """Return whether x is convolved sooner so, and may be: not to be differentiated or traced."""
    return (
        not torch.compiler.is_compiling()
        and torch._C._get_tracing_state() is None
        and x.device.type == "cpu"
        and x.dtype == weight.dtype == torch.float32
        and min(x.shape[2:]) >= (_LEAST_DOUBLED if doubling else _LEAST_SIDE)
        and min(weight.shape[:2]) >= _LEAST_CHANNELS
        and not (doubling and len(weight) % _GROUP)
        and not torch.is_autocast_enabled("cpu")
        and not weight.is_inference()  # such a tensor does not tell when it changes
        and not _followed(x, weight, *others)
    )


def _followed(*maybe: Tensor | None) -> bool:
    """Return whether torch follows what is computed from the tensors, to differentiate it."""
    tensors = [tensor for tensor in maybe if tensor is not None]
    if torch._C._are_functorch_transforms_active():
        return True
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        return True
    # torch gives `unpack_dual` no types.
    return any(unpack_dual(one).tangent is not None for one in tensors)  # type: ignore[no-untyped-call]
