"""z → dense → 4 × 4 → (up-sampling, 3 × 3 convolution, tanh) × n."""

import torch.nn.functional as F
from torch.nn import ParameterList

from sefa_cli.generators.base import Generator
from sefa_cli.generators.weights import Weights, frozen


class TinyConvGenerator(Generator):
    """The code is z itself: there is no mapping network."""

    def __init__(self, checkpoint):
        super().__init__(checkpoint)
        weights = Weights(checkpoint.tensors)
        self.dense = frozen(weights.take("dense.weight", None, self.z_dim))
        names = (f"convs.{i}.weight" for i in range(weights.count("convs.{}.weight")))
        self.kernels = ParameterList(frozen(weights.take(name, None, None, 3, 3)) for name in names)

    def _picture(self, codes, noise_mode, size):
        x = (codes[:, 0] @ self.dense.T).reshape(len(codes), -1, 4, 4)
        for kernel in self.kernels:
            x = F.conv2d(F.interpolate(x, scale_factor=2), kernel, padding=1).tanh()
        return x  # (n, 3, resolution, resolution) in [-1, 1]
