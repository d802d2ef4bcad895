"""`sefa edit`: works with no more than the bundle, and its outputs are what they say."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file
from typer.testing import Result

import sefa_cli
from sefa_cli.bundle.bundle import Bundle
from tests.helpers import GOLDEN, Sefa


def written(result: Result) -> list[Path]:
    """The paths a command printed, each of which must exist."""
    assert result.exit_code == 0, result.stderr
    paths = [Path(line) for line in result.stdout.splitlines()]
    assert paths and all(path.exists() for path in paths)
    return paths


def test_the_users_own_words(sefa: Sefa, bundle: Path) -> None:
    first = written(sefa("edit", "--dirs", "tiny.dirs", "--k", "3", "--alpha", "2"))
    again = written(sefa("edit", "--dirs", "tiny.dirs", "--k", "3", "--alpha", "2"))
    assert [first[0].name, again[0].name] == ["tiny_k3_+2.00.png", "tiny_k3_+2.00-2.png"]
    assert first[0].read_bytes() == again[0].read_bytes()


def test_after_the_bundle_was_moved(sefa: Sefa, bundle: Path, workplace: Path) -> None:
    """The model is found again in the folder the command runs in, or through the cache's index."""
    (workplace / "elsewhere").mkdir()
    shutil.move("tiny.dirs", "elsewhere/car.dirs")
    written(sefa("edit", "--dirs", "elsewhere/car.dirs", "--k", "3", "--alpha", "2"))
    (workplace / "models").mkdir()
    shutil.move("tiny.pth", "elsewhere/tiny.pth")
    written(sefa("edit", "--dirs", "elsewhere/car.dirs", "--k", "3", "--alpha", "2"))


def test_found_through_the_index(
    sefa: Sefa, bundle: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = workplace / "other"
    other.mkdir()
    shutil.move("tiny.dirs", other / "tiny.dirs")
    monkeypatch.chdir(other)  # neither here nor beside the bundle, but known since `factorize`
    written(sefa("edit", "--dirs", "tiny.dirs", "--k", "3", "--alpha", "2"))


def test_a_folder_gets_a_picture_each(sefa: Sefa, bundle: Path) -> None:
    options = ["--k", "3", "--alpha", "-2,2", "--seeds", "0,3", "-o", "out"]
    names = [path.name for path in written(sefa("edit", "--dirs", "tiny.dirs", *options))]
    assert names == [
        "seed0000_k3_-2.00.png", "seed0003_k3_-2.00.png",
        "seed0000_k3_+2.00.png", "seed0003_k3_+2.00.png",
    ]  # fmt: skip
    again = written(sefa("edit", "--dirs", "tiny.dirs", *options))
    assert again[0].name == "seed0000_k3_-2.00-2.png"  # automatic names never collide
    assert len(written(sefa("edit", "--dirs", "tiny.dirs", *options, "--overwrite"))) == 4
    assert len(list(Path("out").iterdir())) == 8


def test_pictures_are_the_published_ones_moved(sefa: Sefa, bundle: Path) -> None:
    """α = 0 gives the published picture; α moves exactly the codes of the bundle's layers."""
    options = ["--k", "3", "--alpha", "0", "--seeds", "0", "--trunc", "1", "-o", "out"]
    path = written(sefa("edit", "--dirs", "tiny.dirs", *options))[0]
    generator = sefa_cli.load_generator("tiny.pth", "cpu")
    image = generator.synthesize(generator.map(generator.sample([0])))[0].numpy()
    expected = np.rint((image.clip(-1, 1) + 1) * 127.5).astype(np.uint8).transpose(1, 2, 0)
    np.testing.assert_array_equal(np.asarray(Image.open(path)), expected)


def test_codes_are_kept_and_read_back(sefa: Sefa, bundle: Path) -> None:
    common = ["--dirs", "tiny.dirs", "--k", "3"]
    one = sefa(
        "edit", *common, "--seeds", "0-1", "--alpha", "2", "-o", "a", "--save-codes", "moved.npz"
    )
    assert written(one)[-1] == Path("moved.npz")
    with np.load("moved.npz") as archive:
        assert archive.files == ["w"] and archive["w"].shape == (2, 8, 32)
        assert archive["w"].dtype == np.float32
    two = sefa("edit", *common, "--alpha", "0", "--codes", "moved.npz", "-o", "b")
    names = [path.name for path in written(two)]
    assert names == ["code0000_k3_+0.00.png", "code0001_k3_+0.00.png"]
    for a, b in zip(written(one)[:2], written(two), strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(a)), np.asarray(Image.open(b)))


