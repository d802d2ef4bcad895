"""`sefa.localize`: a region in, a bundle out, resumable, and the same as the command's."""

import inspect
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import sefa_cli as sefa
from sefa_cli.discovery.localize import prepare
from sefa_cli.discovery.request import Files, Request
from sefa_cli.discovery.search import Search
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.generators.base import Generator
from tests.helpers import CONTAINERS

MODEL = CONTAINERS / "ckpt_genforce_stylegan2.pth"
BOX = sefa.Region.box(20, 10, 8, 12)


@pytest.fixture(scope="module")
def generator() -> Generator:
    return sefa.load_generator(MODEL, device="cpu")


def test_the_command_gives_the_same_bytes(generator: Generator, tmp_path: Path) -> None:
    from sefa_cli.cli import app

    words = ["--box", "20,10,8,12", "--size", "32", "--seeds", "0-1", "-L", "middle"]
    words += ["--num", "3", "--tau", "auto", "-o", str(tmp_path / "a.dirs")]
    assert CliRunner().invoke(app, ["localize", str(MODEL), *words]).exit_code == 0
    how: dict[str, Any] = {"seeds": [0, 1], "layers": "middle", "tau": "auto", "num": 3, "size": 32}
    for model in (generator, str(MODEL)):
        bundle = sefa.localize(model, BOX, **how)
        assert bundle.to_bytes() == (tmp_path / "a.dirs").read_bytes()


def test_progress_is_told_what_how_much_and_of_how_much(generator: Generator) -> None:
    told: list[tuple[str, int, int]] = []
    sefa.localize(
        generator, BOX, seeds=[0, 3], size=32, num=2, progress=lambda *now: told.append(now)
    )
    assert told[-1] == ("localizing", 64, 64)
    assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})


def test_it_prints_nothing(generator: Generator, capfd: pytest.CaptureFixture[str]) -> None:
    sefa.localize(generator, BOX, seeds=[0], size=32, num=2)
    assert capfd.readouterr() == ("", "")


def stopped_at(pass_: int) -> Callable[[str, int, int], None]:
    def tell(what: str, done: int, total: int) -> None:
        if done >= pass_:
            raise KeyboardInterrupt

    return tell


def test_an_interrupted_search_goes_on(generator: Generator, tmp_path: Path) -> None:
    how: dict[str, Any] = {"seeds": [0, 1], "size": 32, "num": 2, "output": tmp_path / "a.dirs"}
    with pytest.raises(KeyboardInterrupt) as interrupt:
        sefa.localize(generator, BOX, progress=stopped_at(48), **how)
    (note,) = interrupt.value.__notes__
    assert note == f"{tmp_path / 'a.dirs.partial'} keeps the work so far; continue with resume=True"
    with pytest.raises(SefaError, match=r"other options \(num: 2 then, 3 now; tau: 0.0001 then"):
        sefa.localize(generator, BOX, resume=True, **{**how, "tau": 1e-3, "num": 3})
    told: list[int] = []
    bundle = sefa.localize(
        generator, BOX, resume=True, progress=lambda what, done, total: told.append(done), **how
    )
    assert told[:2] == [32, 48]  # at once: nothing of it is made again
    assert [path.name for path in tmp_path.iterdir()] == ["a.dirs"]
    whole = sefa.localize(generator, BOX, seeds=[0, 1], size=32, num=2)
    assert bundle.to_bytes() == whole.to_bytes() == (tmp_path / "a.dirs").read_bytes()


