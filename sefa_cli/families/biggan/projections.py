"""BigGAN's first projections: z enters the linear layer and, mostly, every conditional norm."""

import numpy as np

from sefa_cli.families.family import Layer, LazyTensor, Tensors


def projections(tensors: Tensors) -> list[Layer]:
    """Return the linear layer (code 0), then every conditional norm that sees z, in order."""
    embedded, inputs = (tensors[f"{n}.weight"].shape[1] for n in ("embedding", "linear"))
    deep = "blocks.0.conv3.weight" in tensors
    norms, chunk = (4, inputs - embedded) if deep else (2, inputs)
    seen = tensors["blocks.0.bn0.scale.weight"].shape[1] - embedded  # of z, by a norm
    blocks = 0
    while f"blocks.{blocks}.bn0.scale.weight" in tensors:
        blocks += 1
    z_dim = chunk * (blocks + 1) if seen and not deep else chunk
    matrix = _of_z(tensors["linear.weight"], chunk, 0, z_dim)
    layers, px = [Layer(0, "linear", 4, "dense", matrix, None)], 4
    for i in range(blocks if seen else 0):
        start = 0 if deep else chunk * (i + 1)
        for j in range(norms):
            name = f"blocks.{i}.bn{j}"
            for part in ("scale", "offset"):
                matrix = _of_z(tensors[f"{name}.{part}.weight"], seen, start, z_dim)
                layers.append(Layer(1 + norms * i + j, name, px, f"bn-{part}", matrix, None))
            px *= 2 if f"blocks.{i}.conv{j}_up.weight" in tensors else 1
    return layers


def _of_z(weight: LazyTensor, seen: int, start: int, z_dim: int) -> LazyTensor:
    """Return a matrix's columns for z, placed at column `start` of one over the whole z."""
    around = (0, 0), (start, z_dim - start - seen)
    return weight.then(lambda a: np.pad(a[:, :seen], around), (weight.shape[0], z_dim)).kept()
