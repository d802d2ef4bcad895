"""Codes of the model's own pictures: found, the same each time, with names that stay."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

import sefa_cli as sefa
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.families.build import build
from sefa_cli.inversion import invert as inverting
from sefa_cli.inversion.how import How
from sefa_cli.inversion.loss import picture_loss, target_of
from sefa_cli.inversion.prior import prior_of
from sefa_cli.projections import first_projections
from tests.helpers import networks
from tests.helpers.lpips_weights import small_lpips

pytestmark = pytest.mark.slow


def test_a_step_in_the_priors_coordinates_costs_the_same_in_every_direction() -> None:
    """B from (effect + spread) = (B Bᵀ)⁻¹: far along what changes little, if samples go there."""
    generator = build(networks.mobilestylegan(), "cpu")
    prior = prior_of(generator)
    sampled = generator.map(np.random.RandomState(1).randn(2000, generator.z_dim)).double()
    assert float(prior.distance(sampled)) == pytest.approx(1, abs=0.1)
    assert float(prior.distance(prior.mean)) == 0
    each = torch.zeros_like(prior.layered)
    for layer in first_projections(generator.checkpoint):
        matrix = torch.from_numpy(layer.matrix.float32()).double()
        each[layer.index] += matrix.T @ matrix / len(matrix)
    away = sampled - prior.mean
    scale = float((away @ each.sum(dim=0) * away).sum(dim=1).mean()) / len(prior.mean)
    one = torch.eye(len(prior.mean), dtype=torch.float64)
    roots, effects = [prior.shared, *prior.layered], [each.sum(dim=0), *each]
    for root, effect in zip(roots, effects, strict=True):
        curvature = effect / scale + 1.4 * prior.precision
        assert torch.allclose(root.T @ curvature @ root, one, atol=0.1)
    assert float(prior.spread(prior.mean.expand(5, -1))) == 0


def test_its_own_picture_is_found_again() -> None:
    generator = build(networks.stylegan2(), "cpu")
    photo = sefa.sample(generator, seeds=[3])[0]
    losses: list[float] = []
    found = sefa.invert(
        photo, generator, space="w", passes=60, regularize=0,
        progress=lambda name, done, total, loss: losses.append(loss),
    )  # fmt: skip
    assert found.losses[0] < 0.05 * losses[0] and len(losses) == 60
    assert torch.equal(found.codes[0, 0], found.codes[0, -1])
    again = sefa.invert(photo, generator, space="w", passes=60, regularize=0)
    assert torch.equal(found.codes, again.codes)


def test_layers_of_their_own_come_nearer() -> None:
    generator = build(networks.stylegan2(), "cpu")
    photo = np.random.RandomState(0).randint(0, 255, (16, 16, 3)).astype(np.uint8)
    one, each = (
        sefa.invert(photo, generator, space=space, passes=40, regularize=0) for space in ("w", "w+")
    )
    assert each.losses[0] < one.losses[0]
    assert not torch.equal(each.codes[0, 0], each.codes[0, -1])
    tame = sefa.invert(photo, generator, space="w+", passes=40, regularize=1.0)
    prior = prior_of(generator)
    assert prior.spread(tame.codes[0]) < prior.spread(each.codes[0])


def test_lpips_may_be_in_the_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made small is the sum, and both parts are told."""
    monkeypatch.setattr(inverting, "load_lpips", lambda offline: small_lpips())
    generator = build(networks.stylegan2(), "cpu")
    own = np.asarray(sefa.sample(generator, seeds=[3])[0])
    photo = (51 + 0.6 * own).round().astype(np.uint8)  # the search cannot follow noise
    alike, seen = (
        sefa.invert(photo, generator, passes=30, regularize=0, loss=loss)
        for loss in ("pixels", "lpips")
    )
    assert alike.lpips == [None] and "LPIPS" not in repr(alike[0])
    target, network = target_of(seen[0].photo), small_lpips()
    with torch.inference_mode():
        made, other = (generator.synthesize(found.codes) for found in (seen, alike))
        assert seen.lpips[0] == pytest.approx(float(network(made, target)), rel=1e-3)
        assert seen.lpips[0] < float(network(other, target))
        wanted = float(picture_loss(made, target)) + 2 * seen.lpips[0]
    assert seen.losses[0] == pytest.approx(wanted, rel=1e-3)
    assert re.search(r"LPIPS \d\.\d{3}>$", repr(seen[0]))


