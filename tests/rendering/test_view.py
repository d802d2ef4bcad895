"""How pictures are rendered, and their descriptions."""

from types import SimpleNamespace
from typing import Any

import pytest

from sefa_cli.errors import UsageError
from sefa_cli.rendering.view import View

MOBILE: Any = SimpleNamespace(resolution=1024, preview_size=256, family="mobilestylegan")
PLAIN: Any = SimpleNamespace(resolution=1024, preview_size=None, family="stylegan2")


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
