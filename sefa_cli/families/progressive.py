"""What the dialects of progressively grown networks (PGGAN, StyleGAN) share."""

import math

from sefa_cli.containers.checkpoint import LazyTensor
from sefa_cli.containers.faults import damaged
from sefa_cli.families.arguments import listed
from sefa_cli.families.names import Translation
from sefa_cli.families.native_tensors import Network

LOD = "lod"
_MOST = 16  # levels: 4 px grown to 262,144


def lod_of(tensors: dict[str, LazyTensor]) -> float:
    """Take out the level of detail: 0 when grown up, 1 at half the resolution; 0 if not stored."""
    tensor = tensors.pop(LOD, None)
    if tensor is None:
        return 0.0
    if math.prod(tensor.shape) != 1:
        raise damaged(f"its level of detail has the shape {tensor.shape}")
    lod = float(tensor.float32().reshape(()))
    if not 0 <= lod <= _MOST:
        raise damaged(f"its level of detail is {lod:g}")
    return lod


def left_out(found: Translation, network: Network) -> str:
    """Return a sentence on the unused names; "" if there are none."""
    names = [*found.unknown, *(found.names[n] for n in found.tensors if _unused(n, found, network))]
    if not names:
        return ""
    return f"Not part of a known generator, left out: {listed(names)}."


def _unused(name: str, found: Translation, network: Network) -> bool:
    return name in found.names and name not in network.ordered
