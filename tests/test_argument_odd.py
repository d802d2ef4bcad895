"""Arguments that look right and are not: names no file can have, other kinds of the same name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import sefa_cli
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.errors import SefaError, UsageError
from tests.conftest import TINY

sefa: Any = sefa_cli  # what a type checker would refuse is tried here too

BOX = sefa.Region.box(4, 4, 8, 8)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return sefa_cli.factorize(TINY)


FILES: list[Callable[[Bundle, Any, str], Any]] = [
    lambda b, g, name: sefa.Bundle.load(name),
    lambda b, g, name: sefa.inspect(name),
    lambda b, g, name: sefa.factorize(name),
    lambda b, g, name: sefa.sample(name),
    lambda b, g, name: sefa.sample(g, codes=name),
    lambda b, g, name: sefa.sample(g, mix_from=(name, "top")),
    lambda b, g, name: sefa.interpolate(g, name, 3),
    lambda b, g, name: sefa.edit(name, {0: 1}),
    lambda b, g, name: sefa.edit(b, {0: 1}, model=name),
    lambda b, g, name: sefa.edit_preset(name),
    lambda b, g, name: sefa.film(name),
    lambda b, g, name: sefa.evaluate(b, cache=name, model=g, seeds="0-9", scorers="colors"),
    lambda b, g, name: sefa.localize(g, Path(name), size=16),
    lambda b, g, name: sefa.localize(g, BOX, size=16, output=name, overwrite=True),
    lambda b, g, name: sefa.invert(name, g),
    lambda b, g, name: b.save(name),
    lambda b, g, name: sefa.sample(g, seeds=0).save(f"{name}.png"),
    lambda b, g, name: sefa.interpolate(g, 1, 2, frames=3).save(f"{name}.gif"),
    lambda b, g, name: sefa.supervise(g, "brightness", seeds="0-59", scores=f"{name}.npz"),
    lambda b, g, name: sefa.evaluate([f"{name}.dirs"], cache="cache"),
    lambda b, g, name: sefa.invert([f"{name}.png"], g),
]


@pytest.mark.parametrize("name", ["a" * 300, "a\0b"], ids=["long", "null"])
@pytest.mark.parametrize("work", FILES)
def test_a_name_that_no_file_can_have_is_refused_in_words(
    bundle: Bundle, work: Any, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = sefa.load_generator(TINY, device="cpu")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SefaError):
        work(bundle, generator, name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "work",
    [
        lambda b, n: sefa.edit(b, [(1, 2, n)]),
        lambda b, n: sefa.edit(b, {0: [[n]]}),
        lambda b, n: sefa.sample(TINY, device=[n]),
        lambda b, n: sefa.sample(TINY, seeds=[[n]]),
        lambda b, n: sefa.sample(TINY, codes=[[n]]),
        lambda b, n: sefa.sample(TINY, mix_from=[n]),
        lambda b, n: sefa.sweep(b, 0, [n]),
        lambda b, n: sefa.Region.box(n, 1, 2, 3),
        lambda b, n: sefa.Region.polygon([(1, 2), (3, n), (4, 5)]),
        lambda b, n: b.name({0: [n]}),
        lambda b, n: sefa.localize(TINY, [n]),
    ],
)
def test_a_number_of_5001_digits_may_stand_anywhere(bundle: Bundle, work: Any) -> None:
    """Python refuses to write it out."""
    with pytest.raises(SefaError) as refused:
        work(bundle, 10**5000)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    "other", [np.random.default_rng(0), torch.Generator()], ids=["np", "torch"]
)
@pytest.mark.parametrize(
    "work", [sefa.sample, sefa.factorize, sefa.inspect, lambda g: sefa.localize(g, BOX)]
)
def test_a_generator_of_random_numbers_is_no_model(work: Any, other: Any) -> None:
    with pytest.raises(UsageError, match=r"^(model|ref) must be .* a generator, got "):
        work(other)


@pytest.mark.parametrize("kind", [np.array, torch.tensor], ids=["np", "torch"])
def test_one_number_may_be_an_array_without_axes(bundle: Bundle, kind: Any) -> None:
    generator = sefa.load_generator(TINY, device="cpu")
    assert sefa.sample(generator, seeds=kind(3)).scene.start.numbers == (3,)
    with pytest.raises(UsageError, match=r"^seeds must be whole numbers, got "):
        sefa.sample(generator, seeds=kind(1.5))


def test_a_source_may_be_a_number_of_numpy(bundle: Bundle, tmp_path: Path) -> None:
    generator = sefa.load_generator(TINY, device="cpu")
    how = {"k": "0", "seeds": "0-9", "scorers": "colors", "model": generator}
    found = [
        sefa.evaluate(bundle, cache=tmp_path, mix_from=(seed, [0, 1]), **how).results
        for seed in (np.int64(7), 7)
    ]
    assert found[0] == found[1]


def test_key_frames_and_moves_may_come_from_an_iterator(bundle: Bundle) -> None:
    """They are read more than once."""
    part = sefa.edit(bundle, {0: 1}, model=TINY, device="cpu").preset("x", "x.dirs").parts[0]
    story = sefa.Storyboard(iter([sefa.Key(0), sefa.Key(1, parts=iter([part]))]))
    assert [key.at for key in story.keys] == [0, 1]
    assert len(story.keys[1].parts) == len(sefa.Preset("x", iter([part])).parts) == 1


def test_a_film_larger_than_its_model_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match=r"^size 64 is out of range"):
        sefa.interpolate(TINY, 1, 2, frames=3, size=64, device="cpu")


@pytest.mark.parametrize(
    "words",
    [
        ["inspect", "NAME"],
        ["edit", "NAME", "--k", "0"],
        ["export", "NAME", "-o", "x.npy"],
        ["factorize", "tiny.pth", "-o", "NAME.dirs"],
        ["evaluate", "NAME.dirs", "-o", "x"],
        ["sample", "tiny.pth", "-o", "NAME"],
        ["merge", "NAME", "-o", "x.dirs"],
    ],
    ids=lambda words: words[0],
)
def test_a_command_refuses_a_name_that_is_too_long(sefa: Any, words: list[str]) -> None:
    done = sefa(*[word.replace("NAME", "a" * 300) for word in words])
    assert done.exit_code == 1
    assert "its name is too long. Choose a shorter one." in done.stderr
