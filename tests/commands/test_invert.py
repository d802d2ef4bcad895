"""`sefa invert`: a folder is a batch, a broken photo stops nothing, an interrupt keeps codes."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from sefa_cli.inversion.how import How
from sefa_cli.inversion.invert import Inverter
from tests.helpers import CONTAINERS, Sefa

QUICK = ("--model", "tiny.pth", "-o", "codes.npz", "--passes", "3")


@pytest.fixture
def photos(sefa: Sefa) -> Path:
    """A folder with two pictures of the small model."""
    assert sefa("sample", "tiny.pth", "--seeds", "0-1", "-o", "photos").exit_code == 0
    return Path("photos")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default a code is looked for in three passes."""
    _, _, *others = How.__init__.__defaults__
    monkeypatch.setattr(How.__init__, "__defaults__", (None, 3, *others))


def test_the_photos_names_are_those_of_their_edits(sefa: Sefa, photos: Path, bundle: Path) -> None:
    done = sefa("invert", "photos", *QUICK, "--sheet", "sheet.png")
    assert done.exit_code == 0 and done.stdout.split() == ["codes.npz", "codes.csv", "sheet.png"]
    assert "seed0000: loss" in done.stderr and " dB" in done.stderr
    words = ("edit", "tiny.dirs", "-k", "3", "-a", "2", "--codes", "codes.npz", "-o", "edited")
    assert sefa(*words).exit_code == 0
    names = sorted(path.name for path in Path("edited").iterdir())
    assert names == ["code0000_seed0000_k3_+2.00.png", "code0001_seed0001_k3_+2.00.png"]


def test_a_broken_photo_does_not_stop_the_rest(sefa: Sefa, photos: Path) -> None:
    (photos / "a.jpg").write_text("no picture")
    done = sefa("invert", "photos", *QUICK)
    assert done.exit_code == 1
    assert "photos/a.jpg is not a picture" in done.stderr
    assert "1 of 3 photos could not be read. codes.npz holds the others." in done.stderr
    assert list(np.load("codes.npz")["names"]) == ["seed0000", "seed0001"]
    broken, *read = csv.DictReader(Path("codes.csv").read_text().splitlines())
    assert broken["photo"] == broken["error"].split()[0] == "photos/a.jpg" and not broken["psnr"]
    assert [row["name"] for row in read] == ["seed0000", "seed0001"]
    assert all(float(row["psnr"]) > 0 and float(row["seconds"]) >= 0 for row in read)
    assert all(f"{row['name']}: loss {row['loss']}, " in done.stderr for row in read)


