"""BigGAN through the commands: a code for every layer of z, classes, truncation, both layouts."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file

import sefa_cli
from sefa_cli.bundle.bundle import Bundle
from tests import helpers
from tests.helpers import Sefa, biggan_by_author
from tests.helpers.reading import num_frames

GOLDEN = helpers.GOLDEN / "biggan_deep_hf.safetensors"


def run(sefa: Sefa, *words: str) -> str:
    result = sefa(*words)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


@pytest.fixture(params=["deep", "hierarchical"])
def model(request: pytest.FixtureRequest, workplace: Path) -> str:
    """A file of either layout: 10 or 5 classes, 41 or 5 layers that see z."""
    if request.param == "hierarchical":
        torch.save(biggan_by_author.state(), "G_ema.pth")
        return "G_ema.pth"
    golden = load_file(GOLDEN)
    state = {n[6:]: torch.from_numpy(a) for n, a in golden.items() if n.startswith("state/")}
    torch.save(state, "pytorch_model.bin")
    return "pytorch_model.bin"


def pixels(path: str) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(int)


def test_edits_on_all_and_on_chosen_layers(sefa: Sefa, model: str) -> None:
    run(sefa, "factorize", model, "-o", "b.dirs")
    bundle = Bundle.load("b.dirs")
    assert bundle.space == "z" and len(bundle.layers) == bundle.model["num_layers"]
    run(sefa, "factorize", model, "-L", "2-3", "-o", "some.dirs")
    common = ["--k", "0", "--seeds", "0", "--class", "2"]
    still, all_layers, some, none = (
        pixels(run(sefa, "edit", "--dirs", dirs, *common, "--alpha", alpha, *layers, "-o", folder))
        for dirs, alpha, layers, folder in (
            ("b.dirs", "0", [], "a"),
            ("b.dirs", "3", [], "b"),
            ("some.dirs", "3", ["-L", "2"], "c"),
            ("some.dirs", "3", ["-L", "0"], "d"),
        )
    )
    hierarchical = model == "G_ema.pth"  # its first layer does not see the second's part of z
    assert np.array_equal(still, none) == hierarchical
    assert np.abs(all_layers - still).max() > 8
    assert np.abs(some - still).max() > 0 and not np.array_equal(some, all_layers)
    run(sefa, "animate", "--dirs", "b.dirs", *common, "--frames", "3", "-o", "f.gif")
    assert num_frames("f.gif") == 3


def test_directions_of_one_layer_move_that_layer(sefa: Sefa, model: str) -> None:
    run(sefa, "factorize", model, "-L", "1", "-o", "one.dirs")
    generator = sefa_cli.load_generator(model, "cpu")
    codes = generator.map(generator.sample([0]))
    codes = codes[:, None].repeat(1, generator.num_layers, 1)
    codes[:, 1] += 2 * torch.tensor(Bundle.load("one.dirs").directions[0])
    expected = generator.synthesize(codes, [1])[0]
    words = ["--k", "0", "--alpha", "2", "--seeds", "0", "--class", "1", "--trunc", "1"]
    ours = pixels(run(sefa, "edit", "--dirs", "one.dirs", *words, "-o", "x"))
    shown = (expected.permute(1, 2, 0).clamp(-1, 1).numpy() + 1) * 127.5
    assert np.abs(ours - shown).max() < 1


def test_classes_and_truncation_reach_the_picture(sefa: Sefa, model: str) -> None:
    base = ["sample", model, "--seeds", "3"]
    seen = {
        pixels(run(sefa, *base, "--class", label, "--trunc", psi, "-o", folder)).tobytes()
        for label, psi, folder in (
            ("0", "0.3", "a"),
            ("0", "1", "b"),
            ("4", "0.3", "c"),
            ("4", "1", "d"),
        )
    }
    assert len(seen) == 4
    for words, code, said in (
        ([], 2, "no label for a network of"),
        (["--class", "10"], 2, "class 10 is out of range"),
        (["--class", "0", "--trunc", "1.5"], 2, "above 0, up to 1"),
        (["--class", "0", "--trunc", "0"], 2, "above 0, up to 1"),
        (["--class", "goldfish"], 2, "cannot use a class name with a network of"),
    ):
        result = sefa(*base, *words, "-o", "no.png")
        assert result.exit_code == code and said in result.stderr, result.stderr


def test_a_converted_file_is_the_same_model(sefa: Sefa, model: str) -> None:
    run(sefa, "convert", model, "-o", "small.safetensors")
    facts = [
        json.loads(run(sefa, "inspect", file, "--json")) for file in (model, "small.safetensors")
    ]
    assert facts[0]["fingerprint"] == facts[1]["fingerprint"]
    pictures = [
        run(sefa, "sample", file, "--seeds", "0", "--class", "3", "-o", f"{i}")
        for i, file in enumerate((model, "small.safetensors"))
    ]
    assert np.array_equal(pixels(pictures[0]), pixels(pictures[1]))
