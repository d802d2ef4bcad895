"""Directions from samples of the latent, as a bundle: other methods to compare SeFa with."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sefa_cli import projections
from sefa_cli.arguments import public
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.checkpoints import checkpoint_of
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.discovery.factorize import gains
from sefa_cli.discovery.frechet import frechet
from sefa_cli.discovery.ganspace import ganspace, ganspace_by_regression
from sefa_cli.discovery.local_basis import local_basis
from sefa_cli.discovery.methods import check_method, check_options
from sefa_cli.discovery.random_directions import random_directions
from sefa_cli.discovery.sefa import Factors
from sefa_cli.errors import MismatchError, UsageError
from sefa_cli.ranges import Indices, format_range, is_whole
from sefa_cli.sources import cache

if TYPE_CHECKING:
    import torch

    from sefa_cli.generators.base import Generator

SAMPLES = {"ganspace": 10_000, "frechet": 50}  # if nothing else is asked for
_LEADING = 20  # dimensions of a Fréchet mean, if `num` does not say
_BATCH = 1000  # codes at a time

_stage = logging.getLogger("sefa_cli.stage")


@public
def factorize_samples(
    model: str | Path | Checkpoint | Generator,
    method: str,
    layers: Indices = "all",
    *,
    num: int | None = None,
    samples: int | None = None,
    seed: int = 0,
    refine: Bundle | None = None,
    offline: bool | None = None,
) -> Bundle:
    """Return directions that another method than SeFa finds, from samples of the latent.

    None of these methods looks at the layers: they find directions in the latent, and the bundle
    moves `layers` along them.

    Args:
        model: A zoo name, a path, an address, an open checkpoint or a loaded generator.
        method: "ganspace", principal components of sampled codes; "local-basis", where the
            mapping network can go from the w of one seed; "frechet", what the local bases of many
            w have in common; "random", orthonormal directions.
        layers: A level ("all", "bottom", "middle" or "top"), a range of code indices from 0, or a
            list of them.
        num: Keep the leading directions, 1 to the latent's dimension. Default: all; 20 for
            "frechet", where it is also the dimension of the spans that are averaged.
        samples: How many codes: 10,000 by default for "ganspace", 50 for "frechet".
        seed: "ganspace" draws its z from RandomState(seed), "random" its directions. The w of
            "local-basis" is that of this seed, those of "frechet" of this one and the next.
        refine: With "frechet", keep the span of the leading `num` of these directions, and look
            for a better basis in it.
        offline: Fetch nothing. Default: what SEFA_OFFLINE says.

    Returns:
        A bundle sorted by eigenvalue: the variance of the components, or the squares of the
        mapping network's singular values. `info[k]["scale"]` is its root, except for "random".

    Raises:
        UsageError: The method is unknown, does not suit the model, or an option is out of range.
        MismatchError: The directions to refine belong to another model.
        SefaError: The model cannot be found or read.

    Source: Härkönen et al., NeurIPS 2020; Choi et al., ICLR 2022; Choi et al., ICLR 2023.

    Example:
        >>> bundle = sefa.factorize_samples(tiny, "ganspace", "0-1", num=4, samples=100)
        >>> bundle
        <Bundle of 4 ganspace directions in w of tiny.pth, layers 0-1>
    """
    check_method("factorize", method)
    if method == "sefa":
        raise UsageError("sefa takes no samples", remedy="Call factorize.")
    check_options(method, {"samples": samples, "refine": refine})
    asked: dict[str, Any] = {"num": num, "seed": seed}
    if method in SAMPLES:
        asked["samples"] = SAMPLES[method] if samples is None else samples
    _check_seeds(asked, method)
    checkpoint = checkpoint_of(model, offline)
    dim = checkpoint.config.dim
    if method == "frechet" and num is None:
        num = asked["num"] = min(_LEADING, dim if refine is None else refine.k)
    _check(asked, method, checkpoint)
    chosen = projections.select(checkpoint, layers)
    card = projections.model_card(checkpoint)
    if refine is not None:
        _check_refined(refine, num, card)
        asked["refines"] = refine.method
    found = _found(checkpoint, method, asked, refine)
    lengths = found.lengths if found.lengths is not None else np.zeros(len(found.directions))
    indices = sorted({layer.index for layer in chosen})
    cache.remember(card["fingerprint"], checkpoint.path)
    return Bundle(
        directions=found.directions,
        eigenvalues=found.eigenvalues,
        layers=np.array(indices),
        method=method,
        params={"layers": format_range(indices), **asked},
        space=checkpoint.config.space,
        model=card,
        info=tuple(
            {**marks, **({"scale": float(length)} if length > 0 else {})}
            for marks, length in zip(
                gains(checkpoint, chosen, found.directions), lengths, strict=True
            )
        ),
    )


class _Found(NamedTuple):
    directions: NDArray[np.float32]  # (k, dim)
    eigenvalues: NDArray[np.float64] | None = None  # (k,)
    lengths: NDArray[np.float64] | None = None  # (k,)


def _check_seeds(asked: Mapping[str, Any], method: str) -> None:
    """Raise UsageError for a seed or a number of samples out of range."""
    seed, samples = asked["seed"], asked.get("samples", 2)
    if not is_whole(seed, 0, 2**32 - 1):
        raise UsageError(f"seed must be between 0 and 2^32 - 1, got {seed}")
    if not is_whole(samples, 2):
        raise UsageError(f"samples must be 2 or more, got {samples}")
    if method == "frechet" and seed + samples > 2**32:
        raise UsageError(f"seeds from {seed} to {seed + samples - 1}", "at most 4294967295")


def _check(asked: Mapping[str, Any], method: str, checkpoint: Checkpoint) -> None:
    """Raise UsageError for more directions than there are, or no mapping network."""
    num, dim = asked["num"], checkpoint.config.dim
    if num is not None and not is_whole(num, 1, dim):
        raise UsageError(f"num must be between 1 and {dim}, got {num}")
    if method in ("local-basis", "frechet") and checkpoint.config.space != "w":
        raise UsageError(
            f"the method {method} for a {checkpoint.family} model, which has no mapping network",
            "sefa, ganspace or random",
        )


def _check_refined(refine: Bundle, num: int | None, model: Mapping[str, Any]) -> None:
    if refine.model["fingerprint"] != model["fingerprint"]:
        raise MismatchError(
            f"the directions to refine belong to {refine.model['ref']}", model["ref"]
        )
    if num is not None and refine.k < num:
        raise UsageError(f"{num} directions of {refine.k} to refine", f"1 to {refine.k}")
    if refine.directions.ndim == 3:
        raise UsageError("the directions to refine have a row for each layer", "one row for all")


def _found(
    checkpoint: Checkpoint, method: str, asked: Mapping[str, Any], refine: Bundle | None
) -> _Found:
    num, seed = asked["num"], asked["seed"]
    if method == "random":
        dim = checkpoint.config.dim
        return _Found(random_directions(dim, dim if num is None else num, seed))
    from sefa_cli.editing.source import load_generator

    generator = load_generator(checkpoint, "cpu")
    if method == "ganspace":
        codes = _codes(generator, asked["samples"], seed)
        if checkpoint.config.space == "w":
            return _Found(*ganspace(codes, num))
        first = projections.first_projections(checkpoint)[0]
        return _Found(*ganspace_by_regression(codes, first.matrix.finite(first.name), num))
    if method == "local-basis":
        factors = local_basis(_derivative(generator, seed), num)
    else:
        factors = _frechet(generator, range(seed, seed + asked["samples"]), num, refine)
    return _Found(*factors, np.sqrt(factors.eigenvalues))


def _frechet(generator: Generator, seeds: range, num: int | None, refine: Bundle | None) -> Factors:
    """Add up the samples one by one: only their leading vectors are kept."""
    spread = np.zeros((generator.w_dim, generator.w_dim))
    local = []
    kept = None if refine is None else refine.directions[:num].T.astype(np.float64)
    span = None if kept is None else np.linalg.qr(kept)[0]  # (w_dim, num)
    for done, seed in enumerate(seeds):
        _stage.debug("local basis %s of %s", f"{done + 1:,}", f"{len(seeds):,}")
        jacobian = _derivative(generator, seed)
        spread += jacobian @ jacobian.T / len(seeds)
        local.append(local_basis(jacobian, num).directions.T)
    return frechet(local, spread, span)


def _codes(generator: Generator, samples: int, seed: int) -> NDArray[np.float32]:
    """Return codes `(samples, dim)`; in conditional models sample i has class i mod c_dim."""
    import torch

    random, parts = np.random.RandomState(seed), []
    with torch.inference_mode():
        for first in range(0, samples, _BATCH):
            rows = np.arange(first, min(first + _BATCH, samples))
            label = rows % generator.c_dim if generator.c_dim else None
            z = random.randn(len(rows), generator.z_dim).astype(np.float32)
            parts.append(generator.map(z, label).cpu().numpy())
    return np.concatenate(parts)


def mapping_derivative(generator: Generator, z: torch.Tensor) -> NDArray[np.float64]:
    """Return df `(w_dim, z_dim)` of the mapping network at a z `(z_dim,)`, with class 0."""
    from torch.func import jacfwd

    label = [0] if generator.c_dim else None
    found = jacfwd(lambda z: generator.map(z[None], label)[0])(z)
    jacobian: NDArray[np.float64] = found.cpu().numpy().astype(np.float64)
    return jacobian


def _derivative(generator: Generator, seed: int) -> NDArray[np.float64]:
    return mapping_derivative(generator, generator.sample([seed])[0])
