"""z → dense → 4 × 4 → (up-sampling, 3 × 3 convolution, tanh) × n."""

import torch.nn.functional as F
from torch import nn

from sefa_cli.generators.base import Generator
from sefa_cli.generators.weights import Weights, frozen


class TinyConv(Generator):
    def __init__(self, checkpoint):
        super().__init__(checkpoint)
        weights = Weights(checkpoint.tensors)
        self.weight = frozen(weights.take("dense.weight", None, self.z_dim))
        self.bias = frozen(weights.take("dense.bias", len(self.weight)))
        kernels = range(weights.count("convs.{}.weight"))
        take = [weights.take(f"convs.{i}.weight", None, None, 3, 3) for i in kernels]
        self.kernels = nn.ParameterList(frozen(kernel) for kernel in take)

    def _map(self, z, label):
        return z  # without a mapping network, z itself is the code

    def _picture(self, codes, noise_mode, size):
        x = F.linear(codes[:, 0], self.weight, self.bias)  # (n, 16 channels)
        x = x.reshape(len(x), -1, 4, 4)
        for kernel in self.kernels:
            x = F.conv2d(F.interpolate(x, scale_factor=2), kernel, padding=1).tanh()
        return x  # (n, img_channels, resolution, resolution) in [-1, 1]
