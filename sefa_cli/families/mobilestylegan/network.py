"""MobileStyleGAN (Belousov, 2021): a small StyleGAN2 student that paints in Haar wavelets.

Up-sampling is an inverse Haar step, convolutions are depthwise then pointwise, and demodulation
is a constant that was folded into the weights, so a longer style really gives larger features.
The network's own picture is the last Haar step of twelve bands at half the resolution.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.generators.base import Generator
from sefa_cli.generators.layers import Dense, MappingNetwork, TensorModule, fast_layout, per_sample
from sefa_cli.generators.steps import Step, run_steps
from sefa_cli.generators.weights import Weights, frozen

# Inverse orthonormal Haar step: what the bands LL, vertical, horizontal, diagonal of one channel
# add to its 2×2 pixels.
HAAR = (
    ((0.5, 0.5), (0.5, 0.5)),
    ((0.5, 0.5), (-0.5, -0.5)),
    ((0.5, -0.5), (0.5, -0.5)),
    ((0.5, -0.5), (-0.5, 0.5)),
)
_LL = slice(None, None, 4)  # of interleaved bands: half of it is the 2×2 mean of the Haar step


def interleaved(bands: int) -> Tensor:
    """Where the four bands of each channel lie in the file: `(bands,)` indices.

    Files hold all LL, then three more for each channel. Side by side they make the Haar step one
    grouped transposed convolution; so the kernels that produce them are reordered once, here.
    """
    channels = bands // 4
    first = torch.arange(channels)[:, None]  # LL
    return torch.cat([first, channels + 3 * first + torch.arange(3)], dim=1).flatten()


class Haar(TensorModule):
    """An inverse Haar step `(n, 4c, h, w)` → `(n, c, 2h, 2w)` on interleaved bands."""

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.channels = bands // 4
        kernels = torch.tensor(HAAR)[:, None].repeat(self.channels, 1, 1, 1)
        self.kernels = frozen(kernels)  # (4c, 1, 2, 2)

    def forward(self, x: Tensor, style: Tensor | None = None) -> Tensor:
        """`style` `(n, 4c)` multiplies the bands: as a factor of the kernels, which are small."""
        if style is None:
            return F.conv_transpose2d(x, self.kernels, stride=2, groups=self.channels)
        kernels = self.kernels * style[:, :, None, None, None]
        return per_sample(F.conv_transpose2d, x, kernels, self.channels, stride=2)


class Up(TensorModule):
    """Style × bands, then a Haar step."""

    order: Tensor

    def __init__(self, weights: Weights, bands: int, w_dim: int) -> None:
        super().__init__()
        self.affine = Dense(weights.at("affine"), w_dim, bands, lr=None)
        self.haar = Haar(bands)
        self.register_buffer("order", interleaved(bands), persistent=False)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        return self.haar(x, self.affine(w)[:, self.order])

    def mean(self, x: Tensor, w: Tensor) -> Tensor:
        """Return the 2×2 mean of what `forward` gives, from the LL bands `(n, c, h, w)` alone."""
        return x * (self.affine(w)[:, : x.shape[1], None, None] * 0.5)


class Conv(TensorModule):
    """Style × features → convolution → noise → bias → leaky ReLU 0.2, without a gain of √2.

    The convolution is separable, in the stem dense. With `bands` the results are Haar bands, and
    those of one channel are put side by side.
    """

    def __init__(self, weights: Weights, inputs: int, side: int, w_dim: int, bands: bool) -> None:
        super().__init__()
        self.affine = Dense(weights.at("affine"), w_dim, inputs, lr=None)
        self.scale = 1 / math.sqrt(9 * inputs)
        self.separable = "depthwise" in weights
        k = 1 if self.separable else 3
        weight = weights.take("weight", None, inputs, k, k)  # (outputs, inputs, k, k)
        bias = weights.take("bias", len(weight))
        if bands:
            order = interleaved(len(weight))
            weight, bias = weight[order], bias[order]
        self.weight, self.bias = frozen(weight), frozen(bias)
        if self.separable:
            self.depthwise = frozen(weights.take("depthwise", inputs, 1, 3, 3))
        self.noise = frozen(weights.take("noise", side, side))  # × its strength already

    def forward(
        self, x: Tensor, w: Tensor, noise_mode: str, rows: slice = slice(None), pool: int = 1
    ) -> Tensor:
        """`rows` of the outputs only; `pool`: noise averaged over pool × pool, for previews."""
        style = self.affine(w) * self.scale  # (n, inputs)
        if self.separable:
            kernels = self.depthwise * style[:, :, None, None, None]
            x = per_sample(F.conv2d, x, kernels, x.shape[1], padding=1)
            x = F.conv2d(x, self.weight[rows], self.bias[rows])
        else:
            x = F.conv2d(x * style[:, :, None, None], self.weight, self.bias, padding=1)
        if noise_mode != "none":
            noise = self._noise_for(x, noise_mode)
            x = x.add_(noise if pool == 1 else F.avg_pool2d(noise, pool))
        return F.leaky_relu_(x, 0.2)

    def _noise_for(self, x: Tensor, noise_mode: str) -> Tensor:
        """`(n or 1, 1, side, side)`. No strength is stored: random noise is as loud as the map."""
        if noise_mode == "const":
            return self.noise[None, None]
        noise = torch.randn(len(x), 1, *self.noise.shape, dtype=x.dtype, device=x.device)
        return noise * self.noise.square().mean().sqrt()


class Block(TensorModule):
    """Up, conv1, conv2: codes `first`, `first` + 1, `first` + 2."""

    def __init__(
        self, weights: Weights, bands: int, side: int, first: int, w_dim: int, last: bool
    ) -> None:
        super().__init__()
        self.first = first
        self.up = Up(weights.at("up"), bands, w_dim)
        self.conv1 = Conv(weights.at("conv1"), bands // 4, side, w_dim, bands=False)
        inputs = len(self.conv1.bias)
        self.conv2 = Conv(weights.at("conv2"), inputs, side, w_dim, bands=not last)

    def steps(self, noise_mode: str, rows: slice, pool: int) -> list[Step]:
        """x `(n, bands, h, w)` → `(n, outputs, 2h, 2w)`; `rows` of the outputs only.

        With a `pool` of 2 or more at `(h, w)`, from the 2×2 mean of the Haar step.
        """
        first, up = self.first, self.up.mean if pool > 1 else self.up
        return [
            Step((first,), lambda x, codes: up(x, codes[:, first])),
            Step(
                (first + 1,),
                lambda x, codes: self.conv1(x, codes[:, first + 1], noise_mode, pool=pool),
            ),
            Step(
                (first + 2,),
                lambda x, codes: self.conv2(x, codes[:, first + 2], noise_mode, rows, pool),
            ),
        ]


class ToImage(TensorModule):
    """Features → Haar bands of the picture → the picture."""

    def __init__(self, weights: Weights, inputs: int, w_dim: int) -> None:
        super().__init__()
        self.affine = Dense(weights.at("affine"), w_dim, inputs, lr=None)
        weight = weights.take("weight", None, inputs, 1, 1) / math.sqrt(inputs)
        order = interleaved(len(weight))
        self.weight = frozen(weight[order])  # (4 · img_channels, inputs, 1, 1)
        self.bias = frozen(weights.take("bias", len(weight))[order])
        self.haar = Haar(len(weight))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """`(n, inputs, h, w)` → `(n, img_channels, 2h, 2w)`."""
        return self.haar(self._bands(x, w, slice(None)))

    def mean(self, x: Tensor, w: Tensor) -> Tensor:
        """Return the 2×2 mean of `forward`, without computing it: `(n, img_channels, h, w)`."""
        return self._bands(x, w, _LL) * 0.5

    def _bands(self, x: Tensor, w: Tensor, rows: slice) -> Tensor:
        kernels = self.weight[rows] * self.affine(w)[:, None, :, None, None]
        return per_sample(F.conv2d, x, kernels) + self.bias[rows, None, None]


class MobileStyleGAN(Generator):
    """Codes in order of execution: stem, then up, conv1, conv2 of each block, then to-image."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self.preview_size = self.resolution // 4
        weights = Weights(checkpoint.tensors)
        self.mapping = MappingNetwork(weights.at("mapping"), self.z_dim, self.w_dim, lr=None)
        weights = weights.at("synthesis")
        self.const = frozen(weights.take("const", None, 4, 4))
        self.stem = Conv(weights.at("conv1"), len(self.const), 4, self.w_dim, bands=True)
        channels, depth = len(self.stem.bias), (self.num_layers - 2) // 3
        blocks: list[Block] = []
        for i in range(depth):
            last = i == depth - 1
            below = weights.at(f"layers.{i}")
            blocks.append(Block(below, channels, 8 << i, 1 + 3 * i, self.w_dim, last))
            channels = len(blocks[-1].conv2.bias)
        self.blocks: Sequence[Block] = nn.ModuleList(blocks)  # type: ignore[assignment]
        self.to_image = ToImage(weights.at("to_img"), channels, self.w_dim)
        self.rough_size = self.resolution // 16 if depth > 3 else None

    def _map(self, z: Tensor, label: Tensor | None) -> Tensor:
        return self.mapping(z)

    def _picture(self, codes: Tensor, noise_mode: str, size: int) -> Tensor:
        return run_steps(self.steps(noise_mode, size, quick=False), codes)

    def _preview(self, codes: Tensor, noise_mode: str) -> Tensor:
        """Return the last block at half its size, fed with the 2×2 mean of its Haar step.

        Convolution and mean do not commute, so this is 35 dB from the exact mean, no more.
        """
        return run_steps(self.steps(noise_mode, self.resolution // 4, quick=True), codes)

    def rough(self, codes: Tensor) -> Tensor:
        """Return pictures whose last three blocks run at the size of the first of them.

        On the default model they are 25 dB from the exact mean, and cost 0.23 of a preview.
        """
        return run_steps(self._quick_steps("const", 3), codes)

    def steps(self, noise_mode: str, size: int, quick: bool) -> list[Step]:
        """Return the stem, every layer of every block, and the picture; each reads one code."""
        if quick:
            return self._quick_steps(noise_mode, 1)
        steps = [Step((0,), lambda _, codes: self._begin(codes, noise_mode))]
        for block in self.blocks:
            steps += block.steps(noise_mode, slice(None), pool=1)
        paint = self.to_image.mean if (self.resolution // 2) % size == 0 else self.to_image
        return [*steps, Step((self.num_layers - 1,), lambda x, codes: paint(x, codes[:, -1]))]

    def _quick_steps(self, noise_mode: str, count: int) -> list[Step]:
        """Return the steps with the last `count` blocks fed with the 2×2 means of Haar steps."""
        steps = [Step((0,), lambda _, codes: self._begin(codes, noise_mode))]
        for left, block in zip(reversed(range(len(self.blocks))), self.blocks, strict=True):
            # Nothing but the LL bands of what goes into such a block is used.
            rows = _LL if 0 < left <= count else slice(None)
            steps += block.steps(noise_mode, rows, pool=2 ** max(0, count - left))
        paint = self.to_image.mean
        return [*steps, Step((self.num_layers - 1,), lambda x, codes: paint(x, codes[:, -1]))]

    def _begin(self, codes: Tensor, noise_mode: str) -> Tensor:
        x = fast_layout(self.const.expand(len(codes), -1, -1, -1))
        return self.stem(x, codes[:, 0], noise_mode)