def test_layers_override(sefa: Sefa, bundle: Path) -> None:
    options = ["--k", "0", "--alpha", "3", "--seeds", "0", "-o", "a", "--save-codes"]
    sefa("edit", "--dirs", "tiny.dirs", *options, "all.npz")
    sefa("edit", "--dirs", "tiny.dirs", *options, "some.npz", "-L", "2-3")
    sefa("edit", "--dirs", "tiny.dirs", *options[:3], "0", *options[4:], "none.npz")
    codes = {name: np.load(f"{name}.npz")["w"][0] for name in ("all", "some", "none")}
    moved = np.abs(codes["some"] - codes["none"]).max(axis=1) > 0
    assert moved.tolist() == [False, False, True, True, False, False, False, False]
    step = 3 * Bundle.load("tiny.dirs").directions[0]
    np.testing.assert_allclose(codes["all"] - codes["none"], np.tile(step, (8, 1)), atol=1e-5)


def test_sheet_to_stdout_and_bundle_from_stdin(
    process: Callable[..., CompletedProcess[bytes]], bundle: Path
) -> None:
    data = bundle.read_bytes()
    bundle.unlink()
    words = ["edit", "--dirs", "-", "--k", "3", "--alpha", "2", "--seeds", "0", "-o", "-"]
    done = process(*words, input=data)
    assert done.returncode == 0, done.stderr
    sheet = Image.open(io.BytesIO(done.stdout))
    assert sheet.width >= 64 and sheet.height >= 32


def test_noise_modes(sefa: Sefa, bundle: Path) -> None:
    pictures = {}
    for mode in ("const", "random", "none"):
        options = ["--k", "3", "--alpha", "0", "--seeds", "5", "-o", mode, "--noise-mode", mode]
        first, again = (
            written(sefa("edit", "--dirs", "tiny.dirs", *options))[0].read_bytes() for _ in range(2)
        )
        assert first == again  # random noise is seeded by the seed
        pictures[mode] = first
    assert len(set(pictures.values())) == 3


def test_size_is_exact(sefa: Sefa, bundle: Path) -> None:
    options = ["--k", "3", "--alpha", "0", "--seeds", "0", "--trunc", "1", "--size", "16"]
    path = written(sefa("edit", "--dirs", "tiny.dirs", *options, "-o", "small"))[0]
    generator = sefa_cli.load_generator("tiny.pth", "cpu")
    full = generator.synthesize(generator.map(generator.sample([0])))[0].numpy()
    mean = full.reshape(3, 16, 2, 16, 2).mean(axis=(2, 4))
    expected = (mean.clip(-1, 1) + 1) * 127.5
    seen = np.asarray(Image.open(path)).transpose(2, 0, 1)
    assert seen.shape == (3, 16, 16) and np.abs(seen - expected).max() < 0.51


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--k", "32", "--alpha", "1"], 2, "direction 32 is out of range; expected 0-31"),
        (["--k", "3", "--alpha", "nan"], 2, "alpha must be finite, got nan"),
        (["--k", "3", "--alpha", "inf"], 2, "alpha must be finite, got inf"),
        (["--k", "smile", "--alpha", "1"], 2, "smile"),
        (["--k", "3", "--alpha", "1", "-L", "8"], 2, "layer 8 is out of range; expected 0-7"),
        (["--k", "3", "--alpha", "1", "--seeds", "a"], 2, "--seeds must be a range, got 'a'"),
        (["--k", "3", "--alpha", "1", "--seeds", "4294967296"], 2, "seed 4294967296 is out of"),
        (["--k", "3", "--alpha", "1", "-o", "tiny.pth/a.png"], 1, "part of its path is a file"),
        (["--k", "3", "--alpha", "1", "-o", "a.tiff"], 2, "files hold pictures of another format"),
        (["--k", "3", "--alpha", "1", "--noise-mode", "loud"], 2, "const, random or none"),
        (["--k", "3", "--alpha", "1", "--device", "abacus"], 2, "unknown device 'abacus'"),
        (["--k", "3", "--alpha", "1", "--class", "0"], 2, "the model has no classes"),
        (["--k", "3", "--alpha", "1", "--rotate", "4"], 2, "--rotate cannot be used with a"),
        (["--k", "3", "--alpha", "1", "--codes", "none.npz"], 1, "none.npz"),
        (["--k", "3", "--alpha", "1", "--trunc-layers", "8"], 2, "out of range; expected 0-7"),
    ],
)
def test_refuses_in_one_line(
    sefa: Sefa, bundle: Path, words: list[str], code: int, said: str
) -> None:
    result = sefa("edit", "--dirs", "tiny.dirs", *words)
    assert said in result.stderr
    assert result.exit_code == code and result.stdout == ""


@pytest.mark.parametrize(
    "content",
    [
        {"w": np.zeros((1, 8, 31), np.float32)},
        {"w": np.zeros((1, 7, 32), np.float32)},
        {"w": np.zeros((0, 8, 32), np.float32)},
        {"w": np.full((1, 8, 32), np.nan, np.float32)},
        {"w": np.array([{"an": "object"}], dtype=object)},
        {"z": np.zeros((1, 8, 32), np.float32)},
    ],
)
def test_refuses_codes_of_another_kind(
    sefa: Sefa, bundle: Path, content: dict[str, np.ndarray]
) -> None:
    np.savez("codes.npz", allow_pickle=True, **content)
    words = ["--dirs", "tiny.dirs", "--k", "3", "--alpha", "1", "--codes", "codes.npz"]
    result = sefa("edit", *words)
    assert result.exit_code == 1 and "codes.npz" in result.stderr


