"""BigGAN as its author's code has it, in plain torch on the published names: z, label → picture.

Written from the description of the network, apart from the generator that is tested against it.
"""

import itertools

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]


def state(
    channels: tuple[int, ...] = (16, 8, 4),
    z_dim: int = 12,
    hierarchical: bool = True,
    classes: int = 5,
    shared: int = 6,
    attention: int | None = 0,
    spectral: bool = True,
    seed: int = 0,
) -> State:
    """Random weights: a block from each width to the next; attention follows one of them."""
    draw = np.random.RandomState(seed)
    made: State = {}

    def put(name: str, *shape: int, std: float = 1.0, mean: float = 0.0) -> None:
        made[name] = torch.tensor(mean + std * draw.randn(*shape), dtype=torch.float64)

    def normalized(name: str, *shape: int, bias: bool = True) -> None:
        put(f"{name}.weight", *shape)
        if bias:
            put(f"{name}.bias", shape[0], std=0.2)
        if spectral:
            put(f"{name}.u0", 1, shape[0])
            put(f"{name}.sv0", 1)

    def statistics(name: str, width: int) -> None:
        put(f"{name}.stored_mean", width, std=0.3)
        made[f"{name}.stored_var"] = torch.tensor(draw.uniform(0.5, 1.5, width))

    blocks = len(channels) - 1
    chunk = z_dim // (blocks + 1) if hierarchical else z_dim
    put("shared.weight", classes, shared)
    normalized("linear", channels[0] * 16, chunk)
    for i, (inputs, outputs) in enumerate(itertools.pairwise(channels)):
        for j, width in ((1, inputs), (2, outputs)):
            for part in ("gain", "bias"):
                columns = shared + (chunk if hierarchical else 0)
                normalized(f"blocks.{i}.0.bn{j}.{part}", width, columns, bias=False)
            statistics(f"blocks.{i}.0.bn{j}", width)
            normalized(f"blocks.{i}.0.conv{j}", outputs, width, 3, 3)
        normalized(f"blocks.{i}.0.conv_sc", outputs, inputs, 1, 1)
        if i == attention:
            for part, share in (("theta", 8), ("phi", 8), ("g", 2)):
                normalized(f"blocks.{i}.1.{part}", outputs // share, outputs, 1, 1, bias=False)
            normalized(f"blocks.{i}.1.o", outputs, outputs // 2, 1, 1, bias=False)
            made[f"blocks.{i}.1.gamma"] = torch.tensor(0.7, dtype=torch.float64)
    put("output_layer.0.gain", channels[-1], std=0.3, mean=1)
    put("output_layer.0.bias", channels[-1], std=0.3)
    statistics("output_layer.0", channels[-1])
    normalized("output_layer.2", 3, channels[-1], 3, 3)
    return {name: tensor.float() for name, tensor in made.items()}


def picture(state: State, z: Tensor, label: int, hierarchical: bool = True) -> Tensor:
    """z `(layers, z_dim)`, a row per layer, or `(z_dim,)` for all → `(3, h, w)`, in float64."""
    s = {name: tensor.double() for name, tensor in state.items()}
    blocks = 1 + max(int(name.split(".")[1]) for name in s if name.startswith("blocks"))
    z = z.double().expand(1 + 2 * blocks, -1)
    y = s["shared.weight"][label]
    chunks = z.chunk(blocks + 1, dim=1) if hierarchical else (z,)  # each (layers, chunk)
    x = weight(s, "linear") @ chunks[0][0] + s["linear.bias"]
    x = x.reshape(1, -1, 4, 4)
    for i in range(blocks):
        name = f"blocks.{i}.0"
        seen = [y, y]
        if hierarchical:
            seen = [torch.cat([y, chunks[i + 1][1 + 2 * i + j]]) for j in (0, 1)]
        h = twice(F.relu(norm(s, f"{name}.bn1", x, seen[0])))
        h = convolution(s, f"{name}.conv1", h, 1)
        h = convolution(s, f"{name}.conv2", F.relu(norm(s, f"{name}.bn2", h, seen[1])), 1)
        x = h + convolution(s, f"{name}.conv_sc", twice(x), 0)
        if f"blocks.{i}.1.gamma" in s:
            x = attend(s, f"blocks.{i}.1", x)
    gain, bias = s["output_layer.0.gain"], s["output_layer.0.bias"]
    x = F.relu(batch_norm(s, "output_layer.0", x) * gain[:, None, None] + bias[:, None, None])
    return torch.tanh(convolution(s, "output_layer.2", x, 1))[0]


def weight(s: State, name: str) -> Tensor:
    """Divided by what one step of power iteration from the stored u says."""
    matrix = s[f"{name}.weight"].flatten(1)
    if f"{name}.u0" not in s:
        return s[f"{name}.weight"]
    v = s[f"{name}.u0"] @ matrix
    v = v / v.norm()
    u = v @ matrix.T
    u = u / u.norm()
    return s[f"{name}.weight"] / (v @ matrix.T @ u.T).item()


def convolution(s: State, name: str, x: Tensor, padding: int) -> Tensor:
    return F.conv2d(x, weight(s, name), s.get(f"{name}.bias"), padding=padding)


def batch_norm(s: State, name: str, x: Tensor) -> Tensor:
    return F.batch_norm(x, s[f"{name}.stored_mean"], s[f"{name}.stored_var"], eps=1e-5)


def norm(s: State, name: str, x: Tensor, seen: Tensor) -> Tensor:
    gain = 1 + weight(s, f"{name}.gain") @ seen
    return (
        batch_norm(s, name, x) * gain[:, None, None]
        + (weight(s, f"{name}.bias") @ seen)[:, None, None]
    )


def twice(x: Tensor) -> Tensor:
    """Every pixel becomes four."""
    return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


def attend(s: State, name: str, x: Tensor) -> Tensor:
    theta, phi, g = (convolution(s, f"{name}.{part}", x, 0) for part in ("theta", "phi", "g"))
    query = theta.flatten(2)[0].T
    key, value = (F.max_pool2d(part, 2).flatten(2)[0] for part in (phi, g))
    found = torch.softmax(query @ key, dim=1) @ value.T  # (h·w, c/2)
    found = found.T.reshape(1, -1, *x.shape[2:])
    return x + s[f"{name}.gamma"] * convolution(s, f"{name}.o", found, 0)
