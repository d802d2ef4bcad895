"""StyleGAN2 as lucidrains/stylegan2-pytorch computes it (MIT license; written from its facts).

What differs from Karras et al.: weights are taken without the 1/√fan-in of equalized learning
rates; z is scaled to length 1, not to mean square 1; the mapping's dense layers have a plain leaky
ReLU; up-sampling is bilinear, before the convolution, and for the picture followed by a blur; one
noise map drawn from 0 … 1 serves all layers through a weight and a bias per channel; to-RGBs have
no bias. The network paints in 0 … 1; pictures are given in −1 … 1, as by every family here.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.generators.base import Generator
from sefa_cli.generators.layers import Dense, TensorModule, fast_layout, pointwise
from sefa_cli.generators.weights import Weights, frozen
from sefa_cli.generators.winograd import Convolution


class NoisyConv(TensorModule):
    """Modulate → 3×3 convolution → demodulate → noise → leaky ReLU 0.2."""

    def __init__(self, weights: Weights, inputs: int, w_dim: int) -> None:
        super().__init__()
        self.affine = Dense(weights.at("affine"), w_dim, inputs, lr=None)
        self.weight = frozen(fast_layout(weights.take("weight", None, inputs, 3, 3)))
        self.convolution = Convolution()
        self.energy = frozen(self.weight.square().sum(dim=(2, 3)))  # (outputs, inputs)
        self.noise_weight = frozen(weights.take("noise_weight", len(self.weight)))
        self.noise_bias = frozen(weights.take("noise_bias", len(self.weight)))

    @property
    def outputs(self) -> int:
        """Channels of the result."""
        return len(self.weight)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        """x `(n, inputs, h, w)`; noise `(h, w)` or `(n, 1, h, w)`."""
        style = self.affine(w)  # (n, inputs)
        demodulation = (style.square() @ self.energy.T + 1e-8).rsqrt()  # (n, outputs)
        x = self.convolution(x, self.weight, style)
        x = x * demodulation[:, :, None, None]
        added = self.noise_weight[:, None, None] * noise + self.noise_bias[:, None, None]
        return F.leaky_relu(x + added, 0.2)


class Block(nn.Module):
    """Up-sampling (but in the first), two convolutions, and what they add to the picture."""

    def __init__(self, weights: Weights, inputs: int, w_dim: int, up: bool) -> None:
        super().__init__()
        self.up = up
        self.conv1 = NoisyConv(weights.at("conv1"), inputs, w_dim)
        self.conv2 = NoisyConv(weights.at("conv2"), self.conv1.outputs, w_dim)
        channels = self.conv2.outputs
        self.affine = Dense(weights.at("torgb.affine"), w_dim, channels, lr=None)
        self.torgb = frozen(weights.take("torgb.weight", None, channels, 1, 1))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """x, w `(n, w_dim)` and the whole noise map → features and picture of this size."""
        if self.up:
            x = _twice(x)
        part = noise[..., : x.shape[2], : x.shape[3]]
        x = self.conv2(self.conv1(x, w, part), w, part)
        return x, pointwise(x, self.torgb * self.affine(w)[:, None, :, None, None])


class Lucidrains(Generator):
    """`num_layers` is the number of blocks."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        config, weights = checkpoint.config, Weights(checkpoint.tensors)
        self.lr: float = config["lr_multiplier"]
        self.normalize_z: bool = config["normalize_z"]
        mapping = weights.at("mapping")
        self.mapping = nn.ModuleList(
            Dense(mapping.at(f"fc{i}"), self.w_dim, self.w_dim, lr=None)
            for i in range(mapping.count("fc{}.weight"))
        )
        weights = weights.at("synthesis")
        self.const = frozen(weights.take("const", None, None, None))  # (c, h, w)
        channels = len(self.const)
        self.kernel = self.bias = self.taps = None
        if "initial_conv.weight" in weights:
            self.kernel = frozen(weights.take("initial_conv.weight", channels, channels, 3, 3))
            self.bias = frozen(weights.take("initial_conv.bias", channels))
        if "blur" in weights:
            taps = weights.take("blur", 3)
            kernel = torch.outer(taps, taps)
            self.taps = frozen(kernel / kernel.abs().sum())  # (3, 3)
        self.blocks = nn.ModuleList()
        for i in range(weights.count("blocks.{}.conv1.weight")):
            block = Block(weights.at(f"blocks.{i}"), channels, self.w_dim, up=i > 0)
            self.blocks.append(block)
            channels = block.conv2.outputs
        size = self.resolution
        noise = np.random.RandomState(0).rand(size, size).astype(np.float32)
        self.noise = frozen(torch.from_numpy(noise))  # (resolution, resolution)

    def _map(self, z: Tensor, label: Tensor | None) -> Tensor:
        x = F.normalize(z, dim=1) if self.normalize_z else z
        for dense in self.mapping:
            x = F.leaky_relu(dense(x) * self.lr, 0.2)
        return x

    def _picture(self, codes: Tensor, noise_mode: str, size: int) -> Tensor:
        x = fast_layout(self.const.expand(len(codes), -1, -1, -1))
        if self.kernel is not None:
            x = F.conv2d(x, self.kernel, self.bias, padding=1)
        noise = self._noise_for(len(codes), noise_mode)
        image: Tensor | None = None
        for i, block in enumerate(self.blocks):
            if image is not None:
                image = self._enlarged(image)
            x, rgb = block(x, codes[:, i], noise)
            image = rgb if image is None else image + rgb
        assert image is not None
        return 2 * image - 1

    def _noise_for(self, n: int, noise_mode: str) -> Tensor:
        """Return one map for all layers, transposed as in the published code."""
        if noise_mode == "none":
            return torch.zeros_like(self.noise)
        if noise_mode == "const":
            return self.noise.T
        return torch.rand(n, 1, *self.noise.shape, dtype=self.dtype, device=self.device)

    def _enlarged(self, image: Tensor) -> Tensor:
        image = _twice(image)
        if self.taps is None:
            return image
        kernel = self.taps.expand(image.shape[1], 1, 3, 3)
        image = F.pad(image, (1, 1, 1, 1), mode="reflect")
        return F.conv2d(image, kernel, groups=image.shape[1])


def _twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
