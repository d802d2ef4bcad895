"""Names against measurements: what a name says, and when a measured effect agrees."""

import csv
import importlib.util
from types import ModuleType
from typing import Any

import pytest

from tests.helpers import ROOT


@pytest.fixture(scope="module")
def agreement() -> ModuleType:
    spec = importlib.util.spec_from_file_location("agreement", ROOT / "bench" / "agreement.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def row(mean: float, low: float, high: float, attribute: str | None = "smile") -> dict[str, Any]:
    smile = {"mean": mean, "low": low, "high": high, "transfer": 0.9}
    proposal = None if attribute is None else {"attributes": [attribute], "label": "bigger smile"}
    return {"bundle": "face_bottom", "k": 11, "effects": {"smile": smile}, "proposal": proposal}


@pytest.mark.parametrize(
    ("measured", "agrees", "same"),
    [
        (row(1.0, 0.8, 1.2), True, True),
        (row(1.0, 0.8, 1.2, "yaw"), True, False),
        (row(-1.0, -1.2, -0.8), False, True),
        (row(0.1, -0.1, 0.3, None), False, False),
    ],
)
def test_a_name_agrees_if_the_score_surely_moves_its_way(
    agreement: ModuleType, measured: dict[str, Any], agrees: bool, same: bool
) -> None:
    answer = {"level": "bottom", "k": "11", "name": "bigger smile", "holds": "8"}
    (found,) = agreement.compare([answer], [measured])
    assert (found["agrees"], found["same"], found["score"]) == (agrees, same, "smile")


def test_names_that_no_scorer_measures_do_not_count(agreement: ModuleType) -> None:
    for name in ("longer hair", "darker hair", "cooler hair", ""):
        assert agreement.said(name) is None
    assert agreement.said("squints") == ("eyes open", -1)


def test_colors_of_the_skin_and_of_the_picture_are_one(agreement: ModuleType) -> None:
    assert agreement.said("paler skin") == ("skin brightness", 1)
    effects = {"skin brightness": row(1.0, 0.8, 1.2)["effects"]["smile"]}
    measured = {**row(1.0, 0.8, 1.2, "brightness"), "effects": effects}
    answer = {"level": "bottom", "k": "11", "name": "paler skin", "holds": "8"}
    (found,) = agreement.compare([answer], [measured])
    assert found["agrees"] and found["same"]
    unmeasured = {**answer, "name": "older"}
    assert agreement.compare([unmeasured], [measured]) == []


def test_every_rule_fits_a_name_of_the_docs(agreement: ModuleType) -> None:
    with open(agreement.ANSWERS, encoding="utf-8", newline="") as file:
        names = [answer["name"] for answer in csv.DictReader(file, delimiter="\t")]
    unused = [words for words, *_ in agreement.SAID if not any(words in name for name in names)]
    assert unused == []
