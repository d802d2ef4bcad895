"""MobileStyleGAN's derivative written by hand: what a move of the codes does, layer by layer.

Every layer keeps what it was fed, its style s and the slopes of its activation. A change t then
goes through it as t ← conv(t · s + x · A v) · slope (A the style affine, v the move of its code):
linear, without a graph, and cheaper than the picture itself.
"""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from sefa_cli.families.mobilestylegan.network import HAAR, Conv, MobileStyleGAN, ToImage, Up
from sefa_cli.generators.layers import TensorModule, area_mean, fast_layout
from sefa_cli.generators.linearize import Moves

Change = Tensor | None  # of features (b, channels, h, w); None where nothing has moved yet


class MobileChain:
    """One picture `(1, C, H, W)` of `net` and its layers, each ready for changes."""

    def __init__(
        self, net: MobileStyleGAN, codes: Tensor, noise_mode: str, size: int, quick: bool
    ) -> None:
        self._size, self.pass_bytes = size, 0
        x = fast_layout(net.const.expand(len(codes), -1, -1, -1))
        self._steps: list[tuple[int, ConvStep | HaarStep | BandsStep]] = []
        for index, layer, options in _route(net, quick, halved=(net.resolution // 2) % size == 0):
            w = codes[:, index]
            step: ConvStep | HaarStep | BandsStep
            if isinstance(layer, Conv):
                step = ConvStep(layer, x, w, noise_mode, **options)
            elif isinstance(layer, Up):
                step = HaarStep(layer, x, w, **options)
                below = self._steps[-1][1]
                assert isinstance(below, ConvStep)
                below.prepare(step)
            else:
                assert isinstance(layer, ToImage)
                step = BandsStep(layer, x, w, **options)
            self._steps.append((index, step))
            x = step.result
            del step.result  # getting new memory takes longer than the arithmetic
            self.pass_bytes = max(self.pass_bytes, 4 * x.nbytes)
        self.picture = area_mean(x, size)

    def push(self, moves: Moves) -> Tensor:
        """Return changes of the picture `(b, C, H, W)`; moves hold `(b, d)` per code, or None."""
        t: Change = None
        for index, step in self._steps:
            t = step.push(t, moves[index])
        assert t is not None  # every code moves something
        return area_mean(t, self._size)


class ConvStep:
    """A `Conv`. Where it is separable the style follows its depthwise half, which is the same."""

    def __init__(self, conv: Conv, x: Tensor, w: Tensor, noise_mode: str, **options: Any) -> None:
        self.result = conv(x, w, noise_mode, **options)
        self._affine, self._scale = conv.affine, conv.scale
        self._weight = conv.weight[options.get("rows", slice(None))].contiguous()
        style = _spread(conv.affine(w) * conv.scale)
        self._kernels, self._style = None, style
        features = x  # what the style multiplies
        if conv.separable:
            features = F.conv2d(x, conv.depthwise, padding=1, groups=x.shape[1])
            self._kernels = conv.depthwise * style.transpose(0, 1)
        slope = self.result.sign().clamp_(min=0.2)  # that of leaky ReLU
        self._features, self._slope = fast_layout(features), fast_layout(slope)

    def prepare(self, after: "HaarStep") -> None:
        """Hand over channels in the next step's order, times its style.

        Both are free: they change only the factors that this step multiplies by anyway.
        """
        self._weight = self._weight[after.order]
        self._slope = _in_order(self._slope, after.order) * after.style

    def push(self, t: Change, move: Tensor | None) -> Change:
        """`(b, inputs, h, w)` → `(b, outputs, h, w)`."""
        if t is not None:
            if self._kernels is None:
                t = t * self._style
            else:
                t = F.conv2d(t, self._kernels, padding=1, groups=len(self._kernels))
        if move is not None:
            t = _added(t, self._features, _change(self._affine, move) * self._scale)
        if t is None:
            return None
        dense = self._kernels is None
        t = F.conv2d(t, self._weight, padding=1) if dense else _pointwise(t, self._weight)
        return t * self._slope if t.requires_grad else t.mul_(self._slope)


class HaarStep:
    """An `Up`; with `mean`, its 2×2 mean from the LL bands alone.

    The step below it multiplies by the `style` `(1, bands, 1, 1)` and puts the bands in `order`:
    all LL, then all of the next.
    """

    def __init__(self, up: Up, x: Tensor, w: Tensor, mean: bool = False) -> None:
        self.result = up.mean(x, w) if mean else up(x, w)
        self._mean, self._affine, self._gain = mean, up.affine, 0.5 if mean else 1.0
        bands = torch.arange(x.shape[1], device=x.device)
        self.order = bands if mean else bands.reshape(-1, 4).T.flatten()
        self._rows = bands if mean else up.order[self.order]  # of the affine
        self._features = _in_order(x, self.order)
        self._pixels = x.new_tensor(HAAR).flatten(1).T  # (pixels, bands)
        self.style = _spread(up.affine(w)[:, self._rows] * self._gain)

    def push(self, t: Change, move: Tensor | None) -> Change:
        """`(b, bands, h, w)`, styled and in order → twice as large, or as it is with `mean`."""
        if move is not None:
            change = _change(self._affine, move)[:, self._rows] * self._gain
            t = _added(t, self._features, change)
        return t if t is None or self._mean else self._haar(t)

    def _haar(self, t: Tensor) -> Tensor:
        """Compute the Haar step as one small matrix product over separate bands.

        It is twice as fast as the transposed convolution of the picture itself.
        """
        b, bands, h, w = t.shape
        t = t.permute(0, 2, 3, 1).reshape(b * h * w, 4, bands // 4)
        t = (self._pixels @ t).reshape(b, h, w, 2, 2, bands // 4)
        return t.transpose(2, 3).reshape(b, 2 * h, 2 * w, bands // 4).permute(0, 3, 1, 2)


class BandsStep:
    """A `ToImage`; with `mean`, the 2×2 mean of its picture."""

    def __init__(self, layer: ToImage, x: Tensor, w: Tensor, mean: bool = False) -> None:
        self.result = layer.mean(x, w) if mean else layer(x, w)
        self._affine, self._features = layer.affine, x
        self._haar = None if mean else layer.haar
        self._weight = layer.weight[::4] * 0.5 if mean else layer.weight  # (bands, inputs, 1, 1)
        self._kernels = self._weight * _spread(layer.affine(w))

    def push(self, t: Change, move: Tensor | None) -> Change:
        """`(b, inputs, h, w)` → `(b, img_channels, ·, ·)`."""
        bands = None if t is None else _pointwise(t, self._kernels)
        if move is not None:
            kernels = self._weight * _change(self._affine, move)[:, None, :, None, None]
            own = F.conv2d(self._features, kernels.flatten(0, 1))  # (1, b · bands, h, w)
            own = own.reshape(len(move), -1, *own.shape[2:])
            bands = own if bands is None else bands + own
        return bands if bands is None or self._haar is None else self._haar(bands)


def _route(
    net: MobileStyleGAN, quick: bool, halved: bool
) -> Iterator[tuple[int, TensorModule, dict[str, Any]]]:
    """Yield code index, layer and options in the order in which the network runs them.

    The order is that of `_picture` (`halved`: without its last Haar step) or `_preview` (`quick`).
    """
    yield 0, net.stem, {}
    for block in net.blocks:
        last = quick and block is net.blocks[-1]
        before = quick and block is net.blocks[-2]
        yield block.first, block.up, {"mean": last}
        yield block.first + 1, block.conv1, {"pool": 2} if last else {}
        if before:
            yield block.first + 2, block.conv2, {"rows": slice(None, None, 4)}
        else:
            yield block.first + 2, block.conv2, {"pool": 2} if last else {}
    yield net.num_layers - 1, net.to_image, {"mean": quick or halved}


def _change(affine: Any, move: Tensor) -> Tensor:
    """Return a v `(b, outputs)`: the affine without its bias."""
    return F.linear(move, affine.weight)


def _spread(style: Tensor) -> Tensor:
    """`(b, channels)` → `(b, channels, 1, 1)`."""
    return style[:, :, None, None]


def _in_order(x: Tensor, order: Tensor) -> Tensor:
    """Return `(1, channels, h, w)` with its channels in that order, in `fast_layout` on CPUs."""
    return fast_layout(x).permute(0, 2, 3, 1)[..., order].permute(0, 3, 1, 2)


def _pointwise(t: Tensor, weight: Tensor) -> Tensor:
    """Return a 1×1 convolution of `t`, on CPUs as a matrix product.

    On one thread torch would leave the memory layout that everything else is fast in.
    """
    if t.device.type != "cpu":
        return F.conv2d(t, weight)
    return F.linear(t.permute(0, 2, 3, 1), weight[:, :, 0, 0]).permute(0, 3, 1, 2)


def _added(t: Change, features: Tensor, change: Tensor) -> Tensor:
    """t + features `(1, channels, h, w)` · change `(b, channels)`, in place where t exists.

    Not in a graph: there, what is written into a view takes most of the time of going back.
    """
    if t is None:
        return fast_layout(features * _spread(change))
    if t.requires_grad:
        return torch.addcmul(t, features, _spread(change))
    return t.addcmul_(features, _spread(change))
