"""PGGAN (Karras et al., ICLR 2018): z on a sphere, a dense layer to 4×4 pixels, convolutions.

Codes are z scaled to a mean square of 1, which the network does once more: so the published edit
has it, and a step of one unit is the same for every seed.
"""

import math
from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor, nn

from sefa_cli.checkpoints.checkpoint import Checkpoint
from sefa_cli.errors import SefaError
from sefa_cli.generators.layers import SQRT2, Layer, fast_layout, normalized
from sefa_cli.generators.progressive import Conv, Progressive
from sefa_cli.generators.weights import Weights, frozen


class Entry(Layer):
    """z → 4×4 pixels. The gain is that of a 4×4 convolution: √2 / √(16 · z_dim)."""

    def __init__(self, weights: Weights, z_dim: int) -> None:
        super().__init__()
        weight = weights.take("weight", None, z_dim) * (SQRT2 / 4 / math.sqrt(z_dim))
        self.weight = frozen(weight)  # (16 · channels, z_dim), rows by channel, y, x
        self.bias = frozen(weights.take("bias", len(weight) // 16))

    def forward(self, z: Tensor) -> Tensor:
        x = F.linear(z, self.weight).reshape(len(z), -1, 4, 4)  # (n, channels, 4, 4)
        return F.leaky_relu(x + self.bias[:, None, None], 0.2)


class NormedConv(Layer):
    """Pixel norm → convolution → bias → leaky ReLU 0.2."""

    def __init__(self, weights: Weights, inputs: int, up: bool = False) -> None:
        super().__init__()
        self.conv = Conv(weights, inputs, up=up)
        self.bias = frozen(weights.take("bias", self.conv.outputs))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(normalized(x))
        return F.leaky_relu(x + self.bias[:, None, None], 0.2)


class PGGAN(Progressive):
    """One code, z, for the one layer it enters."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        if self.c_dim:
            raise SefaError(
                f"{checkpoint.ref} is a PGGAN with {self.c_dim} classes", "one without classes"
            )
        weights = Weights(checkpoint.tensors).at("synthesis")
        self.entry = Entry(weights.at("b4.dense"), self.z_dim)
        channels = len(self.entry.bias)
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

    def _features(self, codes: Tensor, noise_mode: str) -> Iterator[Tensor]:
        x = fast_layout(self.entry(normalized(codes[:, 0])))
        for block in self.blocks:
            x = block(x)
            yield normalized(x)
