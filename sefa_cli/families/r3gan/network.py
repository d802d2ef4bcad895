"""R3GAN's network: no normalization, no noise, biases only before activations."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.generators.base import Generator
from sefa_cli.generators.layers import Resampler, TensorModule
from sefa_cli.generators.weights import Weights, frozen


class Residual(TensorModule):
    """x + C₃ f(C₂ f(C₁ x + b₁) + b₂), f a leaky ReLU 0.2, C₂ in groups."""

    def __init__(self, weights: Weights, channels: int) -> None:
        super().__init__()
        self.first = frozen(weights.take("LinearLayer1.Layer.weight", None, channels, 1, 1))
        inner = len(self.first)
        self.middle = frozen(weights.take("LinearLayer2.Layer.weight", inner, None, 3, 3))
        self.last = frozen(weights.take("LinearLayer3.Layer.weight", channels, inner, 1, 1))
        biases = (weights.take(f"NonLinearity{i}.Bias", inner) for i in (1, 2))
        self.bias1, self.bias2 = map(frozen, biases)
        self.groups = inner // max(1, self.middle.shape[1])

    def forward(self, x: Tensor) -> Tensor:
        y = F.leaky_relu(F.conv2d(x, self.first, self.bias1), 0.2)
        y = F.conv2d(y, self.middle, self.bias2, padding=1, groups=self.groups)
        return x + F.conv2d(F.leaky_relu(y, 0.2), self.last)


class Up(TensorModule):
    """A 1×1 convolution if the width changes, then up-sampling by two."""

    def __init__(self, weights: Weights, channels: int) -> None:
        super().__init__()
        name, self.outputs, self.kernel = "LinearLayer.Layer.weight", channels, None
        if name in weights:
            self.kernel = frozen(weights.take(name, None, channels, 1, 1))
            self.outputs = len(self.kernel)
        self.resampler = Resampler(weights.take("Resampler.Kernel", None, None))

    def forward(self, x: Tensor) -> Tensor:
        return self.resampler.upsample(x if self.kernel is None else F.conv2d(x, self.kernel))


class R3GAN(Generator):
    """The code is z; of a conditional network the embedded label follows it."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self.conditioned = self.c_dim > 0
        weights, layers = Weights(checkpoint.tensors), nn.Sequential()
        label = ("EmbeddingLayer.weight", None, self.c_dim)
        embedding = weights.take(*label) if self.c_dim else torch.zeros(0, 0)  # (e, c_dim)
        basis = weights.take("MainLayers.0.Layers.0.Basis", None, None, None)
        inputs, channels = self.z_dim + len(embedding), len(basis)
        linear = weights.take("MainLayers.0.Layers.0.LinearLayer.weight", channels, inputs)
        self.basis, self.linear, self.embedding = map(frozen, (basis, linear, embedding))
        for stage in range((self.resolution // basis.shape[1]).bit_length()):
            below, block = weights.at(f"MainLayers.{stage}.Layers"), 1
            if stage:
                layers.append(up := Up(below.at("0"), channels))
                channels = up.outputs
            while f"{block}.NonLinearity1.Bias" in below:
                layers.append(Residual(below.at(f"{block}"), channels))
                block += 1
        rgb = weights.take("AggregationLayer.Layer.weight", self.img_channels, channels, 1, 1)
        self.layers, self.to_rgb = layers, frozen(rgb)

    def _picture(self, codes: Tensor, noise_mode: str, size: int) -> Tensor:
        x = self.basis * F.linear(codes[:, 0], self.linear)[:, :, None, None]  # (n, c, 4, 4)
        return F.conv2d(self.layers(x), self.to_rgb)

    def _conditioned_picture(self, codes: Tensor, label: Tensor, truncation: float) -> Tensor:
        inputs = torch.cat([codes[:, 0], label @ self.embedding.T], dim=1)
        return self._picture(inputs[:, None], "none", self.resolution)
