"""`sefa localize` on every kind of network, end to end, with what only some of them have."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from sefa_cli.bundle.bundle import Bundle
from tests.helpers import GOLDEN, Sefa

MODELS = {  # golden file: space, a class if it needs one, layers to move
    "pggan_genforce": ("z", [], "0"),
    "stylegan_genforce": ("w", [], "0-3"),
    "stylegan2_ada_nvidia_cond": ("w", ["--class", "1"], "0-3"),
    "stylegan3_t_nvidia": ("w", [], "1-3"),
    "biggan_deep_hf": ("z", ["--class", "1"], "0,2"),
}


def model(name: str) -> str:
    """A small model of a golden file, as a checkpoint in the folder; `.json` beside it."""
    state = load_file(GOLDEN / f"{name}.safetensors")
    save_file({n[6:]: a for n, a in state.items() if n.startswith("state/")}, f"{name}.safetensors")
    return f"{name}.safetensors"


@pytest.mark.parametrize("name", MODELS)
def test_every_family(sefa: Sefa, name: str) -> None:
    space, words, layers = MODELS[name]
    file = model(name)
    region = ["--box", "0.5,0.25,0.25,0.25", "--seeds", "0-1", "-L", layers, *words]
    result = sefa("localize", file, *region, "-o", "a.dirs")
    assert (result.exit_code, result.stdout) == (0, "a.dirs\n"), result.stderr
    bundle = Bundle.load("a.dirs")
    assert bundle.space == space and len(bundle.directions) == bundle.dim
    first, last = (bundle.info[i]["change"] for i in (0, -1))
    assert first["inside"] / first["outside"] > last["inside"] / last["outside"]
    edit = ["--dirs", "a.dirs", "--k", "0", "--alpha", "-1,1", "--seeds", "3", "-o", "out", *words]
    result = sefa("edit", *edit)
    assert result.exit_code == 0, result.stderr
    assert len(list(Path("out").glob("*.png"))) >= 2


def test_dcgan(sefa: Sefa, digiface: Path) -> None:
    words = ["--box", "36,20,12,24", "--seeds", "0", "--num", "3", "-o", "a.dirs"]
    result = sefa("localize", str(digiface), *words)
    assert result.exit_code == 0, result.stderr
    bundle = Bundle.load("a.dirs")
    assert bundle.space == "z" and bundle.directions.shape == (3, 100)
    assert bundle.info[0]["change"]["inside"] > 3 * bundle.info[0]["change"]["outside"]


def test_a_class_is_needed_and_kept(sefa: Sefa) -> None:
    file = model("biggan_deep_hf")
    words = ["--box", "0.5,0.25,0.25,0.25", "--seeds", "0", "-o", "a.dirs"]
    result = sefa("localize", file, *words)
    assert result.exit_code == 2 and "--class" in result.stderr
    assert sefa("localize", file, *words, "--class", "2").exit_code == 0
    params = Bundle.load("a.dirs").params
    assert params["class"] == 2 and params["trunc"] == 0.4
    result = sefa("localize", file, *words, "--class", "2", "--trunc", "0.9", "--overwrite")
    assert result.exit_code == 0 and Bundle.load("a.dirs").params["trunc"] == 0.9


def test_the_truncation_reaches_the_derivative(sefa: Sefa) -> None:
    """At equal codes, since BigGAN's batch norm has statistics for every truncation."""
    file = model("biggan_deep_hf")
    np.savez("codes.npz", z=np.random.RandomState(0).randn(1, _z_dim(sefa, file)))
    words = ["--box", "0.5,0.25,0.25,0.25", "--codes", "codes.npz", "--class", "1"]
    for psi in ("0.3", "1"):
        result = sefa("localize", file, *words, "--trunc", psi, "-o", f"{psi}.dirs")
        assert result.exit_code == 0, result.stderr
    a, b = (Bundle.load(f"{psi}.dirs").eigenvalues for psi in ("0.3", "1"))
    assert a is not None and b is not None and not np.allclose(a, b, rtol=1e-3)


def _z_dim(sefa: Sefa, file: str) -> int:
    config: int = json.loads(sefa("inspect", "--json", file).stdout)["config"]["z_dim"]
    return config


def test_inspect_shows_what_was_looked_for(sefa: Sefa) -> None:
    words = ["--box", "0.5,0.25,0.25,0.25", "--seeds", "0-1", "--space", "w+", "--num", "4"]
    assert sefa("localize", "tiny.pth", *words, "--sketch", "40", "-o", "a.dirs").exit_code == 0
    text = " ".join(sefa("inspect", "a.dirs").stdout.split())
    for said in ("seeds 0 1", "tau 0.001", "sketch 40", "size 32", "w+", "inside", "outside"):
        assert said in text, text
    about = json.loads(sefa("inspect", "a.dirs", "--json").stdout)
    assert about["mask"] == [32, 32] and about["per_layer"] and about["directions"][0]["change"]
