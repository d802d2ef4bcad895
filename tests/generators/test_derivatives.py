"""Pictures are differentiable in the codes, forward and in reverse, batched or not."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import jacrev, jvp, vjp, vmap

from sefa_cli.generators.base import Generator

WAYS: dict[str, dict[str, Any]] = {
    "full": {},
    "half": {"size": 8},
    "quarter, odd": {"size": 5},
    "preview": {"preview": True},
    "without noise": {"noise_mode": "none"},
}


@pytest.fixture(params=WAYS)
def function(request: pytest.FixtureRequest, tiny: Generator) -> Callable[[Tensor], Tensor]:
    """Codes → pictures in double precision."""
    tiny.double()
    return lambda codes: tiny.synthesize(codes, **WAYS[request.param])


def some(tiny: Generator, n: int = 1, seed: int = 0) -> Tensor:
    torch.manual_seed(seed)
    return torch.randn(n, tiny.num_layers, tiny.w_dim, dtype=torch.float64)


def test_forward_agrees_with_finite_differences(
    tiny: Generator, function: Callable[[Tensor], Tensor]
) -> None:
    codes, v = some(tiny), some(tiny, seed=1)
    picture, tangent = jvp(function, (codes,), (v,))  # type: ignore[misc]
    step = 1e-8  # small enough to cross no kink of a leaky ReLU
    measured = (function(codes + step * v) - function(codes - step * v)) / (2 * step)
    assert torch.equal(picture, function(codes))
    assert (tangent - measured).abs().max() < 1e-5 * tangent.abs().max()


def test_reverse_agrees_with_forward(tiny: Generator, function: Callable[[Tensor], Tensor]) -> None:
    codes, v = some(tiny, 2), some(tiny, 2, seed=1)
    _, tangent = jvp(function, (codes,), (v,))  # type: ignore[misc]
    picture, pull = vjp(function, codes)  # type: ignore[misc]
    u = torch.randn_like(picture)
    assert (u * tangent).sum().item() == pytest.approx((pull(u)[0] * v).sum().item(), rel=1e-9)


def test_plain_backward_agrees_with_vjp(
    tiny: Generator, function: Callable[[Tensor], Tensor]
) -> None:
    codes = some(tiny).requires_grad_()
    picture = function(codes)
    u = torch.randn_like(picture)
    picture.backward(u)
    assert codes.grad is not None
    assert torch.allclose(codes.grad, vjp(function, codes.detach())[1](u)[0])


def test_many_directions_at_once(tiny: Generator) -> None:
    tiny.double()
    codes, several = some(tiny), torch.stack([some(tiny, seed=i) for i in range(3)])

    def along(v: Tensor) -> Tensor:
        tangent: Tensor = jvp(tiny.synthesize, (codes,), (v,))[1]
        return tangent

    assert torch.allclose(vmap(along)(several), torch.stack([along(v) for v in several]))


def test_a_whole_jacobian(tiny: Generator) -> None:
    """Of the code for all layers and of four pixels; the mapping and truncation take part."""
    tiny.double()
    z, v = tiny.sample([0]).double(), torch.randn(1, tiny.z_dim, dtype=torch.float64)

    def corner(z: Tensor) -> Tensor:
        return tiny.synthesize(tiny.truncate(tiny.map(z), 0.7, 4))[0, :, :2, :2]

    jacobian = jacrev(corner)(z)  # (3, 2, 2, 1, z_dim)
    assert torch.allclose((jacobian * v).sum(dim=(3, 4)), jvp(corner, (z,), (v,))[1])


def test_no_grad_gives_the_same_picture(tiny: Generator) -> None:
    codes = some(tiny).float()
    with_graph = tiny.synthesize(codes.clone().requires_grad_())
    with torch.inference_mode():
        assert torch.equal(tiny.synthesize(codes), with_graph.detach())
