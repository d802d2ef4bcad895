"""How pictures are rendered, and their descriptions."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import sefa_cli
from sefa_cli.errors import UsageError
from sefa_cli.families.build import build
from sefa_cli.rendering.view import View
from tests.helpers.networks import stylegan2, stylegan3

sefa: Any = sefa_cli  # numpy takes Pillow's images, as its types do not say
PLAIN_WEIGHTS = SimpleNamespace(tuned=None)
MOBILE: Any = SimpleNamespace(
    resolution=1024,
    preview_size=256,
    family="mobilestylegan",
    checkpoint=PLAIN_WEIGHTS,
)
PLAIN: Any = SimpleNamespace(
    resolution=1024, preview_size=None, family="stylegan2", checkpoint=PLAIN_WEIGHTS
)


@pytest.mark.parametrize(
    ("view", "generator", "size", "about"),
    [
        (View(), MOBILE, 512, "512 px, area mean, exact"),
        (View(size=1024), MOBILE, 1024, "1024 px, the network's own size"),
        (View(size=100), MOBILE, 100, "100 px, area mean, exact"),
        (View(fast=True), MOBILE, 256, "256 px by the network's 256-px shortcut"),
        (View(size=128, fast=True), MOBILE, 128, "128 px by the network's 256-px shortcut"),
        (View(size=512, fast=True), MOBILE, 512, "512 px, area mean, exact"),
        (View(fast=True), PLAIN, 512, "512 px, area mean, exact; stylegan2 has no shortcut"),
    ],
)
def test_at_most_512(view: View, generator: Any, size: int, about: str) -> None:
    limited = view.at_most(generator, 512)
    assert limited.size == size and limited.about(generator) == about


def test_full_pictures() -> None:
    assert View().about(MOBILE) == "1024 px, the network's own size"
    assert View(fast=True).about(MOBILE) == "256 px by the network's 256-px shortcut"


def test_unknown_noise() -> None:
    with pytest.raises(UsageError, match="const, random or none"):
        View(noise_mode="loud")


def test_a_placement_is_that_of_its_own_pictures_alone() -> None:
    generator = build(stylegan3(), "cpu")
    upright, turned = sefa.sample(generator, seeds=0), sefa.sample(generator, seeds=0, rotate=30)
    moved = sefa.sample(generator, seeds=0, translate=(0.2, 0))
    before = np.asarray(upright[0])
    assert not np.array_equal(turned[0], before) and not np.array_equal(moved[0], before)
    assert not np.array_equal(moved[0], turned[0])
    assert np.array_equal(upright[0], before)
    assert np.array_equal(sefa.sample(generator, seeds=0)[0], before)
    with pytest.raises(UsageError, match="a stylegan3 model"):
        sefa.sample(build(stylegan2(), "cpu"), rotate=30)
