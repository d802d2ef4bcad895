"""The commands on a device that is not the CPU give what they give on the CPU."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.generators.linearize import Linearization
from tests.helpers import Sefa
from tests.helpers.elsewhere import DEVICE, Elsewhere
from tests.helpers.reading import num_frames

BOX = ["--box", "20,10,8,12"]
SEARCHES = {
    "all of w": [*BOX, "--seeds", "0-1"],
    "auto": [*BOX, "--seeds", "0-1", "-L", "auto", "--tau", "auto", "--stability"],
    "w+": [*BOX, "--seeds", "0-1", "--space", "w+", "--sketch", "40", "--num", "8"],
    "lowrank": [*BOX, "--seeds", "0", "--method", "lowrank", "--save-jacobian", "J.npy"],
}


@pytest.fixture
def there(sefa: Sefa, monkeypatch: pytest.MonkeyPatch) -> Sefa:
    """Run `sefa …` with the generator on the other device."""

    def run(*words: str) -> Result:
        moved = []
        with monkeypatch.context() as patched, Elsewhere():
            patched.setattr(
                "sefa_cli.families.build.pick_device", lambda name: moved.append(name) or DEVICE
            )
            # It adds up what a graph saves by addresses, which wrapped tensors do not have.
            patched.setattr(Linearization, "graph_bytes", 1 << 20)
            result = sefa(*words)
        assert moved and result.exit_code == 0, result.stderr
        return result

    return run


@pytest.mark.parametrize("words", SEARCHES.values(), ids=SEARCHES)
def test_localize(sefa: Sefa, there: Sefa, words: list[str]) -> None:
    sefa("localize", "tiny.pth", *words, "-o", "here.dirs")
    Path("J.npy").unlink(missing_ok=True)
    there("localize", "tiny.pth", *words, "-o", "there.dirs")
    here, found = Bundle.load("here.dirs"), Bundle.load("there.dirs")
    assert found.params == here.params and list(found.layers) == list(here.layers)
    cosines = np.sum(here.directions * found.directions, axis=-1).reshape(here.k, -1).sum(-1)
    assert cosines[:8].min() > 0.99999
    np.testing.assert_allclose(found.eigenvalues[:8], here.eigenvalues[:8], rtol=1e-4)


def test_pictures(sefa: Sefa, there: Sefa) -> None:
    sefa("factorize", "tiny.pth", "-o", "a.dirs")
    edit = [
        "edit",
        "--dirs",
        "a.dirs",
        "--k",
        "0",
        "--alpha",
        "-2,2",
        "--seeds",
        "0-2",
        "--trunc",
        "0.5",
    ]
    sample = ["sample", "tiny.pth", "--seeds", "0-2", "--size", "16"]
    for words in (edit, sample, [*sample, "--noise-mode", "none"]):
        name = f"{len(words)}"
        sefa(*words, "-o", f"{name}here")
        there(*words, "-o", f"{name}there")
        paths = sorted(Path(f"{name}here").glob("*.png"))
        assert len(paths) >= 3
        for path in paths:
            a, b = (np.asarray(Image.open(p), np.int16) for p in (path, f"{name}there/{path.name}"))
            assert np.abs(a - b).max() <= 1
    film = ["animate", "--dirs", "a.dirs", "--k", "1", "--frames", "3", "--seeds", "0"]
    there(*film, "-o", "there.gif")
    assert num_frames("there.gif") == 3
