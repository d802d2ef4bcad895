"""Between faces: `--mix-from`, `--preset`, `--from … --to …` and `--storyboard`."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sefa_cli
from sefa_cli.interchange.notes import read_note
from tests.helpers import Sefa


def pictures(folder: str) -> list[np.ndarray]:
    return [np.asarray(Image.open(path)) for path in sorted(Path(folder).iterdir())]


def test_a_film_in_which_nothing_moves_is_refused(sefa: Sefa) -> None:
    Path("still.toml").write_text(
        'model = "tiny.pth"\n[[keys]]\nseed = 3\n[[keys]]\nat = 1\nseed = 3\n'
    )
    said = sefa("animate", "--storyboard", "still.toml", "-o", "a.gif").stderr
    assert "nothing moves: all key frames show the same face" in said and not Path("a.gif").exists()


def test_mixed_pictures_say_so_and_are_made_again(sefa: Sefa, bundle: Path) -> None:
    mix = ["--seeds", "3", "--mix-from", "7:2-5"]
    assert sefa("sample", "tiny.pth", *mix, "-o", "mixed").exit_code == 0
    assert sefa("edit", "tiny.dirs", "--k", "0", "-a", "0", *mix, "-o", "same").exit_code == 0
    np.testing.assert_array_equal(pictures("mixed"), pictures("same"))
    about, code = read_note("mixed/seed0003.png")
    assert (about["seed"], about["mixed"]) == (3, "7:2-5")
    words = ["--codes", "mixed/seed0003.png", "-o", "again"]
    assert sefa("sample", "tiny.pth", *words).exit_code == 0
    np.testing.assert_array_equal(pictures("mixed"), pictures("again"))
    said = sefa("inspect", "mixed/seed0003.png").stdout
    assert "7:2-5" in said
    generator = sefa_cli.load_generator("tiny.pth", "cpu")
    own = sefa_cli.sample(generator, seeds=3, mix_from="7:2-5").scene.start.codes
    np.testing.assert_array_equal(code, own.numpy())


def test_a_preset_makes_the_same_moves(sefa: Sefa, bundle: Path) -> None:
    words = ["-k", "0", "-a", "2", "-k", "2", "-a", "-1", "-L", "1-3", "--seeds", "3"]
    kept = sefa("edit", "tiny.dirs", *words, "--save-preset", "my/turned.toml", "-o", "first")
    assert kept.stdout.splitlines()[-1] == "my/turned.toml"
    made = sefa("edit", "--preset", "my/turned.toml", "--seeds", "3", "-o", "second")
    assert made.stdout == "second/seed0003_turned.png\n", made.stderr
    np.testing.assert_array_equal(pictures("first"), pictures("second"))
    (first,), (second,) = Path("first").iterdir(), Path("second").iterdir()
    assert read_note(first)[0] == read_note(second)[0]
    sheet = sefa("edit", "tiny.dirs", "--preset", "my/turned.toml")
    assert sheet.stdout == "turned.png\n"


def test_a_preset_of_two_bundles(sefa: Sefa, bundle: Path) -> None:
    assert sefa("factorize", "tiny.pth", "-L", "0-1", "-o", "low.dirs").exit_code == 0
    Path("both.toml").write_text(
        'moves = [{ bundle = "low.dirs", steps = { 1 = 2 } }, '
        '{ bundle = "tiny.dirs", steps = { 0 = -1.5 } }]'
    )
    assert sefa("edit", "--preset", "both.toml", "--seeds", "3", "-o", "both").exit_code == 0
    words = ["low.dirs", "-k", "1", "-a", "2", "--seeds", "3", "--save-codes", "low.npz"]
    assert sefa("edit", *words).exit_code == 0
    words = ["tiny.dirs", "-k", "0", "-a", "-1.5", "--codes", "low.npz", "-o", "chain"]
    assert sefa("edit", *words).exit_code == 0
    np.testing.assert_array_equal(pictures("both"), pictures("chain"))
    said = sefa("edit", "tiny.dirs", "--preset", "both.toml").stderr
    assert "both.toml needs several bundles, and one is given" in said


def test_from_one_face_to_another(sefa: Sefa, bundle: Path) -> None:
    words = ["--from", "3", "--to", "7", "--frames", "4", "-o"]
    assert sefa("animate", "tiny.pth", *words, "model").exit_code == 0
    assert sefa("animate", "tiny.dirs", *words, "bundle").exit_code == 0
    assert sefa("animate", "--model", "tiny.pth", *words, "alone").exit_code == 0
    assert sefa("sample", "tiny.pth", "--seeds", "3,7", "-o", "ends").exit_code == 0
    frames, ends = pictures("model"), pictures("ends")
    np.testing.assert_array_equal(frames, pictures("bundle"))
    np.testing.assert_array_equal(frames, pictures("alone"))
    np.testing.assert_array_equal([frames[0], frames[3]], ends)


def test_a_storyboard(sefa: Sefa, bundle: Path) -> None:
    Path("story.toml").write_text(
        "[[keys]]\nseed = 3\n[[keys]]\nat = 0.5\nseed = 7\n"
        'moves = [{ bundle = "tiny.dirs", steps = { 0 = 2 } }]\n'
    )
    result = sefa("animate", "--storyboard", "story.toml", "--fps", "8", "-o", "film")
    assert (result.exit_code, result.stdout) == (0, "film\n"), result.stderr
    assert (
        sefa("edit", "tiny.dirs", "-k", "0", "-a", "2", "--seeds", "7", "-o", "end").exit_code == 0
    )
    frames = pictures("film")
    assert len(frames) == 5
    np.testing.assert_array_equal(frames[-1], pictures("end")[0])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["edit", "tiny.dirs", "-k", "0", "--mix-from", "7"], "a source and its layers"),
        (["edit", "tiny.dirs", "-k", "0", "--mix-from", "7:99"], "layer 99 is out of range"),
        (["sample", "tiny.pth", "--mix-from", "x:1"], "x does not exist"),
        (["edit", "--preset", "no.toml"], "no.toml does not exist"),
        (["edit", "--preset", "p.toml", "-k", "0"], "--k and --preset cannot be used together"),
        (["edit", "--preset", "p.toml", "-L", "0"], "--layers and --preset cannot be"),
        (["edit", "tiny.dirs", "-k", "0", "--save-preset", "p.toml"], "--save-preset with 4 moves"),
        (["edit", "-a", "2"], "sefa edit face.dirs -a 2 --k 3"),
        (["animate", "-o", "a.gif"], "X.dirs and --k are missing"),
        (["animate", "--from", "3", "-o", "a.gif"], "--from and --to need each other"),
        (["animate", "--from", "3", "--to", "7", "-o", "a.gif"], "need a model"),
        (["animate", "tiny.pth", "--from", "3", "--to", "3-5", "-o", "a.gif"], "several seeds"),
        (["animate", "no.pth", "--from", "3", "--to", "7", "-o", "a.gif"], "no.pth"),
        (
            ["animate", "tiny.dirs", "--from", "3", "--to", "7", "-k", "0", "-o", "a.gif"],
            "--k and --from cannot be used together",
        ),
        (
            ["animate", "--storyboard", "s.toml", "--frames", "9", "-o", "a.gif"],
            "--frames and --storyboard cannot be used together",
        ),
        (["animate", "--storyboard", "no.toml", "-o", "a.gif"], "no.toml does not exist"),
    ],
)
def test_refused_in_one_line(sefa: Sefa, bundle: Path, words: list[str], said: str) -> None:
    result = sefa(*words)
    assert result.exit_code in (1, 2) and result.stdout == ""
    assert said in result.stderr and len(result.stderr.splitlines()) == 1
