"""What is measured of each seed, and how it is kept."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sefa_cli.discovery.factorize import factorize
from sefa_cli.editing.codes import codes_from_seeds, save_codes
from sefa_cli.errors import SefaError
from sefa_cli.evaluation import evaluate as module
from sefa_cli.evaluation.asked import mix_text
from sefa_cli.evaluation.measuring import Measured, _read, _read_pictures, _write_pictures, keep
from sefa_cli.evaluation.output import as_csv, as_data, write_evaluation
from sefa_cli.evaluation.scorers import color_scores
from sefa_cli.families.build import build
from sefa_cli.generators.base import Generator
from tests.evaluation.conftest import bundle
from tests.helpers.networks import stylegan3


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


def test_more_kept_pictures_than_pillow_takes_for_a_bomb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for channels in (1, 3, 4):
        pictures = list(np.random.default_rng(0).integers(0, 256, (9, 8, 16, channels), np.uint8))
        _write_pictures(tmp_path / "x.png", pictures)
        found = _read_pictures(tmp_path / "x.png", 9, (8, 16, channels))
        assert found is not None and np.array_equal(found, pictures)
        for count, shape in ((8, (8, 16, channels)), (9, (16, 8, channels)), (9, (8, 16, 2))):
            assert _read_pictures(tmp_path / "x.png", count, shape) is None


@pytest.mark.parametrize("write", [keep, _write_pictures])
def test_a_folder_that_cannot_be_made_ends_in_one_line(write: Any, tmp_path: Path) -> None:
    """A disk that became read-only meanwhile ended in a traceback."""
    (tmp_path / "cache").touch()
    with pytest.raises(SefaError, match="cache"):
        write(tmp_path / "cache" / "seeds" / "a", [np.zeros((4, 4, 3), np.uint8)])


def test_bundles_that_differ_in_their_region_share_pictures(run: Any) -> None:
    low, high = (np.full((32, 32), level, np.uint8) for level in (0, 255))
    middle, border = low.copy(), high.copy()
    middle[8:16, 8:16], border[8:16, 8:16] = 255, 0
    run({"one": bundle(mask=middle)})
    alone = run.known.rendered
    found = run({"two": bundle(mask=border), "three": bundle(mask=middle, background=high)})
    assert run.known.rendered - alone <= alone
    both = [row["inside_over_outside"][-1] for row in found.results if row["k"] == 0]
    assert both[0] < 1 < both[1]


def likeness(before: np.ndarray, after: np.ndarray) -> dict[str, float] | None:
    """1 for the same picture, less the more its brightness differs."""
    return {"identity": 1 - abs(float(after.mean()) - float(before.mean())) / 30}


likeness.compares = True  # type: ignore[attr-defined]


def test_a_scorer_may_compare_two_pictures(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its numbers are means at each step, and no effects; identity ends the range that holds."""
    scorers = {"colors": color_scores, "same": likeness}
    monkeypatch.setattr(module, "open_scorers", lambda *_: scorers)
    found = run({"right": bundle()}, steps=3)
    bright, _, mixed = found.results
    level = 127.5 * (0.05 + 0.1 / 16) / 30  # of identity, for α = 1
    steps = bright["compared"]["identity"]["steps"]
    assert steps == pytest.approx([1 - level * n for n in (3, 2, 1, 1, 2, 3)], abs=0.02)
    assert bright["compared"]["identity"]["mean"] == pytest.approx(1 - 3 * level, abs=0.02)
    assert bright["holds"] == [-2, 2] and mixed["holds"] == [-3, 3]
    assert "identity" not in bright["effects"] and found.attributes[0] == "brightness"
    data = as_data(found)
    assert data["bundles"][0]["compared"]["identity"] < 1
    assert "identity" in as_csv(found).splitlines()[0].split(",")


def test_without_a_second_subject_likeness_is_unknown(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def blind(before: np.ndarray, after: np.ndarray) -> dict[str, float] | None:
        return {"identity": 1.0} if abs(float(after.mean()) - float(before.mean())) < 3 else None

    blind.compares = True  # type: ignore[attr-defined]
    monkeypatch.setattr(module, "open_scorers", lambda *_: {"colors": color_scores, "b": blind})
    row = run({"right": bundle()}).results[0]
    assert row["compared"]["identity"]["mean"] is None and row["holds"] == [0, 0]
    page = write_evaluation(run({"right": bundle()}), tmp_path / "eval")
    assert "identity</th>" in page.read_text("utf-8")


def test_a_flipped_bit_never_changes_a_measurement(tmp_path: Path) -> None:
    rng, path = np.random.default_rng(0), tmp_path / "seed0000.npz"
    arrays: list[Any] = [rng.random((1, 2)) for _ in fields(Measured)]
    known = Measured(*arrays)
    keep(path, known)
    whole = path.read_bytes()
    lost = 0
    for bit in range(0, len(whole) * 8, 11):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.unlink(missing_ok=True)  # ext4 flushes a file that is written over
        path.write_bytes(flipped)
        found = _read(path)
        lost += found is None
        for one in fields(Measured) if found else ():
            np.testing.assert_array_equal(getattr(found, one.name), getattr(known, one.name))
    assert lost > 300


def test_a_mixed_code_is_told_by_its_numbers(tmp_path: Path, tiny: Generator) -> None:
    one, other = codes_from_seeds(tiny, [50, 51])
    file = tmp_path / "x.npz"
    save_codes(file, one[None])
    before = mix_text(f"{file}:1-3")
    save_codes(file, other[None], overwrite=True)
    assert mix_text(f"{file}:1-3") != before != mix_text(f"{file}:0:1-3") != mix_text(f"{file}:1-2")
    assert mix_text((one, [1])) != mix_text((other, [1])) == mix_text((other.numpy(), [1]))
    assert mix_text("7:1-3") == "7:1-3" and mix_text((7, [1])) == "(7, [1])"


def test_a_placement_has_measurements_of_its_own(tmp_path: Path) -> None:
    checkpoint = stylegan3()
    found, generator = factorize(checkpoint, num=1), build(checkpoint, "cpu")

    def changes(cache: str, **placement: Any) -> list[float]:
        how: dict[str, Any] = {"steps": 1, "scorers": "colors", "cache": tmp_path / cache}
        rows = module.evaluate(found, model=generator, seeds="0-9", **how, **placement).results
        return list(rows[0]["change"])

    upright = changes("one")
    assert changes("one", rotate=30.0) == changes("two", rotate=30.0) != upright
    assert changes("one") == upright
