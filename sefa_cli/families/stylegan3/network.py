"""StyleGAN3 (Karras et al., NeurIPS 2021), T and R: alias-free, so that pictures can be moved.

Signals are continuous functions sampled with a margin around the picture. Fourier features, turned
and shifted by the first code, run through layers of modulated convolution and filtered leaky ReLU:
up-sample, bend, low-pass, down-sample. There is no noise. Names and weights are NVIDIA's.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import SefaError
from sefa_cli.families.stylegan3.geometry import LayerGeometry, sampling_rates, steps
from sefa_cli.generators.base import Generator
from sefa_cli.generators.layers import (
    SQRT2,
    Dense,
    MappingNetwork,
    TensorModule,
    fast_layout,
    per_sample,
)
from sefa_cli.generators.weights import Weights, frozen


class FourierFeatures(TensorModule):
    """w → sin(2π (f·x + φ)) on a grid with margins, then a matrix over channels.

    Coordinates x are 1 for a picture's width, 0 in its middle. An affine of w gives a rotation and
    a translation of them; `transform` is another one, the user's.
    """

    def __init__(self, weights: Weights, w_dim: int, size: int, rate: int, cutoff: float) -> None:
        """`size` pixels with margins, `rate` without; frequencies are meant to be ≤ `cutoff`."""
        super().__init__()
        weight = weights.take("weight", None, None)
        channels = len(weight)
        self.weight = frozen(weight / math.sqrt(channels))  # (channels, channels)
        self.frequencies = frozen(weights.take("freqs", channels, 2))
        self.phases = frozen(weights.take("phases", channels))
        self.affine = Dense(weights.at("affine"), w_dim, 4)
        stored = weights.take("transform", 3, 3) if "transform" in weights else torch.eye(3)
        self.transform = frozen(stored)  # (3, 3)
        self.axis = frozen((torch.arange(size) + 0.5 - size / 2) / rate)  # (size,)
        self.cutoff, self.stopband = cutoff, rate / 2

    def forward(self, w: Tensor) -> Tensor:
        turn, shift = self._learned(w)
        moved = turn @ (self.transform[:2] - shift[:, :, None] * self.transform[2:])  # (n, 2, 3)
        frequencies = self.frequencies @ moved[:, :, :2]  # (n, channels, 2)
        phases = self.phases + (self.frequencies @ moved[:, :, 2:])[:, :, 0]  # (n, channels)
        # A transformation that enlarges may push frequencies beyond what the grid can hold.
        beyond = frequencies.square().sum(dim=2).sqrt() - self.cutoff
        amplitudes = (1 - beyond / (self.stopband - self.cutoff)).clamp(0, 1)  # (n, channels)
        along_x = frequencies[:, :, None, :1] * self.axis[:, None]  # (n, channels, size, 1)
        along_y = frequencies[:, :, None, 1:] * self.axis[:, None]
        waves = along_x.transpose(2, 3) + along_y + phases[:, :, None, None]
        waves = torch.sin(waves * (2 * math.pi)) * amplitudes[:, :, None, None]
        return F.conv2d(waves, self.weight[:, :, None, None])  # (n, channels, size, size)

    def _learned(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """Rotation `(n, 2, 2)` and translation `(n, 2)`; cosine and sine come at any length."""
        t = self.affine(w)  # (n, 4)
        t = t / t[:, :2].square().sum(dim=1, keepdim=True).sqrt()
        cos, sin = t[:, 0], t[:, 1]
        turn = torch.stack([torch.stack([cos, -sin], dim=1), torch.stack([sin, cos], dim=1)], dim=1)
        return turn, t[:, 2:]

    def place(self, x: float, y: float, degrees: float) -> None:
        """Turn what is generated, then move it by x and y, in widths of the picture."""
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        moved = torch.tensor([[cos, sin, x], [-sin, cos, y], [0, 0, 1]], dtype=torch.float64)
        # As NVIDIA's gen_images.py: the network takes the inverse, from pixels to what they show,
        # and in the place of the file's own, which is the identity in every published one.
        with torch.inference_mode(False):
            self.transform = frozen(torch.linalg.inv(moved).to(self.transform))


class FilteredLeakyReLU(TensorModule):
    """Up-sample → leaky ReLU 0.2 × √2 → clamp → down-sample, with the file's low-pass filters."""

    def __init__(self, weights: Weights, step: LayerGeometry, clamp: float | None) -> None:
        super().__init__()
        self.step, self.clamp = step, clamp
        up = weights.take("up_filter", None) if "up_filter" in weights else torch.ones(1)
        # Twice `up` makes up for the zeros in between. √2 may come before the leaky ReLU.
        self.up = frozen(up * (step.up * math.sqrt(SQRT2)))  # (taps,), along either axis
        down = torch.ones(1)
        if "down_filter" in weights:
            radial = weights.axes("down_filter") == 2
            down = weights.take("down_filter", *(None, None) if radial else (None,))
        self.down = frozen(down.flip(tuple(range(down.ndim))))  # (taps,), or (taps, taps): radial

    def forward(self, x: Tensor) -> Tensor:
        """`(n, c, h, w)` before its margins are cut → `(n, c, outputs, outputs)`."""
        for axis in (2, 3):
            x = self._upsample(x, axis)
        x = F.leaky_relu_(x, 0.2)
        if self.clamp is not None:
            x = x.clamp(-self.clamp, self.clamp)
        channels, stride = x.shape[1], self.step.down
        if self.down.ndim == 2:
            kernels = self.down.expand(channels, 1, -1, -1)
            return F.conv2d(x, kernels, stride=stride, groups=channels)
        tall, wide = _kernels(self.down, 2, channels), _kernels(self.down, 3, channels)
        x = F.conv2d(x, tall, stride=(stride, 1), groups=channels)
        return F.conv2d(x, wide, stride=(1, stride), groups=channels)

    def _upsample(self, x: Tensor, axis: int) -> Tensor:
        """Zeros in between, padding (or cutting), then the filter, along one axis."""
        channels, up, taps = x.shape[1], self.step.up, len(self.up)
        kernels, stride = _kernels(self.up, axis, channels), (up, 1) if axis == 2 else (1, up)
        x = F.conv_transpose2d(x, kernels, stride=stride, groups=channels)
        edges = [self.step.before - taps + 1, self.step.after - taps + up]
        return F.pad(x, [0, 0, *edges] if axis == 2 else edges)


