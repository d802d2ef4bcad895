"""The matrices of tiles, against the convolutions that they stand for."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sefa_cli.generators import tiles as tiles_module
from sefa_cli.generators.tiles import DOUBLING, PLAIN, Multiply, Scheme, multiplied


def doubled(d: Tensor, g: Tensor) -> Tensor:
    """Outputs 2i to 2i + 3 along both axes, of features i − 1 to i + 1."""
    return F.conv_transpose2d(d, g, stride=2)[:, :, 2:6, 2:6]


def some(*shape: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize(
    ("scheme", "products", "outputs", "convolve"),
    [(PLAIN, 36, 16, F.conv2d), (DOUBLING, 25, 16, doubled)],
    ids=["plain", "doubling"],
)
def test_a_tile(
    scheme: Scheme, products: int, outputs: int, convolve: Callable[..., Tensor]
) -> None:
    d, g = some(scheme.taken, scheme.taken, seed=0), some(3, 3, seed=1)
    factors = scheme.kernel @ g.flatten(), scheme.into @ d.flatten()
    assert factors[0].shape == factors[1].shape == (products,)
    found = scheme.back @ (factors[0] * factors[1])
    true = convolve(d[None, None], g[None, None]).flatten()
    assert len(found) == len(true) == outputs == scheme.given**2
    assert torch.allclose(found, true, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("tiles", [1, 5, 40])
def test_products_of_any_number_of_tiles(tiles: int) -> None:
    kernels, into = some(7, 20, 13, seed=2).float(), some(tiles, 7, 13, seed=3).float()
    true = torch.einsum("poi,tpi->tpo", kernels, into)
    assert torch.allclose(multiplied(kernels, 5)(into), true, atol=1e-5)


def test_kernels_are_laid_out_with_the_torch_that_is_installed() -> None:
    assert tiles_module._lays_out()


def refusing(kernels: Tensor, tiles: int) -> Multiply:
    raise AttributeError("no such operation")


def another(kernels: Tensor, tiles: int) -> Multiply:
    return lambda into: 2 * tiles_module._by_bmm(kernels)(into)


@pytest.mark.parametrize("other", [refusing, another])
def test_a_torch_that_does_not_lay_them_out(
    other: Callable[..., Multiply], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiles_module, "_laid_out", other)
    tiles_module._lays_out.cache_clear()
    try:
        assert not tiles_module._lays_out()
        test_products_of_any_number_of_tiles(5)
    finally:
        tiles_module._lays_out.cache_clear()
