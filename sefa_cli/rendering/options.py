"""Options of all functions that make pictures: what to start from, and how to render."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from numpy.typing import NDArray

from sefa_cli.editing.sum import check_truncation
from sefa_cli.errors import UsageError
from sefa_cli.ranges import Indices, is_whole
from sefa_cli.rendering.view import View

if TYPE_CHECKING:
    import torch

    from sefa_cli.editing.mixing import Mix
    from sefa_cli.editing.start import Named
    from sefa_cli.generators.base import Generator


class RenderOptions(TypedDict, total=False):
    """The keyword arguments of `sample`, all optional.

    Attributes:
        seeds: Seeds from 0 to 2³² − 1, as `"0-4,7"`, a number or a list. Default: 0 to 4 for
            `edit`, 0 for films, 0 to 31 for `sample`.
        codes: Codes to start from instead of seeds: a file (.npz, .npy, .pt), an array or tensor
            `(n, num_layers, dim)` or `(n, dim)`, or what `invert` returns.
        mix_from: A source and its layers, such as `"7:8-22"`, `"face.npz:top"` or `(7, [8, 9])`:
            the codes of this seed (or file, or array) replace those of these layers.
        truncation: Truncation ψ, from -2 to 2: 1 truncates nothing, 0 gives the mean picture,
            below 0 lie the opposites. Default: 0.7; 0.4 for BigGAN-deep; 1 for codes.
        truncation_layers: Code indices to truncate. Default: all.
        label: The class of a conditional model, an index from 0.
        noise_mode: The network's noise: "const" (from the file), "random" or "none".
            Default: "const".
        size: The longer side in pixels; each pixel is the mean of the area it covers. Default:
            full size for single pictures, smaller in sheets and films.
        fast: Render with the network's low-resolution shortcut, if it has one.
        translate: Move the picture right and down, in fractions of its width (StyleGAN3 only).
        rotate: Turn the picture counterclockwise, in degrees (StyleGAN3 only).
        device: "auto", "cpu", "cuda" or "mps". Default: "auto".
        offline: Do not download anything. Default: the value of SEFA_OFFLINE.

    Example:
        >>> look: sefa.RenderOptions = {"seeds": "0-2", "size": 16, "device": "cpu"}
        >>> sefa.sample(tiny, truncation=0.5, **look)[0].size
        (16, 16)
    """

    seeds: Indices | None
    codes: str | Path | NDArray[np.float32] | torch.Tensor | Named | None
    mix_from: Mix | None
    truncation: float | None
    truncation_layers: Indices | None
    label: int | None
    noise_mode: str
    size: int | None
    fast: bool
    translate: Sequence[float] | None
    rotate: float | None
    device: str
    offline: bool | None


class PictureOptions(RenderOptions, total=False):
    """The keyword arguments of `edit`: those of `RenderOptions`, the layers and the model.

    Attributes:
        layers: Layers to move instead of the bundle's: a level ("bottom", "middle", "top") or
            code indices.
        model: The model, if the bundle's own reference does not lead to it: a zoo name, path or
            URL, or a generator from `load_generator`.
        any_model: Accept a `model` with another fingerprint.
        beside: The bundle's file; the model is also looked for in its folder.

    Example:
        >>> how: sefa.PictureOptions = {"seeds": 3, "layers": "0-1", "model": tiny}
        >>> sefa.edit(sefa.factorize(tiny), {0: 2}, device="cpu", **how)
        <1 picture: 1 seed, 1 move>
    """

    layers: Indices | None
    model: str | Path | Generator | None
    any_model: bool
    beside: Path | None


# What they are unless given, beside those that may be None.
PICTURES: PictureOptions = {
    "noise_mode": "const",
    "fast": False,
    "device": "auto",
    "any_model": False,
}


def view_of(options: RenderOptions) -> View:
    """Return how to render pictures. Raises UsageError for an option that is not valid."""
    check_truncation(options.get("truncation"))
    for name, least in (("size", 1), ("label", 0)):
        if (value := options.get(name)) is not None and not is_whole(value, least):
            raise UsageError(f"{name} must be a whole number from {least}, got {value}")
    given: PictureOptions = {**PICTURES, **options}
    return View(
        size=options.get("size"),
        fast=given["fast"],
        noise_mode=given["noise_mode"],
        label=options.get("label"),
        truncation=options.get("truncation"),
        placement=_placement(options.get("translate"), options.get("rotate")),
    )


def _placement(
    translate: Sequence[float] | None, rotate: float | None
) -> tuple[float, float, float] | None:
    """Return how pictures move and turn. Raises UsageError for other than three finite numbers."""
    if translate is not None and (len(translate) != 2 or not all(map(math.isfinite, translate))):
        given = ",".join(f"{part:g}" for part in translate)
        raise UsageError(
            f"translate must be two finite numbers, got {given}", "something like 0.1,-0.05"
        )
    if not math.isfinite(rotate or 0):
        raise UsageError(f"rotate must be finite, got {rotate}", "degrees, such as 15")
    if translate is None and rotate is None:
        return None
    x, y = (0.0, 0.0) if translate is None else translate
    return float(x), float(y), float(rotate or 0)
