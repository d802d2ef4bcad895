"""DCGAN: the real model against its published code's pictures, small ones against PyTorch's own."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.func import jvp, vjp

from sefa_cli.errors import UsageError
from sefa_cli.families.build import build
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.generators.base import Generator
from tests import helpers
from tests.helpers import networks

GOLDEN = helpers.GOLDEN / "golden_dcgan_digiface.safetensors"


@pytest.fixture(scope="module")
def real(digiface: Path) -> Generator:
    return build(read_checkpoint(digiface), "cpu")


def published(arrays: networks.Arrays) -> nn.Sequential:
    """PyTorch's own modules, stacked as its example does, with these weights."""
    layers: list[nn.Module] = []
    last = max(int(name.split(".")[1]) for name in arrays)
    for i in range(0, last + 1, 3):
        inputs, outputs, side, _ = arrays[f"main.{i}.weight"].shape
        stride, padding = (2, 1) if i else (1, 0)
        bias = f"main.{i}.bias" in arrays
        layers.append(nn.ConvTranspose2d(inputs, outputs, side, stride, padding, bias=bias))
        layers += [nn.Tanh()] if i == last else [nn.BatchNorm2d(outputs), nn.ReLU()]
    whole = nn.Sequential(*layers).double().eval()
    state = {name.removeprefix("main."): torch.from_numpy(a) for name, a in arrays.items()}
    missing = whole.load_state_dict(state, strict=False).missing_keys
    assert all(name.endswith("num_batches_tracked") for name in missing)
    return whole


def test_the_real_model_paints_the_published_pictures(real: Generator) -> None:
    golden = load_file(GOLDEN)
    for seed in range(4):
        z = real.sample([seed])
        assert torch.equal(z, golden[f"z.{seed}"])
        picture = real.synthesize(real.map(z))
        assert (picture - golden[f"image.{seed}"]).abs().max() < 2e-6  # two orders of summation


def test_the_real_model_says_what_it_is(real: Generator) -> None:
    assert (real.family, real.space, real.num_layers) == ("dcgan", "z", 1)
    assert (real.z_dim, real.w_dim, real.c_dim) == (100, 100, 0)
    assert (real.resolution, real.img_channels, real.preview_size) == (64, 3, None)


@pytest.mark.parametrize("channels", [(9,), (9, 6, 4), (16, 8, 8, 4, 2)])
@pytest.mark.parametrize("bias", [False, True])
def test_any_depth_and_width(channels: tuple[int, ...], bias: bool) -> None:
    made = networks.dcgan(channels, bias)
    generator = build(made, "cpu")
    z = generator.sample(range(3))
    expected = published(networks.arrays(made))(z.double()[:, :, None, None])
    ours = generator.synthesize(generator.map(z))
    assert ours.shape == expected.shape == (3, 3, generator.resolution, generator.resolution)
    assert (ours - expected).abs().max() < 1e-5
    doubled = generator.double().synthesize(z)
    assert (doubled - expected).abs().max() < 3e-6  # what was folded is float32


def test_derivatives_both_ways() -> None:
    generator = build(networks.dcgan(), "cpu").double()
    z, v = generator.sample([0, 1]).double(), generator.sample([2, 3]).double()
    picture, tangent = jvp(generator.synthesize, (z,), (v,))  # type: ignore[misc]
    step = 1e-7
    measured = (generator.synthesize(z + step * v) - generator.synthesize(z - step * v)) / (
        2 * step
    )
    assert (tangent - measured).abs().max() < 1e-5 * tangent.abs().max()
    u = torch.randn_like(picture)

    def pull() -> Tensor:
        pulled: Tensor = vjp(generator.synthesize, z)[1](u)[0]
        return pulled

    assert (u * tangent).sum().item() == pytest.approx((pull() * v).sum().item(), rel=1e-9)


def test_there_is_nothing_to_truncate() -> None:
    generator = build(networks.dcgan(), "cpu")
    z = generator.sample([0])
    assert torch.equal(generator.map(z), z)
    assert generator.truncate(z, 1).shape == (1, 1, 8)
    for call in (
        lambda: generator.truncate(z, 0.7),
        lambda: generator.sample([0], truncation=0.7),
        lambda: generator.synthesize(z, truncation=0.7),
    ):
        with pytest.raises(UsageError, match=r"truncation 0\.7"):
            call()


def test_size_is_the_area_mean() -> None:
    generator = build(networks.dcgan(), "cpu")
    z = generator.sample([0])
    expected = generator.synthesize(z).reshape(1, 3, 8, 4, 8, 4).mean(dim=(3, 5))
    assert torch.allclose(generator.synthesize(z, size=8), expected, atol=1e-6)
    assert np.shape(generator.synthesize(z, noise_mode="none")) == (1, 3, 32, 32)
