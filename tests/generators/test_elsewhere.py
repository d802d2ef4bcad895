"""Every family on a device that is not the CPU: nothing stays behind, the numbers are the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sefa_cli.checkpoints import open_checkpoint
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.discovery.jacobian import grams
from sefa_cli.families.build import build
from sefa_cli.families.registry import built_in
from sefa_cli.generators.base import Generator
from sefa_cli.generators.linearize import Linearization
from tests.helpers import networks
from tests.helpers.elsewhere import NAME, Elsewhere

BY_HAND = ("mobilestylegan", "stylegan", "stylegan2")


def same(family: str | Checkpoint, work: Callable[[Generator], Tensor]) -> None:
    """`work` gives a tensor on the generator's device, with the numbers that it has on the CPU."""
    made = getattr(networks, family)() if isinstance(family, str) else family
    expected = work(build(made, "cpu"))
    with Elsewhere():
        found = work(build(made, "cpu").to(NAME))
        assert found.device.type == NAME
        found = found.cpu()
    assert type(found) is Tensor and found.shape == expected.shape
    assert (found - expected).abs().max() < 5e-6 * expected.abs().max()


def codes(generator: Generator) -> Tensor:
    label = torch.tensor([0, 1]) if generator.conditioned else None
    return generator.map(generator.sample(range(2)), label)


def linearized(generator: Generator) -> Linearization:
    code = codes(generator)[0]
    code = code if code.ndim == 2 else code[None].expand(generator.num_layers, -1)
    label = torch.tensor([0]) if generator.conditioned else None
    return generator.linearize(code, range(generator.num_layers), label=label)


def test_the_device_refuses_what_gpus_refuse() -> None:
    with Elsewhere():
        there = torch.ones(3, device=NAME)
        with pytest.raises(RuntimeError, match="tensors on two devices"):
            there + torch.ones(3)
        with pytest.raises(RuntimeError, match="numpy"):
            there.numpy()
        with pytest.raises(TypeError, match="no float64"):
            there.double()
        assert ((there + 1).cpu() == 2).all()


@pytest.mark.parametrize("noise_mode", ["const", "none"])
@pytest.mark.parametrize("family", built_in())
def test_pictures(family: str, noise_mode: str) -> None:
    def paint(generator: Generator, **how: Any) -> Tensor:
        label = torch.tensor([0, 1]) if generator.conditioned else None
        return generator.synthesize(codes(generator), label, noise_mode=noise_mode, **how)

    same(family, paint)
    same(family, lambda generator: paint(generator, size=8, preview=True))


@pytest.mark.parametrize("family", built_in())
def test_random_noise(family: str) -> None:
    def paint(generator: Generator) -> Tensor:
        label = torch.tensor([0, 1]) if generator.conditioned else None
        return generator.synthesize(codes(generator), label, noise_mode="random").isfinite().float()

    same(family, paint)


@pytest.mark.parametrize("family", BY_HAND)
def test_derivatives_by_hand(family: str) -> None:
    def forward(generator: Generator) -> Tensor:
        linear = linearized(generator)
        return linear.forward(torch.eye(linear.dim, device=linear.device)[:4])

    def both(generator: Generator) -> Tensor:
        linear = linearized(generator)
        fore = np.zeros(linear.picture.shape[1:], np.uint8)
        fore[: len(fore) // 2] = 1
        found = grams(linear, fore, 1 - fore)
        return torch.from_numpy(np.stack(found)).float().to(linear.device)

    same(family, forward)
    same(family, both)


def test_the_default_model(default_model: Path) -> None:
    """Derivatives agree but where an activation lies on the other side of its kink: another order
    of additions puts a few there, as one thread instead of two does on the CPU."""
    checkpoint = open_checkpoint(str(default_model))

    def linear(generator: Generator) -> Linearization:
        w = generator.map(generator.sample([0]))[0]
        return generator.linearize(w.expand(generator.num_layers, -1), range(5, 11), size=256)

    same(checkpoint, lambda generator: linear(generator).picture)
    here = linear(build(checkpoint, "cpu"))
    expected = here.forward(torch.eye(here.dim)[:2])
    with Elsewhere():
        there = linear(build(checkpoint, "cpu").to(NAME))
        found = there.forward(torch.eye(there.dim, device=NAME)[:2]).cpu()
    far = (found - expected).abs() > 1e-5 * expected.abs().max()
    assert far.float().mean() < 0.01
    assert (found - expected).norm() < 1e-3 * expected.norm()


@pytest.mark.parametrize("family", built_in())
def test_reverse_mode(family: str) -> None:
    def reverse(generator: Generator) -> Tensor:
        linear = linearized(generator)
        return linear.reverse(torch.ones(2, *linear.picture.shape, device=linear.device))

    same(family, reverse)
