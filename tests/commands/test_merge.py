"""`--shard` and `sefa merge`: the same bytes as one run, and what must be refused."""

import csv
import filecmp
from pathlib import Path

import pytest

from tests.helpers import Sefa

REGION = ("localize", "tiny.pth", "--box", "20,10,8,12", "--size", "32", "--exact-gram")
MASK = ("localize", "tiny.pth", "--mask", "mask.png", "--size", "32", "--exact-gram")
EYES = ("invert", "photos", "--model", "tiny.pth", "--passes", "3")
MEASURE = ("evaluate", "tiny.dirs", "-k", "0-1", "--seeds", "0-10", "--steps", "1", "--scorers",
           "colors")  # fmt: skip
LEARN = ("supervise", "tiny.pth", "--seeds", "0-49", "--share", "0.3", "--scorers", "colors",
         "--attribute", "warmth,brightness")  # fmt: skip


def shards(sefa: Sefa, count: int, *words: str) -> list[str]:
    """Run every shard, the last one first, and return the parts."""
    done = [sefa(*words, "--shard", f"{n}/{count}") for n in range(count, 0, -1)]
    assert [one.exit_code for one in done] == [0] * count, done[0].stderr
    return [one.stdout.split()[-1] for one in done]


@pytest.mark.parametrize(
    "more",
    [
        ["--seeds", "0-4"],
        ["--seeds", "3,9,1", "--stability", "--num", "5"],
        ["--seeds", "0-3", "--tau", "auto", "-L", "auto"],
        ["--seeds", "0-2", "--method", "lowrank", "--trunc", "0.5"],
        ["--codes", "codes.npz"],
    ],
)
def test_directions_of_shards_have_the_bytes_of_one_run(sefa: Sefa, more: list[str]) -> None:
    words = ("edit", "tiny.dirs", "-k", "0", "-a", "1", "--seeds", "0-2", "--save-codes")
    sefa("factorize", "tiny.pth", "-o", "tiny.dirs")
    assert sefa(*words, "codes.npz", "-o", "x.png").exit_code == 0
    assert sefa(*REGION, *more, "-o", "one.dirs").exit_code == 0
    parts = shards(sefa, 3, *REGION, *more, "-o", "a.dirs")
    assert parts == [f"a.dirs.{n}of3.part" for n in (3, 2, 1)] and not Path("a.dirs").exists()
    merged = sefa("merge", *parts, "-o", "a.dirs")
    assert (merged.exit_code, merged.stdout) == (0, "a.dirs\n")
    assert Path("a.dirs").read_bytes() == Path("one.dirs").read_bytes()
    if "--stability" in more:
        assert "of the leading spans" in merged.stderr
    if "auto" in more:
        assert "on a seed left out" in merged.stderr


def test_a_merge_of_directions_needs_no_model(sefa: Sefa) -> None:
    parts = shards(sefa, 2, *REGION, "--seeds", "0-1", "-o", "a.dirs")
    Path("tiny.pth").unlink()
    assert sefa("merge", *parts, "-o", "a.dirs").exit_code == 0
    again = sefa("merge", *parts, "-o", "a.dirs")
    assert again.exit_code == 1 and "a.dirs already exists" in again.stderr
    other = sefa("merge", *parts, "-o", "a.png")
    assert other.exit_code == 2 and ".png files hold pictures" in other.stderr


def test_a_mask_of_the_same_name_with_other_pixels_is_refused(sefa: Sefa) -> None:
    import numpy as np
    from PIL import Image

    parts = []
    for n in (1, 2):
        mask = np.zeros((32, 32), np.uint8)
        mask[8 * n : 8 * n + 8] = 255
        Image.fromarray(mask).save("mask.png")
        done = sefa(*MASK, "--seeds", "0-1", "-o", "a.dirs", "--shard", f"{n}/2")
        assert done.exit_code == 0, done.stderr
        parts.append(done.stdout.strip())
    merged = sefa("merge", *parts, "-o", "a.dirs")
    assert merged.exit_code == 3 and "different jobs: region is" in merged.stderr


