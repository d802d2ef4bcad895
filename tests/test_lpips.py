"""LPIPS: its arithmetic against the published formula, and its weights against known distances."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from sefa_cli import lpips
from sefa_cli.errors import OfflineError, SefaError
from sefa_cli.generators.base import Generator
from tests.helpers.lpips_weights import TAPS, small_weights


@pytest.fixture
def small(tmp_path: Path) -> lpips.Lpips:
    path = tmp_path / "vgg16.ckpt"
    path.write_bytes(pickle.dumps(small_weights()))
    return lpips.Lpips(lpips._read(path))


def by_the_book(one: torch.Tensor, other: torch.Tensor) -> float:
    """The formula of the paper with torch's own layers, place by place."""
    tree, total = small_weights(), 0.0
    layers: list[nn.Module] = []
    taps = []
    for i in range(13):
        if i in (2, 4, 7, 10):
            layers.append(nn.MaxPool2d(2))
        kernel, bias = (tree["VGG16_0"][f"Conv_{i}"][key] for key in ("kernel", "bias"))
        layer = nn.Conv2d(kernel.shape[2], kernel.shape[3], 3, padding=1)
        layer.weight.data = torch.from_numpy(kernel).permute(3, 2, 0, 1)
        layer.bias.data = torch.from_numpy(bias)
        layers += [layer, nn.ReLU()]
        if i in TAPS:
            taps.append(len(layers))
    shift = torch.tensor([-0.030, -0.088, -0.188]).view(3, 1, 1)
    scale = torch.tensor([0.458, 0.448, 0.450]).view(3, 1, 1)
    for i, tap in enumerate(taps):
        network = nn.Sequential(*layers[:tap])
        a, b = (network(((x - shift) / scale)[None])[0].detach().numpy() for x in (one, other))
        a, b = (x / (np.sqrt((x**2).sum(0)) + 1e-10) for x in (a, b))
        head = tree[f"NetLinLayer_{i}"]["Conv_0"]["kernel"].ravel()
        total += ((a - b) ** 2 * head[:, None, None]).sum(0).mean()
    return total


def test_the_formula(small: lpips.Lpips) -> None:
    pictures, others = torch.rand(2, 2, 3, 20, 18) * 2 - 1
    found = small(pictures, others)
    wanted = [by_the_book(a, b) for a, b in zip(pictures, others, strict=True)]
    assert found.tolist() == pytest.approx(wanted, rel=1e-4) and min(wanted) > 0
    assert small(pictures, pictures).tolist() == [0, 0]
    gray = torch.rand(1, 1, 16, 16)
    assert torch.equal(
        small(gray, -gray), small(gray.expand(-1, 3, -1, -1), -gray.expand(-1, 3, -1, -1))
    )


def test_its_slope_is_finite_where_nothing_is_active(small: lpips.Lpips) -> None:
    small._biases[1] = torch.full((2,), -1e3)
    picture = torch.zeros(1, 3, 16, 16, requires_grad=True)
    small(picture, torch.rand(1, 3, 16, 16)).sum().backward()
    assert picture.grad.isfinite().all()


def test_what_is_refused(
    small: lpips.Lpips,
    tmp_path: Path,
) -> None:
    for shape in ((1, 3, 15, 40), (1, 4, 16, 16)):
        with pytest.raises(SefaError, match="LPIPS cannot see pictures of"):
            small.features(torch.zeros(shape))
    with pytest.raises(SefaError, match="lack VGG16_0/Conv_0/kernel"):
        lpips.Lpips({})
    (tmp_path / "bad").write_bytes(b"cos\nsystem\n(S'touch canary'\ntR.")
    assert lpips._read(tmp_path / "bad") == {}  # read, not run
    assert not Path("canary").exists()


def test_without_a_network_the_way_out_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEFA_CACHE", str(tmp_path))
    lpips.load_lpips.cache_clear()
    with pytest.raises(OfflineError, match=r"put vgg16\.ckpt .* or use loss='pixels'"):
        lpips.load_lpips(offline=True)


@pytest.mark.slow
def test_the_published_weights(faces: Generator) -> None:
    """The first kernel is as in the file, and distances are near those seen with other tools."""
    network = lpips.load_lpips()
    first = [[-0.5537, 0.1427, 0.5290], [-0.5831, 0.3566, 0.7657], [-0.6902, -0.0480, 0.4841]]
    assert torch.allclose(network._kernels[0][0, 0], torch.tensor(first), atol=1e-4)
    assert all(head.min() >= 0 for head in network._heads)
    with torch.inference_mode():
        codes = faces.truncate(faces.map(faces.sample([0, 1])), 0.7)
        pictures = faces.synthesize(codes, size=128)
        blurred = F.interpolate(F.avg_pool2d(pictures, 2), scale_factor=2, mode="bilinear")
        assert network(pictures, pictures).tolist() == [0, 0]
        assert all(0.09 < d < 0.13 for d in network(pictures, blurred))
        assert all(0.4 < d < 0.54 for d in network(pictures, pictures.flip(0)))
