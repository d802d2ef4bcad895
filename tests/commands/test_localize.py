"""`sefa localize`: a region in, a bundle out that edit and animate use like any other."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.discovery.resefa import TAUS
from tests.helpers import Sefa

QUICK = ["--size", "32", "--seeds", "0"]


@pytest.fixture
def mouth(sefa: Sefa) -> Bundle:
    words = ["--box", "20,10,8,12", "--size", "32", "--seeds", "0-1", "-o", "mouth.dirs"]
    result = sefa("localize", "tiny.pth", *words, "--published")
    assert (result.exit_code, result.stdout) == (0, "mouth.dirs\n"), result.stderr
    return Bundle.load("mouth.dirs")


def test_what_is_kept(mouth: Bundle) -> None:
    assert mouth.method == "resefa" and mouth.space == "w" and mouth.directions.shape == (32, 32)
    assert mouth.mask.shape == (32, 32) and mouth.mask[20:28, 10:22].min() == 255
    assert mouth.mask.sum() == 255 * 8 * 12
    assert mouth.params == {
        "region": "box 20,10,8,12", "seeds": [0, 1], "layers": "0-7", "size": 32, "fast": True,
        "tau": 0.001, "num": None, "sum_channels": False, "trunc": 0.7, "class": None,
        "codes": None, "sketch": None, "precision": "float32",
    }  # fmt: skip
    assert (np.diff(mouth.eigenvalues) <= 0).all()
    change = mouth.info[0]["change"]
    assert change["inside"] > 2 * change["outside"] > 0
    assert not Path("mouth.dirs.partial").exists()


def test_the_first_direction_changes_the_region_most(sefa: Sefa, mouth: Bundle) -> None:
    """A small step, measured in the pictures: the ratio is near the eigenvalue's root."""
    words = ["--dirs", "mouth.dirs", "--k", "0", "--alpha", "-0.5,0.5", "--seeds", "0"]
    assert sefa("edit", *words, "-o", "out").exit_code == 0
    low, high = (
        np.asarray(Image.open(f"out/seed0000_k0_{a}.png")).astype(float) for a in ("-0.50", "+0.50")
    )
    squares = np.square(high - low).mean(axis=2)
    inside = mouth.mask > 0
    assert squares[inside].mean() > 2 * squares[~inside].mean()


def test_tau_auto_is_kept_as_the_number_it_chose(sefa: Sefa) -> None:
    words = ["--box", "20,10,8,12", "--size", "32", "--seeds", "0-2"]
    result = sefa("localize", "tiny.pth", *words, "--tau", "auto", "-o", "auto.dirs")
    assert result.exit_code == 0, result.stderr
    auto = Bundle.load("auto.dirs")
    assert auto.params["tau"] in TAUS and auto.params["tau_auto"] is True
    tau = auto.params["tau"]
    assert f"tau {tau:g}: on a seed left out, the region changes" in result.stderr
    assert sefa("localize", "tiny.pth", *words, "--tau", str(tau), "-o", "same.dirs")
    same = Bundle.load("same.dirs")
    assert np.array_equal(auto.directions, same.directions)
    words += ["--tau", "auto", "--per-seed", "-o", "each.dirs"]
    assert (
        "cannot choose tau with a bundle for each seed; expected one bundle for all"
        in sefa("localize", "tiny.pth", *words).stderr
    )


