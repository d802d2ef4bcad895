"""`sefa.supervise` on a model with known factors, and what is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sefa_cli
from sefa_cli.editing.source import load_generator
from sefa_cli.errors import MismatchError, SefaError, UsageError
from sefa_cli.evaluation import supervise as room
from sefa_cli.evaluation.kept_scores import Kept, about_samples, check_scores
from sefa_cli.rendering.view import View
from tests.helpers import networks

AXES = np.linalg.qr(np.random.RandomState(0).randn(12, 2))[0].T  # of the two attributes


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Pictures whose brightness and warmth are those of w along two axes; the seeds rendered."""
    generator = load_generator(networks.stylegan2(), "cpu")
    spread = np.std(
        [generator.map(generator.sample([seed])).numpy()[0] @ AXES.T for seed in range(100)], axis=0
    )
    rendered: list[int] = []

    def pictures(self: View, generator: Any, codes: Any, numbers: Any) -> Any:
        for code, number in zip(codes, numbers, strict=True):
            rendered.append(number)
            bright, warm = code[0].numpy() @ AXES.T / spread
            picture = np.full((8, 8, 3), 128 + 20 * bright)
            picture[..., 0] += 20 * warm
            picture[..., 2] -= 20 * warm
            yield picture.clip(0, 255).round().astype(np.uint8)

    monkeypatch.setattr(View, "pictures", pictures)
    return rendered


def found(attributes: Any = "brightness", **how: Any) -> sefa_cli.Bundle:
    how = {"seeds": "0-399", "scorers": "colors", "device": "cpu", **how}
    return sefa_cli.supervise(networks.stylegan2(), attributes, **how)


def slope(row: np.ndarray, axis: np.ndarray) -> float:
    """How far a step moves the attribute, of the farthest it could."""
    return float(row @ axis)


def test_each_attribute_has_its_own_direction(known: list[int]) -> None:
    bundle = found("brightness, warmth", layers="0-1")
    assert bundle.labels == ["brightness", "warmth"] and bundle.method == "interfacegan"
    assert bundle.layers.tolist() == [0, 1] and bundle.eigenvalues is None
    assert bundle.params["accuracy"] == [1, 1] and bundle.params["seeds"] == "0-399"
    np.testing.assert_allclose(np.linalg.norm(bundle.directions, axis=1), 1, atol=1e-6)
    own = np.abs(np.diag(bundle.directions @ AXES.T))
    assert slope(bundle.directions[0], AXES[0]) > 0.3 and own.min() > 0.3
    codes = room._codes(load_generator(networks.stylegan2(), "cpu"), range(1000, 1300), None)
    for row, axis in zip(bundle.directions, AXES, strict=True):  # on codes that were not seen
        assert np.corrcoef(codes @ row, codes @ axis)[0, 1] > 0.9
    np.testing.assert_array_equal(found("warmth").directions[0], bundle.directions[1])


def test_a_condition_keeps_the_other_attribute_still(known: list[int]) -> None:
    warm = found("warmth")
    bundle = found("brightness", condition=warm)
    assert abs(bundle.directions[0] @ warm.directions[0]) < 1e-6
    assert bundle.params["condition"] == ["warmth"]
    assert slope(bundle.directions[0], AXES[0]) > 0.3


def test_scores_are_kept_and_gone_on_with(known: list[int], tmp_path: Path) -> None:
    kept = tmp_path / "s.npz"
    first = found(seeds="0-99", scores=kept)
    count = len(known)
    again = found("warmth", seeds="0-119", scores=kept)
    assert known[count:] == list(range(100, 120))
    np.testing.assert_array_equal(again.directions, found("warmth", seeds="0-119").directions)
    np.testing.assert_array_equal(first.directions, found(seeds="0-99").directions)
    with pytest.raises(SefaError, match="keeps scores of other samples"):
        found(seeds="0-99", scores=kept, truncation=0.5)
    kept.write_bytes(b"no")
    with pytest.raises(SefaError, match="is a file of an unknown kind"):
        found(seeds="0-99", scores=kept)