def _kernels(taps: Tensor, axis: int, channels: int) -> Tensor:
    """Return a row of taps as the kernels of a depthwise convolution along one axis."""
    shape = (1, 1, -1, 1) if axis == 2 else (1, 1, 1, -1)
    return taps.reshape(shape).expand(channels, -1, -1, -1)


class SynthesisLayer(TensorModule):
    """Modulate → convolve → demodulate → input gain → bias → filtered leaky ReLU."""

    def __init__(
        self, weights: Weights, inputs: int, w_dim: int, step: LayerGeometry, clamp: float | None
    ) -> None:
        super().__init__()
        weight = weights.take("weight", None, inputs, None, None)
        weight = weight * weight.square().mean(dim=(1, 2, 3), keepdim=True).rsqrt()
        self.affine = Dense(weights.at("affine"), w_dim, inputs)
        self.weight = frozen(weight)  # (outputs, inputs, k, k)
        self.energy = frozen(weight.square().sum(dim=(2, 3)))  # (outputs, inputs)
        self.bias = frozen(weights.take("bias", len(weight)))
        self.gain = frozen(weights.take("magnitude_ema").rsqrt())  # of what training saw come in
        self.activation = FilteredLeakyReLU(weights, step, clamp)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        style = self.affine(w)  # (n, inputs)
        # Published code divides by the root mean square over the whole batch. Demodulation undoes
        # any common factor, but for its 1e-8, which is negligible against a mean square of 1. Each
        # sample's own mean keeps a picture independent of its neighbors in the batch.
        style = style * style.square().mean(dim=1, keepdim=True).rsqrt()
        demodulation = (style.square() @ self.energy.T + 1e-8).rsqrt()  # (n, outputs)
        x = F.conv2d(x * style[:, :, None, None], self.weight, padding=self.weight.shape[-1] - 1)
        scale = (demodulation * self.gain)[:, :, None, None]
        return self.activation(torch.addcmul(self.bias[:, None, None], x, scale))


