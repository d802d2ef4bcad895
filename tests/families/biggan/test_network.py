"""BigGAN-deep against the published pictures; the author's BigGAN against a plain copy."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch.func import jvp, vjp, vmap

from sefa_cli.errors import SefaError, UsageError
from sefa_cli.families.build import build
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.generators.base import Generator
from tests.helpers import biggan_by_author, networks
from tests.helpers.golden import load

TRUNCATIONS = [0.02, 0.4, 0.43, 0.7, 0.995, 1.0]

Golden = tuple[dict[str, Any], dict[str, np.ndarray], Generator]


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Golden:
    """Facts and tensors of the published run, and our generator from the same weights."""
    run = load("biggan_deep_hf")
    folder = tmp_path_factory.mktemp("deep")
    save_file(run.state, folder / "pytorch_model.bin")
    (folder / "config.json").write_text(json.dumps(run.meta["config"]))
    return *run, build(read_checkpoint(folder / "pytorch_model.bin"), "cpu")


def by_author(tmp_path: Path, **options: Any) -> tuple[Generator, biggan_by_author.State]:
    state = biggan_by_author.state(**options)
    torch.save(state, tmp_path / "G_ema.pth")
    return build(read_checkpoint(tmp_path / "G_ema.pth"), "cpu"), state


@pytest.mark.parametrize("truncation", TRUNCATIONS)
def test_deep_pictures_are_the_published_ones(golden: Golden, truncation: float) -> None:
    meta, tensors, generator = golden
    name = f"image_truncation_{truncation}"
    picture = generator.synthesize(tensors["in/z"], tensors["in/label"], truncation)
    worst = np.abs(picture.numpy() - tensors[f"out/{name}"]).max()
    assert worst < 10 * meta["noise_floor_maxabs"][name]


def test_deep_says_what_it_is(golden: Golden) -> None:
    _, _, generator = golden
    assert (generator.family, generator.space, generator.num_layers) == ("biggan", "z", 41)
    assert (generator.z_dim, generator.c_dim, generator.resolution) == (16, 10, 32)
    assert generator.default_truncation == 0.4


OPTIONS: dict[str, dict[str, Any]] = {
    "hierarchical": {},
    "z in the first layer alone": {"hierarchical": False},
    "without attention": {"attention": None},
    "attention at last": {"channels": (16, 8, 8), "attention": 1},
    "without spectral norm": {"spectral": False},
    "four blocks": {"channels": (16, 16, 8, 8, 4), "z_dim": 20, "attention": 2},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_the_authors_pictures(tmp_path: Path, name: str) -> None:
    options = OPTIONS[name]
    generator, state = by_author(tmp_path, **options)
    hierarchical = options.get("hierarchical", True)
    blocks = len(options.get("channels", "123")) - 1
    assert generator.num_layers == (1 + 2 * blocks if hierarchical else 1)
    assert generator.resolution == 4 << blocks and generator.default_truncation == 1
    z = generator.sample([0, 1])
    ours = generator.synthesize(z, [3, 1])
    for picture, code, label in zip(ours, z, (3, 1), strict=True):
        expected = biggan_by_author.picture(state, code, label, hierarchical)
        assert picture.shape == expected.shape
        assert (picture - expected).abs().max() < 2e-5


def test_every_layer_has_a_code_of_its_own(tmp_path: Path) -> None:
    generator, state = by_author(tmp_path)
    codes = torch.randn(1, generator.num_layers, generator.z_dim)
    expected = biggan_by_author.picture(state, codes[0], 2)
    assert (generator.synthesize(codes, [2])[0] - expected).abs().max() < 2e-5


def test_a_layer_uses_its_chunk_alone(tmp_path: Path) -> None:
    generator, _ = by_author(tmp_path)  # z of 12 numbers in chunks of 4
    codes = torch.randn(1, generator.num_layers, 12)
    before = generator.synthesize(codes, [2])
    for layer, chunk in ((0, 0), (1, 1), (2, 1), (3, 2), (4, 2)):
        for part in range(3):
            moved = codes.clone()
            moved[:, layer, 4 * part : 4 * part + 4] += 1
            assert torch.equal(generator.synthesize(moved, [2]), before) == (part != chunk)


def test_every_deep_layer_matters(golden: Golden) -> None:
    _, tensors, generator = golden
    codes = torch.from_numpy(tensors["in/z"])[:, None].repeat(1, 41, 1)
    before = generator.synthesize(codes, tensors["in/label"], 0.7)
    for layer in range(41):
        moved = codes.clone()
        moved[:, layer] += 1
        after = generator.synthesize(moved, tensors["in/label"], 0.7)
        assert not torch.equal(after, before), layer


def test_z_is_drawn_as_published() -> None:
    """scipy.stats.truncnorm.rvs(-2, 2, size=(1, 8), random_state=RandomState(7)), noted down."""
    generator = build(networks.biggan(), "cpu")
    expected = [
        *(-1.3071176786961378, 0.7295992621786254, -0.14789801430569555, 0.5630437493574972),
        *(1.7086366581637615, 0.09223490795732, 0.00268079770249553, -1.3314352430420184),
    ]
    assert np.array_equal(generator.sample([7]).numpy()[0], np.array(expected, np.float32))
    half = generator.sample([3, 7], truncation=0.5)
    assert np.array_equal(half[1:].numpy(), np.float32(0.5) * generator.sample([7]).numpy())
    many = generator.sample(range(300))
    assert 1.9 < many.abs().max() <= 2
    assert abs(many.std() - 0.8796) < 0.02  # of a normal distribution cut at ± 2


@pytest.mark.parametrize("truncation", [0, -0.1, 1.01, float("nan")])
def test_truncation_is_a_share(truncation: float) -> None:
    generator = build(networks.biggan(), "cpu")
    for call in (
        lambda: generator.sample([0], truncation),
        lambda: generator.synthesize(np.zeros((1, 8)), [0], truncation),
    ):
        with pytest.raises(UsageError, match="above 0, up to 1"):
            call()


def test_a_label_is_needed_and_in_range() -> None:
    generator = build(networks.biggan(), "cpu")
    z = generator.map(generator.sample([0]))
    with pytest.raises(SefaError, match="no label for a network of 3 classes"):
        generator.synthesize(z)
    with pytest.raises(SefaError, match="label 3 is out of range"):
        generator.synthesize(z, [3])
    assert not torch.equal(generator.synthesize(z, [0]), generator.synthesize(z, [1]))
    one_hot = np.array([[0.0, 1, 0]])
    assert torch.equal(generator.synthesize(z, one_hot), generator.synthesize(z, [1]))


@pytest.mark.parametrize("deep", [True, False])
def test_derivatives_both_ways(deep: bool) -> None:
    generator = build(networks.biggan(deep), "cpu").double()
    torch.manual_seed(0)
    codes, v, w = torch.randn(3, 1, generator.num_layers, 8, dtype=torch.float64)

    def function(codes: torch.Tensor) -> torch.Tensor:
        return generator.synthesize(codes, [1], 0.43)

    picture, tangent = jvp(function, (codes,), (v,))  # type: ignore[misc]
    step = 1e-7
    measured = (function(codes + step * v) - function(codes - step * v)) / (2 * step)
    assert (tangent - measured).abs().max() < 1e-5 * tangent.abs().max()
    u = torch.randn_like(picture)
    pulled = vjp(function, codes)[1](u)[0]
    assert (u * tangent).sum().item() == pytest.approx((pulled * v).sum().item(), rel=1e-9)
    both = vmap(lambda v: jvp(function, (codes,), (v,))[1])(torch.stack([v, w]))
    assert torch.allclose(both[0], tangent)


def test_size_is_the_area_mean() -> None:
    generator = build(networks.biggan(), "cpu")
    z = generator.sample([0])
    full = generator.synthesize(z, [1], 0.4)
    expected = full.reshape(1, 3, 4, 4, 4, 4).mean(dim=(3, 5))
    assert torch.allclose(generator.synthesize(z, [1], 0.4, size=4), expected, atol=1e-6)