def test_another_model_is_refused_with_both_fingerprints(sefa: Sefa, bundle: Path) -> None:
    shutil.copy(GOLDEN / "containers" / "ckpt_hammer_stylegan2.pth", "other.pth")
    sefa("factorize", "other.pth", "-o", "other.dirs")
    fingerprints = [Bundle.load(name).model["fingerprint"] for name in ("tiny.dirs", "other.dirs")]
    words = ["--dirs", "tiny.dirs", "--k", "3", "--alpha", "1", "--model", "other.pth"]
    result = sefa("edit", *words)
    assert result.exit_code == 3
    assert all(fingerprint in result.stderr for fingerprint in fingerprints)
    assert len(written(sefa("edit", *words, "--any-model"))) == 1


def test_an_impostor_beside_the_bundle_is_passed_over(sefa: Sefa, bundle: Path) -> None:
    """A file of the right name with other weights is not used; without another it is exit 3."""
    shutil.move("tiny.pth", "kept.pth")
    shutil.copy(GOLDEN / "containers" / "ckpt_hammer_stylegan2.pth", "tiny.pth")
    result = sefa("edit", "--dirs", "tiny.dirs", "--k", "3", "--alpha", "1")
    assert result.exit_code == 3 and "--any-model" in result.stderr
    Path("tiny.pth").unlink()
    result = sefa("edit", "--dirs", "tiny.dirs", "--k", "3", "--alpha", "1")
    assert result.exit_code == 1 and "Name it with --model" in result.stderr
    words = ["--dirs", "tiny.dirs", "--k", "3", "--alpha", "1", "--model", "kept.pth"]
    assert len(written(sefa("edit", *words))) == 1


def test_default_model_turns_the_head(sefa: Sefa, default_model: Path) -> None:
    """Direction 0 of layers 0-4 without the gain moves the picture, and to two sides."""
    sefa(
        "factorize", str(default_model), "-L", "0-4", "--deflate-gain", "-o", "face.dirs"
    )  # fmt: skip
    words = [
        "--k",
        "0",
        "--alpha",
        "-3,0,3",
        "--seeds",
        "0",
        "--size",
        "256",
        "--fast",
        "-o",
        "out",
    ]
    paths = written(sefa("edit", "--dirs", "face.dirs", *words))
    left, middle, right = (np.asarray(Image.open(path)).astype(float) for path in paths)
    assert middle.shape == (256, 256, 3)
    change = [np.abs(side - middle).mean() for side in (left, right)]
    assert min(change) > 8 and max(change) < 60  # it moves, and stays a face: no gray, no glare
    assert all(40 < side.mean() < 215 and side.std() > 30 for side in (left, right))


def test_the_golden_picture(sefa: Sefa, default_model: Path) -> None:
    """A step of nothing at psi 1 is the reference picture, at a quarter of its size."""
    golden = load_file(GOLDEN / "golden_mobilestylegan.safetensors")
    sefa("factorize", str(default_model), "-L", "0", "--num", "1", "-o", "face.dirs")
    words = ["--k", "0", "--alpha", "0", "--seeds", "0", "--trunc", "1", "--size", "256"]
    path = written(sefa("edit", "--dirs", "face.dirs", *words, "-o", "out"))[0]
    expected = (golden["image_ds4.0"][0].astype(float).clip(-1, 1) + 1) * 127.5
    seen = np.asarray(Image.open(path)).astype(float).transpose(2, 0, 1)
    assert np.abs(seen - expected).max() < 1


def test_a_file_of_another_name_is_not_taken_for_the_model(sefa: Sefa, bundle: Path) -> None:
    """A fine-tune with the same style weights was, without a word, and the picture was wrong."""
    import torch

    state = torch.load("tiny.pth", weights_only=True)
    state["generator_smooth"]["synthesis.layer0.weight"] *= 2
    torch.save(state, "other.pth")
    assert sefa("factorize", "other.pth", "-o", "other.dirs").exit_code == 0
    Path("tiny.pth").unlink()
    words = ["--k", "0", "--seeds", "0"]
    refused = sefa("edit", "tiny.dirs", *words)
    assert refused.exit_code == 1 and "tiny.pth was not found" in refused.stderr
    assert "other.pth has the same fingerprint" in refused.stderr
    assert sefa("edit", "tiny.dirs", *words, "--model", "other.pth").exit_code == 0


def test_a_sheet_that_does_not_fit_is_refused_before_the_work(sefa: Sefa, bundle: Path) -> None:
    words = ["-k", "0", "--seeds", "0-2100", "--alpha", "1", "-o", "big.jpg"]
    refused = sefa("edit", "tiny.dirs", *words)
    assert refused.exit_code == 1 and "a .jpg picture cannot have 67,232 pixels" in refused.stderr
    assert not Path("big.jpg").exists()
