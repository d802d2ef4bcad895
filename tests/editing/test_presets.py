"""Presets: a small file that reads back as it was, and what it may not say."""

from pathlib import Path

import pytest

import sefa_cli
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.moves import Move
from sefa_cli.editing.presets import Part, Preset
from sefa_cli.errors import SefaError
from tests.conftest import TINY


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """`face.dirs` in an empty folder, its direction 1 with a name that a file must quote."""
    monkeypatch.chdir(tmp_path)
    made = sefa_cli.factorize(TINY, num=4).name({1: 'a "wide" 微笑'})
    made.save("face.dirs")
    return made


def test_it_reads_back_as_it_was(bundle: Bundle) -> None:
    move = Move(((1, 2.5), (3, -1.0)))
    parts = (
        Part("face.dirs", bundle, move),
        Part("face.dirs", bundle, Move(((0, 1e-3),)), (0, 1, 4)),
    )
    Preset("so 'so'", parts).save("sub/happy.toml")
    text = Path("sub/happy.toml").read_text()
    assert 'bundle = "../face.dirs"' in text and 'layers = "0-1,4"' in text
    read = Preset.load("sub/happy.toml")
    assert read.name == "so 'so'"
    assert [(part.move, part.layers) for part in read.parts] == [
        (part.move, part.layers) for part in parts
    ]
    assert all(part.bundle.to_bytes() == bundle.to_bytes() for part in read.parts)
    with pytest.raises(SefaError, match="already exists"):
        read.save("sub/happy.toml")


def test_a_given_bundle_takes_the_place_of_the_one_it_names(bundle: Bundle) -> None:
    Path("a.toml").write_text('moves = [{ bundle = "gone.dirs", steps = { 0 = "auto" } }]')
    (part,) = Preset.load("a.toml", "face.dirs").parts
    assert part.move.steps == ((0, bundle.step(0)),)
    assert Preset.load("a.toml", "face.dirs").name == "a"
    with pytest.raises(SefaError, match=r"gone\.dirs"):
        Preset.load("a.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("steps = {", "is not TOML"),
        ('hue = "red"', "unknown key 'hue'; expected name"),
        ("", "has no moves"),
        ("moves = []", "has no moves"),
        ("moves = [3]", "3 is not a table"),
        ("moves = [{ steps = { 0 = 1 } }]", "moves without a bundle"),
        ('moves = [{ bundle = "face.dirs" }]', "steps is None"),
        ('moves = [{ bundle = "face.dirs", steps = {} }]', "steps is {}"),
        ('moves = [{ bundle = "face.dirs", steps = { 0 = true } }]', "steps is"),
        ('moves = [{ bundle = "face.dirs", steps = { 0 = "far" } }]', "alpha must be a number"),
        ('moves = [{ bundle = "face.dirs", steps = { 0 = nan } }]', "alpha must be finite"),
        ('moves = [{ bundle = "face.dirs", steps = { 9 = 1 } }]', "out of range"),
        ('moves = [{ bundle = "face.dirs", steps = { 0 = 1 }, layers = "99" }]', "layer 99"),
        ('name = "a\\nb"\nmoves = []', "name is"),
        ('moves = [{ bundle = "face.dirs", steps = { 1 = 1, 01 = 2 } }]', "1 is given twice"),
        ("hue = " + "1" * 5000, "is not TOML"),
        ("\xff", "is a file of an unknown kind; expected a .toml file"),
        ("[[keys]]\nseed = 3", "a.toml is a storyboard; expected a preset"),
    ],
)
def test_what_it_may_not_say(bundle: Bundle, text: str, said: str) -> None:
    Path("a.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(SefaError, match=said) as refused:
        Preset.load("a.toml")
    assert str(refused.value).startswith("a.toml")


def test_bundles_of_two_models_are_refused(bundle: Bundle) -> None:
    other = Bundle.from_bytes(bundle.to_bytes(), "other")
    object.__setattr__(other, "model", {**other.model, "fingerprint": "0" * 64})
    move = Move(((0, 1.0),))
    with pytest.raises(SefaError, match="bundles of one model"):
        Preset("two", (Part("a.dirs", bundle, move), Part("b.dirs", other, move)))
