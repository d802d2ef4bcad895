"""PGGAN (Karras et al., ICLR 2018): z on a sphere, a dense layer to 4×4 pixels, convolutions.

Codes are z scaled to a mean square of 1, which the network does once more: so the published edit
has it, and a step of one unit is the same for every seed.
"""

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.generators.layers import SQRT2, TensorModule, fast_layout, normalized
from sefa_cli.generators.progressive import Conv, Progressive
from sefa_cli.generators.weights import Weights, frozen


class Entry(TensorModule):
    """z, and a one-hot label after it, → 4×4 pixels; the weight counts gain / √inputs."""

    def __init__(self, weights: Weights, z_dim: int, c_dim: int, gain: float) -> None:
        super().__init__()
        weight = weights.take("weight", None, z_dim)
        if c_dim:
            weight = torch.cat([weight, weights.take("label_weight", len(weight), c_dim)], dim=1)
        self.weight = frozen(weight * (gain / math.sqrt(z_dim + c_dim)))  # rows by channel, y, x
        self.channels = len(weight) // 16
        bias = weights.take("bias", None)  # one for a channel, or for every pixel of it
        self.bias = frozen(
            bias.reshape(self.channels, *((4, 4) if len(bias) > self.channels else (1, 1)))
        )

    def forward(self, z: Tensor) -> Tensor:
        x = F.linear(z, self.weight).reshape(len(z), self.channels, 4, 4)
        return F.leaky_relu(x + self.bias, 0.2)


class NormedConv(TensorModule):
    """Pixel norm → convolution → bias → leaky ReLU 0.2."""

    def __init__(self, weights: Weights, inputs: int, up: bool = False) -> None:
        super().__init__()
        self.conv = Conv(weights, inputs, up=up)
        self.bias = frozen(weights.take("bias", self.conv.outputs))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(normalized(x))
        return F.leaky_relu(x + self.bias[:, None, None], 0.2)


class PGGAN(Progressive):
    """One code, z, for the layer that it enters."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self.conditioned = self.c_dim > 0
        weights = Weights(checkpoint.tensors).at("synthesis")
        gain = checkpoint.config.get("dense_gain", SQRT2 / 4)
        self.entry = Entry(weights.at("b4.dense"), self.z_dim, self.c_dim, gain)
        channels = self.entry.channels
        self.blocks = nn.ModuleList()
        for block in range(self.shown):
            layers: list[NormedConv] = []
            for conv in ("conv0", "conv1") if block else ("conv1",):
                below = weights.at(f"b{4 << block}.{conv}")
                layers.append(NormedConv(below, channels, up=conv == "conv0"))
                channels = layers[-1].conv.outputs
            self.blocks.append(nn.Sequential(*layers))

    def _map(self, z: Tensor, label: Tensor | None) -> Tensor:
        return normalized(z)

    def _conditioned_picture(self, codes: Tensor, label: Tensor, truncation: float) -> Tensor:
        """As genforce has it: z is normalized by itself, and again together with the label."""
        z = torch.cat([normalized(codes[:, 0]), label], dim=1)
        return self._picture(z[:, None], "none", self.resolution)

    def _features(self, codes: Tensor, noise_mode: str) -> Iterator[Tensor]:
        x = fast_layout(self.entry(normalized(codes[:, 0])))
        for block in self.blocks:
            x = block(x)
            yield normalized(x)