class ToRGB(TensorModule):
    """A modulated 1×1 convolution without demodulation, filters or activation."""

    def __init__(self, weights: Weights, inputs: int, w_dim: int, clamp: float | None) -> None:
        super().__init__()
        weight = weights.take("weight", None, inputs, 1, 1)
        gain = weights.take("magnitude_ema").rsqrt()
        self.affine = Dense(weights.at("affine"), w_dim, inputs)
        self.weight = frozen(weight * (gain / math.sqrt(inputs)))  # (img_channels, inputs, 1, 1)
        self.bias = frozen(weights.take("bias", len(weight)))
        self.clamp = clamp

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        kernels = self.weight * self.affine(w)[:, None, :, None, None]  # small, unlike x
        x = per_sample(F.conv2d, x, kernels) + self.bias[:, None, None]
        return x if self.clamp is None else x.clamp(-self.clamp, self.clamp)


class StyleGAN3(Generator):
    """The first code turns and shifts the input; `num_layers` is the number of layers and one more.

    Raises SefaError for StyleGAN-XL, whose mapping network and mean w differ.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        config, weights = checkpoint.config, Weights(checkpoint.tensors)
        if config.get("label_mode") == "table":
            raise SefaError(
                f"{checkpoint.ref} is a StyleGAN-XL generator, of which no pictures can be made",
                "StyleGAN3 T or R",
                "It can be factorized and inspected.",
            )
        super().__init__(checkpoint)
        self.mapping = MappingNetwork(
            weights.at("mapping"), self.z_dim, self.w_dim, self.c_dim,
            config.get("label_mode"), config.get("lr_multiplier", 0.01),
        )  # fmt: skip
        run, clamp = steps(checkpoint.tensors, config["lrelu_upsampling"]), config["conv_clamp"]
        if self.num_layers != len(run) + 1:
            raise SefaError(f"{self.num_layers} codes for {len(run)} layers", f"{len(run) + 1}")
        weights = weights.at("synthesis")
        rate = sampling_rates(checkpoint.tensors)[0]
        self.input = FourierFeatures(
            weights.at("input"), self.w_dim, run[0].inputs, rate, config["first_cutoff"]
        )
        self.layers = nn.ModuleList()
        channels = len(self.input.phases)
        for step in run[:-1]:
            layer = SynthesisLayer(weights.at(step.name), channels, self.w_dim, step, clamp)
            self.layers.append(layer)
            channels = len(layer.bias)
        self.torgb = ToRGB(weights.at(run[-1].name), channels, self.w_dim, clamp)
        self.output_scale: float = config["output_scale"]

    @contextmanager
    def placed(self, x: float, y: float, degrees: float) -> Iterator[None]:
        own = self.input.transform
        self.input.place(x, y, degrees)
        try:
            yield
        finally:
            self.input.transform = own

    def _map(self, z: Tensor, label: Tensor | None) -> Tensor:
        return self.mapping(z, label)

    def _picture(self, codes: Tensor, noise_mode: str, size: int) -> Tensor:
        x = fast_layout(self.input(codes[:, 0]))
        for index, layer in enumerate(self.layers, start=1):
            x = layer(x, codes[:, index])
        return self.torgb(x, codes[:, -1]) * self.output_scale
