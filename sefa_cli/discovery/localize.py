"""From pictures and a region to a bundle of directions that change the region and little else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sefa_cli.bundle import Bundle
from sefa_cli.checkpoints.checkpoint import Checkpoint
from sefa_cli.discovery.jacobian import Grams, grams
from sefa_cli.discovery.partial import Partial
from sefa_cli.discovery.resefa import check_tau, lowrank, resefa
from sefa_cli.discovery.sefa import Factors
from sefa_cli.errors import UsageError
from sefa_cli.generators.base import Generator
from sefa_cli.projections import model_card
from sefa_cli.ranges import format_range

METHODS = ("resefa", "lowrank")
SPACES = ("w", "w+", "z")

Weights = NDArray[np.uint8]
Progress = Callable[[int, int], None]  # passes done, passes to do, for one picture


@dataclass(frozen=True)
class Target:
    """What shall change and what shall not, as weights × 255 at the working size."""

    text: str  # as the user wrote it
    fore: Weights  # (H, W), or (s, H, W) with one for every code
    back: Weights | None = None  # as fore; None is the rest

    def of(self, i: int) -> tuple[Weights, Weights]:
        """Weights `(H, W)` of region and background for the i-th code."""
        fore = self.fore if self.fore.ndim == 2 else self.fore[i]
        if self.back is None:
            return fore, 255 - fore
        return fore, self.back if self.back.ndim == 2 else self.back[i]


@dataclass(frozen=True)
class Search:
    """How directions are looked for; all but `memory` is kept in the bundle."""

    layers: tuple[int, ...]
    space: str  # "w": one row moves all layers; "w+": a row for each; "z": the latent itself
    size: int = 256
    fast: bool = True  # the network's shortcut
    tau: float = 1e-3
    num: int | None = None
    method: str = "resefa"
    sum_channels: bool = False
    memory: int | None = None  # bytes

    def __post_init__(self) -> None:
        for what, value, known in (
            ("method", self.method, METHODS),
            ("space", self.space, SPACES),
        ):
            if value not in known:
                raise UsageError(f"{what} {value!r} is unknown", "one of " + ", ".join(known))


def picture_grams(
    generator: Generator,
    code: torch.Tensor,
    region: tuple[Weights, Weights],
    search: Search,
    label: int | None = None,
    progress: Progress | None = None,
) -> Grams:
    """M_f and M_b `(dim, dim)` of one picture at one code `(num_layers, d)` or `(d,)`.

    dim is d, in w+ d × layers. Raises SefaError for a region that says nothing, or a memory
    budget too small for one pass.
    """
    linearization = generator.linearize(
        code,
        search.layers,
        per_layer=search.space == "w+",
        size=search.size,
        preview=search.fast,
        label=None if label is None else torch.tensor([label]),
    )
    return grams(
        linearization,
        *region,
        search.memory,
        sum_channels=search.sum_channels,
        progress=progress,
    )


def all_grams(
    generator: Generator,
    codes: torch.Tensor,
    numbers: Sequence[int],
    target: Target,
    search: Search,
    label: int | None = None,
    partial: Partial | None = None,
    advance: Callable[[int], None] | None = None,
) -> list[Grams]:
    """`picture_grams` of every code; those that `partial` holds are taken from it.

    `advance` is told how many passes were done since it was last told.
    """
    found = []
    for i, number in enumerate(numbers):
        if partial is not None and number in partial.done:
            found.append(partial.done[number])
            continue
        told = 0

        def report(done: int, _: int) -> None:
            nonlocal told
            if advance is not None:
                advance(done - told)
            told = done

        grams = picture_grams(generator, codes[i], target.of(i), search, label, report)
        if partial is not None:
            partial.keep(number, grams)
        found.append(grams)
    return found


def passes(generator: Generator, search: Search) -> int:
    """Derivatives that one picture takes: one for every dimension of the latent."""
    return generator.w_dim * (len(search.layers) if search.space == "w+" else 1)


def check(search: Search, checkpoint: Checkpoint) -> None:
    """Refuse what this model does not have. Raises UsageError."""
    spaces = ("w", "w+") if checkpoint.config["space"] == "w" else ("z",)
    if search.space not in spaces:
        raise UsageError(
            f"space {search.space!r} for a {checkpoint.family} model", " or ".join(spaces)
        )
    dim = checkpoint.config["w_dim"] * (len(search.layers) if search.space == "w+" else 1)
    if search.num is not None and search.num > dim:
        raise UsageError(f"{search.num} directions asked for", f"1 to {dim}")
    check_tau(search.tau)


def parameters(target: Target, search: Search, numbers: Sequence[int]) -> dict[str, Any]:
    """What the numbers depend on, beside the model and its codes."""
    return {
        "region": target.text,
        "seeds": list(numbers),
        "layers": format_range(search.layers),
        "size": search.size,
        "fast": search.fast,
        "tau": search.tau,
        "num": search.num,
        "sum_channels": search.sum_channels,
    }


def mean_grams(pictures: Sequence[Grams]) -> Grams:
    """The average over pictures, which is more stable than any of them."""
    return Grams(
        np.mean([picture.fore for picture in pictures], axis=0),
        np.mean([picture.back for picture in pictures], axis=0),
    )


def factors_of(matrices: Grams, search: Search) -> Factors:
    """The leading directions for these matrices, by the method asked for."""
    if search.method == "lowrank":
        return lowrank(matrices.fore, matrices.back, num=search.num)
    return resefa(matrices.fore, matrices.back, search.tau, search.num)


def stability(pictures: Sequence[Grams], search: Search, leading: int = 5) -> float:
    """How much the pictures' own leading directions agree: 1 is the same span, 0 nothing shared.

    The mean cos² of the principal angles between the spans, over all pairs of pictures.
    """
    spans = [
        np.linalg.qr(factors_of(picture, search).directions[:leading].T.astype(np.float64))[0]
        for picture in pictures
    ]
    pairs = [(a, b) for i, a in enumerate(spans) for b in spans[i + 1 :]]
    if not pairs:
        raise UsageError("stability of one picture", "two seeds or more")
    return float(np.mean([np.square(a.T @ b).sum() / a.shape[1] for a, b in pairs]))


def region_bundle(
    checkpoint: Checkpoint,
    matrices: Grams,
    target: Target,
    search: Search,
    numbers: Sequence[int],
    params: dict[str, Any],
) -> Bundle:
    """The bundle of directions for these matrices.

    `numbers` are the seeds (or places in a file of codes), `params` what else changed the codes.
    Each direction's `change` is the root mean square change of the pixels for α = 1, to first
    order, inside and outside: √(nᵀ M n).
    """
    found = factors_of(matrices, search)
    rows = found.directions.astype(np.float64)  # (k, dim)
    inside, outside = (
        np.sqrt(np.einsum("kd,de,ke->k", rows, M, rows, optimize=True).clip(min=0))
        for M in matrices
    )
    directions = found.directions
    if search.space == "w+":
        directions = directions.reshape(len(rows), len(search.layers), -1)
    return Bundle(
        directions=directions,
        eigenvalues=found.eigenvalues,
        layers=np.array(search.layers),
        mask=target.fore,
        background=target.back,
        method=search.method,
        params={**parameters(target, search, numbers), **params},
        space=search.space,
        model=model_card(checkpoint),
        info=tuple(
            {"change": {"inside": float(f"{i:.4g}"), "outside": float(f"{o:.4g}")}}
            for i, o in zip(inside, outside, strict=True)
        ),
    )
