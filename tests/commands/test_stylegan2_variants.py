"""StyleGAN2 files of every kind, from the file to the picture: channels, sides, types, classes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import save_file
from typer.testing import Result

import sefa_cli
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.checkpoints import open_checkpoint
from sefa_cli.projections import fingerprint
from tests.helpers import Sefa, remap


def run(sefa: Sefa, *words: str) -> Result:
    result = sefa(*words)
    assert result.exit_code == 0, result.output
    return result


def edited(sefa: Sefa, model: Path, *options: str) -> tuple[Image.Image, Image.Image, Any]:
    """A single picture, a sheet and a film of the file, through the commands."""
    run(sefa, "factorize", str(model), "-o", "m.dirs")
    common = ["--dirs", "m.dirs", "--k", "0", "--model", str(model), *options]
    run(sefa, "edit", *common, "--alpha", "1", "--seeds", "3", "-o", "out")
    run(sefa, "edit", *common, "--alpha", "-1,1", "--seeds", "0-1", "-o", "sheet.png")
    run(sefa, "animate", *common, "--seeds", "0", "--frames", "3", "-o", "film.webp")
    film = Image.open("film.webp")
    return Image.open(next(Path("out").iterdir())), Image.open("sheet.png"), film


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_gray_and_transparent_pictures(sefa: Sefa, channels: int, mode: str) -> None:
    native = remap.native_state(img_channels=channels)
    one, sheet, film = edited(sefa, remap.write_nvidia(Path("m.pkl"), native))
    assert (one.mode, one.size) == (mode, (32, 32))
    assert sheet.width > 3 * 32 and sheet.height > 2 * 32
    assert film.n_frames >= 3 and film.size == (32, 32)
    if channels == 4:
        assert film.mode == "RGBA"
        assert np.asarray(one)[..., 3].std() > 1


@pytest.mark.parametrize("start", [(4, 6), (7, 3)])
def test_pictures_that_are_not_square(sefa: Sefa, start: tuple[int, int]) -> None:
    native = remap.native_state(16, start=start)
    path = remap.write_nvidia(Path("m.pkl"), native)
    one, sheet, film = edited(sefa, path)
    assert one.size == film.size == (4 * start[1], 4 * start[0])
    assert sheet.height > 2 * one.height and sheet.width > 3 * one.width
    half = max(one.size) // 2
    run(sefa, "sample", str(path), "--seeds", "3", "--size", str(half), "-o", "small")
    small = Image.open(next(Path("small").iterdir()))
    assert small.size == tuple(round(side / 2) for side in one.size)


@pytest.mark.parametrize("kind", ["torch", "safetensors"])
def test_half_precision_is_computed_in_single(sefa: Sefa, kind: str) -> None:
    """Pictures are those of the same numbers stored in float32, to the last bit."""
    half = {name: array.astype(np.float16) for name, array in remap.native_state().items()}
    path = Path("half.pt")
    if kind == "torch":
        torch.save(remap.tensors(half), path)
    else:
        save_file({name: np.ascontiguousarray(array) for name, array in half.items()}, path)
    single = {name: array.astype(np.float32) for name, array in half.items()}
    other = remap.write_state_dict(Path("single.pt"), single)
    assert fingerprint(open_checkpoint(str(path))) == fingerprint(open_checkpoint(str(other)))
    pictures = []
    for file in (path, other):
        generator = sefa_cli.load_generator(file, "cpu")
        assert generator.dtype == torch.float32
        w = generator.truncate(generator.map(generator.sample([0])), 0.7)
        pictures.append(generator.synthesize(w))
    assert pictures[0].dtype == torch.float32 and torch.equal(*pictures)
    run(sefa, "factorize", str(path), "-o", "m.dirs")
    run(sefa, "edit", "--dirs", "m.dirs", "--k", "0", "--alpha", "1", "--seeds", "0", "-o", "a.png")


def test_classes(sefa: Sefa) -> None:
    native = remap.native_state(c_dim=5)
    for name in native:
        native[name] *= 50 if name.startswith("mapping.fc") else 1  # else w says next to nothing
    path = remap.write_nvidia(Path("m.pkl"), native)
    run(sefa, "factorize", str(path), "-o", "m.dirs")
    assert Bundle.load("m.dirs").model["family"] == "stylegan2"
    pictures = []
    for label in ("0", "4"):
        words = ["--dirs", "m.dirs", "--k", "0", "--alpha", "1", "--seeds", "0", "--class", label]
        result = run(sefa, "edit", *words, "-o", "out")
        pictures.append(np.asarray(Image.open(result.stdout.strip())))
        run(sefa, "animate", *words[:4], "--class", label, "--frames", "2", "-o", f"{label}.webp")
    assert not np.array_equal(pictures[0], pictures[1])
    run(sefa, "sample", str(path), "--class", "2", "--seeds", "0-1", "-o", "s.png")
    for words, said in (([], "no label"), (["--class", "5"], "class 5 is out of range")):
        result = sefa("sample", str(path), "--seeds", "0", "-o", "x.png", *words)
        assert result.exit_code in (1, 2) and said in result.stderr
