"""DCGAN (Radford et al., ICLR 2016): transposed convolutions from z to the picture, any depth.

As in PyTorch's example: the first takes z to 4 × 4 pixels, each one after doubles the side; batch
norm, with the file's running statistics, and ReLU after all but the last, which tanh ends.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import SefaError
from sefa_cli.generators.base import Generator
from sefa_cli.generators.layers import TensorModule
from sefa_cli.generators.weights import Weights, frozen

_EPSILON = 1e-5  # of PyTorch's batch norm


class UpConv(TensorModule):
    """Transposed convolution, and the batch norm after it as a scale and a shift of channels."""

    def __init__(self, weights: Weights, index: int, inputs: int, first: bool) -> None:
        super().__init__()
        conv, norm = weights.at(f"{index}"), weights.at(f"{index + 1}")
        self.weight = frozen(conv.take("weight", inputs, None, None, None))  # (in, out, k, k)
        self.stride, self.padding = (1, 0) if first else (2, 1)
        self.outputs = self.weight.shape[1]
        bias = conv.take("bias", self.outputs) if "bias" in conv else torch.zeros(self.outputs)
        scale = torch.ones(self.outputs)
        if "running_mean" in norm:
            variance = norm.take("running_var", self.outputs)
            scale = norm.take("weight", self.outputs) / (variance + _EPSILON).sqrt()
            bias = norm.take("bias", self.outputs) + scale * (
                bias - norm.take("running_mean", self.outputs)
            )
        self.scale, self.shift = frozen(scale), frozen(bias)  # (out,)

    def forward(self, x: Tensor) -> Tensor:
        x = F.conv_transpose2d(x, self.weight, stride=self.stride, padding=self.padding)
        return torch.addcmul(self.shift[:, None, None], x, self.scale[:, None, None])


class DCGAN(Generator):
    """The code is z itself; it enters through the first convolution alone."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        weights, channels = Weights(checkpoint.tensors).at("main"), self.z_dim
        layers: list[UpConv] = []
        for index in _convolutions(checkpoint):
            layers.append(UpConv(weights, index, channels, first=not layers))
            channels = layers[-1].outputs
        self.layers = nn.ModuleList(layers)
        if channels != self.img_channels:
            raise SefaError(f"the last convolution has {channels} outputs", f"{self.img_channels}")

    def _picture(self, codes: Tensor, noise_mode: str, size: int) -> Tensor:
        x = codes[:, 0, :, None, None]  # (n, z_dim, 1, 1)
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return torch.tanh(self.layers[-1](x))


def _convolutions(checkpoint: Checkpoint) -> list[int]:
    """Their places in the sequence; norms in between have weights with one axis."""
    kernels = [name for name, tensor in checkpoint.tensors.items() if len(tensor.shape) == 4]
    return sorted(int(name.split(".")[1]) for name in kernels)
