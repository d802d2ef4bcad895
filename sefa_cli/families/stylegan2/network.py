"""StyleGAN2 (Karras et al., CVPR 2020): skip, resnet and orig, conditional or not, any width.

Names and weights are NVIDIA's. What the architecture is follows from the tensors: every block of
`skip` has a to-RGB, every block of `resnet` but the first a shortcut, `orig` neither.
"""

import math
import re
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import SefaError
from sefa_cli.generators.base import Generator
from sefa_cli.generators.layers import (
    SQRT2,
    Dense,
    MappingNetwork,
    Resampler,
    TensorModule,
    fast_layout,
    noise_like,
    pointwise,
)
from sefa_cli.generators.steps import Step, run_steps
from sefa_cli.generators.weights import Weights, frozen
from sefa_cli.generators.winograd import Convolution, Finish

HALF = math.sqrt(0.5)  # gain of the two branches that meet in a resnet block


@dataclass(frozen=True)
class Options:
    """What the convolutions of one network have in common."""

    w_dim: int
    clamp: float | None  # activations are kept in ± this
    demod_scaled: bool  # demodulation's epsilon acts on weights × 1/√fan-in (not in NVIDIA's code)
    resampler: Resampler


class StyledConv(TensorModule):
    """Modulate → convolve → demodulate → noise → bias → leaky ReLU 0.2 × √2 → clamp.

    Style and demodulation scale what goes in and comes out, not the kernel: then one kernel
    serves all samples, and a derivative by the style takes one convolution instead of two.
    """

    def __init__(
        self, weights: Weights, inputs: int, side: tuple[int, int], options: Options, up: bool
    ) -> None:
        """`side`: height and width of the result; `up`: twice those of what goes in."""
        super().__init__()
        weight = weights.take("weight", None, inputs, 3, 3)
        self.affine = Dense(weights.at("affine"), options.w_dim, inputs)
        # In the order in which torch takes them: it would copy them for every picture.
        weight = fast_layout(weight.transpose(0, 1)).transpose(0, 1) if up else fast_layout(weight)
        self.weight = frozen(weight)  # (outputs, inputs, 3, 3)
        self.bias = frozen(weights.take("bias", len(weight)))
        self.energy = frozen(weight.square().sum(dim=(2, 3)))  # (outputs, inputs)
        self.scale = 1 / math.sqrt(9 * inputs) if options.demod_scaled else 1.0
        self.clamp, self.up = options.clamp, up
        self.convolution = Convolution(options.resampler if up else None)
        self.strength = self.noise = None
        if "noise_strength" in weights:
            self.strength = frozen(weights.take("noise_strength"))  # ()
        if "noise_const" in weights:  # not in old files of rosinality's
            self.noise = frozen(weights.take("noise_const", *side))  # (h, w)

    def forward(self, x: Tensor, w: Tensor, noise_mode: str, gain: float = 1.0) -> Tensor:
        style = self.affine(w) * self.scale  # (n, inputs)
        demodulation = (style.square() @ self.energy.T + 1e-8).rsqrt()  # (n, outputs)
        # A gain may be drawn before a leaky ReLU: what was to be multiplied is small there.
        before = SQRT2 * gain
        times = 2 if self.up else 1
        noise = noise_like(x, noise_mode, self.noise, self.strength, times)
        finish = Finish(
            demodulation[:, :, None, None] * before,
            self.bias[:, None, None] * before,
            None if noise is None else noise * before,
            None if self.clamp is None else self.clamp * gain,
        )
        return self.convolution(x, self.weight, style, finish)

    def convolve(self, x: Tensor) -> Tensor:
        """Apply the kernel alone: `(n, inputs, h, w)` → `(n, outputs, ·, ·)`."""
        return self.convolution.plain(x, self.weight)


class ToRGB(TensorModule):
    """A modulated 1×1 convolution without demodulation, noise or activation."""

    def __init__(self, weights: Weights, inputs: int, options: Options) -> None:
        super().__init__()
        self.affine = Dense(weights.at("affine"), options.w_dim, inputs)
        weight = weights.take("weight", None, inputs, 1, 1) / math.sqrt(inputs)
        self.weight = frozen(weight)  # (img_channels, inputs, 1, 1)
        self.bias = frozen(weights.take("bias", len(weight)))
        self.clamp = options.clamp

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        kernels = self.weight * self.affine(w)[:, None, :, None, None]  # small, unlike x
        x = pointwise(x, kernels) + self.bias[:, None, None]
        return x if self.clamp is None else x.clamp(-self.clamp, self.clamp)


