"""What networks that were grown block by block share: PGGAN and StyleGAN.

Doubling is nearest-neighbor, every block has a to-RGB of its own, and a network saved while it
grew shows the mix of two of them: its level of detail (lod) is 0 when grown up, 1 at half the size.
"""

import math
from abc import abstractmethod
from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor, nn

from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import SefaError
from sefa_cli.generators.base import Generator
from sefa_cli.generators.layers import SQRT2, TensorModule, fast_layout, pointwise
from sefa_cli.generators.weights import Weights, frozen
from sefa_cli.generators.winograd import Convolution


class Conv(TensorModule):
    """A convolution without bias, its weight scaled to a gain; it may double the resolution first.

    Doubling by nearest neighbor and then a 3×3 kernel is one transposed convolution, whose kernel
    is the sum of four shifted ones: less than half the multiplications.
    """

    def __init__(
        self, weights: Weights, inputs: int | None = None, side: int = 3,
        gain: float = SQRT2, up: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        kernel = weights.take("weight", None, inputs, side, side)  # (outputs, inputs, side, side)
        kernel = kernel * (gain / math.sqrt(kernel[0].numel()))
        self.outputs, self.up, self.padding = len(kernel), up, side // 2
        if up:
            wide = F.pad(kernel.flip(2, 3), (1, 1, 1, 1))  # (out, in, 5, 5)
            kernel = (
                wide[:, :, 1:, 1:]
                + wide[:, :, :-1, 1:]
                + wide[:, :, 1:, :-1]
                + wide[:, :, :-1, :-1]
            ).transpose(0, 1)  # (in, out, 4, 4)
        self.kernel = frozen(fast_layout(kernel))
        self.convolution = Convolution()

    def forward(self, x: Tensor) -> Tensor:
        """`(n, inputs, h, w)` → `(n, outputs, h, w)`, or twice the sides."""
        if self.up:
            return F.conv_transpose2d(x, self.kernel, stride=2, padding=1)
        if self.padding:
            return self.convolution(x, self.kernel)
        return pointwise(x, self.kernel[None])


class ToRGB(TensorModule):
    """A 1×1 convolution of gain 1, and its bias."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.conv = Conv(weights, side=1, gain=1.0)
        self.bias = frozen(weights.take("bias", self.conv.outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution with its bias."""
        return self.conv(x) + self.bias[:, None, None]


class Progressive(Generator):
    """Subclasses say what the blocks give, one after the other; here is decided what is shown."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        synthesis = Weights(checkpoint.tensors).at("synthesis")
        self.depth = 1  # blocks: 4 px, 8 px …
        while f"b{4 << self.depth}.conv1.weight" in synthesis:
            self.depth += 1
        self.lod = float(checkpoint.config.get("lod", 0))
        if not 0 <= self.lod <= self.depth - 1:
            raise SefaError(f"a level of detail of {self.lod:g}", f"0 to {self.depth - 1}")
        self.shown = self.depth - int(self.lod)  # blocks that are run
        self.fade = self.lod % 1  # the share of the last but one
        self.to_rgb = nn.ModuleDict()
        for block in range(self.shown - (2 if self.fade else 1), self.shown):
            rgb = synthesis.at(f"b{4 << block}.torgb")
            self.to_rgb[str(block)] = ToRGB(rgb)

    def _picture(self, codes: Tensor, noise_mode: str, size: int) -> Tensor:
        images = [
            self.to_rgb[str(block)](x)
            for block, x in enumerate(self._features(codes, noise_mode))
            if str(block) in self.to_rgb
        ]
        image: Tensor = images[-1]
        if self.fade:
            image = image * (1 - self.fade) + doubled(images[0]) * self.fade
        for _ in range(self.depth - self.shown):
            image = doubled(image)
        return image

    @abstractmethod
    def _features(self, codes: Tensor, noise_mode: str) -> Iterator[Tensor]:
        """Yield what each shown block gives its to-RGB: `(n, c, 4, 4)`, `(n, c, 8, 8)`, …."""


def doubled(image: Tensor) -> Tensor:
    """`(n, c, h, w)` → `(n, c, 2h, 2w)`, every pixel four times."""
    return image.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
