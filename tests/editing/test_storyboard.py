"""Storyboards: key frames in a file, and what they may not say."""

from pathlib import Path

import pytest
import torch

import sefa_cli
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.codes import codes_from_seeds
from sefa_cli.editing.storyboard import Storyboard
from sefa_cli.errors import SefaError, UsageError
from tests.conftest import TINY

STORY = """
[[keys]]
seed = 3
truncation = 0.5

[[keys]]
at = 2
seed = 7
mix_from = "3:0-1"
preset = "happy.toml"
moves = [{ steps = { smile = 1 } }]

[[keys]]
at = 3.5
seed = 3
caption = "the end"
"""


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    monkeypatch.chdir(tmp_path)
    made = sefa_cli.factorize(TINY, num=4).name({1: "smile"})
    made.save("face.dirs")
    Path("happy.toml").write_text('moves = [{ bundle = "face.dirs", steps = { 0 = 2 } }]')
    return made


def test_key_frames_are_codes_with_moves(bundle: Bundle) -> None:
    Path("story.toml").write_text(STORY)
    story = Storyboard.load("story.toml", "face.dirs")
    assert [key.name for key in story.keys] == [
        "seed 3", "seed 7 + 3:0-1, k 0 +2, smile +1", "the end",
    ]  # fmt: skip
    assert story.seconds == 3.5
    generator = sefa_cli.load_generator(TINY, "cpu")
    first, second, third = (key.code(generator, 0.9) for key in story.keys)
    assert torch.equal(first, codes_from_seeds(generator, [3], 0.5))
    three, seven = codes_from_seeds(generator, [3, 7], 0.9)
    expected = torch.cat([three[:2], seven[2:]])
    expected += 2 * torch.tensor(bundle.directions[0]) + torch.tensor(bundle.directions[1])
    torch.testing.assert_close(second[0], expected)
    assert torch.equal(third[0], three)


def test_the_file_says_all_that_it_was_read_from(bundle: Bundle) -> None:
    """What is read, written and read again is the same, codes that are elsewhere included."""
    Path("story.toml").write_text('ease = "smooth"\n' + STORY + "class = 2\n")
    story = Storyboard.load("story.toml", "face.dirs")
    assert (story.ease, story.keys[-1].label, story.keys[-1].caption) == ("smooth", 2, "the end")
    again = Storyboard.parse(story.to_text(), "again.toml", {})
    assert again.to_text() == story.to_text()
    assert [key.at for key in again.keys] == [0, 2, 3.5]
    text = "[[keys]]\ncodes = 'me.npz'\n[[keys]]\nat = 1\ncodes = 'me.npz'"
    with pytest.raises(SefaError, match=r"me\.npz does not exist"):
        Storyboard.parse(text, "story.toml", {})
    assert Storyboard.parse(text, "story.toml", {}, codes={"me.npz"}).keys[1].source == "me.npz"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("", "has no key frames"),
        ("[[keys]]\nseed = 3", "1 key frame; expected 2"),
        ("[[keys]]\nat = 1\nseed = 3\n[[keys]]\nat = 2\nseed = 3", "first key frame is at 1"),
        ("[[keys]]\nseed = 3\n[[keys]]\nseed = 3", "at 0 seconds follows one at 0"),
        ("[[keys]]\nseed = 3\n[[keys]]\nat = 9999\nseed = 3", "at must be between 0 and 3600"),
        ("[[keys]]\nat = nan\nseed = 3", "at is nan"),
        ("[[keys]]\nat = 'soon'\nseed = 3", "at is 'soon'"),
        ("[[keys]]\nat = 0", "needs a seed or codes"),
        ("[[keys]]\nseed = 3\ncodes = 'a.npz'", "needs a seed or codes"),
        ("[[keys]]\nseed = '3'", "seed is '3'"),
        ("[[keys]]\nseed = -3", "seed -3 is out of range"),
        ("[[keys]]\ncodes = 'a.npz'", "a.npz does not exist"),
        ("[[keys]]\nseed = 3\ntruncation = 9", "truncation must be between"),
        ("[[keys]]\nseed = 3\nmix_from = '7'", "a source and its layers"),
        ("[[keys]]\nseed = 3\nmoves = [{ steps = { 0 = 1 } }]", "moves without a bundle"),
        ("[[keys]]\nseed = 3\nspeed = 1", "unknown key 'speed'"),
        ("[[keys]]\nseed = 3\npreset = 'no.toml'", "no.toml does not exist"),
        ("[[keys]]\nseed = 3\nclass = -1", "class is -1"),
        ("[[keys]]\ncodes = 'face.dirs'\nclass = 1", "codes and a class"),
        ('[[keys]]\nseed = 3\ncaption = "a\\nb"', "caption is"),
        ("ease = 'quick'\n[[keys]]\nseed = 3\n[[keys]]\nat = 1\nseed = 3", "unknown ease 'quick'"),
        ("ease = []\n[[keys]]\nseed = 3\n[[keys]]\nat = 1\nseed = 3", "ease must be a string, got"),
        ("model = 3", "model is 3"),
        ("name = 'a'\nmoves = []", "story.toml is a preset; expected a storyboard"),
    ],
)
def test_what_it_may_not_say(bundle: Bundle, keys: str, said: str) -> None:
    Path("story.toml").write_text(keys)
    with pytest.raises(SefaError, match=said) as refused:
        Storyboard.load("story.toml")
    assert "story.toml" in str(refused.value) or "does not exist" in said


@pytest.mark.parametrize("at", [-1, -0.001, 3600.5, float("nan"), float("inf")])
def test_a_key_frame_is_at_a_time_that_a_film_has(at: float) -> None:
    with pytest.raises(UsageError, match=r"^at must be between 0 and 3600 seconds, got "):
        sefa_cli.Key(at)
