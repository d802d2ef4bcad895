"""What the dialects of progressively grown networks (PGGAN, StyleGAN) share."""

import math

from sefa_cli.containers.checkpoint import LazyTensor
from sefa_cli.containers.faults import damaged

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


def growing(lod: float) -> tuple[str, ...]:
    """Return a note on a network that was saved while it grew."""
    grew = f"The network was saved while it grew, at level of detail {lod:g}: pictures are soft."
    return (grew,) if lod else ()
