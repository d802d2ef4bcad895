"""A generator with known factors, and what evaluates bundles on it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.start import Start
from sefa_cli.evaluation import asked
from sefa_cli.evaluation.evaluate import evaluate
from sefa_cli.evaluation.found import Evaluation
from sefa_cli.rendering.scene import Scene
from tests.helpers.unsaved import checkpoint

MODEL = {
    "ref": "known", "family": "stylegan2", "resolution": 32, "z_dim": 4, "w_dim": 4,
    "num_layers": 1, "layer_names": ["a"], "fingerprint": "0" * 64,
}  # fmt: skip


class Known:
    """Pictures of a code (b, w, s, 0): brightness b, warmth w, and s times a factor of the seed.

    The third factor brightens half of the seeds and darkens the others: no steady effect. The last
    changes nothing.
    """

    conditioned, preview_size, resolution, space = False, None, 32, "w"
    checkpoint = checkpoint(
        "stylegan2", "nvidia", MODEL | {"c_dim": 0, "img_channels": 3, "space": "w"}, {}
    )
    rendered = 0

    def synthesize(self, codes: torch.Tensor, **how: Any) -> torch.Tensor:
        self.rendered += 1
        bright, warm, mixed, own = codes[0, 0].tolist()
        side = 1 if own > 0 else -1
        image = torch.full((1, 3, 32, 32), 0.05 * bright + 0.05 * side * mixed + 0.02 * own)
        image[:, 0] += 0.1 * warm
        image[:, 2] -= 0.1 * warm
        image[:, :, 8:16, 8:16] += 0.1 * bright  # a region in which brightness grows more
        return image


def bundle(rows: Any = None, **changed: Any) -> Bundle:
    rows = np.eye(4, dtype=np.float32)[:3] if rows is None else rows
    how: dict[str, Any] = {"directions": rows, "layers": np.array([0]), "method": "sefa"}
    return Bundle(**{**how, "params": {}, "space": "w", "model": MODEL, **changed})


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Evaluation]:
    """Evaluate bundles by name on the known generator, with 20 codes near 0."""
    known = Known()

    def scene(first: Bundle, options: Any, seeds: Any) -> Scene:
        random = np.random.RandomState(0)
        numbers = tuple(options.get("seeds", range(20)))
        codes = torch.from_numpy(random.randn(len(numbers), 1, 4).astype(np.float32) * 0.5)
        codes[::2, :, 3].abs_()
        codes[1::2, :, 3].abs_().neg_()
        return Scene(known, Start(codes, numbers, "seed", "w"))  # type: ignore[arg-type]

    monkeypatch.setattr(asked, "open_scene_of", scene)

    def evaluated(bundles: Any, seeds: int = 20, **how: Any) -> Evaluation:
        how = {"seeds": range(seeds), **how}
        given = {"scorers": ["colors"], "cache": tmp_path / "cache", "steps": 1, **how}
        return evaluate(bundles, **given)

    evaluated.known = known  # type: ignore[attr-defined]
    return evaluated
