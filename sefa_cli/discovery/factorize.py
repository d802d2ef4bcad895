"""From a model to a bundle of its SeFa directions; no torch, and only the projections are read."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sefa_cli import projections
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.checkpoints import open_checkpoint
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.discovery import sefa
from sefa_cli.errors import UsageError
from sefa_cli.families.family import Layer
from sefa_cli.ranges import format_range
from sefa_cli.sources import cache


def factorize(
    ref: str | Path | Checkpoint,
    layers: str | Iterable[int] = "all",
    *,
    num: int | None = None,
    to_rgb: str = "last",
    normalize: bool = True,
    center: bool = False,
    deflate_gain: bool = False,
    offline: bool | None = None,
) -> Bundle:
    """The SeFa directions of a model as a bundle; the defaults are the published factorization.

    `ref` is a zoo name, a path, an address or a checkpoint already open. `layers` is a level
    (`all`, `bottom`, `middle`, `top`), a range of code indices (`"0-1"`, `"2-5,7"`) or a list; of
    the to-RGBs among them `to_rgb` keeps `first`, `last`, `all` or `none`. `num` keeps the leading
    directions. `normalize`, `center` and `deflate_gain` are those of `discovery.sefa.factorize`.
    For families without demodulation every direction carries its `gain` (`sefa.style_gains`).

    Raises UsageError for layers or numbers the model does not have, and what opening it raises.
    """
    checkpoint = ref if isinstance(ref, Checkpoint) else open_checkpoint(str(ref), offline=offline)
    dim = checkpoint.config.dim
    if num is not None and not 1 <= num <= dim:
        raise UsageError(f"{num} directions asked for", f"1 to {dim}, the latent's dimensions")
    named = layers if isinstance(layers, str) else ",".join(map(str, layers))
    chosen = projections.select(checkpoint, named, to_rgb)
    matrices = [layer.matrix.float32() for layer in chosen]
    factors = sefa.factorize(
        matrices, normalize=normalize, center=center, deflate=deflate_gain, num=num
    )
    indices = sorted({layer.index for layer in chosen})
    model = projections.model_card(checkpoint)
    cache.remember(model["fingerprint"], checkpoint.path)
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
        model=model,
        info=_gains(checkpoint, chosen, factors),
    )


def _gains(
    checkpoint: Checkpoint, chosen: Sequence[Layer], factors: sefa.Factors
) -> tuple[dict[str, Any], ...]:
    """One dict per direction, with its `gain` where the family has no demodulation."""
    if projections.demodulates(checkpoint):
        return tuple({} for _ in factors.directions)
    mean = projections.mean_w(checkpoint)
    matrices = [layer.matrix.float32() for layer in chosen]
    styles = [
        matrix @ mean + (0 if layer.bias is None else layer.bias.float32())
        for layer, matrix in zip(chosen, matrices, strict=True)
    ]
    gains = sefa.style_gains(factors.directions, matrices, styles)
    return tuple({"gain": round(float(gain), 4)} for gain in gains)
