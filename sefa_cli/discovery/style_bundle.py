"""StyleSpace on the pictures of a request: from its channels to the bundle."""

from collections.abc import Callable
from typing import Any

import numpy as np

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.discovery.few_passes import KEPT
from sefa_cli.discovery.region_bundle import parameters
from sefa_cli.discovery.search import Search, Target
from sefa_cli.discovery.stylespace import Channels, channels, leading, reach
from sefa_cli.editing.start import Start
from sefa_cli.errors import UsageError
from sefa_cli.generators.base import Generator
from sefa_cli.projections import model_card, select
from sefa_cli.ranges import format_range


def style_channels(checkpoint: Checkpoint, search: Search) -> Channels:
    """Return the channels of the layers that move, with all projections of each layer stacked.

    Raises UsageError for layers whose channels cannot move one by one, or too few channels.
    """
    chosen = select(checkpoint, format_range(search.layers), "all")
    found = channels({
        index: np.concatenate([
            layer.matrix.finite(layer.name) for layer in chosen if layer.index == index
        ])
        for index in search.layers
    })  # fmt: skip
    if search.num is not None and search.num > len(found.rows):
        raise UsageError(f"num must be between 1 and {len(found.rows)}, got {search.num}")
    return found


def style_bundle(
    generator: Generator,
    start: Start,
    target: Target,
    search: Search,
    label: int | None,
    params: dict[str, Any],
    advance: Callable[[int], None] | None = None,
) -> Bundle:
    """Return the bundle of the channels that overlap a region most, as directions of w+.

    Its eigenvalues are the overlaps. `advance` hears how many passes were done since.
    """
    every = style_channels(generator.checkpoint, search)
    directions = every.spread(range(len(every.rows)), search.layers)  # (count, n, d)
    found = []
    for i, code in enumerate(start.codes):
        linearization = search.linearize(generator, code, label)
        told = 0

        def report(done: int, total: int) -> None:
            nonlocal told
            if advance:
                advance(done - told)
            told = done

        found.append(reach(linearization, *target.of(i), directions, search.memory, report))
    chosen, mean = leading(found, search.num or KEPT)
    card = model_card(generator.checkpoint)
    return Bundle(
        directions=directions[chosen],
        eigenvalues=mean.overlap,
        layers=np.array(search.layers),
        mask=target.fore,
        background=target.back,
        method=search.method,
        params={
            **parameters(target, search, start.numbers, card["w_dim"]),
            "channels": [[every.layers[i], every.numbers[i]] for i in chosen],
            **params,
        },
        space=search.space,
        model=card,
        info=tuple(
            {
                "label": f"channel {every.layers[i]}.{every.numbers[i]}",
                "scale": float(every.lengths[i]),
                "change": {
                    "inside": float(f"{inside**0.5:.4g}"),
                    "outside": float(f"{outside**0.5:.4g}"),
                },
            }
            for i, inside, outside in zip(chosen, mean.inside, mean.outside, strict=True)
        ),
    )
