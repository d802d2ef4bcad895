"""Arguments of the library: one way to write each, and nothing is cut or swallowed in silence."""

from collections.abc import Callable
from typing import Any

import pytest

import sefa_cli
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.errors import UsageError
from tests.conftest import TINY

sefa: Any = sefa_cli  # what a type checker would refuse is tried here too

Work = Callable[[Bundle], Any]


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return sefa_cli.factorize(TINY).name({3: "smile"})


@pytest.mark.parametrize(
    "work",
    [
        lambda b: b.index(1.7),
        lambda b: sefa.edit(b, {1.7: 2}, model=TINY),
        lambda b: sefa.edit(b, {1: 2}, seeds=[2.9], model=TINY),
        lambda b: sefa.edit(b, {1: 2}, layers=[0.5], model=TINY),
        lambda b: sefa.factorize(TINY, layers=[1.2]),
    ],
)
def test_a_fraction_is_not_an_index(bundle: Bundle, work: Work) -> None:
    with pytest.raises(UsageError, match="must be a whole number, got "):
        work(bundle)


@pytest.mark.parametrize(
    ("work", "hint"),
    [
        (lambda b: sefa.edit(b, {0: 2}, seed=7, model=TINY), "'seed'. Did you mean 'seeds'"),
        (lambda b: sefa.edit(b, {0: 2}, trunc=0.1, model=TINY), "'trunc'. Did you mean 'trunca"),
        (lambda b: sefa.sample(TINY, sedes=[1]), "'sedes'. Did you mean 'seeds'"),
        (lambda b: sefa.sweep(b, 0, frame=3, model=TINY), "'frame'. Did you mean 'frames'"),
        (lambda b: sefa.animate(b, 0, "a.gif", loops=3, model=TINY), "'loops'"),
    ],
)
def test_an_unknown_keyword_is_not_swallowed(bundle: Bundle, work: Work, hint: str) -> None:
    with pytest.raises(TypeError, match=hint):
        work(bundle)


def test_the_last_direction_is_minus_one_everywhere(bundle: Bundle) -> None:
    last = bundle.k - 1
    assert bundle.index(-1) == bundle.index("-1") == last
    assert bundle.step(-1) == bundle.step(last)
    assert bundle.name({-1: "end"}).labels[last] == "end"
    moves = sefa.edit(bundle, {-1: 2}, model=TINY, device="cpu").moves
    assert moves[0].steps == ((last, 2.0),)
    with pytest.raises(UsageError, match="out of range"):
        bundle.index(-bundle.k - 1)


def test_one_number_is_a_list_of_one(bundle: Bundle) -> None:
    assert sefa.factorize(TINY, layers=3).layers.tolist() == [3]
    pictures = sefa.edit(bundle, {0: 2}, seeds=3, layers=2, model=TINY, device="cpu")
    assert pictures.scene.layers == (2,) and pictures.scene.start.numbers == (3,)


def test_a_direction_alone_takes_its_suggested_steps(bundle: Bundle) -> None:
    step = bundle.step("smile")
    found = sefa.edit(bundle, "smile", model=TINY, device="cpu").moves
    assert [move.steps[0][1] for move in found] == [-2 * step, -step, step, 2 * step]


def test_a_span_is_two_steps(bundle: Bundle) -> None:
    film = sefa.sweep(bundle, 0, "-3:3", frames=3, model=TINY, device="cpu")
    assert [shot[0][1] for shot in film.shots] == [-3, 0, 3]
    with pytest.raises(UsageError, match="is not a sweep"):
        sefa.sweep(bundle, 0, (1, 2, 3), model=TINY)


@pytest.mark.parametrize("num", [0, 33, 2.5, -1])
def test_the_number_of_directions_is_checked(num: Any) -> None:
    with pytest.raises(UsageError, match=r"must be between 1 and 32, got"):
        sefa.factorize(TINY, num=num)


def test_at_least_one_direction_is_compared(bundle: Bundle) -> None:
    with pytest.raises(UsageError, match="num must be 1 or more, got -1"):
        bundle.compare(bundle, num=-1)