def test_a_model_of_z(tmp_path: Path) -> None:
    generator = build(networks.dcgan(), "cpu")
    found = sefa.invert([np.zeros((64, 64, 3), np.uint8)], generator, passes=3)
    assert found.space == "z" and found.codes.shape == (1, generator.z_dim)
    found.save(tmp_path / "z.npz")
    assert len(sefa.sample(generator, codes=tmp_path / "z.npz")) == 1
    with pytest.raises(UsageError, match=r"has no space 'w\+'; expected z"):
        sefa.invert(np.zeros((64, 64, 3), np.uint8), generator, space="w+")


def test_names_stay_with_codes(tmp_path: Path) -> None:
    generator = build(networks.stylegan2(), "cpu")
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        sefa.sample(generator, seeds=[0])[0].save(tmp_path / folder / "me & you.png")
    paths = [tmp_path / folder / "me & you.png" for folder in ("one", "two")]
    found = sefa.invert(paths, generator, passes=2)
    assert found.names == ["me & you", "me & you-2"] and len(found) == 2
    assert re.fullmatch(r"<code of me & you: loss \d+\.\d{4}, \d+\.\d dB>", repr(found[0]))
    assert sefa.invert(tmp_path / "one", generator, passes=1).names == ["me & you"]  # a folder
    assert found.sheet().width > 0 and found._repr_png_()[:4] == b"\x89PNG"
    found.save(tmp_path / "codes.npz")
    with pytest.raises(SefaError, match="already exists"):
        found.save(tmp_path / "codes.npz")
    pictures = sefa.sample(generator, codes=tmp_path / "codes.npz")
    assert [pictures.stem(i) for i in (0, 1)] == ["code0000_me_you", "code0001_me_you-2"]
    assert pictures.scene.start.names == ["me & you", "me & you-2"]


def test_odd_names_in_a_file_are_not_used(tmp_path: Path) -> None:
    generator = build(networks.stylegan2(), "cpu")
    w = np.zeros((2, generator.num_layers, generator.w_dim), np.float32)
    for names in (
        np.array(["a"]),
        np.array(["a", "b\n"]),
        np.array([1, 2]),
        np.array([["a", "b"]]),
    ):
        np.savez(tmp_path / "odd.npz", w=w, names=names)
        assert sefa.sample(generator, codes=tmp_path / "odd.npz").stem(0) == "code0000"
    np.savez(tmp_path / "alike.npz", w=w, names=np.array(["../a", "a?"]))
    pictures = sefa.sample(generator, codes=tmp_path / "alike.npz")
    assert [pictures.stem(i) for i in (0, 1)] == ["code0000_a", "code0001_a"]


def test_what_cannot_be_inverted() -> None:
    with pytest.raises(UsageError, match="cannot invert a biggan"):
        prior_of(build(networks.biggan(), "cpu"))
    with pytest.raises(UsageError, match="no photos are given"):
        sefa.invert([], "nothing")
    generator = build(networks.stylegan2(), "cpu")
    for given in (None, [None]):
        with pytest.raises(SefaError, match="the picture is None; expected a file"):
            sefa.invert(given, generator)
    with pytest.raises(SefaError, match=r"none.jpg does not exist"):
        sefa.invert("none.jpg", generator)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ({"space": "s"}, "unknown space 's'"),
        ({"loss": "vgg"}, "unknown loss 'vgg'; expected pixels or lpips"),
        ({"passes": 0}, "passes must be 1 or more, got 0"),
        ({"passes": 2.5}, "passes must be 1 or more, got 2.5; expected a whole number"),
        ({"passes": "3"}, "passes must be 1 or more, got '3'"),
        ({"size": 8}, "size must be 16 pixels or more, got 8"),
        ({"size": 32.5}, "size must be 16 pixels or more, got 32.5; expected a whole number"),
        ({"align": True, "face": 0.5}, "face must be 0 or more, got 0.5"),
        ({"outside": 0.5}, "outside has no effect without align"),
        ({"align": True, "outside": 1.5}, "outside must be between 0 and 1, got 1.5"),
        ({"align": True, "outside": 2.0}, "outside must be between 0 and 1, got 2$"),
        ({"align": True, "outside": "a"}, "outside must be between 0 and 1, got 'a'"),
        ({"regularize": "a"}, "regularize must be 0 or more, got 'a'"),
        ({"regularize": None}, "regularize must be 0 or more, got None"),
        ({"regularize": -1.0}, "regularize must be 0 or more, got -1$"),
        ({"regularize": float("nan")}, "regularize must be 0 or more, got nan"),
    ],
)
def test_choices_that_are_refused(words: dict, found: str) -> None:
    with pytest.raises(UsageError, match=found):
        How(**words)