def test_an_interrupt_keeps_what_was_scored(known: list[int], tmp_path: Path) -> None:
    kept, told = tmp_path / "s.npz", []

    def begin(total: int) -> Any:
        def advance(count: int) -> None:
            told.append(count)
            if len(told) == 7:
                raise KeyboardInterrupt

        return advance

    with pytest.raises(KeyboardInterrupt) as stopped:
        found(scores=kept, begin=begin)
    assert "keeps the scores of 7 samples" in stopped.value.__notes__[0]
    done = len(known)
    found(scores=kept)
    assert known[done:] == list(range(7, 400))


def test_pictures_without_a_subject_are_left_out(
    known: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []
    limit = 0.0

    def blind(picture: np.ndarray) -> dict[str, float] | None:
        seen.append(float(picture.mean()))
        return None if seen[-1] < limit else {"shine": seen[-1]}

    monkeypatch.setattr(room, "open_scorers", lambda *_: {"blind": blind})
    monkeypatch.setattr(room, "check_measured", lambda *_: None)  # it knows no such scorer
    found("shine")
    limit = float(np.quantile(seen, 0.2))
    assert slope(found("shine").directions[0], AXES[0]) > 0.3
    limit = float(np.quantile(seen, 0.65))
    with pytest.raises(SefaError, match="no shine can be measured in"):
        found("shine")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (
            {"attributes": "smyle"},
            "the chosen scorers do not measure 'smyle'; expected brightness, contrast",
        ),
        ({"attributes": " , "}, "no attribute is given"),
        ({"attributes": "warmth,warmth"}, "given twice"),
        ({"share": 0.7}, "share must be above 0 and at most 0.5"),
        ({"seeds": "0-9"}, "10 seeds and a share of 0.1 leave 1 samples in each class"),
        ({"layers": "99"}, "layer 99 is out of range"),
        ({"scorers": "nose"}, "unknown scorer 'nose'"),
        ({"scores": "s.txt"}, "s.txt"),
    ],
)
def test_refuses(known: list[int], how: dict[str, Any], said: str) -> None:
    with pytest.raises(SefaError, match=said):
        found(**{"attributes": "brightness", **how})
    assert len(known) <= 1


def test_a_condition_of_another_model_is_refused(known: list[int]) -> None:
    other = sefa_cli.factorize(networks.stylegan2(seed=1), num=1)
    with pytest.raises(MismatchError, match="the condition belongs to"):
        found(condition=other)
    own = sefa_cli.factorize(networks.stylegan2(), num=1)
    rows = own.directions[:, None].repeat(len(own.layers), 1) / len(own.layers) ** 0.5
    with pytest.raises(UsageError, match="have a row for each layer"):
        found(condition=replace(own, directions=rows, space="w+"))


def test_kept_scores_do_not_depend_on_how_scorers_are_named(
    known: list[int], tmp_path: Path
) -> None:
    """Neither on their order, nor on those that compare pictures: these score no sample."""
    first, *others = [
        about_samples(networks.stylegan2(), None, None, names)
        for names in ("colors,person", ["person", "colors"], "lpips,colors,person", "colors")
    ]
    assert [first == other for other in others] == [True, True, False]


def test_a_file_that_keeps_no_scores_is_called_what_it_is(tmp_path: Path) -> None:
    codes, picture, empty = (tmp_path / f"{name}.npz" for name in "cpe")
    empty.touch()
    np.savez(codes, w=np.zeros((2, 12)))
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    for path, said in (
        (codes, "c.npz holds no scores"),
        (picture, "p.npz is a PNG picture"),
        (empty, "e.npz is empty"),
    ):
        with pytest.raises(SefaError, match=f"{said}; expected a file of scores that supervise"):
            check_scores(path, "about")
    with pytest.raises(SefaError, match=r"is a folder; expected a file$"):
        Kept.read(tmp_path)
