"""`sefa edit --photo … --tune`: the model is fitted to the photo once, and kept."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sefa_cli
from sefa_cli.inversion import invert as inverting
from sefa_cli.inversion import remembered
from sefa_cli.inversion.found import Inversion
from sefa_cli.inversion.how import How
from sefa_cli.inversion.invert import Inverter
from sefa_cli.inversion.tune import tune_to
from sefa_cli.sources.cache import cache_folder
from tests.helpers import Sefa
from tests.helpers.lpips_weights import small_lpips

EDIT = ("edit", "tiny.dirs", "-k", "3", "-a", "2", "--size", "32", "--photo", "me.png", "--tune")


@pytest.fixture
def _photo(sefa: Sefa, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, *others = How.__init__.__defaults__
    monkeypatch.setattr(How.__init__, "__defaults__", (None, 8, *others))
    monkeypatch.setattr(inverting, "load_lpips", lambda offline: small_lpips())
    assert sefa("sample", "tiny.pth", "--seed", "5", "-o", "me.png").exit_code == 0


def _tunings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows when a model is tuned."""
    seen: list[int] = []

    def once(inverter, found, report):
        seen.append(len(found))
        return tune_to(inverter, found, report)

    monkeypatch.setattr(remembered, "tune_to", once)
    return seen


def _pixels(path: str) -> np.ndarray:
    return np.asarray(Image.open(path))


@pytest.mark.usefixtures("_photo")
def test_the_edit_is_that_of_the_tuned_model(sefa: Sefa) -> None:
    done = sefa(*EDIT, "-o", "edited.png")
    assert done.exit_code == 0, done.stderr
    photo = Path("me.png")
    code = sefa_cli.invert(photo, "tiny.pth", passes=8, device="cpu").codes[0]
    inverter = Inverter(sefa_cli.load_generator("tiny.pth", device="cpu"), How(loss="lpips"))
    found = inverter.found(inverter.read(photo), code)
    results, changes = tune_to(inverter, [found], lambda *_: None)
    Inversion(tuple(results), "w+", changes).save("me.npz")
    tuned = ("--codes", "me.npz", "--model", "me.tuned.safetensors", "-o", "by hand.png")
    assert sefa(*EDIT[:8], *tuned).exit_code == 0
    assert (_pixels("edited.png") == _pixels("by hand.png")).all()
    assert sefa(*EDIT[:-1], "-o", "plain.png").exit_code == 0
    assert (_pixels("edited.png") != _pixels("plain.png")).any()


@pytest.mark.usefixtures("_photo")
def test_the_next_edit_does_not_tune_again(sefa: Sefa, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _tunings(monkeypatch)
    for name in ("first.png", "second.png"):
        assert sefa(*EDIT, "-o", name).exit_code == 0
    assert seen == [1] and (_pixels("first.png") == _pixels("second.png")).all()


@pytest.mark.usefixtures("_photo")
def test_a_changed_file_of_the_cache_is_found(sefa: Sefa, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _tunings(monkeypatch)
    assert sefa(*EDIT, "-o", "first.png").exit_code == 0
    (file,) = (cache_folder() / "codes").glob("*.tuned.safetensors")
    whole = bytearray(file.read_bytes())
    whole[-1] ^= 0x40
    file.write_bytes(whole)
    assert sefa(*EDIT, "-o", "second.png").exit_code == 0
    assert seen == [1, 1] and (_pixels("first.png") == _pixels("second.png")).all()


@pytest.mark.usefixtures("_photo")
def test_what_cannot_act_is_refused(sefa: Sefa) -> None:
    alone = sefa(*EDIT[:8], "--tune", "-o", "x.png")
    assert alone.exit_code == 2 and "--tune has no effect without --photo" in alone.stderr
    kept = sefa(*EDIT, "--save-codes", "c.npz", "-o", "x.png")
    assert kept.exit_code == 2 and "--save-codes and --tune cannot be used" in kept.stderr
    how = ("--passes", "1", "--tune", "-o", "me.npz")
    assert sefa("invert", "me.png", "--model", "tiny.pth", *how).exit_code == 0
    twice = sefa(*EDIT, "--model", "me.tuned.safetensors", "-o", "x.png")
    assert twice.exit_code == 2 and "is tuned already" in twice.stderr
    assert not Path("x.png").exists()


@pytest.mark.usefixtures("_photo")
def test_pictures_of_the_other_model_are_not_gone_on_with(sefa: Sefa) -> None:
    for first, then in ((EDIT[:-1], EDIT), (EDIT, EDIT[:-1])):
        folder = f"made {len(first)}"
        assert sefa(*first, "-o", folder).exit_code == 0
        assert sefa(*first, "-o", folder, "--resume").exit_code == 0
        refused = sefa(*then, "-o", folder, "--resume")
        assert refused.exit_code == 3 and "made with other options" in refused.stderr
