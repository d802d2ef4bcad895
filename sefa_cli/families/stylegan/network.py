"""StyleGAN (Karras et al., CVPR 2019): a constant, convolutions, adaptive instance norm.

After every convolution, and once on the constant itself: noise × a weight per channel → bias →
leaky ReLU 0.2 → instance norm → x · (scale + 1) + shift, both affine in w.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.generators.layers import Dense, MappingNetwork, TensorModule, fast_layout, noise_like
from sefa_cli.generators.progressive import Conv, Progressive
from sefa_cli.generators.weights import Weights, frozen


class Blur(TensorModule):
    """The same small filter over every channel; nothing is assumed beyond the border."""

    def __init__(self, taps: Tensor | None) -> None:
        """`taps` `(k, k)` with sum 1; None is [1, 2, 1] ⊗ [1, 2, 1] / 16."""
        super().__init__()
        row = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.taps = frozen(torch.outer(row, row) if taps is None else taps)

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        kernel = self.taps.expand(channels, 1, *self.taps.shape)
        return F.conv2d(x, kernel, padding=len(self.taps) // 2, groups=channels)


class Style(TensorModule):
    """What follows a convolution: noise, bias, leaky ReLU, instance norm, scale and shift by w."""

    def __init__(
        self, weights: Weights, side: tuple[int, int], w_dim: int, epsilon: float = 1e-8
    ) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.bias = frozen(weights.take("bias", None))  # (channels,)
        channels = len(self.bias)
        self.affine = Dense(weights.at("affine"), w_dim, 2 * channels)
        self.strength = self.noise = None
        if "noise_strength" in weights:
            self.strength = frozen(weights.take("noise_strength", channels)[:, None, None])
        if "noise_const" in weights:
            self.noise = frozen(weights.take("noise_const", *side))  # (h, w)

    def forward(self, x: Tensor, w: Tensor, noise_mode: str, biased: bool = False) -> Tensor:
        """`biased`: what comes in has the bias already."""
        noise = noise_like(x, noise_mode, self.noise, self.strength)
        if noise is not None:
            x = x + noise
        x = x if biased else x + self.bias[:, None, None]
        x = instance_norm(F.leaky_relu(x, 0.2), self.epsilon)
        scale, shift = self.affine(w)[:, :, None, None].chunk(2, dim=1)  # (n, channels, 1, 1)
        return x * (scale + 1) + shift


class StyleGAN(Progressive):
    """Two codes a block: for what conv0 gives (the constant in the first), and conv1."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        config, weights = checkpoint.config, Weights(checkpoint.tensors)
        self.mapping = MappingNetwork(
            weights.at("mapping"), self.z_dim, self.w_dim, self.c_dim,
            config.get("label_mode"), config.get("lr_multiplier", 0.01), gain_in_weights=True,
        )  # fmt: skip
        weights = weights.at("synthesis")
        self.blur = Blur(
            weights.take("blur_filter", None, None) if "blur_filter" in weights else None
        )
        self.const = frozen(weights.take("b4.const", None, None, None))  # (channels, h, w)
        # MMGeneration bends what up-sampling gives before the blur, and once more after it;
        # rosinality adds the bias there.
        self.early: bool = config.get("early_activation", False)
        self.early_bias: bool = config.get("early_bias", self.early)
        channels, height, width = self.const.shape
        self.convs, self.styles = nn.ModuleList(), nn.ModuleList()
        for index in range(2 * self.shown):
            block, second = divmod(index, 2)
            below = weights.at(f"b{4 << block}.conv{second}")
            if index:  # the constant comes from no convolution
                conv = Conv(below, channels, up=not second)
                self.convs.append(conv)
                channels = conv.outputs
            side, epsilon = (height << block, width << block), config.get("norm_epsilon", 1e-8)
            self.styles.append(Style(below, side, self.w_dim, epsilon))

    def _map(self, z: Tensor, label: Tensor | None) -> Tensor:
        return self.mapping(z, label)

    def _features(self, codes: Tensor, noise_mode: str) -> Iterator[Tensor]:
        x = fast_layout(self.const.expand(len(codes), -1, -1, -1))
        for index, style in enumerate(self.styles):
            assert isinstance(style, Style)
            if index:
                x = self.convs[index - 1](x)
            up = index > 0 and index % 2 == 0
            if up and self.early_bias:
                x = x + style.bias[:, None, None]
            if up and self.early:
                x = F.leaky_relu(x, 0.2)
            if up:
                x = self.blur(x)
            x = style(x, codes[:, index], noise_mode, up and self.early_bias)
            if index % 2:
                yield x


def instance_norm(x: Tensor, epsilon: float) -> Tensor:
    """Every channel of every picture scaled to mean 0 and variance 1."""
    x = x - x.mean(dim=(2, 3), keepdim=True)
    return x * (x.square().mean(dim=(2, 3), keepdim=True) + epsilon).rsqrt()
