"""Arguments of public functions: unknown names and wrong kinds are refused before any work."""

import dataclasses
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import sefa_cli
from sefa_cli.arguments import check_kind
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.errors import SefaError, UsageError
from tests.conftest import TINY

sefa: Any = sefa_cli  # what a type checker would refuse is tried here too

Work = Callable[[Bundle], Any]


def localized(model: Any = TINY, **choices: Any) -> Bundle:
    made: Bundle = sefa.localize(model, sefa.Region.box(4, 4, 8, 8), **{"size": 16, **choices})
    return made


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return sefa_cli.factorize(TINY)


FUNCTIONS = [
    getattr(sefa_cli, name)
    for name in sefa_cli.__all__
    if inspect.isfunction(getattr(sefa_cli, name)) and name != "keep_blocks"
]
# Arguments that may be of many kinds: the function checks them, and tests below do.
OWN_CHECKS = {
    *("background", "bundles", "codes", "directions", "first", "k", "last", "layers", "mix_from"),
    *("pictures", "region", "seeds", "span", "steps", "tau", "truncation_layers"),
}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_each_function_refuses_an_unknown_keyword_by_its_own_name(function: Any) -> None:
    with pytest.raises(TypeError, match=rf"^{function.__name__}\(\) has no argument 'zzz'$"):
        function(zzz=1)