def test_no_photo_can_be_read(sefa: Sefa, workplace: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        Path(name).write_text("no picture")
    done = sefa("invert", "a.jpg", "b.jpg", *QUICK)
    assert done.exit_code == 1 and "no photo could be read" in done.stderr
    alone = sefa("invert", "a.jpg", *QUICK)
    assert alone.exit_code == 1 and alone.stderr.startswith("sefa: a.jpg is not a picture")
    assert alone.stderr.count("\n") == 1
    assert not Path("codes.npz").exists()


def test_an_interrupted_batch_goes_on(
    sefa: Sefa, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sefa("invert", "photos", *QUICK).exit_code == 0
    whole = Path("codes.npz").read_bytes()
    find, searched = Inverter.find, []

    def once(self: Inverter, photo, report):
        searched.append(photo.name)
        if len(searched) == 2:
            raise KeyboardInterrupt
        return find(self, photo, report)

    monkeypatch.setattr(Inverter, "find", once)
    stopped = sefa("invert", "photos", *QUICK, "--overwrite")
    assert stopped.exit_code == 130
    assert "codes.npz.partial keeps 1 of 2 codes" in stopped.stderr
    other = sefa("invert", "photos", *QUICK[:-1], "4", "--overwrite", "--resume")
    assert other.exit_code == 1 and "other options" in other.stderr
    assert "the same model and options" in other.stderr
    assert sefa("invert", "photos", *QUICK, "--overwrite", "--resume").exit_code == 0
    assert searched == ["seed0000", "seed0001", "seed0001"]
    assert Path("codes.npz").read_bytes() == whole and not Path("codes.npz.partial").exists()


def test_a_photo_is_never_written_over(sefa: Sefa, photos: Path) -> None:
    photo = (photos / "seed0000.png").rename(photos / "me.npz")
    before = photo.read_bytes()
    words = ("invert", str(photo), "--model", "tiny.pth", "--overwrite")
    for written in (("-o", "photos/../photos/me.npz"), ("-o", "x.npz", "--sheet", "photos/me.png")):
        (photos / "me.png").unlink(missing_ok=True)
        (photos / "me.png").symlink_to("me.npz")
        done = sefa(*words, *written)
        assert done.exit_code == 2 and "is one of the photos" in done.stderr
        assert photo.read_bytes() == before


def test_codes_of_an_interrupted_batch_are_not_thrown_away(sefa: Sefa, photos: Path) -> None:
    partial = Path("codes.npz.partial")
    partial.write_bytes(b"codes")
    done = sefa("invert", "photos", *QUICK)
    assert (
        done.exit_code == 1 and "codes.npz.partial is there from an interrupted run" in done.stderr
    )
    assert "--resume" in done.stderr and "--overwrite" in done.stderr
    assert partial.read_bytes() == b"codes"
    assert sefa("invert", "photos", *QUICK, "--overwrite").exit_code == 0 and not partial.exists()


def test_a_bundle_of_another_model_is_refused_before_the_search(sefa: Sefa, photos: Path) -> None:
    shutil.copy(CONTAINERS / "ckpt_hammer_stylegan2.pth", "other.pth")
    assert sefa("factorize", "other.pth", "-o", "other.dirs").exit_code == 0
    done = sefa("invert", "photos", *QUICK, "--report", "page", "--dirs", "other.dirs")
    assert done.exit_code == 3 and "the bundle belongs to other.pth" in done.stderr
    assert not Path("page").exists() and not Path("codes.npz").exists()


def test_capitals_in_the_name_of_the_codes(sefa: Sefa, photos: Path) -> None:
    words = ("invert", str(photos / "seed0000.png"), "--model", "tiny.pth", "--passes", "1")
    assert sefa(*words, "-o", "CODES.NPZ").exit_code == 0
    codes = ("sample", "tiny.pth", "--codes", "CODES.NPZ", "-o", "again.png")
    assert sefa(*codes).exit_code == 0


@pytest.mark.parametrize(
    ("words", "code", "found"),
    [
        (("photos", "--model", "tiny.pth", "-o", "codes.pt"), 2, "a name that ends in .npz"),
        (("none.jpg", *QUICK), 1, "none.jpg does not exist"),
        (("photos", *QUICK, "--space", "s"), 2, "unknown space 's'"),
        (("photos", *QUICK[:-1], "0"), 2, "--passes must be 1 or more"),
        (
            ("photos", *QUICK, "--sheet", "sheet.txt"),
            2,
            "sheet.txt: .txt files hold text",
        ),
        (("photos", *QUICK, "--report", "photos"), 1, "photos already exists"),
        (("photos", *QUICK, "--report", "p", "--shard", "1/2"), 2, "--shard and --report cannot"),
        (("photos", *QUICK, "--dirs", "x.dirs"), 2, "--dirs has no effect without --report"),
        (("photos", *QUICK, "--report", "page", "--dirs", "x.dirs"), 1, "x.dirs does not exist"),
        (("photos", *QUICK, "--resume"), 1, "codes.npz.partial does not exist"),
        (("photos", "--model", "tiny.pth"), 2, "--output is missing"),
    ],
)
def test_words_that_are_refused(
    sefa: Sefa, photos: Path, words: tuple[str, ...], code: int, found: str
) -> None:
    done = sefa("invert", *words)
    assert done.exit_code == code and found in done.stderr
    assert not Path("codes.npz").exists()


def test_an_edit_starts_from_a_photo_and_remembers_its_code(
    sefa: Sefa, photos: Path, bundle: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("edit", "tiny.dirs", "-k", "3", "-a", "2", "-o", "edited")
    photo = str(photos / "seed0001.png")
    first = sefa(*words, "--photo", photo)
    assert first.exit_code == 0 and first.stdout.split() == [
        "edited/code0000_seed0001_k3_+2.00.png"
    ]
    picture = Path("edited/code0000_seed0001_k3_+2.00.png").read_bytes()
    monkeypatch.delattr(Inverter, "find")
    assert sefa(*words, "--photo", photo, "--overwrite").exit_code == 0
    assert Path("edited/code0000_seed0001_k3_+2.00.png").read_bytes() == picture
    (code,) = Path("cache/codes").iterdir()
    code.write_bytes(b"broken")
    with pytest.raises(AttributeError, match="find"):
        sefa(*words, "--photo", photo, "--overwrite")


@pytest.mark.parametrize(
    ("command", "output"),
    [(("edit", "-a", "2"), "x.png"), (("animate", "--frames", "2"), "x.gif")],
)
def test_a_broken_photo_does_not_stop_an_edit(
    sefa: Sefa, photos: Path, bundle: Path, quick: None, command: tuple[str, ...], output: str
) -> None:
    """A shell makes several words of `--photo photos/*`."""
    (photos / "a.jpg").write_text("no picture")
    several = sorted(map(str, photos.iterdir()))
    done = sefa(*command, "--photo", *several, "tiny.dirs", "-k", "3", "-o", output)
    assert done.exit_code == 1 and "photos/a.jpg is not a picture" in done.stderr
    assert "1 of 3 photos could not be read. The others were edited." in done.stderr
    assert Path(output).exists() and done.stdout.split() == [output]
    alone = sefa(*command, "tiny.dirs", "--photo", several[0], "-k", "3", "-o", f"other{output}")
    assert alone.exit_code == 1 and alone.stderr.startswith("sefa: photos/a.jpg is not a picture")


def test_an_interrupted_edit_of_photos_goes_on(
    sefa: Sefa, photos: Path, bundle: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    find, searched = Inverter.find, []

    def once(self: Inverter, photo, report, watch):
        searched.append(photo.name)
        if len(searched) == 2:
            report(1, 0.5)
            raise KeyboardInterrupt
        return find(self, photo, report)

    monkeypatch.setattr(Inverter, "find", once)
    words = ("edit", "tiny.dirs", "-k", "3", "-a", "2", "-o", "x.png", "--photo", "photos")
    stopped = sefa(*words)
    assert stopped.exit_code == 130 and "the same command goes on" in stopped.stderr
    assert sefa(*words).exit_code == 0
    assert searched == ["seed0000", "seed0001", "seed0001"]


@pytest.mark.parametrize(
    ("words", "code", "found"),
    [
        (("--photo", "none.jpg"), 1, "none.jpg does not exist"),
        (("--photo", "tiny.dirs"), 1, "tiny.dirs is not a picture"),
        (("--align",), 2, "--align has no effect without --photo"),
        (("--photo", "photos", "--face", "1"), 2, "--face has no effect without --align\n"),
        (("--photo", "photos", "--seeds", "1"), 2, "--photo and --seeds cannot be used together"),
    ],
)
def test_photos_that_are_refused(
    sefa: Sefa, photos: Path, bundle: Path, words: tuple[str, ...], code: int, found: str
) -> None:
    for command in (("edit", "-a", "2", "-o", "x.png"), ("animate", "-o", "x.gif")):
        done = sefa(*command, "tiny.dirs", "-k", "3", *words)
        assert done.exit_code == code and found in done.stderr
    assert not Path("x.png").exists() and not Path("x.gif").exists()


def test_a_tuned_model_belongs_to_the_codes(sefa: Sefa, photos: Path, bundle: Path) -> None:
    done = sefa("invert", "photos", *QUICK, "--tune", "--loss", "pixels")
    assert done.exit_code == 0
    assert done.stdout.split() == ["codes.npz", "codes.tuned.safetensors", "codes.csv"]
    assert "seed0001, tuned: loss" in done.stderr
    words = ("tiny.dirs", "-k", "3", "-a", "2", "--codes", "codes.npz", "-o")
    own = ("--model", "codes.tuned.safetensors")
    assert sefa("edit", *words, "tuned", *own).exit_code == 0
    assert sefa("edit", *words, "plain").exit_code == 0
    tuned, plain = (sorted(Path(folder).iterdir())[0].read_bytes() for folder in ("tuned", "plain"))
    assert tuned != plain
    for line in (("sample", own[1], "--seeds", "0", "-o", "s.png"), ("inspect", own[1])):
        assert sefa(*line).exit_code == 0
    again = sefa(
        "invert", "photos", "--model", "tiny.pth", "-o", "b.npz", "--tune", "--shard", "1/2"
    )
    assert again.exit_code == 2 and "--shard and --tune cannot be used together" in again.stderr
    Path("b.tuned.safetensors").write_bytes(b"mine")
    again = sefa("invert", "photos", "--model", "tiny.pth", "-o", "b.npz", "--tune")
    assert again.exit_code == 1 and "b.tuned.safetensors already exists" in again.stderr