def test_layers_auto_takes_the_level_that_holds_on_a_seed_left_out(sefa: Sefa) -> None:
    """The same bundle as with the level that it names, which says as much and the most of all."""
    words = ["localize", "tiny.pth", "--box", "20,10,8,12", "--size", "32", "--seeds", "0-2"]
    words += ["--tau", "auto"]
    result = sefa(*words, "-L", "auto", "-o", "auto.dirs")
    assert result.exit_code == 0, result.stderr
    auto, said = Bundle.load("auto.dirs"), {}
    assert auto.params["layers_auto"] is True
    for level in ("all", "bottom", "middle", "top"):
        result_of_level = sefa(*words, "-L", level, "-o", f"{level}.dirs")
        line = result_of_level.stderr.split("layers ")[1]
        said[float(line.split("changes ")[1].split()[0])] = level, line.splitlines()[0]
    level, line = said[max(said)]
    assert f"layers {line}" in result.stderr
    same = Bundle.load(f"{level}.dirs")
    assert np.array_equal(auto.directions, same.directions)
    assert (
        np.array_equal(auto.layers, same.layers) and auto.params["layers"] == same.params["layers"]
    )


def test_layers_auto_goes_on_after_an_interrupt(
    sefa: Sefa, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sefa_cli.discovery import collect

    real, calls = collect.picture_grams, [0]

    def fourth(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] == 4:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    words = ["localize", "tiny.pth", "--box", "20,10,8,12", "--size", "32", "--seeds", "0-1"]
    words += ["-L", "auto"]
    assert sefa(*words, "-o", "whole.dirs").exit_code == 0
    monkeypatch.setattr(collect, "picture_grams", fourth)
    assert sefa(*words, "-o", "again.dirs").exit_code != 0
    calls[0] = 4
    assert sefa(*words, "-o", "again.dirs", "--resume").exit_code == 0
    assert calls[0] == 4 + 5  # of four levels and two seeds three were done
    assert Path("again.dirs").read_bytes() == Path("whole.dirs").read_bytes()


@pytest.mark.parametrize(("rows", "enough"), [("100", True), ("4", False)])
def test_a_sketch_reports_its_error(sefa: Sefa, rows: str, enough: bool) -> None:
    words = ["--box", "20,10,8,12", *QUICK, "--space", "w+", "--sketch", rows, "--num", "4"]
    result = sefa("localize", "tiny.pth", *words, "-L", "all", "-o", "wide.dirs")
    assert result.exit_code == 0 and "leading directions are right to within" in result.stderr
    assert ("a larger --sketch" not in result.stderr) == enough, result.stderr


def test_inspect_shows_the_change(sefa: Sefa, mouth: Bundle) -> None:
    text = sefa("inspect", "mouth.dirs").stdout
    assert "inside" in text and "outside" in text and "box 20,10,8,12" in text
    assert "32 × 32 px" in text
    assert json.loads(sefa("inspect", "--json", "mouth.dirs").stdout)["mask"] == [32, 32]


def test_w_plus_has_a_row_per_layer(sefa: Sefa) -> None:
    words = ["--box", "20,10,8,12", *QUICK, "--space", "w+", "-L", "2-4", "--num", "5"]
    assert sefa("localize", "tiny.pth", *words, "-o", "a.dirs").exit_code == 0
    bundle = Bundle.load("a.dirs")
    assert bundle.directions.shape == (5, 3, 32) and list(bundle.layers) == [2, 3, 4]
    words = ["--dirs", "a.dirs", "--k", "0", "--alpha", "1", "--seeds", "0", "-o", "out"]
    assert sefa("edit", *words).exit_code == 0


def test_per_seed_and_stability(sefa: Sefa) -> None:
    words = ["--box", "20,10,8,12", "--size", "32", "--seeds", "0,3", "--per-seed", "--stability"]
    result = sefa("localize", "tiny.pth", *words, "-o", "a.dirs")
    assert result.stdout == "a_seed0000.dirs\na_seed0003.dirs\n" and "% of the" in result.stderr
    assert Bundle.load("a_seed0003.dirs").params["seeds"] == [3]


def test_regions_of_every_kind(sefa: Sefa) -> None:
    gray = np.zeros((64, 64), np.uint8)
    gray[40:56, 20:44] = 128
    Image.fromarray(gray).save("mask.png")
    Image.fromarray((gray > 0).astype(np.uint8) * 3).save("seg.png")
    Path("folder").mkdir()
    shutil.copy("mask.png", "folder/mask.png")
    regions = {
        "box 0.625,0.3125,0.25,0.375": ["--box", "0.625,0.3125,0.25,0.375"],
        "polygon 20,10 20,22 28,22 28,10": ["--polygon", "20,10 20,22 28,22 28,10"],
        "mask mask.png": ["--mask", "folder/mask.png"],
        "region center": ["--region", "center"],
    }
    masks = {}
    for text, words in {**regions, "seg": ["--seg", "seg.png", "--seg-ids", "3"]}.items():
        result = sefa("localize", "tiny.pth", *words, *QUICK, "-o", "a.dirs", "--overwrite")
        assert result.exit_code == 0, result.stderr
        bundle = Bundle.load("a.dirs")
        masks[text] = bundle.mask
        if text in regions:
            assert bundle.params["region"] == text  # a file's name, never its folder
    first = masks.pop("box 0.625,0.3125,0.25,0.375")
    np.testing.assert_array_equal(masks["polygon 20,10 20,22 28,22 28,10"], first)
    np.testing.assert_array_equal(masks["seg"], first)
    np.testing.assert_array_equal(masks["mask mask.png"], first // 255 * 128)


def test_a_background_of_its_own(sefa: Sefa) -> None:
    still = np.zeros((32, 32), np.uint8)
    still[:10] = 255
    Image.fromarray(still).save("still.png")
    words = ["--box", "20,10,8,12", *QUICK, "--background", "still.png", "-o", "a.dirs"]
    assert sefa("localize", "tiny.pth", *words).exit_code == 0
    np.testing.assert_array_equal(Bundle.load("a.dirs").background, still)


def test_preview_stops_before_the_work(sefa: Sefa) -> None:
    words = ["--box", "20,10,8,12", *QUICK, "--preview", "p.png"]
    result = sefa("localize", "tiny.pth", *words)
    assert (result.exit_code, result.stdout) == (0, "p.png\n")
    assert not list(Path().glob("*.dirs"))


def test_the_jacobian_may_be_kept(sefa: Sefa) -> None:
    words = ["--box", "20,10,8,12", "--size", "32", "--seeds", "0-1", "-o", "a.dirs"]
    result = sefa("localize", "tiny.pth", *words, "--save-jacobian", "j.npy")
    assert result.stdout == "j.npy\na.dirs\n" and "j.npy takes 1 MB" in result.stderr
    J = np.load("j.npy", mmap_mode="r")
    assert J.shape == (2, 32, 3, 32, 32) and J.dtype == np.float32
    bundle = Bundle.load("a.dirs")
    change = np.tensordot(bundle.directions[0], J, axes=(0, 1))  # (2, 3, 32, 32)
    inside = np.square(change[:, :, bundle.mask > 0]).mean()
    assert np.sqrt(inside) == pytest.approx(bundle.info[0]["change"]["inside"], rel=1e-3)


def test_half_precision_finds_nearly_the_same(sefa: Sefa) -> None:
    for precision in ("float32", "bf16"):
        words = ["--box", "20,10,8,12", *QUICK, "--precision", precision, "--num", "3"]
        assert sefa("localize", "tiny.pth", *words, "-o", f"{precision}.dirs").exit_code == 0
    a, b = (Bundle.load(f"{precision}.dirs") for precision in ("float32", "bf16"))
    assert b.params["precision"] == "bf16" and not np.array_equal(a.directions, b.directions)
    assert np.abs(np.sum(a.directions * b.directions, axis=1)).min() > 0.98


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_what_a_gpu_rounds_costs_little(sefa: Sefa, precision: str) -> None:
    """Skipped where there is none; the effect on the directions is what --precision is for."""
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    words = ["--box", "20,10,8,12", *QUICK, "--num", "3", "--device", "cuda"]
    assert sefa("localize", "tiny.pth", *words, "-o", "a.dirs").exit_code == 0
    words += ["--precision", precision]
    assert sefa("localize", "tiny.pth", *words, "-o", "b.dirs").exit_code == 0
    a, b = (Bundle.load(name) for name in ("a.dirs", "b.dirs"))
    assert np.abs(np.sum(a.directions * b.directions, axis=1)).min() > 0.98


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "--region is missing"),
        (["--box", "0,0,0,4"], 2, "box"),
        (["--box", "0,0,32,32"], 2, "covers all of the 32 × 32 pixels"),
        (["--box", "30,0,8,8"], 2, "within 32 rows × 32 columns"),
        (["--box", "1,1,4,4", "--polygon", "1,1 1,5 5,5"], 2, "--box and --polygon cannot"),
        (["--region", "eyes"], 2, "face:eyes"),
        (["--box", "1,1,4,4", "--tau", "-1"], 2, "0 or more"),
        (["--box", "1,1,4,4", "--tau", "much"], 2, 'something like 1e-3, 0, or "auto"'),
        (["--box", "1,1,4,4", "--tau", "auto"], 2, "two seeds or more"),
        (["--box", "1,1,4,4", "--tau", "auto", "--space", "w+", "--sketch", "50"], 2, "tau above"),
        (
            ["--box", "1,1,4,4", "-L", "auto"],
            2,
            "cannot choose layers for a single seed; expected two",
        ),
        (["--box", "1,1,4,4", "-L", "auto", "--space", "w+", "--sketch", "50"], 2, "with a sketch"),
        (["--box", "1,1,4,4", "-L", "auto", "--save-jacobian", "j.npy"], 2, "such as middle"),
        (["--box", "1,1,4,4", "-L", "8"], 2, "layer 8 is out of range; expected 0-7"),
        (["--box", "1,1,4,4", "--space", "z"], 2, "w or w+"),
        (["--box", "1,1,4,4", "--num", "33"], 2, "between 1 and 32"),
        (["--box", "1,1,4,4", "--memory", "lots"], 2, "800M or 4G"),
        (["--box", "1,1,4,4", "--memory", "1K"], 2, "too small for pictures of 32 pixels"),
        (["--box", "1,1,4,4", "--sketch", "16"], 2, "less than half of the 32 dimensions"),
        (["--box", "1,1,4,4", "--resume"], 1, "does not exist"),
        (["--box", "1,1,4,4", "--space", "w+", "--sketch", "50", "--tau", "0"], 2, "sketch of 0"),
        (
            ["--box", "1,1,4,4", "--space", "w+", "--sketch", "50", "--num", "51"],
            2,
            "between 1 and 50",
        ),
        (["--box", "1,1,4,4", "--precision", "fp8"], 2, "float32, tf32 or bf16"),
        (["--box", "1,1,4,4", "--precision", "tf32"], 2, "a CUDA device"),
        (["--box", "1,1,4,4", "--save-jacobian", "j.txt"], 2, "ends in .npy"),
        (["--box", "1,1,4,4", "--save-jacobian", "j.npy", "--resume"], 2, "be used together"),
        (
            ["--box", "1,1,4,4", "--space", "w+", "--sketch", "50", "--save-jacobian", "j.npy"],
            2,
            "sketch of 0",
        ),
        (["--mask", "wide.png"], 2, "aspect"),
        (["--seg", "wide.png", "--seg-ids", "7"], 2, "7"),
        (["--mask", "none.png"], 1, "none.png"),
        (["--mask", "tiny.pth"], 1, "tiny.pth"),
    ],
)
def test_refuses_in_one_line(sefa: Sefa, words: list[str], code: int, said: str) -> None:
    Image.fromarray(np.eye(20, 40, dtype=np.uint8) * 255).save("wide.png")
    result = sefa("localize", "tiny.pth", *words, *QUICK, "-o", "a.dirs")
    assert said in result.stderr, result.stderr
    assert result.exit_code == code and result.stdout == ""
    assert not Path("a.dirs").exists()