@pytest.mark.parametrize("method", ["load", "save", "move", "name", "pick", "mix", "without"])
def test_so_does_each_method_of_a_bundle(bundle: Bundle, method: str) -> None:
    with pytest.raises(TypeError, match=rf"^{method}\(\) has no argument 'zzz'$"):
        getattr(bundle, method)(zzz=1)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_each_argument_of_a_wrong_kind_is_refused_by_its_name(function: Any) -> None:
    for name in inspect.signature(function).parameters.keys() - OWN_CHECKS:
        with pytest.raises(UsageError, match=rf"^{name} must be .*, got 2j$"):
            function(**{name: 2j})


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (lambda b, odd: sefa.sample("no.pt", seeds=odd), "seeds must be whole numbers, got"),
        (lambda b, odd: sefa.edit(b, {0: 1}, seeds=odd), "seeds must be whole numbers, got"),
        (lambda b, odd: localized(seeds=odd), "seeds must be whole numbers, got"),
        (lambda b, odd: localized(layers=odd), "layers must be whole numbers, got"),
        (lambda b, odd: localized(tau=odd), "tau must be a number, got"),
        (lambda b, odd: localized(seeds=None, codes=odd), "codes must be a file"),
        (lambda b, odd: sefa.factorize(TINY, odd), "layers must be whole numbers, got"),
        (lambda b, odd: sefa.edit(b, odd), "steps must be directions, got"),
        (lambda b, odd: sefa.edit(b, {odd: 1}), "direction must be an index or a label, got"),
        (lambda b, odd: sefa.edit(b, {0: odd}), "alpha must be a number, got"),
        (lambda b, odd: sefa.edit(b, {0: 1}, mix_from=odd), "mix_from must be a source and its"),
        (lambda b, odd: sefa.sample("no.pt", truncation_layers=odd), "truncation_layers must be"),
        (lambda b, odd: sefa.sweep(b, odd), "direction must be an index or a label, got"),
        (lambda b, odd: sefa.sweep(b, 0, odd), "range must be a sweep, got 2j"),
        (lambda b, odd: sefa.interpolate("no.pt", odd, 3), "a source must be a seed, a file or"),
        (lambda b, odd: sefa.interpolate("no.pt", 3, odd), "a source must be a seed, a file or"),
        (lambda b, odd: sefa.Preset(odd, []), "name must be a string, got"),
        (lambda b, odd: sefa.Preset("x", odd), "parts must be a list of moves, got"),
        (lambda b, odd: sefa.Preset("x", [odd]), "parts must be a list of moves, got"),
        (lambda b, odd: sefa.Preset("x", {0: odd}), "parts must be a list of moves, got"),
        (lambda b, odd: sefa.Key(odd), "at must be a number, got"),
        (lambda b, odd: sefa.Storyboard(odd), "keys must be a list of key frames, got"),
        (
            lambda b, odd: sefa.evaluate(odd, cache="c"),
            "bundles must be a bundle, a string",
        ),
        (
            lambda b, odd: sefa.evaluate(b, k=odd, cache="c"),
            "directions must be whole numbers",
        ),
        (lambda b, odd: sefa.invert(odd, "no.pt"), "the picture is 2j; expected a file"),
        (lambda b, odd: sefa.pick(odd, "0"), "bundles must have names, got"),
        (lambda b, odd: sefa.mix(odd, "0"), "bundles must have names, got"),
        (lambda b, odd: sefa.Region.named(odd), "names must be a string, got"),
        (lambda b, odd: sefa.Region.polygon(odd), "corners must be a list or a string, got"),
        (lambda b, odd: sefa.Region.segments([[1]], odd), "ids must be a whole number"),
        (lambda b, odd: sefa.Region.box(0, 0, 1, 1).weights(odd, 4), "height must be a whole"),
        (lambda b, odd: sefa.Bundle.load(odd), "path must be a path, a string or an open file"),
        (lambda b, odd: b.name({0: odd}), "label must be a string or None, got"),
        (lambda b, odd: b.index(odd), "direction must be an index or a label, got"),
        (lambda b, odd: b.step(odd), "direction must be an index or a label, got"),
        (lambda b, odd: b.move(odd, 0), "codes must be an array or a tensor of floats, got"),
        (
            lambda b, odd: b.move(np.zeros((1, 32), np.float32), odd),
            "direction must be an index or",
        ),
        (lambda b, odd: b.save(odd), "path must be a path or a string, got"),
    ],
)
def test_arguments_of_many_kinds_are_refused_in_words(
    bundle: Bundle, work: Callable[[Bundle, Any], Any], words: str
) -> None:
    with pytest.raises(SefaError, match=f"^{words}"):
        work(bundle, 2j)


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (lambda b: sefa.invert("a.png", "no.pt"), "a.png does not exist. Check the name."),
        (lambda b: sefa.invert(["a.png"], "no.pt"), "a.png does not exist. Check the name."),
        (lambda b: sefa.sample("no.pt", codes="a.npz"), "a.npz does not exist. Check the name."),
        (
            lambda b: sefa.edit(b, {0: 1}, model="no.pt", codes="a.npz"),
            "a.npz does not exist. Check the name.",
        ),
        (
            lambda b: localized(model="no.pt", codes="a.npz"),
            "a.npz does not exist. Check the name.",
        ),
        (lambda b: sefa.sample("no.pt", mix_from="a.npz:top"), "a.npz does not exist. Give a seed"),
        (lambda b: sefa.interpolate("no.pt", 3, "a.npz"), "a.npz does not exist. Give a seed"),
        (lambda b: sefa.edit("a.dirs", {0: 1}, model="no.pt"), "a.dirs does not exist. Make it"),
        (lambda b: sefa.evaluate("a.dirs", cache="c", model="no.pt"), "a.dirs does not exist."),
        (lambda b: sefa.edit_preset("a.toml", model="no.pt"), "a.toml does not exist. Check"),
        (lambda b: sefa.film("a.toml", "no.pt"), "a.toml does not exist. Check the name."),
        (lambda b: sefa.load_generator("no.pt", "gpu"), "unknown device 'gpu'; expected auto"),
        (lambda b: sefa.sample("no.pt", device="gpu"), "unknown device 'gpu'; expected auto"),
        (
            lambda b: sefa.sample("no.pt", seeds="a"),
            "seeds must be a range, got 'a'; expected",
        ),
        (lambda b: sefa.sample("no.pt", seeds=range(10**9)), "1,000,000,000 seeds are given"),
        (lambda b: sefa.edit(b, {0: 1}, size="big", model="no.pt"), "size must be a whole number"),
        (lambda b: sefa.edit(b, {0: 1}, size=0, model="no.pt"), "size must be a whole number from"),
        (lambda b: sefa.edit(b, {0: 1}, size=64, model=TINY), "size 64 is out of range; expected"),
        (lambda b: sefa.sample("no.pt", label=-1), "label must be a whole number from 0"),
        (lambda b: sefa.sweep(b, 0, fps=float("nan"), model="no.pt"), "fps must be at least 0.01"),
        (
            lambda b: localized(model="no.pt", precision="x"),
            "unknown precision 'x'; expected",
        ),
        (
            lambda b: sefa.evaluate(b, scorers="x", cache="c", model="no.pt"),
            "unknown scorer 'x'; expected",
        ),
        (lambda b: sefa.evaluate(b, seeds="0-1", cache="c", model="no.pt"), "2 seeds; expected 10"),
        (
            lambda b: sefa.supervise("no.pt", "smile", scorers="colors"),
            "the chosen scorers do not",
        ),
    ],
)
def test_arguments_are_checked_before_a_model_is_opened(
    bundle: Bundle, work: Work, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SefaError) as refused:
        work(bundle)
    assert str(refused.value).startswith(words)
    assert not list(tmp_path.iterdir())