@pytest.mark.parametrize("changed", ["region", "background", "space", "method"])
def test_nothing_of_another_search_is_taken_over(
    generator: Generator, tmp_path: Path, changed: str
) -> None:
    """A mask of other pixels, a background and a space were not told apart."""
    one, other = np.zeros((2, 32, 32), np.uint8)
    one[4:12, 4:12], other[20:28, 20:28] = 255, 255
    how: dict[str, Any] = {"seeds": [0], "size": 32, "num": 2, "tau": 1e-3, "sketch": 0}
    how["output"] = tmp_path / "a.dirs"
    with pytest.raises(KeyboardInterrupt):
        sefa.localize(generator, one, progress=stopped_at(16), **how)
    if changed == "background":
        how["background"] = other
    elif changed == "space":
        how["space"] = "w+"
    elif changed == "method":
        how["method"] = "nullspace"
        del how["tau"]
    region = other if changed == "region" else one
    with pytest.raises(SefaError, match=rf"other options \((.+; )*(the )?{changed}[:;)]"):
        sefa.localize(generator, region, resume=True, **how)


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_a_search_goes_on_where_auto_is_another_precision(
    generator: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    """On another CPU the same command was refused as one with other options."""
    how: dict[str, Any] = {"seeds": [0], "size": 32, "num": 2, "precision": precision}
    whole = sefa.localize(generator, BOX, **how)
    how["output"] = tmp_path / "a.dirs"
    with pytest.raises(KeyboardInterrupt):
        sefa.localize(generator, BOX, progress=stopped_at(16), **how)
    other = {"float32": "bf16", "bf16": "float32"}[precision]
    with pytest.raises(SefaError, match=r"other options \(precision: "):
        sefa.localize(generator, BOX, resume=True, **{**how, "precision": other})
    monkeypatch.setattr(Search, "settled", lambda self, generator: replace(self, precision=other))
    again = sefa.localize(generator, BOX, resume=True, **{**how, "precision": "auto"})
    assert again.to_bytes() == whole.to_bytes()


def test_codes_may_be_an_array_which_resume_knows_again(
    generator: Generator, tmp_path: Path
) -> None:
    codes = generator.truncate(generator.map(generator.sample([0])), 0.7).numpy()
    how: dict[str, Any] = {"size": 32, "num": 2}
    ours, seeds = (
        sefa.localize(generator, BOX, **how, **c) for c in ({"codes": codes}, {"seeds": [0]})
    )
    np.testing.assert_array_equal(ours.directions, seeds.directions)
    assert ours.params["codes"] is None and ours.params["trunc"] is None
    with pytest.raises(UsageError, match="seeds and codes cannot be used together"):
        sefa.localize(generator, BOX, codes=codes, seeds=[3], **how)
    how["output"] = tmp_path / "a.dirs"
    with pytest.raises(KeyboardInterrupt):
        sefa.localize(generator, BOX, codes=codes, progress=stopped_at(16), **how)
    with pytest.raises(SefaError, match=r"other options \(codes\)"):
        sefa.localize(generator, BOX, codes=codes + 1, resume=True, **how)
    with pytest.raises(SefaError, match=r"\(n, 8, 32\) for this model"):
        sefa.localize(generator, BOX, codes=codes[:, :3], size=32)


def test_regions_of_every_type(generator: Generator, tmp_path: Path) -> None:
    mask = np.zeros((32, 32), bool)
    mask[20:28, 10:22] = True
    request = Request(seeds="0", size=32)
    for region in (BOX, mask, sefa.Region.segments(mask * 3, 3)):
        target = prepare(generator, region, request).target
        np.testing.assert_array_equal(target.fore, mask * 255)
    named = prepare(generator, "border", request, background=mask).target
    assert named.text == "region border"
    np.testing.assert_array_equal(named.back, mask * 255)


def test_a_bundle_for_each_seed(generator: Generator, tmp_path: Path) -> None:
    request = Request(seeds=[0, 3], size=32, num=2, per_seed=True, stability=True)
    found = prepare(generator, BOX, request, Files(tmp_path / "a.dirs")).run()
    assert [path.name for path in found.paths] == ["a_seed0000.dirs", "a_seed0003.dirs"]
    assert found.bundles[1].params["seeds"] == [3]
    assert found.stability is not None and 0 < found.stability < 1
    with pytest.raises(TypeError, match=r"^localize\(\) has no argument 'per_seed'"):
        sefa.localize(generator, BOX, per_seed=True)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"seeds": [0], "tau": "auto"}, "for a single seed"),
        ({"seeds": [0], "stability": True}, "two seeds or more"),
        ({"tau": "much"}, "tau must be a number, got 'much'"),
        ({"size": 4}, "8 pixels or more"),
        ({"size": 2000}, "size must be between 8 and 32, got 2000"),
        ({"num": 0}, "1 or more"),
        ({"layers": [9]}, "layer 9 is out of range"),
        ({"save_jacobian": "j.npy", "layers": "auto"}, "with layers auto"),
        ({"resume": True}, "resume has no effect without output"),
    ],
)
def test_what_is_refused(
    generator: Generator, choices: dict[str, Any], said: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=said):
        sefa.localize(generator, BOX, **choices)
    assert not list(tmp_path.iterdir())


def test_every_choice_is_a_field_of_the_request() -> None:
    known = inspect.signature(sefa.localize).parameters
    for field in fields(Request):
        if field.name not in ("seeds", "per_seed", "codes_name"):
            assert known[field.name].default == field.default
