"""Names proposed from effects: the largest that one notices, and an equal one beside it."""

from typing import Any

import pytest

from sefa_cli.evaluation.proposals import proposal

ALPHA = 3.0


def effect(mean: float, per_alpha: float, transfer: float = 1.0) -> dict[str, Any]:
    low, high = sorted((0.8 * mean, 1.2 * mean))
    sure = {"mean": mean, "low": low, "high": high}
    return {**sure, "per_alpha": per_alpha, "transfer": transfer}


def label(**effects: dict[str, Any]) -> str | None:
    named = {name.replace("_", " "): found for name, found in effects.items()}
    found = proposal({"alpha": ALPHA, "effects": named})
    return None if found is None else str(found["label"])


def test_the_effect_that_one_notices_most_names_it() -> None:
    """Yaw is noticed from 5 degrees on, a smile from 0.1, brightness from 5 levels."""
    assert label(yaw=effect(-0.6, -10), smile=effect(1.2, 0.1)) == "turns left"
    assert label(yaw=effect(-1.2, -3), smile=effect(0.6, 0.1)) == "bigger smile"
    assert label(brightness=effect(0.6, 6), mine=effect(1.0, 0.01)) == "brighter"
    assert label(brightness=effect(0.6, 3), mine=effect(1.5, 0.01)) == "more mine"


@pytest.mark.parametrize(
    "found",
    [
        effect(1.2, 1),  # 3 degrees at the last step: nobody notices
        effect(1.2, 4, transfer=0.7),  # not steady
        {**effect(1.2, 4), "low": -0.1},  # not sure
        dict.fromkeys(("mean", "low", "high", "per_alpha"), None) | {"transfer": 0.0},
    ],
)
def test_no_name(found: dict[str, Any]) -> None:
    assert label(yaw=found) is None


def test_one_notices_a_score_of_ones_own_from_half_a_standard_deviation_on() -> None:
    assert label(mine=effect(0.4, 4)) is None and label(mine=effect(0.6, 4)) == "more mine"
    assert label(age=effect(-0.4, -2)) == "younger"  # 6 years, among faces of all ages


def test_two_equal_effects_make_one_name() -> None:
    assert label(saturation=effect(0.9, 6), warmth=effect(1.5, 5.5)) == "stronger colors, warmer"
    assert label(saturation=effect(0.9, 6), warmth=effect(1.5, 4)) == "stronger colors"
    assert label(saturation=effect(0.9, 6), warmth=effect(1.5, 5.5, 0.7)) == "stronger colors"


def test_an_unsteady_effect_leaves_the_name_to_the_next() -> None:
    assert label(yaw=effect(2.0, 20, transfer=0.6), smile=effect(1.0, 0.1)) == "bigger smile"


def test_a_color_is_said_once() -> None:
    skin, whole = effect(-2.0, -10), effect(-1.9, -9)
    assert label(skin_brightness=skin, brightness=whole) == "darker skin"
    assert label(skin_brightness=skin, warmth=effect(1.9, 9)) == "darker skin, warmer"