def test_an_interrupted_shard_goes_on(sefa: Sefa, monkeypatch: pytest.MonkeyPatch) -> None:
    from sefa_cli.discovery import collect

    words = [*REGION, "--seeds", "0-3", "-o", "a.dirs", "--shard", "1/1", "--resume"]
    real, made = collect.picture_grams, []

    def counted(*args):
        made.append(args[1])
        if len(made) == 3:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(collect, "picture_grams", counted)
    assert sefa(*words).exit_code == 130
    assert Path("a.dirs.1of1.part.partial").exists()
    assert sefa(*words).exit_code == 0 and len(made) == 5
    again = sefa(*words)
    assert (again.exit_code, again.stdout) == (0, "a.dirs.1of1.part\n") and len(made) == 5
    assert "is done already" in again.stderr
    assert not Path("a.dirs.1of1.part.partial").exists()
    other = sefa(*words, "--trunc", "0.5")
    assert other.exit_code == 3 and "made with other options" in other.stderr


def test_codes_of_shards_have_the_bytes_of_one_run(sefa: Sefa) -> None:
    """Also the names, of which one is there twice; a broken photo is told when they are merged."""
    assert sefa("sample", "tiny.pth", "--seeds", "0-2", "-o", "photos").exit_code == 0
    Path("photos/b.jpg").write_text("no picture")
    Path("more").mkdir()
    Path("more/seed0001.png").write_bytes(Path("photos/seed0001.png").read_bytes())
    words = [*EYES[:2], "more", *EYES[2:]]
    assert sefa(*words, "-o", "one.npz").exit_code == 1
    done = [sefa(*words, "-o", "a.npz", "--shard", f"{n}/5", "--resume") for n in range(1, 6)]
    assert [one.exit_code for one in done] == [1, 0, 0, 0, 0]
    again = sefa(*words, "-o", "a.npz", "--shard", "1/5", "--resume")
    assert again.exit_code == 1 and "1 of 1 photos could not be read" in again.stderr
    merged = sefa("merge", *(one.stdout.strip() for one in done), "-o", "a.npz")
    assert (merged.exit_code, merged.stdout) == (1, "a.npz\na.csv\n")
    assert merged.stderr.count("photos/b.jpg is not a picture") == 1
    assert "1 of 5 photos could not be read" in merged.stderr
    assert Path("a.npz").read_bytes() == Path("one.npz").read_bytes()
    texts = [Path(name).read_text().splitlines() for name in ("one.csv", "a.csv")]
    tables = [list(csv.DictReader(lines)) for lines in texts]
    for row in (*tables[0], *tables[1]):
        row.pop("seconds")
    assert tables[0] == tables[1] and tables[0][0]["error"]


def test_a_merge_into_a_folder_of_ones_own_replaces_nothing(sefa: Sefa, bundle: Path) -> None:
    parts = shards(sefa, 1, *MEASURE, "-o", "a")
    Path("holiday").mkdir()
    for name in ("me.jpg", "sheet.png"):
        Path("holiday", name).write_bytes(b"mine")
    merged = sefa("merge", *parts, "-o", "holiday", "--overwrite")
    assert merged.exit_code == 1 and "holds sheet.png, which no evaluation wrote" in merged.stderr
    Path("holiday/sheet.png").unlink()
    assert sefa("merge", *parts, "-o", "holiday", "--overwrite").exit_code == 0
    assert sefa("merge", *parts, "-o", "holiday", "--overwrite").exit_code == 0
    assert Path("holiday/me.jpg").read_bytes() == b"mine"


