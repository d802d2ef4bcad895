"""BigGAN (Brock et al., ICLR 2019): the author's, hierarchical or not, and BigGAN-deep.

Every layer that z enters has a code of its own: the first linear layer and, where they see z,
the conditional norms. The label goes into the synthesis, and so does the truncation, which
chooses among the batch-norm statistics if a file has several.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import UsageError
from sefa_cli.generators.base import Generator
from sefa_cli.generators.layers import TensorModule
from sefa_cli.generators.weights import Weights, frozen

_CUT = 2.0  # z is drawn from a normal distribution between ± this, then scaled


class Conditions:
    """What all layers of one synthesis share: codes, the embedded label, the truncation."""

    def __init__(self, codes: Tensor, label: Tensor, truncation: float) -> None:
        self.codes = codes  # (n, num_layers, z_dim)
        self.label = label  # (n, e)
        self.truncation = truncation

    def at(self, layer: int, part: slice) -> Tensor:
        """Return what a layer sees: its part of its code, then the label: `(n, part + e)`."""
        return torch.cat([self.codes[:, layer, part], self.label], dim=1)


def spectral(weights: Weights, *shape: int | None) -> Tensor:
    """W / σ, where σ estimates W's largest singular value as the published code does.

    Hugging Face's keeps both vectors: σ = uᵀWv. The author's keeps u alone and takes a step of
    power iteration at every call: v = Wᵀu / ‖Wᵀu‖, σ = ‖Wv‖. Without u, W is as stored.
    """
    weight = weights.take("weight", *shape)
    if "u" not in weights:
        return weight
    matrix, u = weight.flatten(1).double(), weights.take("u", len(weight)).double()
    if "v" in weights:
        sigma = u @ matrix @ weights.take("v", matrix.shape[1]).double()
    else:
        sigma = (matrix @ F.normalize(u @ matrix, dim=0)).norm()
    return (weight / sigma).float()


class Convolution(TensorModule):
    """A convolution of either size that keeps the side, spectrally normalized."""

    def __init__(self, weights: Weights, inputs: int, *, bias: bool = True) -> None:
        super().__init__()
        self.weight = frozen(spectral(weights, None, inputs, None, None))
        self.bias = frozen(weights.take("bias", len(self.weight))) if bias else None

    @property
    def outputs(self) -> int:
        """Channels of the result."""
        return len(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, self.bias, padding=self.weight.shape[-1] // 2)


class Statistics(nn.Module):
    """Means and variances of a batch norm: one row, or one for each of many truncations."""

    def __init__(self, weights: Weights, channels: int, epsilon: float) -> None:
        super().__init__()
        self.mean = frozen(weights.take("mean", None, channels))
        self.var = frozen(weights.take("var", len(self.mean), channels))
        self.epsilon = epsilon

    def normalize(self, x: Tensor, gain: Tensor, shift: Tensor, truncation: float) -> Tensor:
        """gain and shift `(n, channels)` or `(1, channels)`."""
        gain = gain * (at(self.var, truncation) + self.epsilon).rsqrt()
        shift = shift - gain * at(self.mean, truncation)
        return torch.addcmul(shift[:, :, None, None], x, gain[:, :, None, None])


def at(rows: Tensor, truncation: float) -> Tensor:
    """Return the row of a truncation in 0 … 1 among rows that are evenly spaced: `(channels,)`.

    Between two rows i and i + 1, the published code weighs the wrong way round, and pictures are
    to be the published ones.
    """
    if len(rows) == 1:
        return rows[0]
    step = 1.0 / (len(rows) - 1)
    beyond, first = math.modf(truncation / step)
    i = int(first)
    if beyond == 0 or i + 1 == len(rows):
        return rows[i]
    return rows[i] * beyond + rows[i + 1] * (1 - beyond)


class ConditionalNorm(TensorModule):
    """Batch norm with a scale 1 + S c and an offset O c of each sample's own conditions c."""

    def __init__(
        self, weights: Weights, channels: int, layer: int, part: slice, epsilon: float
    ) -> None:
        super().__init__()
        self.scale = frozen(spectral(weights.at("scale"), channels, None))
        self.offset = frozen(spectral(weights.at("offset"), channels, None))
        self.statistics = Statistics(weights, channels, epsilon)
        self.layer, self.part = layer, part

    def forward(self, x: Tensor, conditions: Conditions) -> Tensor:
        seen = conditions.at(self.layer, self.part)
        gain, shift = 1 + seen @ self.scale.T, seen @ self.offset.T  # (n, channels)
        return self.statistics.normalize(x, gain, shift, conditions.truncation)


class Attention(TensorModule):
    """x + γ · attention over all pixels; keys and values at half the side."""

    def __init__(self, weights: Weights, channels: int) -> None:
        super().__init__()
        self.theta = Convolution(weights.at("theta"), channels, bias=False)
        self.phi = Convolution(weights.at("phi"), channels, bias=False)
        self.g = Convolution(weights.at("g"), channels, bias=False)
        self.o = Convolution(weights.at("o"), self.g.outputs, bias=False)
        self.gamma = frozen(weights.take("gamma"))

    def forward(self, x: Tensor) -> Tensor:
        query = self.theta(x).flatten(2)  # (n, c/8, h·w)
        key = F.max_pool2d(self.phi(x), 2).flatten(2)  # (n, c/8, h·w/4)
        value = F.max_pool2d(self.g(x), 2).flatten(2)  # (n, c/2, h·w/4)
        weights = torch.softmax(query.transpose(1, 2) @ key, dim=-1)  # (n, h·w, h·w/4)
        found = value @ weights.transpose(1, 2)  # (n, c/2, h·w)
        return x + self.gamma * self.o(found.reshape(len(x), -1, *x.shape[2:]))


