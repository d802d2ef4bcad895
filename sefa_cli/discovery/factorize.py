"""Find a model's SeFa directions, as a bundle, without torch: only the projections are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli import projections
from sefa_cli.arguments import public
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.checkpoints import checkpoint_of
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.discovery import sefa
from sefa_cli.families.family import Layer
from sefa_cli.ranges import Indices, format_range
from sefa_cli.sources import cache

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator


@public
def factorize(
    model: str | Path | Checkpoint | Generator,
    layers: Indices = "all",
    *,
    num: int | None = None,
    to_rgb: str = "last",
    normalize: bool = True,
    center: bool = False,
    deflate_gain: bool = False,
    offline: bool | None = None,
) -> Bundle:
    """Return the SeFa directions of a model; the defaults are the published factorization.

    Args:
        model: A zoo name, a path, an address, an open checkpoint or a loaded generator.
        layers: A level ("all", "bottom", "middle" or "top"), a range of code indices from 0
            ("0-1", "2-5,7"), or a list of them.
        num: Keep the leading directions, 1 to the latent's dimension. Default: all.
        to_rgb: Which to-RGBs among the layers to keep: "first", "last", "all" or "none".
        normalize: Scale each row of the projections to unit length, as the published code does.
        center: First subtract the mean row.
        deflate_gain: First project the leading direction out of every row; on models without
            demodulation it is a common gain of the styles that destroys the picture.
        offline: Fetch nothing. Default: what SEFA_OFFLINE says.

    Returns:
        A bundle sorted by eigenvalue. For families without demodulation `info[k]["gain"]` says
        how far each direction is a common style gain, 0 to 1.

    Raises:
        UsageError: The model lacks some of the layers, or has fewer dimensions.
        SefaError: The model cannot be found or read.
        OfflineError: It is not cached and may not be fetched.

    Source:
        Shen & Zhou, "Closed-Form Factorization of Latent Semantics in GANs", CVPR 2021,
        equations 4 to 7.

    Example:
        >>> bundle = sefa.factorize(tiny, layers="0-1", num=4)
        >>> bundle.directions.shape, bundle.layers.tolist()
        ((4, 32), [0, 1])
    """
    checkpoint = checkpoint_of(model, offline)
    everything = projections.first_projections(checkpoint)
    chosen = projections.select(checkpoint, layers, to_rgb, everything)
    matrices = [layer.matrix.finite(layer.name) for layer in chosen]
    factors = sefa.factorize(
        matrices, normalize=normalize, center=center, deflate=deflate_gain, num=num
    )
    indices = sorted({layer.index for layer in chosen})
    card = projections.model_card(checkpoint, everything)
    cache.remember(card["fingerprint"], checkpoint.path)
    return Bundle(
        directions=factors.directions,
        eigenvalues=factors.eigenvalues,
        layers=np.array(indices),
        method="sefa",
        params={
            "layers": format_range(indices),
            "to_rgb": to_rgb,
            "normalize": normalize,
            "center": center,
            "deflate_gain": deflate_gain,
            "num": num,
        },
        space=checkpoint.config.space,
        model=card,
        info=gains(checkpoint, chosen, factors.directions),
    )


def gains(
    checkpoint: Checkpoint, chosen: Sequence[Layer], directions: NDArray[np.float32]
) -> tuple[dict[str, Any], ...]:
    """Return one dict per direction, with its `gain` if the family has no demodulation."""
    if projections.demodulates(checkpoint):
        return tuple({} for _ in directions)
    mean = projections.mean_w(checkpoint)
    matrices = [layer.matrix.finite(layer.name) for layer in chosen]
    styles = [
        matrix @ mean + (0 if layer.bias is None else layer.bias.float32())
        for layer, matrix in zip(chosen, matrices, strict=True)
    ]
    found = sefa.style_gains(directions, matrices, styles)
    return tuple({"gain": round(float(gain), 4)} for gain in found)
