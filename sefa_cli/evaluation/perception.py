"""How differently two pictures look to people, by LPIPS."""

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from sefa_cli.discovery.regions.landmarks import Picture

if TYPE_CHECKING:
    from torch import Tensor

_LARGEST = 128  # pixels: at 256 it takes longer to compare pictures than to render them


class LpipsScorer:
    """`lpips`: the distance of two pictures by the activations of VGG16; 0 means equal.

    Pictures are compared with at most 128 pixels. Different faces are 0.4 to 0.55 apart.
    """

    compares = True

    def __init__(self, offline: bool | None = None) -> None:
        """Load the network, fetched once."""
        from sefa_cli.lpips import NETWORK, load_lpips

        self._network = load_lpips(offline)
        self.version = f"{NETWORK.facts.sha256} {_LARGEST}"
        self._before: tuple[Picture, list[Tensor]] | None = None

    def __call__(self, before: Picture, after: Picture) -> dict[str, float]:
        """Return the distance of two pictures."""
        if self._before is None or self._before[0] is not before:
            self._before = before, self._features(before)
        distance = self._network.between(self._before[1], self._features(after))
        return {"lpips": float(distance)}

    def _features(self, picture: Picture) -> "list[Tensor]":
        import torch

        image = Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture)
        image.thumbnail((_LARGEST, _LARGEST), Image.Resampling.LANCZOS, reducing_gap=None)
        pixels = torch.from_numpy(np.array(image.convert("RGB"), np.float32) / 127.5 - 1)
        with torch.inference_mode():
            return self._network.features(pixels.permute(2, 0, 1)[None])
