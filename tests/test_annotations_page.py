"""The default model's annotations: bundles and page are what the answers make."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.rules import LEVELS
from tests.helpers import DOCS


@pytest.fixture(scope="module")
def annotate() -> ModuleType:
    """docs/annotate.py."""
    spec = importlib.util.spec_from_file_location("annotate", DOCS / "annotate.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_bundles_and_page_are_made_of_the_answers(
    annotate: ModuleType, default_model: Path
) -> None:
    kept = [Bundle.load(DOCS / "directions" / f"face_{level}.dirs") for level in LEVELS]
    for level, bundle in zip(LEVELS, kept, strict=True):
        made = annotate.bundle_of(level)
        assert made.info == bundle.info and made.model == bundle.model
        # Another CPU may differ in the last bits.
        assert abs((made.directions * bundle.directions).sum(axis=1)) == pytest.approx(1, abs=1e-4)
    assert (DOCS / "annotations.md").read_text() == annotate.page(kept)


@pytest.mark.parametrize("level", LEVELS)
def test_a_name_holds_on_eight_of_ten_faces_and_the_note_lists_the_others(
    annotate: ModuleType, level: str
) -> None:
    for row in annotate.answers(level):
        assert (row["meaningful"] == "yes") == bool(row["name"]) == bool(row["holds"]), row
        if row["name"]:
            wrong = re.match(r"not on ([\d, ]+)", row["note"])
            assert 10 - int(row["holds"]) == (len(wrong[1].split(", ")) if wrong else 0) <= 2, row
