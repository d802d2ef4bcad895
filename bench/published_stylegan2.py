"""NVIDIA's synthesis of StyleGAN2, re-stated: a modulated kernel per sample, grouped convolutions.

What stylegan2-ada-pytorch does without its own CUDA kernels, in our words, on the weights of our
network: the style scales the kernel, the kernel is demodulated, all samples share one grouped
convolution, and up-sampling filters with the FIR after a transposed convolution.
"""

import math
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


@cache
def as_published(conv: torch.nn.Module) -> Tensor:
    """Return a layer's weight in torch's own memory layout; ours suits ours."""
    weight = conv.weight
    assert isinstance(weight, Tensor)
    return weight.contiguous()


def modulated(x: Tensor, weight: Tensor, style: Tensor, up: bool, taps: Tensor) -> Tensor:
    """Convolve x `(n, c, h, w)` with `weight` `(o, c, 3, 3)` × style `(n, c)`, demodulated."""
    n, channels, *_ = x.shape
    kernels = weight[None] * style[:, None, :, None, None]  # (n, o, c, 3, 3)
    kernels = kernels * (kernels.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    x = x.reshape(1, n * channels, *x.shape[2:])
    if not up:
        x = F.conv2d(x, kernels.flatten(0, 1), padding=1, groups=n)
        return x.reshape(n, -1, *x.shape[2:])
    x = F.conv_transpose2d(x, kernels.transpose(1, 2).flatten(0, 1), stride=2, groups=n)
    x = x.reshape(n, -1, *x.shape[2:])
    return F.conv2d(F.pad(x, [1, 1, 1, 1]), taps.expand(x.shape[1], 1, 4, 4), groups=x.shape[1])


def upsampled(image: Tensor, taps: Tensor) -> Tensor:
    """Twice the size: zeros in between, then the filter."""
    n, channels, height, width = image.shape
    zeros = F.pad(image.reshape(n, channels, height, 1, width, 1), [0, 1, 0, 0, 0, 1])
    spread = F.pad(zeros.reshape(n, channels, 2 * height, 2 * width), [2, 1, 2, 1])
    return F.conv2d(spread, taps.expand(channels, 1, 4, 4), groups=channels)


def paint(generator: Any, codes: Tensor) -> Tensor:
    """Pictures `(n, 3, h, w)` of codes `(n, num_layers, w_dim)`, with the file's noise."""
    taps = generator.blocks[0].resampler.taps
    x, image = generator.const.expand(len(codes), -1, -1, -1), None
    for block in generator.blocks:
        index = block.first
        for conv in (block.conv0, block.conv1):
            if conv is None:
                continue
            x = modulated(x, as_published(conv), conv.affine(codes[:, index]), conv.up, taps)
            x = x + conv.noise * conv.strength
            x = F.leaky_relu(x + conv.bias[:, None, None], 0.2) * math.sqrt(2)
            index += 1
        rgb = block.torgb
        kernels = rgb.weight * rgb.affine(codes[:, index])[:, None, :, None, None]
        flat = F.conv2d(x.reshape(1, -1, *x.shape[2:]), kernels.flatten(0, 1), groups=len(x))
        own = flat.reshape(len(x), -1, *x.shape[2:]) + rgb.bias[:, None, None]
        image = own if image is None else upsampled(image, taps) + own
    assert image is not None
    return image


def same(generator: Any, codes: Tensor) -> float:
    """Return the largest difference to our network, as a share of the largest value."""
    with torch.inference_mode():
        ours = generator.synthesize(codes)
        return float((paint(generator, codes) - ours).abs().max() / ours.abs().max())
