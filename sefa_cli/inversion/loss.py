"""How far a picture is from a photo: mean squares of pixels and edges, at every scale.

L(a, b) = Σₛ mean (a↓s − b↓s)² + mean (∂ₓ(a↓s − b↓s))² + mean (∂ᵧ(a↓s − b↓s))², where ↓s is the mean
over s × s pixels, s = 1, 2, 4 … as long as 8 pixels are left, and ∂ the difference of neighbors.
Large scales see pose and light, small ones detail. Nothing has to be fetched for it. The loss
"lpips" is L + 2 d, with d of `lpips.py`. Where a share is given, the picture's errors are first
multiplied with it, pixel by pixel.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F

from sefa_cli.inversion.photos import Photo
from sefa_cli.lpips import Lpips

Loss = Callable[[torch.Tensor], torch.Tensor]  # of a picture (1, channels, height, width)

_SMALLEST = 8  # pixels of the shorter side at the largest scale
_LPIPS = 2.0  # weight of LPIPS beside L


def target_of(photo: Photo) -> torch.Tensor:
    """Return a photo as the network paints: `(1, channels, height, width)` in [-1, 1]."""
    return torch.from_numpy(photo.pixels.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]


def share_of(photo: Photo, outside: float) -> torch.Tensor:
    """Return how much the error of each pixel counts `(height, width)`: `outside` off the face."""
    if photo.inside is None:
        return torch.ones(photo.pixels.shape[:2])
    return outside + (1 - outside) * torch.from_numpy(photo.inside)


def loss_to(
    target: torch.Tensor, network: Lpips | None = None, share: torch.Tensor | None = None
) -> Loss:
    """Return the loss to a photo `(1, channels, height, width)`: L, or L + 2 d with a network.

    `share` `(height, width)`, in [0, 1], is how much the error of each pixel counts. Default: 1.
    """
    if share is not None and bool((share != 1).any()):
        alike = loss_to(target, network)
        return lambda picture: alike(target + share * (picture - target))
    if network is None:
        return lambda picture: picture_loss(picture, target)
    with torch.no_grad():
        features = network.features(target)

    def both(picture: torch.Tensor) -> torch.Tensor:
        distance = network.between(network.features(picture), features)[0]
        return picture_loss(picture, target) + _LPIPS * distance

    return both


def picture_loss(picture: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return L of two pictures `(n, channels, height, width)`, summed over its scales: a scalar.

    Example:
        >>> a = torch.zeros(1, 3, 16, 16)
        >>> picture_loss(a, a).item(), picture_loss(a, a + 0.5).item()  # two scales, no edges
        (0.0, 0.5)
    """
    difference = picture - target
    total = difference.new_zeros(())
    while True:
        across = difference[..., 1:] - difference[..., :-1]
        down = difference[..., 1:, :] - difference[..., :-1, :]
        for part in (difference, across, down):
            total = total + part.square().mean()
        if min(difference.shape[-2:]) < 2 * _SMALLEST:
            return total
        difference = F.avg_pool2d(difference, 2)


def psnr(picture: torch.Tensor, target: torch.Tensor) -> float:
    """Return the peak signal-to-noise ratio in dB of pictures in [-1, 1], clamped first.

    Example:
        >>> round(psnr(torch.zeros(1, 3, 8, 8), torch.full((1, 3, 8, 8), 0.2)), 2)
        20.0
    """
    error = float((picture.clamp(-1, 1) - target).double().square().mean())
    return math.inf if error == 0 else 10 * math.log10(4 / error)
