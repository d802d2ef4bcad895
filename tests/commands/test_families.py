"""Every family through every command: factorize, sample, edit, animate, convert, and back."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sefa_cli
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.checkpoints import open_checkpoint
from sefa_cli.families.build import build
from sefa_cli.families.native import write_native
from sefa_cli.families.registry import built_in
from sefa_cli.projections import fingerprint, levels
from tests.helpers import Sefa, networks
from tests.helpers.reading import num_frames

CLASSES = ("biggan",)  # of the small random networks


def run(sefa: Sefa, *words: str) -> str:
    result = sefa(*words)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


@pytest.fixture(params=built_in())
def model(request: pytest.FixtureRequest, workplace: Path) -> str:
    """A small random network of each family, as a file."""
    made = getattr(networks, request.param)()
    write_native(f"{request.param}.safetensors", made, fingerprint(made))
    return f"{request.param}.safetensors"


def test_every_command(sefa: Sefa, model: str) -> None:
    family = Path(model).stem
    label = ["--class", "1"] if family in CLASSES else []
    assert family in run(sefa, "inspect", model)
    run(sefa, "factorize", model, "-o", "x.dirs")
    bundle, checkpoint = Bundle.load("x.dirs"), open_checkpoint(model)
    assert bundle.space == checkpoint.config["space"]
    assert tuple(bundle.layers) == levels(checkpoint)["all"]
    words = ["--dirs", "x.dirs", "--k", "0", "--seeds", "3", *label]
    still, moved = (
        np.asarray(Image.open(run(sefa, "edit", *words, "--alpha", alpha, "-o", f"e{alpha}")))
        for alpha in ("0", "3")
    )
    sample = np.asarray(Image.open(run(sefa, "sample", model, "--seeds", "3", *label, "-o", "s")))
    assert np.array_equal(still, sample) and not np.array_equal(still, moved)
    run(sefa, "animate", *words, "--frames", "3", "-o", "film.gif")
    assert num_frames("film.gif") == 3


def test_a_converted_file_paints_the_same_to_the_last_bit(sefa: Sefa, model: str) -> None:
    family = Path(model).stem
    run(sefa, "convert", model, "-o", "again.safetensors")
    assert Path(model).read_bytes() == Path("again.safetensors").read_bytes()
    source = build(getattr(networks, family)(), "cpu")
    found = sefa_cli.load_generator("again.safetensors", "cpu")
    pictures = []
    for generator in (source, found):
        codes = generator.map(generator.sample([0, 1]))
        label = [0, 1] if generator.conditioned else None
        pictures.append(generator.synthesize(codes, label).numpy())
    assert np.array_equal(pictures[0], pictures[1])
