"""`sefa.evaluate` on a generator with known factors: what is right scores right, else not."""

import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sefa_cli.errors import MismatchError, SefaError, UsageError
from sefa_cli.evaluation import evaluate as module
from sefa_cli.evaluation.distortion import distortion
from sefa_cli.evaluation.evaluate import evaluate
from sefa_cli.evaluation.found import Evaluation
from sefa_cli.evaluation.output import as_csv, as_data, write_evaluation
from sefa_cli.evaluation.proposals import proposal, with_proposals
from sefa_cli.evaluation.statistics import interval
from tests.evaluation.conftest import MODEL, Known, bundle


def test_each_factor_moves_its_own_score(run: Callable[..., Evaluation]) -> None:
    found = run({"right": bundle()})
    bright, warm, mixed = (row["effects"] for row in found.results)
    level = 127.5 * (0.05 + 0.1 / 16)  # brightness per α, with the region's share
    assert bright["brightness"]["per_alpha"] == pytest.approx(level, rel=0.02)
    assert bright["brightness"]["transfer"] == warm["warmth"]["transfer"] == 1
    assert warm["warmth"]["per_alpha"] == pytest.approx(127.5 * 0.2, rel=0.02)
    assert abs(warm["brightness"]["mean"]) < 0.05 < bright["brightness"]["low"]
    assert mixed["brightness"]["transfer"] < 0.75
    assert mixed["brightness"]["low"] < 0 < mixed["brightness"]["high"]
    assert bright["brightness"]["dependency"] < mixed["warmth"]["mean"] + 1
    assert found.best("warmth")["k"] == 1 and found.best("brightness")["k"] == 0


def test_dependency_is_least_for_the_factor_of_a_score(run: Callable[..., Evaluation]) -> None:
    """Brightness and warmth move apart; a direction along both depends on the other."""
    both = bundle(np.array([[0.8, 0.6, 0, 0]], np.float32))
    rows = run({"right": bundle(), "both": both}).results
    bright, warm, _, mixed = (row["effects"] for row in rows)
    assert bright["brightness"]["dependency"] < mixed["brightness"]["dependency"]
    assert warm["warmth"]["dependency"] < mixed["warmth"]["dependency"]


def test_shuffled_directions_lose_what_each_factor_had(run: Callable[..., Evaluation]) -> None:
    """The same rows with their numbers in another order: another score moves, and no region."""
    mask = np.zeros((32, 32), np.uint8)
    mask[8:16, 8:16] = 255
    order = [3, 2, 0, 1]
    right = bundle(mask=mask)
    found = run({"right": right, "shuffled": bundle(right.directions[:, order], mask=mask)})
    best = [found.best("warmth", name) for name in ("right", "shuffled")]
    assert [row and row["k"] for row in best] == [1, 2]
    bright, other = (row for row in found.results if row["k"] == 0)
    assert bright["effects"]["brightness"]["low"] > 1
    assert other["effects"]["brightness"]["low"] < 0 < other["effects"]["brightness"]["high"]
    assert bright["inside_over_outside"][0] > 8 and other["inside_over_outside"][0] < 1.1
    assert bright["steadiness"] > 0.95 and other["steadiness"] < 0.2


def test_intervals_of_an_effect_cover_it(run: Callable[..., Evaluation]) -> None:
    """The third factor brightens half of the seeds: 10 studies of 10 of them, and the truth."""
    found = run({"mixed": bundle(np.eye(4, dtype=np.float32)[2:3])}, seeds=100)
    effects = found.effects(0)[:, 0, 0]  # of brightness
    each = interval(np.random.RandomState(0).permutation(effects).reshape(10, 10))
    covered = (each.low <= effects.mean()) & (effects.mean() <= each.high)
    assert covered.sum() >= 8
    shifted = effects.mean() + np.ptp(effects)
    assert not ((each.low <= shifted) & (shifted <= each.high)).any()


def test_steadiness_needs_no_scores(run: Callable[..., Evaluation]) -> None:
    rows = run({"right": bundle()}, steps=3).results
    assert [row["same_way"] for row in rows[:2]] == [1, 1]
    assert [row["agreeing"] for row in rows[:2]] == [1, 1] and rows[0]["steadiness"] > 0.95
    assert rows[2]["steadiness"] < 0.2 and rows[2]["agreeing"] < 0.7
    assert rows[0]["consistency"] > 0.99 and abs(rows[2]["consistency"]) < 0.2
    assert rows[0]["uniformity"] > 0.9 and rows[0]["monotone"] == [-3, 3]


def test_a_flipped_direction_has_the_opposite_effect(run: Callable[..., Evaluation]) -> None:
    found = run({"right": bundle(), "flipped": bundle(-np.eye(4, dtype=np.float32)[:1])})
    right, flipped = (r["effects"]["brightness"] for r in found.results if r["k"] == 0)
    for end, other in (("mean", "mean"), ("low", "high")):
        assert right[end] == pytest.approx(-flipped[other], abs=0.1)


