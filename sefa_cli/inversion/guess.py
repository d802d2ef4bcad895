"""A first guess at the code of a photo: a ridge regression from what LPIPS sees in samples.

From the mean code, some searches end in a wrong valley; a guess is nearer. It is learned once for
each model, from 400 sampled codes and their pictures at 64 pixels, rough ones where the model
paints them: from the colors on a grid of 16 × 16, and the activations of the third layer of LPIPS
on one of 4 × 4. The fourth layer brings no more.
"""

import hashlib
import logging
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from sefa_cli.canonical import canonical_json
from sefa_cli.generators.layers import area_mean
from sefa_cli.inversion.prior import Prior, sampled
from sefa_cli.lpips import Lpips
from sefa_cli.projections import weights_digest
from sefa_cli.sources import cache

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator

_stage = logging.getLogger("sefa_cli.stage")
_VERSION = 1  # of what is learned from these numbers
_SAMPLES = 400
_AT_ONCE = 8
_SIDE = 64  # pixels
_COLORS, _PLACES = 16, 4  # cells of the grids, each way
_LAYER = 2
_RIDGE = 1.0  # against the mean square of the samples' features
_TINY = 1e-12  # where all samples look the same


class Guess:
    """What is learned once for a model and a working size; the cache keeps it (10 MB)."""

    def __init__(self, generator: "Generator", prior: Prior, network: Lpips, size: int) -> None:
        """Sample codes and look at their pictures, or take what the cache has."""
        self._network, self._side = network, min(_SIDE, size)
        learned = [_VERSION, _SAMPLES, _COLORS, _PLACES, _LAYER, _RIDGE]
        model = weights_digest(generator.checkpoint)
        way = {"model": model, "side": self._side, "learned": learned}
        key = hashlib.sha256(canonical_json(way).encode()).hexdigest()
        file = cache.cache_folder() / "guesses" / f"{key}.npy"
        kept = cache.kept_array(file)
        if kept is None:
            _stage.debug("learning to guess codes, once for this model")
            kept = self._learned(generator, prior.mean).float().numpy()
            cache.keep_array(file, kept)
        self._map = torch.from_numpy(kept).double()  # (d, 1 + features)

    def __call__(self, photo: Tensor) -> Tensor:
        """Return a code `(d,)` for a photo `(1, channels, height, width)`, float64 on the CPU."""
        parts = self._features(photo)
        return self._map[:, 0] + self._map[:, 1:] @ torch.cat(parts, dim=1)[0]

    def _features(self, pictures: Tensor) -> list[Tensor]:
        """Return colors and activations of pictures, each `(n, …)` in float64 on the CPU."""
        with torch.no_grad():
            small = area_mean(pictures.float(), self._side)
            seen = self._network.features(small)[_LAYER]
            grids = F.adaptive_avg_pool2d(small, _COLORS), F.adaptive_avg_pool2d(seen, _PLACES)
        return [grid.flatten(1).double().cpu() for grid in grids]

    def _learned(self, generator: "Generator", mean: Tensor) -> Tensor:
        """Return the map `(d, 1 + features)` from 1 and the features to a code."""
        codes = sampled(generator, _SAMPLES)
        groups = [codes[i : i + _AT_ONCE] for i in range(0, _SAMPLES, _AT_ONCE)]
        looks = [self._features(self._paint(generator, some)) for some in groups]
        parts = [torch.cat(part) for part in zip(*looks, strict=True)]
        middle = torch.cat([part.mean(dim=0) for part in parts])
        parts = [part - part.mean(dim=0) for part in parts]
        scales = [part.square().sum(dim=1).mean().clamp_min(_TINY) for part in parts]
        alike = sum(part @ part.T / scale for part, scale in zip(parts, scales, strict=True))
        alike = alike + len(parts) * _RIDGE * torch.eye(_SAMPLES, dtype=codes.dtype)
        weights = torch.linalg.solve(alike, codes - mean).T
        slopes = [weights @ part / scale for part, scale in zip(parts, scales, strict=True)]
        slope = torch.cat(slopes, dim=1)
        return torch.cat([(mean - slope @ middle)[:, None], slope], dim=1)

    def _paint(self, generator: "Generator", codes: Tensor) -> Tensor:
        """Return the pictures of codes `(n, d)`."""
        own = codes.to(generator.dtype).to(generator.device)
        own = own[:, None].expand(-1, generator.num_layers, -1)
        with torch.no_grad():
            if (generator.rough_size or 0) >= self._side:
                return generator.rough(own)
            return generator.synthesize(own, size=self._side, preview=True)
