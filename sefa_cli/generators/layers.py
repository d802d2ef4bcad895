"""What several families are made of: dense layers, the mapping network, resampling."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import get_proxy_mode

from sefa_cli.generators.weights import Weights, frozen

SQRT2 = math.sqrt(2.0)


def normalized(x: Tensor) -> Tensor:
    """Pixel norm: every row (or pixel) of `(n, channels, …)` scaled to a mean square of 1."""
    return x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


class TensorModule(nn.Module):
    """A module whose call is known to give a tensor."""

    __call__: Callable[..., Tensor]


class Dense(TensorModule):
    """x Wᵀ · gain + b · lr, both folded into the parameters when they are taken."""

    def __init__(
        self, weights: Weights, inputs: int, outputs: int | None = None, *,
        lr: float | None = 1.0, gain: float = 1.0,
    ) -> None:  # fmt: skip
        """Take the weights of one dense layer.

        `lr` is the learning-rate multiplier of equalized dense layers: it scales the weight by
        gain · lr/√inputs and the bias by lr. None takes the parameters as stored.
        """
        super().__init__()
        weight = weights.take("weight", outputs, inputs)  # (outputs, inputs)
        bias = weights.take("bias", len(weight))  # (outputs,)
        if lr is not None:
            weight, bias = weight * (gain * lr / math.sqrt(inputs)), bias * lr
        self.weight, self.bias = frozen(weight), frozen(bias)

    @property
    def outputs(self) -> int:
        """Width of the result."""
        return len(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return W x + b."""
        return F.linear(x, self.weight, self.bias)  # (n, outputs)


class MappingNetwork(TensorModule):
    """z `(n, z_dim)` → w `(n, w_dim)`: normalize, then dense layers with leaky ReLU 0.2 × √2.

    Conditional networks come in two kinds. `embed`: the label goes through a dense layer and is
    normalized on its own (NVIDIA, Hammer). `concat`: it is multiplied by a matrix, and z and
    label are normalized together (genforce).
    """

    def __init__(
        self, weights: Weights, z_dim: int, w_dim: int, c_dim: int = 0,
        label_mode: str | None = None, lr: float | None = 0.01, gain_in_weights: bool = False,
    ) -> None:  # fmt: skip
        """`gain_in_weights`: the first StyleGAN has the √2 there, so that biases are without it."""
        super().__init__()
        inner, self.gain = (SQRT2, 1.0) if gain_in_weights else (1.0, SQRT2)
        self.label_mode = label_mode if c_dim else None
        width = z_dim
        if self.label_mode == "embed":
            self.embed = Dense(weights.at("embed"), c_dim)
            width += self.embed.outputs
        elif self.label_mode == "concat":
            self.label_weight = frozen(weights.take("label_weight", c_dim, None))
            width += self.label_weight.shape[1]
        self.dense = nn.ModuleList()
        depth = weights.count("fc{}.weight")
        for i in range(depth):
            outputs = w_dim if i == depth - 1 else None
            dense = Dense(weights.at(f"fc{i}"), width, outputs, lr=lr, gain=inner)
            self.dense.append(dense)
            width = dense.outputs

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """`label` is one-hot, `(n, c_dim)`; None for unconditional networks."""
        if label is None:
            x = normalized(z)
        elif self.label_mode == "embed":
            x = torch.cat([normalized(z), normalized(self.embed(label))], dim=1)
        else:
            x = normalized(torch.cat([z, label @ self.label_weight], dim=1))
        for dense in self.dense:
            x = F.leaky_relu(dense(x), 0.2) * self.gain
        return x