def test_no_truncation_is_refused_in_words() -> None:
    generator = sefa.load_generator(TINY, device="cpu")
    with pytest.raises(UsageError, match=r"^psi must be a number, got None$"):
        generator.truncate(generator.map(generator.sample([0])), None)


def test_help_shows_every_keyword() -> None:
    own = {"seeds", "codes", "size", "fps", "bounce", "frames", "arrange", "model", "layers"}
    assert own <= inspect.signature(sefa.animate).parameters.keys()
    assert {"tau", "layers", "precision"} <= inspect.signature(sefa.localize).parameters.keys()


def test_a_list_holds_one_kind() -> None:
    check_kind("names", ["a", "b"], "str | Sequence[str]")
    with pytest.raises(UsageError, match=r"^names must be a string or a list of strings, got"):
        check_kind("names", [3], "str | Sequence[str]")


CODES = "codes must be an array or a tensor of"
NO_REGION = "region must be a name, a Region or a mask, got"


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (lambda g, w: g.synthesize(w.long()), f"{CODES} floats, got torch.int64"),
        (lambda g, w: g.synthesize(w.cfloat()), f"{CODES} floats, got torch.complex64"),
        (lambda g, w: g.map(w[:, 0].long()), "z must be an array or a tensor of floats, got"),
        (lambda g, w: g.map(None), "z must be an array or a tensor of numbers, got None"),
        (lambda g, w: g.map(w[:, 0, :3]), "z has the shape (1, 3); expected (n, 32)"),
        (lambda g, w: g.synthesize("s.png"), f"{CODES} numbers, got 's.png'"),
        (lambda g, w: g.synthesize(w, size="64"), "size must be a whole number or None, got '64'"),
        (lambda g, w: g.synthesize(w, size=True), "size must be a whole number or None, got True"),
        (lambda g, w: g.sample(0), "seeds must be whole numbers, got 0; expected a list"),
        (lambda g, w: g.sample(b"0"), "seeds must be whole numbers, got b'0'; expected a list"),
        (lambda g, w: sefa.sample(g, seeds=b"0"), "seeds must be whole numbers, got b'0'"),
        (lambda g, w: sefa.factorize(TINY, b"0"), "layers must be whole numbers, got b'0'"),
        (lambda g, w: sefa.factorize(TINY).pick(), "no direction given"),
        (lambda g, w: sefa.factorize(TINY).without("all"), "no direction is left"),
        (lambda g, w: localized(tau=-1.0), "tau must be 0 or more, got -1; expected something"),
        (lambda g, w: sefa.sample(g, offline=3), "offline must be True, False or None, got 3"),
        (lambda g, w: sefa.localize(g, None), f"{NO_REGION} None"),
        (lambda g, w: sefa.localize(g, 3), f"{NO_REGION} 3"),
        (lambda g, w: sefa.localize(g, ["eyes", "nose"]), f"{NO_REGION} ['eyes', 'nose']"),
        (
            lambda g, w: sefa.localize(g, (0, 0, 4, 4)),
            f"{NO_REGION} (0, 0, 4, 4). A box is made with Region.box(",
        ),
    ],
)
def test_what_a_generator_is_given_is_refused_in_words(
    work: Callable[[Any, torch.Tensor], Any], words: str
) -> None:
    generator = sefa.load_generator(TINY, device="cpu")
    with pytest.raises(SefaError) as refused:
        work(generator, generator.truncate(generator.map(generator.sample([0])), 0.5))
    assert str(refused.value).startswith(words)


