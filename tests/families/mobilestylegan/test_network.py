"""MobileStyleGAN against OpenVINO's numbers on the real model, and against a plain copy."""

import json
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from sefa_cli.families.build import build
from sefa_cli.families.mobilestylegan.network import Haar, interleaved
from sefa_cli.generators.base import Generator
from tests import helpers
from tests.helpers import networks, reference

GOLDEN = helpers.GOLDEN / "golden_mobilestylegan.safetensors"


@pytest.fixture(scope="module")
def golden() -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    return load_file(GOLDEN), json.loads(GOLDEN.with_suffix(".json").read_text())


@pytest.fixture(scope="module")
def picture(faces: Generator) -> torch.Tensor:
    """Seed 0 as the network paints it, 1024 px, not truncated."""
    return faces.synthesize(faces.map(faces.sample([0])))


def psnr(one: torch.Tensor, other: torch.Tensor) -> float:
    """In dB, for pictures in [-1, 1]."""
    return float(10 * torch.log10(4 / (one - other).square().mean()))


def test_the_real_model_paints_what_openvino_paints(
    faces: Generator, golden: tuple[dict[str, torch.Tensor], dict[str, Any]], picture: torch.Tensor
) -> None:
    tensors, facts = golden
    z = faces.sample([0, 1])
    assert torch.equal(z, torch.cat([tensors["z.0"], tensors["z.1"]]))
    w = faces.map(z)
    assert (w - torch.cat([tensors["w.0"], tensors["w.1"]])).abs().max() < 1e-5  # stated: 1e-4
    for seed, ours in enumerate((picture, faces.synthesize(w[1:]))):
        for (y, x), crop in zip(facts["crop_positions_yx"], tensors[f"crops.{seed}"], strict=True):
            assert (ours[0, :, y : y + 64, x : x + 64] - crop).abs().max() < 1e-4  # stated: 1e-3
        small = F.avg_pool2d(ours, 4)
        assert (small - tensors[f"image_ds4.{seed}"]).abs().max() < 5e-4  # half-precision file


def test_the_real_model_says_what_it_is(faces: Generator) -> None:
    assert faces.family == "mobilestylegan"
    assert (faces.z_dim, faces.w_dim, faces.num_layers) == (512, 512, 23)
    assert (faces.resolution, faces.img_channels, faces.preview_size) == (1024, 3, 256)


def test_the_computed_mean_is_near_the_known_one(faces: Generator) -> None:
    """The golden mean is over other samples, one seed each: both differ by the sampling error."""
    known = load_file(GOLDEN.with_name("sefa_mobilestylegan.safetensors"))
    error = known["w_std_per_dim"] * (2 / 10_000) ** 0.5
    assert ((faces.w_avg - known["w_avg"]) / error).square().mean() < 1.3
    rows = np.random.RandomState(0).randn(10000, 512)
    assert (faces.w_avg - faces.map(rows).mean(dim=0)).abs().max() < 1e-5


def test_512_px_is_exact(faces: Generator, picture: torch.Tensor) -> None:
    half = faces.synthesize(faces.map(faces.sample([0])), size=512)
    assert (half - F.avg_pool2d(picture, 2)).abs().max() < 1e-6


@pytest.mark.parametrize("size", [256, 300, 1])
def test_other_sizes_are_area_means(faces: Generator, picture: torch.Tensor, size: int) -> None:
    small = faces.synthesize(faces.map(faces.sample([0])), size=size)
    assert (small - F.interpolate(picture, size=(size, size), mode="area")).abs().max() < 1e-6


def test_the_preview_is_35_db_from_exact(faces: Generator, picture: torch.Tensor) -> None:
    quick = faces.synthesize(faces.map(faces.sample([0])), preview=True)
    assert quick.shape == (1, 3, 256, 256)
    exact = F.avg_pool2d(picture, 4)
    assert 35 < psnr(quick, exact) < 36


@pytest.mark.parametrize("noise_mode", ["const", "none"])
def test_each_layer_has_a_code_of_its_own(noise_mode: str) -> None:
    made = networks.mobilestylegan()
    generator = build(made, "cpu")
    codes = np.random.RandomState(1).randn(2, 11, 8)
    pictures = generator.synthesize(codes, noise_mode=noise_mode)
    for ours, code in zip(pictures, codes, strict=True):
        expected = reference.mobilestylegan(networks.arrays(made), code, noise_mode == "const")
        assert ours.shape == expected.shape == (3, 64, 64)
        assert np.abs(ours.numpy() - expected).max() < 1e-5 * np.abs(expected).max()


def test_the_mapping_takes_weights_as_stored() -> None:
    made = networks.mobilestylegan()
    z = np.random.RandomState(2).randn(8)
    expected = reference.mapping(networks.arrays(made), z, None)
    assert np.abs(build(made, "cpu").map(z[None])[0].numpy() - expected).max() < 1e-6


def test_the_haar_step_is_the_published_one() -> None:
    bands = torch.randn(2, 12, 4, 5, generator=torch.Generator().manual_seed(0))
    ours = Haar(12)(bands[:, interleaved(12)])
    for each, one in zip(ours, bands, strict=True):
        assert np.abs(each.numpy() - reference.haar(one.numpy())).max() < 1e-6


def test_styles_in_a_batch_stay_with_their_sample() -> None:
    random = torch.Generator().manual_seed(0)
    bands = torch.randn(3, 12, 4, 5, generator=random)
    style = torch.randn(3, 12, generator=random)
    ours, plain = Haar(12)(bands, style), Haar(12)(bands * style[:, :, None, None])
    assert (ours - plain).abs().max() < 1e-6 * plain.abs().max()  # sums of other roundings


def test_random_noise_is_as_loud_as_the_map() -> None:
    """Of the last map alone: without kernels, features are noise + a large bias, and linear."""
    made = networks.mobilestylegan()
    made.tensors["synthesis.layers.2.conv2.weight"].read()[...] = 0
    made.tensors["synthesis.layers.2.conv2.bias"].read()[...] = 10
    code = np.zeros((1, 8))
    loud = build(made, "cpu").synthesize(code, noise_mode="random")
    stored = build(made, "cpu").synthesize(code)
    calm = build(made, "cpu").synthesize(code, noise_mode="none")
    ratio = (loud - calm).square().mean() / (stored - calm).square().mean()
    assert 0.8 < ratio < 1.25


def test_a_preview_averages_noise_before_it_is_added() -> None:
    """Where the last block adds only noise, the shortcut loses nothing."""
    made = networks.mobilestylegan()
    for conv in ("conv1", "conv2"):
        made.tensors[f"synthesis.layers.2.{conv}.weight"].read()[...] = 0
        made.tensors[f"synthesis.layers.2.{conv}.bias"].read()[...] = 10
    generator = build(made, "cpu")
    codes = generator.map(generator.sample([0]))
    exact = generator.synthesize(codes, size=16)
    assert (generator.synthesize(codes, preview=True) - exact).abs().max() < 1e-5
