"""Numbers as arguments: arrays, tensors and iterators of them; too large ones, True and False."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import sefa_cli
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.moves import moves_of
from sefa_cli.errors import UsageError
from tests.conftest import TINY

sefa: Any = sefa_cli  # what a type checker would refuse is tried here too


def localized(**choices: Any) -> Bundle:
    made: Bundle = sefa.localize(TINY, sefa.Region.box(4, 4, 8, 8), **{"size": 16, **choices})
    return made


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return sefa_cli.factorize(TINY)


HUGE = 10**400  # more than a float holds

ARRAYS = [
    np.linspace(-4, 4, 3),
    np.array([1.0]),
    np.arange(3),
    torch.linspace(-4, 4, 3),
    np.array(2.0),
    torch.tensor(2),
]


@pytest.mark.parametrize("steps", ARRAYS, ids=str)
def test_steps_may_stand_in_an_array_or_a_tensor(bundle: Bundle, steps: Any) -> None:
    assert moves_of(bundle, {3: steps}) == moves_of(bundle, {3: steps.tolist()})


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (np.array([]), "no step given"),
        (torch.tensor([]), "no step given"),
        (np.ones((2, 2)), "alpha must be a number, got [1.0, 1.0]"),
        ([], "no step given"),
    ],
    ids=str,
)
def test_arrays_without_a_list_of_steps_are_refused(bundle: Bundle, steps: Any, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        sefa.edit(bundle, {0: steps})
    assert str(refused.value).startswith(words)


@pytest.mark.parametrize("kind", [iter, lambda items: (i for i in items), lambda i: map(int, i)])
def test_numbers_may_come_from_an_iterator(bundle: Bundle, kind: Any) -> None:
    """A check must not use it up before the work."""
    generator = sefa.load_generator(TINY, device="cpu")
    assert len(sefa.sample(generator, seeds=kind([3, 5]))) == 2
    assert len(sefa.edit(bundle, {0: 1}, seeds=kind([3, 5]), model=generator)) == 2
    assert localized(seeds=kind([3, 5])).params["seeds"] == localized(seeds=[3, 5]).params["seeds"]
    truncated = sefa.sample(generator, seeds=3, truncation_layers=kind([0, 1])).scene.start
    same = sefa.sample(generator, seeds=3, truncation_layers="0-1").scene.start
    assert torch.equal(truncated.codes, same.codes)
    assert sefa.factorize(TINY, kind([0, 1])).layers.tolist() == [0, 1]
    with pytest.raises(UsageError, match="1,000,001 seeds are given"):
        sefa.sample(generator, seeds=itertools.count())


@pytest.mark.parametrize("number", [HUGE, -HUGE, 10**5000], ids=["401", "-401", "5001"])
@pytest.mark.parametrize(
    ("name", "work"),
    [
        ("alpha", lambda b, n: sefa.edit(b, {0: n})),
        ("alpha", lambda b, n: sefa.edit(b, {0: [1, n]})),
        ("alpha", lambda b, n: b.move(np.zeros((1, 32), np.float32), 0, n)),
        ("at", lambda b, n: sefa.Key(n)),
        ("direction", lambda b, n: sefa.edit(b, {n: 1})),
        ("fps", lambda b, n: sefa.sweep(b, 0, fps=n)),
        ("frames", lambda b, n: sefa.sweep(b, 0, frames=n)),
        ("hold", lambda b, n: sefa.sweep(b, 0, hold=n)),
        ("num", lambda b, n: sefa.factorize(TINY, num=n)),
        ("regularize", lambda b, n: sefa.invert("a.png", TINY, regularize=n)),
        ("seeds", lambda b, n: sefa.sample(TINY, seeds=n)),
        ("seeds", lambda b, n: sefa.sample(TINY, seeds=[0, n])),
        ("span", lambda b, n: sefa.sweep(b, 0, (0, n))),
        ("tau", lambda b, n: localized(tau=n)),
        ("translate", lambda b, n: sefa.sample(TINY, translate=(0, n))),
        ("truncation", lambda b, n: sefa.sample(TINY, truncation=n)),
        ("weight", lambda b, n: n * b[0]),
    ],
)
def test_a_huge_number_is_refused_in_few_words(
    bundle: Bundle, name: str, work: Callable[[Bundle, int], Any], number: int
) -> None:
    digits = r"-?1000000000\d+… is too large; expected at most 18 digits"
    with pytest.raises(UsageError, match=rf"^{name} {digits}") as refused:
        work(bundle, number)
    assert len(str(refused.value)) < 80


@pytest.mark.parametrize("odd", [True, False])
@pytest.mark.parametrize(
    ("work", "words"),
    [
        (lambda b, odd: sefa.sample(TINY, size=odd), "size must be a whole number or None"),
        (lambda b, odd: sefa.sample(TINY, seeds=odd), "seeds must be whole numbers"),
        (lambda b, odd: sefa.sample(TINY, seeds=[odd, 7]), "seeds must be whole numbers"),
        (lambda b, odd: sefa.sample(TINY, truncation=odd), "truncation must be a number or None"),
        (lambda b, odd: sefa.factorize(TINY, odd), "layers must be whole numbers"),
        (lambda b, odd: sefa.factorize(TINY, num=odd), "num must be a whole number or None"),
        (lambda b, odd: sefa.edit(b, {0: odd}), "alpha must be a number"),
        (lambda b, odd: sefa.edit(b, {0: [odd, 2]}), "alpha must be a number"),
        (lambda b, odd: sefa.edit(b, {odd: 1}), "direction must be an index or a label"),
        (lambda b, odd: b.move(np.zeros((1, 32), np.float32), 0, odd), "alpha must be a number"),
    ],
)
def test_true_and_false_are_not_numbers(
    bundle: Bundle, work: Callable[[Bundle, Any], Any], words: str, odd: bool
) -> None:
    with pytest.raises(UsageError, match=f"^{words}, got {odd}"):
        work(bundle, odd)


@pytest.mark.parametrize("name", [True, np.array([0, 1]), [0, 1], None, 1.5, slice(2)], ids=str)
def test_a_bundle_has_no_item_of_another_kind(bundle: Bundle, name: Any) -> None:
    with pytest.raises(TypeError, match=r"^a direction has an index or a label, got"):
        bundle[name]
