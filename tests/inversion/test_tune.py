"""Pivotal tuning: the photo comes nearer, and the model, its directions and codes stay."""

from pathlib import Path

import numpy as np
import pytest
import torch

import sefa_cli as sefa
from sefa_cli.checkpoints import TUNED, about_tuned
from sefa_cli.editing.source import generator_for, load_generator
from sefa_cli.editing.tuned import save_tuned, tunable
from sefa_cli.errors import MismatchError, SefaError, UsageError
from sefa_cli.generators.base import Generator
from sefa_cli.inversion import tune
from sefa_cli.inversion.how import How
from sefa_cli.inversion.invert import Inverter
from sefa_cli.inversion.tune import Tuned, tune_to
from sefa_cli.projections import fingerprint, weights_digest
from tests.helpers import CONTAINERS

pytestmark = pytest.mark.slow
TINY = CONTAINERS / "ckpt_genforce_stylegan2.pth"
PHOTOS = np.random.RandomState(0).randint(0, 255, (2, 32, 32, 3)).astype(np.uint8)


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEFA_CACHE", str(tmp_path / "cache"))
    (tmp_path / "tiny.pth").write_bytes(TINY.read_bytes())
    return tmp_path / "tiny.pth"


def test_the_file_is_a_model_that_shows_the_photos(model: Path) -> None:
    generator = load_generator(model, "cpu")
    inverter = Inverter(generator, How("w", passes=25))
    before = [inverter.find(inverter.read(photo), lambda *_: None) for photo in PHOTOS]
    kept = {name: own.clone() for name, own in generator.named_parameters()}
    told: list[tuple[str, int]] = []
    after, changes = tune_to(inverter, before, lambda name, n, loss: told.append((name, n)))
    assert len(told) == 50 and told[-1] == ("photo", 25)
    for was, now in zip(before, after, strict=True):
        assert now.loss < 0.98 * was.loss and torch.equal(now.code, was.code)
    for name, own in generator.named_parameters():
        assert torch.equal(own, kept[name]) and not own.requires_grad

    changes.save(model.with_name("codes.npz"))
    path = Tuned.beside(model.with_name("codes.npz"))
    assert path.name == f"codes{TUNED}"
    again = load_generator(path, "cpu")
    assert fingerprint(again.checkpoint) == fingerprint(generator.checkpoint)
    # What is kept of its pictures, such as codes and scores, is another model's.
    assert weights_digest(again.checkpoint) != weights_digest(generator.checkpoint)
    assert Inverter(again, How(passes=25)).task != inverter.task
    shown = sefa.sample(again, codes=torch.stack([one.code for one in after]))
    assert np.abs(np.asarray(shown[1]).astype(int) - after[1].picture).max() <= 1
    bundle = sefa.factorize(model, num=2)
    edits = sefa.edit(bundle, {0: 1}, model=path, codes=after[0].code[None], device="cpu")
    assert edits.scene.generator is not generator and len(edits) == 1
    assert generator_for(bundle, path, device="cpu").checkpoint.tuned == path
    with pytest.raises(UsageError, match="is tuned already; expected the model it changes"):
        sefa.invert(PHOTOS[0], path, passes=1, tune=True, device="cpu")


def test_detail_that_the_working_size_does_not_show_is_held(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = load_generator(model, "cpu")
    inverter = Inverter(generator, How(passes=100, size=16))
    found = inverter.find(inverter.read(PHOTOS[0]), lambda *_: None)

    def detail(generator: Generator) -> torch.Tensor:
        with torch.no_grad():
            blocks = generator.synthesize(found.code[None]).reshape(3, 16, 2, 16, 2)
        return blocks - blocks.mean((2, 4), keepdim=True)

    moved = []
    for weight in (0.0, tune._DETAIL):
        monkeypatch.setattr(tune, "_DETAIL", weight)
        (after,), changes = tune_to(inverter, [found], lambda *_: None)
        assert after.loss < 0.9 * found.loss
        changes.save(model.with_name("codes.npz"), overwrite=True)
        tuned = load_generator(Tuned.beside(model.with_name("codes.npz")), "cpu")
        moved.append(float((detail(tuned) - detail(generator)).square().mean()))
    assert moved[1] < 0.7 * moved[0]


def test_only_convolutions_change(tiny: Generator) -> None:
    rest = {name for name, _ in tiny.named_parameters()} - set(tunable(tiny))
    kinds = {name.split(".")[-1] for name in rest if not {"affine", "mapping"} & {*name.split(".")}}
    assert kinds <= {"_w_avg", "const", "taps", "kernels", "strength", "noise", "energy"}
    assert not any("affine" in name or "mapping" in name for name in tunable(tiny))


def write(path: Path, generator: Generator, value: float = 0.5, **shape: int) -> Path:
    changes = {
        name: np.full(tuple(own.shape)[: shape.get("axes")], value, np.float16)
        for name, own in tunable(generator).items()
    }
    save_tuned(path, generator, changes)
    return path


def test_what_is_refused(model: Path, tmp_path: Path) -> None:
    generator = load_generator(model, "cpu")
    path = write(tmp_path / f"a{TUNED}", generator)
    with pytest.raises(SefaError, match="already exists"):
        write(path, generator)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(SefaError, match="is damaged: it ends after"):
        load_generator(path, "cpu")
    path.write_bytes(whole[:5])
    with pytest.raises(SefaError, match="is not a tuned model"):
        about_tuned(path)
    nan = write(tmp_path / f"nan{TUNED}", generator, np.nan)
    with pytest.raises(SefaError, match="holds NaN"):
        load_generator(nan, "cpu")
    odd = write(tmp_path / f"odd{TUNED}", generator, axes=1)
    with pytest.raises(MismatchError, match=r"not the weights of tiny\.pth"):
        load_generator(odd, "cpu")
    path.write_bytes(whole)
    model.unlink()
    with pytest.raises(MismatchError, match=r"the model tiny\.pth that .* changes was not found"):
        load_generator(path, "cpu")
    with pytest.raises(SefaError, match=r"none\.tuned\.safetensors does not exist"):
        load_generator(tmp_path / f"none{TUNED}", "cpu")


def test_another_model_with_the_same_affines_is_refused(model: Path, tmp_path: Path) -> None:
    """A fine-tuned snapshot may share the affines, and so the fingerprint."""
    generator = load_generator(model, "cpu")
    name = next(iter(tunable(generator)))
    with torch.no_grad():
        tunable(generator)[name].add_(1)
    path = write(tmp_path / f"b{TUNED}", generator)
    with pytest.raises(MismatchError, match="not the weights of"):
        load_generator(path, "cpu")


def test_one_call_does_it_all(model: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    found = sefa.invert(
        [*PHOTOS], model, passes=3, tune=True, device="cpu",
        progress=lambda name, n, of, loss: told.append((n, of)),
    )  # fmt: skip
    assert told[0] == (1, 6) and told[-1] == (6, 6) and len(found) == 2
    found.save(tmp_path / "codes.npz")
    assert (tmp_path / f"codes{TUNED}").exists()
