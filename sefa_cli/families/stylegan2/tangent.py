"""StyleGAN2's derivative written by hand: what a move of the codes does, layer by layer.

With style s = A w + b and demodulation d = (Q s² + ε)^(−1/2), Q = Σ W² over the kernel, a
convolution gives u d, u = conv(x · s). A change t of x and ds = A v of the style change that by
conv(t · s + x · ds) · d + u · dd, where dd = −d³ Q (s · ds). Noise and bias stand still, the
activation's slopes are kept.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from sefa_cli.families.stylegan2.network import HALF, Block, StyledConv, StyleGAN2, ToRGB
from sefa_cli.generators.layers import SQRT2, area_mean, fast_layout
from sefa_cli.generators.linearize import Moves

Change = Tensor | None  # of features (b, channels, h, w); None where nothing has moved yet


class StyleGAN2Chain:
    """One picture `(1, C, H, W)` of `net` and its blocks, each ready for changes."""

    def __init__(
        self, net: StyleGAN2, codes: Tensor, noise_mode: str, size: int, quick: bool = False
    ) -> None:
        """`quick` is always False: the network has no shortcut."""
        self._size = size
        x = fast_layout(net.const.expand(len(codes), -1, -1, -1))
        image: Tensor | None = None
        self._steps: list[BlockStep] = []
        self.pass_bytes = 0
        for block in net.blocks:
            assert isinstance(block, Block)
            step = BlockStep(block, x, image, codes, noise_mode)
            self._steps.append(step)
            x, image = step.result, step.image
            self.pass_bytes = max(self.pass_bytes, 5 * x.nbytes)
        assert image is not None
        self.picture = area_mean(image, size)

    def push(self, moves: Moves) -> Tensor:
        """Return changes of the picture `(b, C, H, W)`; moves hold `(b, d)` per code, or None."""
        t: Change = None
        image: Change = None
        for step in self._steps:
            t, image = step.push(t, image, moves)
        assert image is not None  # every code moves something
        return area_mean(image, self._size)


class BlockStep:
    """A `Block`."""

    def __init__(
        self, block: Block, x: Tensor, image: Tensor | None, codes: Tensor, noise_mode: str
    ) -> None:
        self.result, self.image = block(x, image, codes, noise_mode)
        self._skip, self._resampler = block.skip, block.resampler
        self._convs: list[tuple[int, ConvStep]] = []
        index = block.first
        if block.conv0 is not None:
            conv = ConvStep(block.conv0, x, codes[:, index], noise_mode, 1.0)
            self._convs.append((index, conv))
            x, index = conv.result, index + 1
        gain = 1.0 if block.skip is None else HALF
        conv = ConvStep(block.conv1, x, codes[:, index], noise_mode, gain)
        self._convs.append((index, conv))
        self._rgb: RGBStep | None = None
        if block.torgb is not None:
            self._rgb = RGBStep(block.torgb, self.result, codes[:, index + 1])
        self._rgb_index = index + 1

    def push(self, t: Change, image: Change, moves: Moves) -> tuple[Change, Change]:
        """Turn the changes of features and image below into this block's."""
        shortcut: Change = None
        if self._skip is not None and t is not None:
            shortcut = self._resampler.upsample(F.conv2d(t, self._skip))
        for index, conv in self._convs:
            t = conv.push(t, moves[index])
        t = _sum(t, shortcut)
        if self._rgb is not None:
            below = None if image is None else self._resampler.upsample(image)
            image = _sum(below, self._rgb.push(t, moves[self._rgb_index]))
        return t, image


class ConvStep:
    """A `StyledConv`, its demodulation and slopes drawn together into one factor."""

    def __init__(
        self, conv: StyledConv, x: Tensor, w: Tensor, noise_mode: str, gain: float
    ) -> None:
        self.result = conv(x, w, noise_mode, gain)
        self._conv, self._features = conv, x
        style = conv.affine(w) * conv.scale  # (1, inputs)
        demodulation = (style.square() @ conv.energy.T + 1e-8).rsqrt()  # (1, outputs)
        self._style = _spread(style)
        self._plain = fast_layout(conv.convolve(x * self._style))  # u
        # dd / d = pull · ds, of each direction
        self._pull = conv.energy * style * (-demodulation.square()).T  # (outputs, inputs)
        factor = torch.where(self.result > 0, 1.0, x.new_tensor(0.2))
        if conv.clamp is not None:
            factor = factor * (self.result.abs() < conv.clamp * gain)
        self._factor = fast_layout(factor * (_spread(demodulation) * SQRT2 * gain))

    def push(self, t: Change, move: Tensor | None) -> Change:
        """`(b, inputs, h, w)` → `(b, outputs, ·, ·)`."""
        if t is not None:
            t = t * self._style
        if move is not None:
            change = F.linear(move, self._conv.affine.weight) * self._conv.scale  # (b, inputs)
            t = _sum(t, self._features * _spread(change))
        if t is None:
            return None
        t = self._conv.convolve(t)
        if move is not None:
            t = t.addcmul_(self._plain, _spread(change @ self._pull.T))
        return t.mul_(self._factor)


class RGBStep:
    """A `ToRGB`."""

    def __init__(self, layer: ToRGB, x: Tensor, w: Tensor) -> None:
        self._affine, self._weight, self._features = layer.affine, layer.weight, x
        self._kernels = layer.weight * _spread(layer.affine(w))
        self._inside: Tensor | None = None
        if layer.clamp is not None:
            self._inside = (layer(x, w).abs() < layer.clamp).to(x)

    def push(self, t: Change, move: Tensor | None) -> Change:
        """`(b, inputs, h, w)` → `(b, img_channels, h, w)`."""
        rgb = None if t is None else F.conv2d(t, self._kernels)
        if move is not None:
            kernels = self._weight * F.linear(move, self._affine.weight)[:, None, :, None, None]
            own = F.conv2d(self._features, kernels.flatten(0, 1))  # (1, b · img_channels, h, w)
            rgb = _sum(rgb, own.reshape(len(move), -1, *own.shape[2:]))
        return rgb if rgb is None or self._inside is None else rgb * self._inside


def _spread(style: Tensor) -> Tensor:
    """`(b, channels)` → `(b, channels, 1, 1)`."""
    return style[:, :, None, None]


def _sum(a: Change, b: Change) -> Change:
    if a is None or b is None:
        return b if a is None else a
    return a + b