class Block(nn.Module):
    """All layers of one resolution. Its codes begin at index `first`."""

    def __init__(
        self, weights: Weights, inputs: int, side: tuple[int, int], first: int, options: Options
    ) -> None:
        super().__init__()
        self.first, self.resampler = first, options.resampler
        self.conv0 = self.torgb = self.skip = None
        if "conv0.weight" in weights:
            self.conv0 = StyledConv(weights.at("conv0"), inputs, side, options, up=True)
        if "skip.weight" in weights:
            skip = weights.take("skip.weight", None, inputs, 1, 1)
            self.skip = frozen(skip * (HALF / math.sqrt(inputs)))
        middle = inputs if self.conv0 is None else len(self.conv0.bias)
        self.conv1 = StyledConv(weights.at("conv1"), middle, side, options, up=False)
        if "torgb.weight" in weights:
            self.torgb = ToRGB(weights.at("torgb"), len(self.conv1.bias), options)

    def step(self, noise_mode: str) -> Step:
        """All of it, for pictures that begin in the middle."""
        count = 1 + (self.conv0 is not None) + (self.torgb is not None)
        codes = tuple(range(self.first, self.first + count))
        return Step(codes, lambda state, codes: self(*state, codes, noise_mode))

    def forward(
        self, x: Tensor, image: Tensor | None, codes: Tensor, noise_mode: str
    ) -> tuple[Tensor, Tensor | None]:
        """x `(n, c, h, w)` and the image so far → both at this block's resolution."""
        index, shortcut = self.first, None
        if self.skip is not None:
            shortcut = self.resampler.upsample(F.conv2d(x, self.skip))
        if self.conv0 is not None:
            x = self.conv0(x, codes[:, index], noise_mode)
            index += 1
        x = self.conv1(x, codes[:, index], noise_mode, 1.0 if shortcut is None else HALF)
        if shortcut is not None:
            x = x + shortcut
        if self.torgb is not None:
            rgb = self.torgb(x, codes[:, index + 1])  # shares the next block's first code
            image = rgb if image is None else self.resampler.upsample(image) + rgb
        return x, image


class StyleGAN2(Generator):
    """`num_layers` is the number of convolutions and one more, for the last to-RGB."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        config, weights = checkpoint.config, Weights(checkpoint.tensors)
        self.mapping = MappingNetwork(
            weights.at("mapping"), self.z_dim, self.w_dim, self.c_dim,
            config.get("label_mode"), config.get("lr_multiplier", 0.01),
        )  # fmt: skip
        weights = weights.at("synthesis")
        taps = weights.take("resample_filter", None, None) if "resample_filter" in weights else None
        options = Options(
            self.w_dim, config.get("conv_clamp"), config["demod_scaled"], Resampler(taps)
        )
        self.const = frozen(weights.take("b4.const", None, None, None))  # (c, h, w)
        channels, *side = self.const.shape
        self.blocks = nn.ModuleList()
        first = 0
        for resolution in _resolutions(checkpoint):
            block = Block(
                weights.at(f"b{resolution}"), channels, (side[0], side[1]), first, options
            )
            self.blocks.append(block)
            channels, side = len(block.conv1.bias), [2 * side[0], 2 * side[1]]
            first += 1 if block.conv0 is None else 2
        if self.num_layers != first + 1:
            raise SefaError(f"{self.num_layers} codes for {first} convolutions", f"{first + 1}")

    def _map(self, z: Tensor, label: Tensor | None) -> Tensor:
        return self.mapping(z, label)

    def _picture(self, codes: Tensor, noise_mode: str, size: int) -> Tensor:
        return run_steps(self.steps(noise_mode, size, quick=False), codes)

    def steps(self, noise_mode: str, size: int, quick: bool) -> list[Step]:
        """Return a step for every block: (features, image so far) → both at its resolution."""

        def begin(codes: Tensor) -> tuple[Tensor, None]:
            return fast_layout(self.const.expand(len(codes), -1, -1, -1)), None

        blocks = [block.step(noise_mode) for block in self.blocks if isinstance(block, Block)]
        end = Step((), lambda state, codes: state[1])
        return [Step((), lambda _, codes: begin(codes)), *blocks, end]


def _resolutions(checkpoint: Checkpoint) -> list[int]:
    found = (re.fullmatch(r"synthesis\.b(\d+)\.conv1\.weight", name) for name in checkpoint.tensors)
    return sorted(int(match[1]) for match in found if match)
