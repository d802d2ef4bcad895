"""LPIPS as a scorer of two pictures; its network has tests of its own."""

import numpy as np
import pytest

from sefa_cli import lpips
from sefa_cli.evaluation.perception import LpipsScorer
from sefa_cli.evaluation.scorers import comparing, open_scorers, score
from tests.helpers.lpips_weights import small_lpips


@pytest.fixture
def scorer(monkeypatch: pytest.MonkeyPatch) -> LpipsScorer:
    monkeypatch.setattr(lpips, "load_lpips", lambda offline: small_lpips())
    (scorer,) = open_scorers("lpips").values()
    assert isinstance(scorer, LpipsScorer)
    return scorer


def test_equal_pictures_are_0_apart_and_others_more(scorer: LpipsScorer) -> None:
    random = np.random.RandomState(0)
    picture = random.randint(0, 256, (64, 64, 3)).astype(np.uint8)
    near = np.clip(picture.astype(int) + 10, 0, 255).astype(np.uint8)
    far = random.randint(0, 256, (64, 64, 3)).astype(np.uint8)
    distances = [scorer(picture, other)["lpips"] for other in (picture, near, far)]
    assert distances[0] == 0 < distances[1] < distances[2]
    assert scorer(far, picture)["lpips"] == pytest.approx(distances[2])  # another before
    assert score(comparing({"lpips": scorer}), "seed 3", picture, picture) == {"lpips": 0}


def test_gray_and_large_pictures(scorer: LpipsScorer) -> None:
    large = np.zeros((300, 200, 1), np.uint8)
    assert scorer(large, large + 90)["lpips"] > 0