def test_an_evaluation_of_shards_has_the_bytes_of_one_run(sefa: Sefa, bundle: Path) -> None:
    more = ["--write-labels", "--calibrate", "--distortion", "2"]
    assert sefa(*MEASURE, *more, "-o", "one").exit_code == 0
    parts = [
        sefa(*MEASURE, *more, "-o", "a", "--cache", f"own{n}", "--shard", f"{n}/3").stdout.strip()
        for n in (1, 2, 3)
    ]
    assert not Path("a").exists()
    assert sefa("merge", *parts, "-o", "a").stdout == "a/index.html\na/tiny_named_calibrated.dirs\n"
    compared = filecmp.dircmp("one", "a")
    assert not compared.left_only + compared.right_only
    assert not filecmp.cmpfiles("one", "a", compared.common_files, shallow=False)[1]
    assert len(list(Path("a/cache").rglob("*.npz"))) == 11


def test_an_evaluation_is_not_merged_with_other_scorers(
    sefa: Sefa, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = shards(sefa, 1, *MEASURE, "-o", "a")
    monkeypatch.setattr("sefa_cli.evaluation.scorers.color_scores.version", 99, raising=False)
    merged = sefa("merge", *parts, "-o", "b")
    assert merged.exit_code == 3 and "measured with other scorers" in merged.stderr


@pytest.mark.parametrize(
    ("command", "count"), [("sample tiny.pth", 5), ("edit tiny.dirs -k 0-1", 40)]
)
def test_pictures_of_shards_are_those_of_one_run(sefa: Sefa, command: str, count: int) -> None:
    assert sefa("factorize", "tiny.pth", "-o", "tiny.dirs", "--overwrite").exit_code == 0
    words = [*command.split(), "--seeds", "0-4", "--noise-mode", "random", "-o"]
    assert sefa(*words, "one").exit_code == 0
    for n in (1, 2):
        assert sefa(*words, "a", "--shard", f"{n}/2").exit_code == 0
    names = sorted(path.name for path in Path("one").iterdir())
    assert filecmp.cmpfiles("one", "a", names, shallow=False)[0] == names and len(names) == count


def test_directions_of_shared_scores_are_those_of_one_run(
    sefa: Sefa, monkeypatch: pytest.MonkeyPatch
) -> None:
    sefa("factorize", "tiny.pth", "--num", "3", "-o", "three.dirs")
    words = [*LEARN, "--condition", "three.dirs", "-L", "2-5", "--trunc", "0.5"]
    whole = sefa(*words, "-o", "one.dirs")
    parts = shards(sefa, 3, *words, "-o", "a.dirs")
    assert sefa(*words, "-o", "a.dirs", "--shard", "2/3", "--resume").stdout.split() == parts[1:2]
    other = sefa(*LEARN, "-o", "a.dirs", "--shard", "2/3", "--resume")
    assert other.exit_code == 3 and "made with other options" in other.stderr
    Path("three.dirs").unlink()
    merged = sefa("merge", *parts, "-o", "a.dirs")
    assert merged.exit_code == 0 and filecmp.cmp("one.dirs", "a.dirs", shallow=False), merged.stderr
    assert merged.stderr.splitlines()[-2:] == whole.stderr.splitlines()[-2:]
    monkeypatch.setattr("sefa_cli.evaluation.scorers.color_scores.version", 99, raising=False)
    refused = sefa("merge", *parts, "-o", "b.dirs")
    assert refused.exit_code == 3 and "measured with other scorers" in refused.stderr


def test_a_shard_of_pictures_goes_on(sefa: Sefa, monkeypatch: pytest.MonkeyPatch) -> None:
    from sefa_cli.rendering.samples import Samples

    words = ["sample", "tiny.pth", "--seeds", "0-4", "-o", "a", "--shard", "2/2", "--resume"]
    real, made = Samples.one, []

    def counted(self, i):
        made.append(i)
        if len(made) == 2:
            raise KeyboardInterrupt
        return real(self, i)

    monkeypatch.setattr(Samples, "one", counted)
    assert sefa(*words).exit_code == 130
    three = [f"a/seed{n:04}.png" for n in (2, 3, 4)]
    assert sefa(*words).stdout.split() == three and len(made) == 4
    assert sefa(*words).stdout.split() == three and len(made) == 4
    assert sorted(map(str, Path("a").iterdir())) == three
    for other in (["--trunc", "0.5"], ["--size", "16"], ["--noise-mode", "random"]):
        refused = sefa(*words, *other)
        assert refused.exit_code == 3 and "a/seed0002.png is there, made with" in refused.stderr
    Path(three[0]).write_bytes(Path(three[0]).read_bytes()[:-40])  # broken off
    assert sefa(*words).exit_code == 3
    assert sefa(*words, "--overwrite").stdout.split() == three and len(made) == 7
    sheet = sefa("sample", "tiny.pth", "-o", "a.png", "--resume")
    assert sheet.exit_code == 2 and "cannot resume a sheet" in sheet.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([*REGION, "-o", "a.dirs", "--shard", "0/2"], "must be a share such as 2/8"),
        ([*REGION, "-o", "a.dirs", "--shard", "1/6"], "6 shards for 5 items; expected at most 5"),
        ([*REGION, "-o", "a.dirs", "--shard", "1/2", "--per-seed"], "bundles for each seed"),
        ([*REGION, "-o", "a.dirs", "--shard", "1/2", "--save-jacobian", "j.npy"], "all seeds"),
        ([*REGION, "--preview", "p.png", "--shard", "1/2"], "--shard and --preview cannot be used"),
        ([*REGION, "--space", "w+", "-o", "a.png", "--shard", "1/2"], ".png files hold pictures"),
        (
            ["localize", "tiny.pth", "--box", "20,10,8,12", "--size", "32", "--sketch", "8",
             "-o", "a.dirs", "--shard", "1/2"],
            "expected all derivatives, with --exact-gram",
        ),
        (["invert", "tiny.png", "-m", "tiny.pth", "-o", "a.npz", "--shard", "1/2"], "for 1 item;"),
        (
            ["invert", "tiny.png", "-m", "tiny.pth", "-o", "a.npz", "--shard", "1/1",
             "--sheet", "s.png"],
            "--shard and --sheet",
        ),
        ([*MEASURE, "-o", "a", "--shard", "1/2", "--json"], "--shard and --json"),
        ([*MEASURE, "-o", "a", "--shard", "1/12"], "12 shards for 11 items"),
        (["sample", "tiny.pth", "-o", "a.png", "--shard", "1/2"], "expected a folder: -o DIR"),
        (["sample", "tiny.pth", "-o", "a", "--seed", "1", "--shard", "1/2"], "for 1 item;"),
        ([*LEARN, "-o", "a.dirs", "--shard", "1/51"], "51 shards for 50 items"),
        ([*LEARN, "-o", "a.dirs", "--shard", "1/2", "--scores", "s.npz"], "--shard and --scores"),
        (["edit", "tiny.dirs", "-k", "0", "-o", "a.png", "--shard", "1/2"], "expected a folder"),
        (["edit", "tiny.dirs", "-k", "0", "-o", "a", "--shard", "1/6"], "6 shards for 5 items"),
        (
            ["edit", "tiny.dirs", "-k", "0", "-o", "a", "--shard", "1/2", "--save-codes", "c.npz"],
            "--shard and --save-codes cannot be used together",
        ),
        (["merge", "tiny.dirs", "-o", "a.dirs"], "tiny.dirs is not a part of a job"),
        (["merge", "-o", "a.dirs"], "PART… is missing"),
    ],
)  # fmt: skip
def test_what_cannot_be_shared_out_is_refused(
    sefa: Sefa, bundle: Path, words: list[str], said: str
) -> None:
    assert sefa("sample", "tiny.pth", "--seed", "0", "-o", "tiny.png").exit_code == 0
    done = sefa(*words)
    assert done.exit_code in (1, 2) and said in done.stderr, done.stderr
    assert not list(Path().glob("*.part"))


def test_the_few_passes_of_a_real_model_cannot_be_shared_out(
    sefa: Sefa, default_model: Path
) -> None:
    words = ("localize", str(default_model), "--box", "0.4,0.3,0.1,0.4", "-o", "a.dirs")
    done = sefa(*words, "--shard", "1/5")
    assert done.exit_code == 2 and "with --exact-gram" in done.stderr
