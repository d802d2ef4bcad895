"""Arguments of the library: one way to write each, and nothing is cut or swallowed in silence."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sefa_cli
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.errors import SefaError, UsageError
from tests.conftest import TINY

sefa: Any = sefa_cli  # what a type checker would refuse is tried here too

Work = Callable[[Bundle], Any]


def localized(**choices: Any) -> Bundle:
    choices = {"seeds": 0, "layers": 3, "size": 16, "num": 1, "device": "cpu", **choices}
    made: Bundle = sefa.localize(TINY, sefa.Region.box(4, 4, 8, 8), **choices)
    return made


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return sefa_cli.factorize(TINY).name({3: "smile"})


@pytest.mark.parametrize(
    "work",
    [
        lambda b: sefa.edit(b, {1: 2}, seeds=[2.9], model=TINY),
        lambda b: sefa.edit(b, {1: 2}, layers=[0.5], model=TINY),
        lambda b: sefa.factorize(TINY, layers=[1.2]),
        lambda b: localized(seeds=[0.9]),
        lambda b: localized(layers=[0.9]),
    ],
)
def test_a_fraction_is_not_an_index(bundle: Bundle, work: Work) -> None:
    with pytest.raises(UsageError, match=r"must be (a whole number|whole numbers), got "):
        work(bundle)


@pytest.mark.parametrize(
    "work",
    [
        lambda b: sefa.edit(b, {0: 2}, seeds=[3], codes="a.npz", model="no.pt"),
        lambda b: sefa.sweep(b, 0, seeds=3, codes=np.zeros((1, 8, 32), np.float32), model=TINY),
        lambda b: sefa.sample(TINY, seeds="3", codes=np.zeros((1, 8, 32), np.float32)),
    ],
)
def test_seeds_beside_codes_are_not_swallowed(bundle: Bundle, work: Work) -> None:
    with pytest.raises(UsageError, match=r"^seeds and codes cannot be used together$"):
        work(bundle)


def test_a_film_has_two_frames_and_more(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^frames must be between 2 and 100000, got 1$"):
        sefa.animate(bundle, 0, tmp_path / "a.gif", frames=1, model="no.pt")
    with pytest.raises(UsageError, match=r"^frames must be between 2 and 100000, got 1$"):
        sefa.sweep(bundle, 0, frames=1, model="no.pt")


def test_a_bundle_is_not_saved_as_a_picture(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a\.png: \.png files hold pictures; .* ends in \.dirs$"):
        bundle.save(tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_a_picture_has_one_index(bundle: Bundle) -> None:
    edits = sefa.edit(bundle, {0: 2}, seeds=3, model=TINY, device="cpu")
    film = sefa.sweep(bundle, 0, frames=2, model=TINY, device="cpu")
    assert repr(edits) == "<1 picture: 1 seed, 1 move>"
    with pytest.raises(IndexError, match=r"^picture 9 is out of range; expected 0-0$"):
        edits[9]
    with pytest.raises(IndexError, match=r"^frame -3 is out of range; expected 0-1$"):
        film[-3]
    photos = sefa.invert(edits[0], TINY, passes=1, size=16, device="cpu")
    with pytest.raises(IndexError, match=r"^photo 1 is out of range; expected 0-0$"):
        photos[1]
    for odd in (slice(0, 1), 0.5, "0"):
        with pytest.raises(TypeError, match=r"^a picture has an index, got "):
            edits[odd]


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
    table = sefa.edit(bundle, ["smile", 0], model=TINY, device="cpu").table
    assert [row[0].steps[0][0] for row in table] == [3, 0]


def test_a_span_is_two_steps_or_more(bundle: Bundle) -> None:
    film = sefa.sweep(bundle, 0, "-3:3", frames=3, model=TINY, device="cpu")
    assert [shot[0][1] for shot in film.shots] == [-3, 0, 3]
    with pytest.raises(UsageError, match="range must be a sweep"):
        sefa.sweep(bundle, 0, (1,), model=TINY)


@pytest.mark.parametrize("num", [0, 33, -1])
def test_the_number_of_directions_is_checked(num: Any) -> None:
    with pytest.raises(UsageError, match=r"must be between 1 and 32, got"):
        sefa.factorize(TINY, num=num)


def test_at_least_one_direction_is_compared(bundle: Bundle) -> None:
    with pytest.raises(UsageError, match="num must be 1 or more, got -1"):
        bundle.compare(bundle, num=-1)


def test_one_seed_and_one_layer_of_localize() -> None:
    assert localized().to_bytes() == localized(seeds=[0], layers=[3]).to_bytes()


def test_numbers_of_numpy_are_numbers(bundle: Bundle) -> None:
    assert bundle.index(np.int64(-1)) == bundle.k - 1  # type: ignore[arg-type]
    assert sefa.factorize(TINY, num=np.int64(4)).k == 4
    film = sefa.sweep(bundle, 0, np.array([-3, 3]), frames=np.int64(2), model=TINY, device="cpu")
    assert [shot[0][1] for shot in film.shots] == [-3, 3]


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (lambda b: sefa.edit(b, {0: []}, model=TINY), "no step given"),
        (lambda b: sefa.factorize(TINY, num=3.0), "num must be a whole number or None, got 3.0"),
        (lambda b: b.index(1.7), "direction must be an index or a label, got 1.7"),
        (lambda b: sefa.edit(b, {1.7: 2}), "direction must be an index or a label, got 1.7"),
        (lambda b: sefa.sweep(b, 0, 3, model=TINY), "range must be a sweep, got 3"),
        (
            lambda b: sefa.sweep(b, 0, frames=2.5, model=TINY),
            "frames must be a whole number, got 2.5",
        ),
        (lambda b: b.compare(b, num=2.0), "num must be a whole number, got 2.0"),
        (lambda b: localized(num=2.0), "num must be a whole number or None, got 2.0"),
        (lambda b: localized(size=16.0), "size must be a whole number, got 16.0"),
        (lambda b: localized(truncation=9), "truncation must be between -2 and 2, got 9"),
        (lambda b: sefa.edit(b, {0: 2}, truncation=9, model=TINY), "between -2 and 2, got 9"),
        (lambda b: sefa.sample(TINY, truncation=float("nan")), "between -2 and 2, got nan"),
        (
            lambda b: sefa.sample(TINY, truncation="x"),
            "truncation must be a number or None",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_words(bundle: Bundle, work: Work, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        work(bundle)


def test_a_loaded_generator_is_a_model_everywhere() -> None:
    generator = sefa.load_generator(TINY, device="cpu")
    assert sefa.factorize(generator).to_bytes() == sefa.factorize(TINY).to_bytes()
    assert dict(sefa.inspect(generator)) == dict(sefa.inspect(TINY))
    made = [sefa.factorize_samples(one, "ganspace", samples=40) for one in (generator, TINY)]
    assert made[0].to_bytes() == made[1].to_bytes()


def test_an_error_of_a_function_of_the_callers_own_is_told_with_it() -> None:
    """Its traceback was lost, and what could not be written was said to be read."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space", "run.log")

    with pytest.raises(SefaError, match=r"cannot write run\.log: the disk is full") as told:
        localized(progress=full)
    assert isinstance(told.value.__cause__, OSError)

    class Odd:
        def read(self, size: int = -1) -> bytes:
            raise OSError(errno.EIO, "no answer", 7)

    with pytest.raises(OSError, match="no answer"):
        sefa.Bundle.load(Odd())
