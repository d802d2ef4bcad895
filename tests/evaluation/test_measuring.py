"""What is measured of each seed, and how it is kept."""

from pathlib import Path
from typing import Any

import pytest

from sefa_cli.evaluation import evaluate as module
from tests.evaluation.conftest import bundle


def test_kept_pictures_serve_another_scorer(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = run({"right": bundle()}, keep_pictures=True)
    assert len(list((tmp_path / "cache").rglob("*.png"))) == 20
    before = run.known.rendered
    scorers = {"level": lambda picture: {"level": float(picture.mean())}}
    monkeypatch.setattr(module, "open_scorers", lambda *_: scorers)
    found = run({"right": bundle()})
    assert run.known.rendered == before + 1 + 20  # those before the moves, and one to tell names
    for row, other in zip(found.results, first.results, strict=True):
        assert row["effects"]["level"]["mean"] == pytest.approx(
            other["effects"]["brightness"]["mean"], rel=1e-6
        )
    for path in (tmp_path / "cache").rglob("*.png"):
        path.write_bytes(path.read_bytes()[:100])
    monkeypatch.setattr(module, "open_scorers", lambda *_: {"other": scorers["level"]})
    before = run.known.rendered
    run({"right": bundle()})
    assert run.known.rendered > before + 100  # broken files are rendered again
