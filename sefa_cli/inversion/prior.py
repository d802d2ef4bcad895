"""What a model says about its codes before any photo is seen: their mean, spread and effect.

The spread is the covariance of sampled codes. The effect is closed form: the Gram matrices of the
style affines, the same AᵀA whose eigenvectors are SeFa's directions, tell how strongly a move of
the code changes the styles. Together they make coordinates in which a step of any direction costs
and changes about the same, so that a descent needs few passes.
"""

from dataclasses import dataclass

import numpy as np
import torch

from sefa_cli.errors import UsageError
from sefa_cli.generators.base import Generator
from sefa_cli.held import holdable
from sefa_cli.projections import first_projections

_ROWS = 10_000  # sampled codes, as for the mean w
_FLOOR = 1e-4  # of the largest variance
_PRIOR = 1.4  # weight of the spread against the effect, both 1 on a mean sampled code


@dataclass(frozen=True)
class Prior:
    """Mean, spread and effect of a model's codes, all float64.

    Attributes:
        mean: The mean code `(d,)`.
        precision: The inverse of the codes' covariance `(d, d)`.
        shared: Coordinates `(d, d)` for a move of all layers: w = mean + shared · u.
        layered: Coordinates `(layers, d, d)` for a move of each layer.
    """

    mean: torch.Tensor
    precision: torch.Tensor
    shared: torch.Tensor
    layered: torch.Tensor

    def distance(self, codes: torch.Tensor) -> torch.Tensor:
        """Return the mean square of codes `(…, d)` in deviations: near 1 for samples."""
        away = codes - self.mean.to(codes)
        return (away @ self.precision.to(codes) * away).sum(-1).mean() / len(self.mean)

    def spread(self, codes: torch.Tensor) -> torch.Tensor:
        """Return how far the layers of one code `(layers, d)` are from their mean, likewise."""
        away = codes - codes.mean(dim=0)
        return (away @ self.precision.to(codes) * away).sum(-1).mean() / len(self.mean)


@holdable
def prior_of(generator: Generator) -> Prior:
    """Return a model's prior: 10,000 codes are sampled, and the style affines read.

    Raises UsageError for a model whose pictures need more than a code (BigGAN).
    """
    if generator.conditioned:
        raise UsageError(
            f"cannot invert a {generator.family} model: its pictures also need a class",
            "a model whose codes are everything, such as a StyleGAN",
        )
    codes = sampled(generator, _ROWS)
    mean, covariance = codes.mean(dim=0), torch.cov(codes.T)
    d = len(mean)
    covariance += _FLOOR * torch.linalg.eigvalsh(covariance)[-1] * torch.eye(d, dtype=codes.dtype)
    precision = torch.linalg.inv(covariance)
    effects = torch.zeros(generator.num_layers, d, d, dtype=torch.float64)
    for layer in first_projections(generator.checkpoint):
        matrix = torch.from_numpy(layer.matrix.float32().astype(np.float64))  # (outputs, ≤ d)
        width = matrix.shape[1]
        if width == d:
            effects[layer.index] += matrix.T @ matrix / len(matrix)
    effects /= (effects.sum(dim=0) * covariance).sum() / d
    restraint = _PRIOR * precision
    return Prior(
        mean,
        precision,
        _root(effects.sum(dim=0) + restraint),
        torch.stack([_root(effect + restraint) for effect in effects]),
    )


def sampled(generator: Generator, count: int) -> torch.Tensor:
    """Return codes `(count, d)` of a fixed seed, float64; row i has class i mod c_dim."""
    rows = np.random.RandomState(0).randn(count, generator.z_dim).astype(np.float32)
    classes = np.arange(count) % generator.c_dim if generator.c_dim else None
    parts = []
    with torch.no_grad():
        for part in np.array_split(np.arange(count), 10):
            label = None if classes is None else classes[part]
            parts.append(generator.map(rows[part], label).double().cpu())
    return torch.cat(parts)


def _root(curvature: torch.Tensor) -> torch.Tensor:
    """Return B with Bᵀ · curvature · B = 1."""
    values, vectors = torch.linalg.eigh(curvature)
    root: torch.Tensor = vectors * values.rsqrt()
    return root