class Block(TensorModule):
    """A residual block: norm, ReLU, convolution, twice, or four times where it is `deep`."""

    def __init__(
        self, weights: Weights, inputs: int, layer: int, part: slice, epsilon: float
    ) -> None:
        """`layer` is the first norm's code index, or 0 where norms see an empty part of it."""
        super().__init__()
        norms, convolutions = [], []
        channels, self.up_at = inputs, -1
        for j in range(weights.count("bn{}.mean")):
            empty = part.start == part.stop
            norms.append(
                ConditionalNorm(
                    weights.at(f"bn{j}"), channels, 0 if empty else layer + j, part, epsilon
                )
            )
            name = f"conv{j}"
            if f"conv{j}_up.weight" in weights:
                name, self.up_at = f"conv{j}_up", j
            convolutions.append(Convolution(weights.at(name), channels))
            channels = convolutions[-1].outputs
        self.norms, self.convolutions = nn.ModuleList(norms), nn.ModuleList(convolutions)
        self.outputs = channels
        self.shortcut = None
        if "shortcut.weight" in weights:
            self.shortcut = Convolution(weights.at("shortcut"), inputs)

    def forward(self, x: Tensor, conditions: Conditions) -> Tensor:
        h = x
        for j, (norm, convolution) in enumerate(zip(self.norms, self.convolutions, strict=True)):
            h = F.relu(norm(h, conditions))
            if j == self.up_at:
                h = F.interpolate(h, scale_factor=2)
            h = convolution(h)
        if self.up_at >= 0:
            x = F.interpolate(x, scale_factor=2)
        return h + (x[:, : self.outputs] if self.shortcut is None else self.shortcut(x))


class BigGAN(Generator):
    """Codes `(n, num_layers, z_dim)`: the linear layer's, then each conditional norm's.

    Of a hierarchical network's codes every layer uses its own chunk of z alone.
    """

    conditioned = True

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        weights, epsilon = Weights(checkpoint.tensors), checkpoint.config["bn_epsilon"]
        self.embedding = frozen(weights.take("embedding.weight", self.c_dim, None))
        self.deep: bool = checkpoint.config["deep"]
        linear = weights.at("linear")
        self.linear = frozen(spectral(linear, None, None))
        self.bias = frozen(linear.take("bias", len(self.linear)))
        self.chunk = self.z_dim if self.deep else self.linear.shape[1]
        channels, layer = len(self.linear) // 16, 1
        parts: list[nn.Module] = []
        for i in range(weights.count("blocks.{}.bn0.mean") + 1):
            if f"attention.{i}.gamma" in weights:
                parts.append(Attention(weights.at(f"attention.{i}"), channels))
            if f"blocks.{i}.bn0.mean" in weights:
                block = Block(weights.at(f"blocks.{i}"), channels, layer, self._part(i), epsilon)
                parts.append(block)
                channels, layer = block.outputs, layer + len(block.norms)
        self.parts = nn.ModuleList(parts)
        self.gain = frozen(weights.take("norm.weight", channels))
        self.shift = frozen(weights.take("norm.bias", channels))
        self.norm = Statistics(weights.at("norm"), channels, epsilon)
        self.to_rgb = Convolution(weights.at("to_rgb"), channels)

    @property
    def default_truncation(self) -> float:
        """0.4 as in the published example; 1 with statistics of one truncation, which is none."""
        return 0.4 if len(self.norm.mean) > 1 else 1.0

    def _part(self, block: int) -> slice:
        """Return the part of its code that a block sees: all, a chunk, or nothing."""
        if self.deep:
            return slice(0, self.z_dim)
        if self.num_layers == 1:
            return slice(0, 0)
        return slice(self.chunk * (block + 1), self.chunk * (block + 2))

    def _conditioned_picture(self, codes: Tensor, label: Tensor, truncation: float) -> Tensor:
        conditions = Conditions(codes, label @ self.embedding, truncation)
        seen = conditions.at(0, slice(0, self.z_dim)) if self.deep else codes[:, 0, : self.chunk]
        x = F.linear(seen, self.linear, self.bias)
        x = x.reshape(len(x), -1, 4, 4)  # (n, c, 4, 4)
        for part in self.parts:
            x = part(x) if isinstance(part, Attention) else part(x, conditions)
        x = F.relu(self.norm.normalize(x, self.gain[None], self.shift[None], truncation))
        return torch.tanh(self.to_rgb(x)[:, : self.img_channels])

    def _draw(self, random: np.random.RandomState, truncation: float) -> NDArray[np.floating]:
        """Return a normal distribution cut at ± 2, by its inverse, times the truncation."""
        cut = torch.special.ndtr(torch.tensor([-_CUT, _CUT], dtype=torch.float64))
        uniform = torch.from_numpy(random.uniform(size=(1, self.z_dim)))
        values = torch.special.ndtri(cut[0] + uniform * (cut[1] - cut[0]))
        return np.asarray(truncation * values.float())

    def _check_truncation(self, truncation: float) -> None:
        if not 0 < truncation <= 1:
            raise UsageError(
                f"truncation {truncation} for a {self.family} model", "above 0, up to 1"
            )