def test_what_was_measured_is_not_rendered_again(run: Any) -> None:
    first = run({"right": bundle()}).results
    before, told = run.known.rendered, []
    again = run({"right": bundle()}, begin=lambda total: told.append(total) or print)
    assert again.results == first and told == [0]
    assert run.known.rendered == before + 1  # one picture tells what the scorers measure
    run({"right": bundle()}, alpha=2.0)
    assert run.known.rendered > before + 20


def test_a_scorer_that_changed_measures_again(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its file or its version: old numbers may not come back under the same name."""

    def own() -> None:
        file = tmp_path / "mine.py"
        spec = importlib.util.spec_from_file_location("mine", file)
        assert spec and spec.loader
        loaded = importlib.util.module_from_spec(spec)
        exec(file.read_text("utf-8"), loaded.__dict__)
        monkeypatch.setitem(sys.modules, "mine", loaded)
        monkeypatch.setattr(module, "open_scorers", lambda *_: {"mine": loaded.level})

    def renders(text: str) -> bool:
        (tmp_path / "mine.py").write_text(text, "utf-8")
        own()
        before = run.known.rendered
        run({"right": bundle()})
        return run.known.rendered > before + 1  # one picture tells what the scorers measure

    text = "def level(p): return {'level': float(p.mean())}"
    assert renders(text) and not renders(text)
    assert renders(text.replace("p.mean()", "p.max()"))
    assert renders(text + "\nlevel.version = 2")


def test_an_interrupted_run_goes_on(run: Any) -> None:
    def stop(total: int) -> Any:
        def done(pictures: int) -> None:
            raise KeyboardInterrupt

        return done

    with pytest.raises(KeyboardInterrupt) as interrupt:
        run({"right": bundle()}, begin=stop)
    assert not hasattr(interrupt.value, "__notes__"), "nothing is kept yet"
    told: list[int] = []
    run({"right": bundle()}, begin=lambda total: told.append(total) or print)
    assert told == [19 * 3 * 2]


def test_names_are_proposed_where_the_effect_is_clear(run: Callable[..., Evaluation]) -> None:
    found = run({"right": bundle()})
    names = [one and one["label"] for one in map(proposal, found.results)]
    assert names == ["brighter", "warmer", None]
    kept = bundle().name({0: "mine"})
    named = with_proposals(kept, {row["k"]: row for row in found.results})
    assert named.info[0]["annotation"]["proposal"]["label"] == "brighter"
    assert named.labels[0] == "mine" and "annotation" not in named.info[2]


def test_data_for_programs(run: Callable[..., Evaluation]) -> None:
    found = run({"right": bundle()})
    lines = as_csv(found).splitlines()
    assert len(lines) == 1 + 3 * len(found.attributes) and lines[0].startswith("bundle,method,k")
    data = as_data(found, "sefa evaluate right.dirs")
    (summary,) = data["bundles"]
    assert summary["best"]["warmth"]["k"] == 1 and summary["named"] == 2
    assert data["best"]["warmth"] == {"bundle": "right", "k": 1} and data["seeds"] == 20


def test_json_has_no_infinity(run: Callable[..., Evaluation], tmp_path: Path) -> None:
    """A mapping network that does not turn nearby: its distortion has no bound."""
    found = replace(run({"right": bundle()}), distortion=distortion(spans(0, 1), spans(0, 1)))
    assert found.distortion is not None and found.distortion.near == 0
    page = write_evaluation(found, tmp_path / "eval")
    data = json.loads((page.parent / "evaluation.json").read_text("utf-8"))
    assert data["distortion"]["ratio"] is None and data["distortion"]["near"] == 0
    assert "<dt>distortion of w</dt><dd>–" in page.read_text("utf-8")


def spans(*axes: int) -> list[np.ndarray]:
    return [np.eye(3)[:, [axis]] for axis in axes]


def test_most_pictures_without_a_subject_are_refused(
    run: Callable[..., Evaluation], monkeypatch: pytest.MonkeyPatch
) -> None:
    def seldom(picture: np.ndarray) -> dict[str, float] | None:
        return {"face": 1.0} if picture[0, 0, 0] > 128 + 3 else None

    monkeypatch.setattr(module, "open_scorers", lambda names, offline: {"seldom": seldom})
    with pytest.raises(
        SefaError, match=r"no face can .* in \d+ of \d+ pictures; expected its subj"
    ):
        run({"right": bundle()})
    monkeypatch.setattr(module, "open_scorers", lambda names, offline: {"blind": lambda p: None})
    with pytest.raises(SefaError, match="the scorer blind sees nothing in the first 10 pictures"):
        run({"right": bundle()})


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"seeds": 9}, "9 seeds; expected 10 or more"),
        ({"alpha": 0.0}, "alpha must be above 0"),
        ({"distorted": 1}, "distortion must be 0, or 2 of the seeds or more"),
        ({"distorted": -2}, "distortion must be 0, or 2 of the seeds or more, got -2"),
        ({"distorted": 21}, "distortion must be 0, or 2 to 20 of the seeds, got 21"),
        ({"steps": 1.5}, "steps must be a whole number, got 1.5"),
        ({"steps": 0}, "steps must be between 1 and 20"),
        ({"k": "7"}, "7"),
        ({"k": 1.5}, "directions must be whole numbers, got 1.5"),
        ({"distorted": 2.5}, "distorted must be a whole number, got 2.5"),
        ({"scorers": ["nose"]}, "unknown scorer 'nose'"),
        ({"scorers": []}, "no scorer is given"),
    ],
)
def test_refuses(run: Callable[..., Evaluation], how: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        run({"right": bundle()}, **how)
    assert run.known.rendered == 0  # type: ignore[attr-defined]


def test_refuses_the_distortion_of_a_model_without_w_before_it_renders(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Known, "space", "z")
    monkeypatch.setattr(Known, "family", "dcgan", raising=False)
    with pytest.raises(UsageError, match="distortion of a dcgan model; expected a model with a"):
        run({"right": bundle()}, distorted=2)
    assert run.known.rendered == 0


def test_one_stands_for_several(run: Callable[..., Evaluation], tmp_path: Path) -> None:
    """One bundle, file, direction or scorer, as well as several; its repr is one line."""
    bundle().save(file := tmp_path / "t.dirs")
    for one, name in ((bundle(), "bundle"), (file, "t"), (str(file), "t")):
        found = run(one, k=0, scorers="colors, ")
        assert found.names == (name,) and len(found.results) == 1
    assert repr(found) == (
        "<Evaluation of 1 directions of t on 20 seeds: brightness, contrast, saturation, warmth, "
        "sharpness>"
    )
    assert [row["k"] for row in run(bundle(), k=[0, 2]).results] == [0, 2]
    assert run(bundle(), scorers=[" colors"]).attributes == found.attributes


def test_refuses_bundles_of_different_models_or_none(run: Callable[..., Evaluation]) -> None:
    other = bundle(model={**MODEL, "ref": "other", "fingerprint": "1" * 64})
    with pytest.raises(MismatchError, match="b belongs to other, a to known"):
        run({"a": bundle(), "b": other})
    with pytest.raises(UsageError, match="no bundle is given"):
        run({})


def test_darker_is_darker_on_real_faces(default_model: Path, tmp_path: Path) -> None:
    """A direction of the docs, by its name; the same codes as everywhere."""
    from tests.helpers import ROOT

    found = evaluate(
        [ROOT / "docs" / "directions" / "face_top.dirs"],
        k="darker", seeds="5000-5009", alpha=2.0, steps=1, fast=True, size=128,
        scorers=["colors"], cache=tmp_path, model=str(default_model), device="cpu",
    )  # fmt: skip
    effect = found.results[0]["effects"]["brightness"]
    assert effect["high"] < -0.5 and effect["transfer"] == 1
    assert proposal(found.results[0])["label"] == "darker"


def test_lost_subjects_do_not_make_a_direction_less_steady(
    run: Callable[..., Evaluation], monkeypatch: pytest.MonkeyPatch
) -> None:
    def some(picture: np.ndarray) -> dict[str, float] | None:
        level = float(picture.mean())
        return {"level": level} if level < 148 else None

    monkeypatch.setattr(module, "open_scorers", lambda names, offline: {"some": some})
    row = run({"right": bundle()}).results[0]
    assert 0.2 < row["lost"] < 0.8 and row["steadiness"] > 0.99 and row["agreeing"] == 1
    lost = run({"right": bundle()}, alpha=9.0).results[0]
    assert (lost["lost"], lost["steadiness"], lost["agreeing"]) == (1, 0, 0)


def test_a_direction_that_breaks_most_pictures_is_never_the_best(
    run: Callable[..., Evaluation], monkeypatch: pytest.MonkeyPatch
) -> None:
    def within(picture: np.ndarray) -> dict[str, float] | None:
        level = float(picture.mean())
        return {"level": level} if abs(level - 127.5) < 15 else None

    monkeypatch.setattr(module, "open_scorers", lambda names, offline: {"within": within})
    far, near = run({"right": bundle()}, alpha=6.0).results[:2]
    assert far["lost"] > 0.5 and near["lost"] == 0
    found = run({"right": bundle()}, alpha=6.0)
    assert found.best("level")["k"] != 0
    assert proposal(far) is None