class Resampler(nn.Module):
    """Up-sampling by two with a FIR filter, for pictures and for transposed convolutions."""

    def __init__(self, taps: Tensor | None = None) -> None:
        """`taps` `(k, k)` or `(k,)`, normalized; None is [1, 3, 3, 1] ⊗ [1, 3, 3, 1] / 64."""
        super().__init__()
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8 if taps is None else taps
        taps = torch.outer(taps, taps) if taps.ndim == 1 else taps
        self.taps = frozen(taps * 4)  # the gain that makes up for the zeros in between

    def upsample(self, x: Tensor) -> Tensor:
        """`(n, c, h, w)` → `(n, c, 2h, 2w)`: zeros in between, then the filter."""
        channels, height, width = x.shape[1:]
        kernel = self.taps.expand(channels, 1, *self.taps.shape)
        x = F.conv_transpose2d(x, kernel, stride=2, groups=channels)
        start = (len(self.taps) - 2) // 2
        return x[:, :, start : start + 2 * height, start : start + 2 * width]

    @property
    def reach(self) -> tuple[int, int]:
        """How many pixels before and after its own a smoothed pixel takes."""
        before = (len(self.taps) + 1) // 2 - 1
        return before, len(self.taps) - 1 - before

    def smooth(self, x: Tensor) -> Tensor:
        """Filter what a transposed 3×3 convolution of stride two gave: 2h + 1 → 2h pixels."""
        height, width = x.shape[2:]
        return self.filtered(x, self.reach[0])[:, :, : height - 1, : width - 1]

    def filtered(self, x: Tensor, padding: int = 0) -> Tensor:
        """Convolve every channel of x with the filter, zeros around it."""
        channels = x.shape[1]
        kernel = self.taps.flip(0, 1).expand(channels, 1, *self.taps.shape)
        return F.conv2d(x, kernel, padding=padding, groups=channels)


def noise_like(
    x: Tensor, noise_mode: str, stored: Tensor | None, strength: Tensor | None, times: int = 1
) -> Tensor | None:
    """Return the noise of a StyleGAN layer `(n or 1, 1 or channels, h, w)`, or None.

    h and w are `times` those of x. `const`: the `stored` map `(h, w)` × `strength`, which is a
    number or `(channels, 1, 1)`; `random`: another for every sample.
    """
    if strength is None or noise_mode == "none":
        return None
    if noise_mode == "const":
        return None if stored is None else (stored[None] * strength)[None]
    side = [times * pixels for pixels in x.shape[2:]]
    return torch.randn(len(x), 1, *side, dtype=x.dtype, device=x.device) * strength


def fast_layout(x: Tensor) -> Tensor:
    """Channels last on CPUs: depthwise convolutions take a third of the time there."""
    if x.device.type != "cpu" or get_proxy_mode() is not None:  # what is traced is for vmap
        return x
    try:
        return x.contiguous(memory_format=torch.channels_last)
    except RuntimeError:  # inside torch.func.vmap there is no such layout
        return x


def per_sample(
    convolve: Callable[..., Tensor], x: Tensor, kernels: Tensor, groups: int = 1, **options: int
) -> Tensor:
    """Convolve each sample with its own kernels: the batch becomes groups.

    x `(n, channels, h, w)`; kernels `(n, …)`, each as `convolve` takes it with `groups` groups.
    """
    n = len(x)
    if n == 1:  # reshaped, it would lose its `fast_layout`
        return convolve(x, kernels[0], groups=groups, **options)
    x = x.reshape(1, -1, *x.shape[2:])
    x = convolve(x, kernels.flatten(0, 1), groups=n * groups, **options)
    return x.reshape(n, -1, *x.shape[2:])


def pointwise(x: Tensor, kernels: Tensor) -> Tensor:
    """Convolve samples `(n, inputs, h, w)` with kernels `(n or 1, outputs, inputs, 1, 1)`.

    In `fast_layout` it is a product of matrices: torch's convolution to few channels would copy
    the samples first. In any other layout the product takes longer.
    """
    if x.stride(1) != 1:
        return per_sample(F.conv2d, x, kernels.expand(len(x), *kernels.shape[1:]))
    pixels = x.flatten(2).mT @ kernels.flatten(2).mT  # (n, h · w, outputs)
    return pixels.mT.reshape(len(x), -1, *x.shape[2:])


def area_mean(picture: Tensor, size: int) -> Tensor:
    """`(n, c, h, w)` shrunk to `size` pixels on its longer side; never enlarged.

    Every pixel is the mean of those it covers: exactly where `size` divides the side; elsewhere
    a pixel on a border counts for both its neighbors.
    """
    height, width = picture.shape[2:]
    shrink = size / max(height, width)
    if shrink >= 1:
        return picture
    smaller = max(1, round(height * shrink)), max(1, round(width * shrink))
    return F.adaptive_avg_pool2d(picture, smaller)
