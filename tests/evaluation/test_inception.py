"""Distances of sets of pictures, and Inception read from a program that is never run."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sefa_cli.errors import SefaError
from sefa_cli.evaluation import evaluate as module
from sefa_cli.evaluation.found import Evaluation
from sefa_cli.evaluation.inception import (
    Convolution,
    Inception,
    _stretched,
    frechet_distance,
    kernel_distance,
    read_inception,
)
from sefa_cli.evaluation.output import as_csv, write_evaluation
from sefa_cli.evaluation.scorers import color_scores
from tests.evaluation.conftest import bundle


class Layer(torch.nn.Module):
    """A convolution as the program has it."""

    stride: int

    def __init__(self, padding: Any) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(0)
        self.weight = torch.nn.Parameter(torch.randn(3, 2, 1, 3, generator=random))
        self.beta, self.mean = (
            torch.nn.Parameter(torch.randn(3, generator=random)) for _ in range(2)
        )
        self.var = torch.nn.Parameter(torch.rand(3, generator=random) + 0.5)
        self.stride, self.padding = 1, padding

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


class Net(torch.nn.Module):
    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.net = torch.nn.Module()
        self.net.layers = torch.nn.Sequential()
        self.net.layers.add_module("conv", Layer(padding))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def program(path: Path, padding: Any) -> tuple[Path, Layer]:
    net = Net(padding)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(net), path)
    return path, next(m for m in net.modules() if isinstance(m, Layer))


@pytest.mark.parametrize(("padding", "expected"), [(1, (1, 1)), ([0, 1], (0, 1))])
def test_a_convolution_with_its_normalization(
    tmp_path: Path, padding: Any, expected: tuple[int, int]
) -> None:
    path, layer = program(tmp_path / "net.pt", padding)
    network = read_inception(path)
    assert network._convolutions["conv"].padding == expected
    x = torch.randn(1, 2, 5, 6)
    plain = torch.nn.functional.conv2d(x, layer.weight, padding=expected)
    normal = torch.nn.functional.batch_norm(
        plain, layer.mean.detach(), layer.var.detach(), None, layer.beta, eps=1e-3
    )
    assert torch.allclose(network._conv("conv", x), normal.relu(), atol=1e-5)
    with pytest.raises(SefaError, match="lack conv_1"):
        network(torch.zeros(1, 2, 9, 9))


UNUSED = Convolution(torch.zeros(1, 1, 1, 1), torch.zeros(1), 1, (0, 0))
HALVES = {"mixed_3.conv", "mixed_3.tower.conv_2", "mixed_8.tower.conv_1", "mixed_8.tower_1.conv_3"}


class Traced(Inception):
    """Each convolution is the mean of its channels; its name is kept."""

    def _conv(self, name: str, x: torch.Tensor) -> torch.Tensor:
        self.used = [*getattr(self, "used", []), name]
        mean = x.mean(1, keepdim=True)
        return torch.nn.functional.avg_pool2d(mean, 3, 2) if name in HALVES else mean


def test_the_network_has_a_feature_for_each_channel() -> None:
    """Every convolution of the real network by name, with one channel each."""
    names = [f"conv{n}" for n in ("", "_1", "_2", "_3", "_4")]
    for i, kind in enumerate("AAABCCCCDEE"):
        name = f"mixed_{i}." if i else "mixed."
        towers = {"A": (2, 3), "B": (3,), "C": (3, 5), "D": (2, 4), "E": ()}[kind]
        names += [name + "conv"] * (kind != "D")
        for t, count in enumerate(towers):
            stem = "tower" if t == 0 else f"tower_{t}"
            names += [f"{name}{stem}.conv" + (f"_{n}" if n else "") for n in range(count)]
        if kind in "AC":
            names.append(name + "tower_2.conv")
        if kind == "E":
            ends = ("conv", "mixed_conv", "mixed_conv_1")
            names += [f"{name}tower_{end}" for end in ends] + [f"{name}tower_1_conv_1"]
            names += [f"{name}tower_1_{end}" for end in ends] + [f"{name}tower_2_conv"]
    assert len(names) == len(set(names)) == 94
    network = Traced(dict.fromkeys(names, UNUSED))
    found = network(torch.ones(1, 3, 147, 147))  # 73, 36, 17 and 8 after each halving
    assert found.shape == (1, 6) and torch.all(found == 1)
    assert sorted(network.used) == sorted(names)


def test_a_picture_is_stretched_as_tensorflow_did() -> None:
    line = torch.arange(598.0).expand(1, 598, 598)
    assert torch.equal(_stretched(line)[0, 0], torch.arange(0.0, 598, 2))
    small = _stretched(torch.tensor([[[0.0, 10], [0, 10]]]))[0, 0]
    assert small[0] == 0 and small[75] == pytest.approx(10 * 75 * 2 / 299) and small[-1] == 10


def test_distances_of_normal_sets() -> None:
    random = np.random.RandomState(0)
    one, other = random.randn(1500, 3), random.randn(1500, 3)
    assert frechet_distance(one, other) < 0.02 and abs(kernel_distance(one, other)) < 0.02
    far, wide = other + np.array([2, 0, 0]), other * 3
    assert frechet_distance(one, far) == pytest.approx(4, rel=0.1)
    assert frechet_distance(one, wide) == pytest.approx(12, rel=0.1)  # 3 (3 - 1)²
    assert kernel_distance(one, far) > 0.5 and kernel_distance(one, wide) > 0.5
    few = [kernel_distance(random.randn(10, 3), random.randn(10, 3)) for _ in range(200)]
    assert abs(np.mean(few)) < 0.1  # unbiased
    assert frechet_distance(one[:10], one[:10]) == pytest.approx(0, abs=1e-9)


def test_the_frechet_distance_is_that_of_the_definition() -> None:
    """|μ - ν|² + tr(C + D - 2 √(CD)), with the eigenvalues of CD, which is not symmetric.

    `scipy.linalg.sqrtm` gave the same to 9 digits for 64 features.
    """
    random = np.random.RandomState(0)
    mix = random.randn(16, 16)
    one, other = random.randn(300, 16) @ mix, 1.2 * random.randn(300, 16) @ mix.T + 0.5
    C, D = (np.cov(rows, rowvar=False) for rows in (one, other))
    roots = np.sqrt(np.linalg.eigvals(C @ D).real)
    shift = np.square(one.mean(axis=0) - other.mean(axis=0)).sum()
    expected = shift + np.trace(C) + np.trace(D) - 2 * roots.sum()
    assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-9)


def test_sets_of_edited_pictures(
    run: Callable[..., Evaluation], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def means(picture: np.ndarray) -> np.ndarray:
        return picture.mean(axis=(0, 1), dtype=np.float32)

    means.embeds = True  # type: ignore[attr-defined]
    monkeypatch.setattr(module, "open_scorers", lambda *_: {"colors": color_scores, "m": means})
    found = run({"right": bundle()}, steps=2)
    bright, warm, _ = (row["compared"] for row in found.results)
    level = 127.5 * (0.05 + 0.1 / 16)
    assert bright["frechet"]["steps"][-1] == pytest.approx(3 * (3 * level) ** 2, rel=0.05)
    assert bright["frechet"]["steps"][1] < bright["frechet"]["steps"][0]
    assert warm["kernel"]["mean"] > 0
    assert "frechet,kernel" in as_csv(found).splitlines()[0]
    assert "frechet</th>" in write_evaluation(found, tmp_path / "eval").read_text("utf-8")
    monkeypatch.setattr(module, "open_scorers", lambda *_: {"m": means})
    alone = run({"right": bundle()})
    assert alone.attributes == () and alone.results[0]["compared"]["frechet"]["mean"] > 0
    assert write_evaluation(alone, tmp_path / "alone").exists()
