"""The default model's annotations: bundles and page are what the answers make."""

import importlib.util
from pathlib import Path

import pytest

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.rules import LEVELS
from tests.helpers import DOCS


def test_bundles_and_page_are_made_of_the_answers(default_model: Path) -> None:
    spec = importlib.util.spec_from_file_location("annotate", DOCS / "annotate.py")
    assert spec and spec.loader
    annotate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(annotate)
    kept = [Bundle.load(DOCS / "directions" / f"face_{level}.dirs") for level in LEVELS]
    for level, bundle in zip(LEVELS, kept, strict=True):
        made = annotate.bundle_of(level)
        assert made.info == bundle.info and made.model == bundle.model
        # Another CPU may differ in the last bits.
        assert abs((made.directions * bundle.directions).sum(axis=1)) == pytest.approx(1, abs=1e-4)
    assert (DOCS / "annotations.md").read_text() == annotate.page(kept)
