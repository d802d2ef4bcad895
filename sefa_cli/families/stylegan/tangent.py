"""StyleGAN's derivative written by hand: what a move of the codes does, layer by layer.

Instance norm takes h to n = (h − mean h) r, r = (mean (h − mean h)² + ε)^(−1/2). A change t of h
changes n by r (t − mean t − n · mean n t), and what the style makes of it, n (s + 1) + b, by that
times s + 1, plus n ds + db, where ds and db are the affine's change. Convolutions, blur and to-RGB
are linear, noise and bias stand still, the slopes of the activations are kept.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from sefa_cli.families.stylegan.network import Style, StyleGAN, instance_norm
from sefa_cli.generators.layers import area_mean, fast_layout, noise_like
from sefa_cli.generators.linearize import Moves
from sefa_cli.generators.progressive import Conv, ToRGB, doubled

Change = Tensor | None  # of features (b, channels, h, w); None where nothing has moved yet


class StyleGANChain:
    """One picture `(1, C, H, W)` of `net` and its layers, each ready for changes."""

    def __init__(
        self, net: StyleGAN, codes: Tensor, noise_mode: str, size: int, quick: bool = False
    ) -> None:
        """`quick` is always False: the network has no shortcut."""
        self._size, self._fade, self._doublings = size, net.fade, net.depth - net.shown
        self._to_rgb = net.to_rgb  # not all of `net`: for bfloat16 it would be copied
        self.picture = area_mean(net._picture(codes, noise_mode, size), size)
        self.pass_bytes = 0
        self._steps: list[StyleStep] = []
        x = fast_layout(net.const.expand(len(codes), -1, -1, -1))
        for index, style in enumerate(net.styles):
            assert isinstance(style, Style)
            step = StyleStep(net, index, style, x, codes[:, index], noise_mode)
            self._steps.append(step)
            x = step.result
            self.pass_bytes = max(self.pass_bytes, 5 * x.nbytes)

    def push(self, moves: Moves) -> Tensor:
        """Return changes of the picture `(b, C, H, W)`; moves hold `(b, d)` per code, or None."""
        images = list(self._images(moves))
        image = images[-1]
        if self._fade:
            image = image * (1 - self._fade) + doubled(images[0]) * self._fade
        for _ in range(self._doublings):
            image = doubled(image)
        return area_mean(image, self._size)

    def _images(self, moves: Moves) -> Iterator[Tensor]:
        """Yield each shown to-RGB's change, from the change of its block."""
        t: Change = None
        given = next(move for move in moves if move is not None)
        for index, step in enumerate(self._steps):
            t = step.push(t, moves[index])
            block, second = divmod(index, 2)
            if second and str(block) in self._to_rgb:
                layer = self._to_rgb[str(block)]
                assert isinstance(layer, ToRGB)
                still = step.result.new_zeros(1, 1, 1, 1).expand(len(given), *step.result.shape[1:])
                yield layer.conv(still if t is None else t)


class StyleStep:
    """Convolution, blur where it doubles, and the `Style` after it."""

    def __init__(
        self, net: StyleGAN, index: int, style: Style, x: Tensor, w: Tensor, noise_mode: str
    ) -> None:
        up = index > 0 and index % 2 == 0
        self._conv: Conv | None = None
        self._blur = net.blur if up else None
        self._early: Tensor | None = None
        if index:
            conv = net.convs[index - 1]
            assert isinstance(conv, Conv)
            self._conv, x = conv, conv(x)
        bias = style.bias[:, None, None]
        if biased := up and net.early_bias:
            x = x + bias
        if up and net.early:
            self._early, x = _slope(x), F.leaky_relu(x, 0.2)
        if self._blur is not None:
            x = self._blur(x)
        noise = noise_like(x, noise_mode, style.noise, style.strength)
        x = x if noise is None else x + noise
        x = x if biased else x + bias
        self._slope, h = _slope(x), F.leaky_relu(x, 0.2)
        variance = h.var(dim=(2, 3), correction=0, keepdim=True)
        self._normed = fast_layout(instance_norm(h, style.epsilon))  # n
        scale, shift = style.affine(w)[:, :, None, None].chunk(2, dim=1)
        self._gain = (variance + style.epsilon).rsqrt() * (scale + 1)  # r (s + 1)
        self._affine = style.affine.weight
        self.result = fast_layout(self._normed * (scale + 1) + shift)

    def push(self, t: Change, move: Tensor | None) -> Change:
        """`(b, inputs, h, w)` → `(b, outputs, ·, ·)`."""
        if t is not None:
            if self._conv is not None:
                t = self._conv(t)
            if self._early is not None:
                t = t * self._early
            if self._blur is not None:
                t = self._blur(t)
            t = t * self._slope
            along = (t * self._normed).mean(dim=(2, 3), keepdim=True)
            t = (t - t.mean(dim=(2, 3), keepdim=True)).addcmul_(self._normed, along, value=-1)
            t = t.mul_(self._gain)
        if move is not None:
            change = F.linear(move, self._affine)[:, :, None, None]
            scale, shift = change.chunk(2, dim=1)  # (b, channels, 1, 1)
            own = torch.addcmul(shift, self._normed, scale)
            t = own if t is None else t.add_(own)
        return t


def _slope(x: Tensor) -> Tensor:
    return fast_layout(torch.where(x > 0, 1.0, x.new_tensor(0.2)))
