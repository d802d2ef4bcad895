"""Sample, score, and find the direction of each attribute, as a bundle (InterFaceGAN)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sefa_cli import projections
from sefa_cli.arguments import public
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.checkpoints import checkpoint_of
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.discovery.factorize import gains
from sefa_cli.discovery.interfacegan import SHARE, boundary, conditioned
from sefa_cli.editing.source import load_generator
from sefa_cli.editing.start import Start, start_from
from sefa_cli.editing.sum import check_truncation
from sefa_cli.evaluation.asked import (
    check_classes,
    check_condition,
    check_subjects,
    named_attributes,
)
from sefa_cli.evaluation.kept_scores import Kept, about_samples
from sefa_cli.evaluation.measuring import Begin
from sefa_cli.evaluation.sample_scores import SampleScores, scores_key
from sefa_cli.evaluation.scorers import check_measured, close_scorers, comparing, open_scorers
from sefa_cli.generators.base import Generator
from sefa_cli.ranges import Indices, as_indices, format_range
from sefa_cli.rendering.view import View
from sefa_cli.sources import cache

SEEDS = "0-999"
_LARGEST = 256  # pixels of the pictures that are scored


@public
def supervise(  # noqa: PLR0913 - keywords, each with a default
    model: str | Path | Checkpoint | Generator,
    attributes: str | Iterable[str],
    layers: Indices = "all",
    *,
    seeds: Indices = SEEDS,
    share: float = SHARE,
    condition: Bundle | None = None,
    scorers: str | Iterable[str] | None = None,
    scores: Path | str | None = None,
    truncation: float | None = None,
    label: int | None = None,
    device: str = "auto",
    offline: bool | None = None,
    begin: Begin | None = None,
) -> Bundle:
    """Find the direction of each attribute that a scorer measures, by sampling (InterFaceGAN).

    The picture of every seed is scored. For each attribute, a linear support vector machine
    separates the codes with the highest scores from those with the lowest, and the direction is
    the unit normal of its boundary, toward higher scores.

    Args:
        model: A zoo name, path, address, open checkpoint or loaded generator.
        attributes: What scorers measure, such as "smile" or "smile,yaw".
        layers: The layers that the directions move: a level ("all", "bottom", "middle" or "top"),
            a range of code indices from 0, or a list of them.
        seeds: The seeds of the samples.
        share: Share of the samples in each of the two classes: above 0, at most 0.5.
        condition: A bundle of the same model. Its directions are projected out of those found, so
            that what they change stays.
        scorers: As for `evaluate`. Default: colors, and face if its package is installed.
        scores: An `.npz` file that keeps the scores of each seed. The next call, for these or more
            seeds and any attribute, scores only what the file lacks.
        truncation: Truncation psi of the pictures. Default: the family's, such as 0.7.
        label: The class of a conditional model.
        device: "auto", "cpu", "cuda" or "mps"; not used for a loaded generator.
        offline: Fetch nothing.
        begin: Called with the number of pictures to make; returns what is called with the number
            of pictures after each piece of work.

    Returns:
        A bundle with a direction for each attribute, with its name as label. `params["accuracy"]`
        has the share of right answers of each boundary on samples that were held out.

    Raises:
        UsageError: No scorer measures an attribute, or an option is out of range.
        MismatchError: The condition belongs to another model.
        SefaError: Most pictures do not show the attribute, or the samples are too few.

    Source:
        Shen et al., "Interpreting the Latent Space of GANs for Semantic Face Editing", CVPR 2020.

    Example:
        >>> bundle = sefa.supervise(tiny, "brightness", seeds="0-59", scorers="colors")
        >>> bundle.directions.shape, bundle.labels
        ((1, 32), ['brightness'])
    """
    named = named_attributes(attributes)
    check_measured(named, scorers)
    check_truncation(truncation)
    checkpoint = checkpoint_of(model, offline)
    numbers = as_indices(seeds, "seed", 2**32)
    check_classes(len(numbers), share)
    chosen = projections.select(checkpoint, layers)
    card = projections.model_card(checkpoint)
    if condition is not None:
        check_condition(condition, checkpoint)
    generator = model if isinstance(model, Generator) else load_generator(checkpoint, device)
    look = truncation, label
    start = start_from(generator, numbers, None, truncation, None, label)
    _, values = scored(generator, start, named, scores, scorers, look, offline, begin)
    check_subjects(list(values), named)
    codes = _codes(generator, numbers, label)
    found = [boundary(codes, column, share) for column in values.T]
    rows = [one.normal for one in found]
    if condition is not None:
        rows = [conditioned(row, condition.directions) for row in rows]
    directions = np.stack(rows)
    indices = sorted({layer.index for layer in chosen})
    cache.remember(card["fingerprint"], checkpoint.path)
    return Bundle(
        directions=directions,
        layers=np.array(indices),
        method="interfacegan",
        params={
            "attributes": list(named),
            "layers": format_range(indices),
            "seeds": format_range(numbers),
            "share": share,
            "accuracy": [round(one.accuracy, 4) for one in found],
            "trunc": generator.default_truncation if truncation is None else truncation,
            "class": label,
            **({} if condition is None else {"condition": _names(condition)}),
        },
        space=checkpoint.config.space,
        model=card,
        info=tuple(
            {**marks, "label": name}
            for marks, name in zip(gains(checkpoint, chosen, directions), named, strict=True)
        ),
    )


def scored(
    generator: Generator,
    start: Start,
    attributes: Sequence[str],
    scores: Path | str | None,
    scorers: str | Iterable[str] | None,
    look: tuple[float | None, int | None],
    offline: bool | None,
    begin: Begin | None,
) -> tuple[Kept, NDArray[np.float64]]:
    """Return all scores, and those of the attributes `(n, attributes)`, of the pictures of seeds.

    The file `scores` keeps them. `look` is truncation and class, as in `start`.
    """
    truncation, label = look
    view = View(None, fast=True, label=label, truncation=truncation).at_most(generator, _LARGEST)
    opened = open_scorers(scorers, offline)
    try:
        single = comparing(opened, False)  # those of one picture
        weights = projections.weights_digest(generator.checkpoint)
        key = scores_key(weights, start, view, truncation, single)
        about = about_samples(generator.checkpoint, truncation, label, scorers)
        sampled = SampleScores(scores, key, about)
        values = sampled.of(generator, start, view, single, attributes, begin)
        return sampled.kept, values
    finally:
        close_scorers(opened)


def _names(bundle: Bundle) -> list[str]:
    return [label or f"{bundle.method} {k}" for k, label in enumerate(bundle.labels)]


def _codes(generator: Generator, numbers: Sequence[int], label: int | None) -> NDArray[np.float32]:
    """Return w before truncation, or z: `(n, dim)`. Truncation scales all w alike."""
    import torch

    labels = None if label is None else torch.tensor([label])
    with torch.inference_mode():
        rows = [generator.map(generator.sample([number]), labels) for number in numbers]
    codes: NDArray[np.float32] = torch.cat(rows).cpu().numpy()
    return codes