def test_a_comparison_says_how_many_directions_were_compared(bundle: Bundle) -> None:
    assert bundle.compare(bundle, num=600).num == bundle.k


STORY = sefa.Storyboard((sefa.Key(0, 3), sefa.Key(0.2, 7)))
WITH_OPTIONS: list[tuple[Any, Callable[..., Any]]] = [
    (sefa.sample, lambda **o: sefa.sample(TINY, **o)),
    (sefa.edit, lambda **o: sefa.edit(sefa.factorize(TINY), {0: 1}, **o)),
    (sefa.sweep, lambda **o: sefa.sweep(sefa.factorize(TINY), 0, **o)),
    (sefa.interpolate, lambda **o: sefa.interpolate(TINY, 3, 7, 4, **o)),
    (sefa.film, lambda **o: sefa.film(STORY, TINY, **o)),
]


@pytest.mark.parametrize(("function", "call"), WITH_OPTIONS)
def test_help_shows_the_default_of_each_option(
    function: Any, call: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it shows, given, is as if nothing was given."""
    parameters = inspect.signature(function).parameters.values()
    shown = {one.name: one.default for one in parameters if one.kind is one.KEYWORD_ONLY}
    assert shown.keys() >= {"seeds", "size", "device"} and inspect.Parameter.empty not in [
        *shown.values()
    ]
    monkeypatch.chdir(tmp_path)
    plain = call()
    for some in (shown, {name: None for name, value in shown.items() if value is None}):
        given = call(**some)
        assert (len(given), given.scene.view) == (len(plain), plain.scene.view)
        assert given.scene.start.numbers == plain.scene.start.numbers
        if isinstance(given, sefa.Film):
            assert (given.fps, given.shots) == (plain.fps, plain.shots)


def test_help_of_the_others_shows_them_as_well() -> None:
    for function in (sefa.animate, sefa.edit_preset, sefa.evaluate):
        parameters = inspect.signature(function).parameters.values()
        needed = {one.name for one in parameters if one.default is one.empty}
        assert needed < {"bundle", "bundles", "cache", "directions", "path", "preset"}
    seeds = {
        f: inspect.signature(f).parameters["seeds"].default for f in (sefa.edit, sefa.evaluate)
    }
    assert seeds == {sefa.edit: "0-4", sefa.evaluate: "0-99"}


def test_no_bundle_file_beside_a_path_is_as_if_none_was_given(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model is looked for in the folder of the path."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "tiny.pth").write_bytes(TINY.read_bytes())
    moved = dataclasses.replace(bundle, model={**bundle.model, "ref": "tiny.pth"})
    moved.save(tmp_path / "own" / "a.dirs")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEFA_CACHE", str(tmp_path / "cache"))
    edits = sefa.edit("own/a.dirs", {0: 1}, beside=None, device="cpu")
    assert len(edits) == 5
    edits.preset("p", "own/a.dirs").save("p.toml")
    assert len(sefa.edit_preset("p.toml", beside=None, device="cpu")) == 5
