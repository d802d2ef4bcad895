"""What a row says of its region: the numbers of `sefa evaluate`."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sefa_cli.evaluation.evaluate import evaluate
from sefa_cli.studio.changes import measured
from sefa_cli.studio.library import Model
from sefa_cli.studio.renderer import Renderer
from sefa_cli.studio.session import State


def region(masks: int) -> np.ndarray:
    """A mask, or masks that differ, of another size than the picture."""
    found = np.zeros((masks, 48, 48), np.uint8)
    for i, mask in enumerate(found):
        mask[12:24, 12 + i : 24 + 9 * i] = 255
    return found if masks > 1 else found[0]


@pytest.mark.parametrize("masks", [1, 3])
def test_a_row_says_what_evaluate_measures(model: Model, tmp_path: Path, masks: int) -> None:
    sliders = model.factorize("middle")
    params = {**sliders.bundle.params, "seeds": [1, 2, 3][:masks]}
    bundle = replace(sliders.bundle, mask=region(masks), params=params)
    state = State(seed=5).added(replace(sliders, bundle=bundle)).at(0, 3)
    evaluate(bundle, k=0, alpha=3, steps=1, seeds="0-9", scorers="colors", cache=tmp_path)
    (path,) = tmp_path.glob("**/seed0005.npz")
    kept = np.load(path)
    inside, outside = (math.sqrt(kept[part][0, 1]) / 127.5 for part in ("inside", "outside"))
    told = measured(Renderer(model), state, 0, lambda: None)
    assert told == f"in {inside:.2f} · out {outside:.2f}" and inside > 0.05
