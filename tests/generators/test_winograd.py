"""Convolutions with fewer products: the numbers, when they are taken, and when they are not."""

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import forward_ad
from torch.func import jvp, vmap

from sefa_cli.families.build import build
from sefa_cli.families.stylegan2.network import StyleGAN2
from sefa_cli.generators import tiles, winograd
from sefa_cli.generators.layers import Resampler, fast_layout
from sefa_cli.generators.winograd import Convolution, Finish, suits
from tests.helpers import networks

SHAPES = [  # samples, inputs, outputs, height, width
    (1, 64, 64, 32, 32),
    (2, 96, 64, 33, 40),
    (1, 64, 80, 35, 37),
    (1, 64, 64, 130, 34),  # several bands, the last one not full
    (1, 64, 64, 32, 300),  # bands of one row of tiles
    (1, 512, 512, 32, 32),
]


both = pytest.mark.parametrize("resampler", [None, Resampler()], ids=["plain", "doubling"])


@pytest.fixture(autouse=True)
def _small_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for one thread, and small pictures are doubled as large ones are."""
    monkeypatch.setattr(winograd, "_SHARED_TILES", winograd._TILES)
    monkeypatch.setattr(winograd, "_LEAST_DOUBLED", winograd._LEAST_SIDE)


def some(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def error(found: Tensor, true: Tensor) -> float:
    """The root mean square error, as a share of the spread."""
    return float((found.double() - true).square().mean().sqrt() / true.std())


def finish(y: Tensor, clamp: float | None = 30.0) -> Finish:
    """What may follow y."""
    n, outputs, height, width = y.shape
    factor, bias = some(n, outputs, 1, 1, seed=3).abs() + 0.5, some(outputs, 1, 1, seed=4)
    return Finish(factor, bias, some(n, 1, height, width, seed=5), clamp)


@pytest.mark.parametrize("lay", [fast_layout, Tensor.contiguous], ids=["channels last", "first"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_numbers_of_a_plain_convolution(
    shape: tuple[int, int, int, int, int], lay: Callable[[Tensor], Tensor]
) -> None:
    n, inputs, outputs, *side = shape
    x, weight = lay(some(n, inputs, *side)), some(outputs, inputs, 3, 3, seed=1)
    scale = some(n, inputs, seed=2).abs() + 0.5
    assert suits(x, weight, scale)
    found = Convolution()(x, weight, scale)
    scaled = x * scale[:, :, None, None]
    own = F.conv2d(fast_layout(scaled), weight, padding=1)
    true = F.conv2d(scaled.double(), weight.double(), padding=1)
    assert found.shape == true.shape
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert error(found, true) < 2e-6 and error(found, true) < 2 * error(own, true)
    assert (found - true).abs().max() < 3e-5 * true.std()


TAPS = [None, (1.0, 2.0, 1.0), (1.0, 4.0, 6.0, 4.0, 1.0, 0.5), (1.0,) * 10, (1.0,) * 12]


@pytest.mark.parametrize("taps", TAPS, ids=["1 3 3 1", "3 taps", "6 taps", "10 taps", "12 taps"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_numbers_of_one_that_doubles(
    shape: tuple[int, int, int, int, int], taps: tuple[float, ...] | None
) -> None:
    n, inputs, outputs, height, width = shape
    x, weight = fast_layout(some(n, inputs, height, width)), some(outputs, inputs, 3, 3, seed=1)
    scale = some(n, inputs, seed=2).abs() + 0.5
    resampler = Resampler(None if taps is None else torch.tensor(taps) / sum(taps))
    convolve, scaled = Convolution(resampler), x * scale[:, :, None, None]
    assert suits(x, weight, scale, doubling=True)
    found, own = convolve(x, weight, scale), convolve.plain(scaled, weight)
    true = deepcopy(convolve).double().plain(scaled.double(), weight.double())
    assert found.shape == true.shape == (n, outputs, 2 * height, 2 * width)
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert error(found, true) < 1.5e-6 and error(found, true) < 2.2 * error(own, true)
    assert (found - true).abs().max() < 1e-5 * true.std()


@both
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_what_follows_is_done_in_every_row(
    shape: tuple[int, int, int, int, int], resampler: Resampler | None
) -> None:
    n, inputs, outputs, *side = shape
    x, weight = some(n, inputs, *side), some(outputs, inputs, 3, 3, seed=1)
    convolve = Convolution(resampler)
    alone = convolve(x, weight)
    for after in (finish(alone), finish(alone, None), replace(finish(alone), noise=None)):
        true = after.activated(torch.addcmul(after.bias, alone, after.factor))
        assert torch.allclose(convolve(x, weight, None, after), true, rtol=1e-5, atol=1e-5)


@both
def test_without_kernels_that_are_laid_out(
    resampler: Resampler | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, weight = some(1, 64, 40, 36), some(80, 64, 3, 3)
    packed = Convolution(resampler)(x, weight)
    monkeypatch.setattr(tiles, "_lays_out", lambda: False)
    assert error(Convolution(resampler)(x, weight), packed.double()) < 2e-6


@both
def test_a_sample_has_the_same_bits_in_any_batch(resampler: Resampler | None) -> None:
    x, weight, scale = some(3, 64, 40, 32), some(64, 64, 3, 3), some(3, 64)
    convolve = Convolution(resampler)
    after = finish(convolve(x, weight))
    assert after.noise is not None
    together = convolve(x, weight, scale, after)
    for i in range(3):
        one = slice(i, i + 1)
        own = Finish(after.factor[one], after.bias, after.noise[one], after.clamp)
        assert torch.equal(convolve(x[one], weight, scale[one], own)[0], together[i])


def test_changed_kernels_are_transformed_anew() -> None:
    x, weight, scale = some(1, 64, 32, 32), some(64, 64, 3, 3), torch.ones(1, 64)
    convolve = Convolution()
    before = convolve(x, weight, scale)
    weight.mul_(2)
    assert torch.allclose(convolve(x, weight, scale), 2 * before)
    other = (-weight).mul_(1)  # of the same version
    assert other._version == weight._version
    assert torch.allclose(convolve(x, other, scale), -2 * before)


def test_freed_kernels_leave_nothing_behind() -> None:
    """Their place in memory could go to others of the same version."""
    x, convolve = some(1, 64, 32, 32), Convolution()
    for seed in range(20):
        weight = some(64, 64, 3, 3, seed=seed)
        assert torch.allclose(convolve(x, weight), convolve.plain(x, weight), atol=1e-3)
        del weight


def test_copies_do_without_the_kernels() -> None:
    x, weight, convolve = some(1, 64, 32, 32), some(64, 64, 3, 3), Convolution()
    before = convolve(x, weight)
    copied = deepcopy(convolve)
    assert len(pickle.dumps(convolve)) < 1000
    assert torch.equal(copied(x, weight), before)


def test_what_suits(monkeypatch: pytest.MonkeyPatch) -> None:
    x, weight = some(1, 64, 32, 32), some(64, 64, 3, 3)
    assert suits(x, weight) and suits(x, weight, doubling=True)
    odd = some(72, 64, 3, 3)
    assert suits(x, odd) and not suits(x, odd, doubling=True)
    monkeypatch.setattr(winograd, "_LEAST_DOUBLED", 33)
    assert suits(x, weight) and not suits(x, weight, doubling=True)
    assert not suits(x[:, :, :31], weight) and not suits(x[:, :63], weight[:, :63])
    assert not suits(x.double(), weight.double()) and not suits(x, weight.double())
    assert not suits(x.to("meta"), weight)
    with torch.inference_mode():
        assert suits(x, weight) and suits(x.clone(), weight) and not suits(x, weight.clone())
    assert not suits(x, weight, torch.ones(1, 64, requires_grad=True))
    with torch.autocast("cpu", torch.bfloat16):
        assert not suits(x, weight)


@pytest.mark.filterwarnings("ignore")  # torch's own, about tracing
@both
def test_one_that_is_compiled_or_traced_is_plain(resampler: Resampler | None) -> None:
    x, weight, convolve = some(1, 64, 32, 32), some(64, 64, 3, 3), Convolution(resampler)
    plain = convolve.plain(x, weight)
    assert not torch.equal(convolve(x, weight), plain)
    compiled = torch.compile(convolve, backend="eager", fullgraph=True)
    assert torch.equal(compiled(x, weight), plain)
    traced = torch.jit.trace(convolve, (x, weight), check_trace=False)
    assert torch.equal(traced(x, weight), plain)


@both
def test_a_number_that_is_not_finite_spoils_what_is_near(resampler: Resampler | None) -> None:
    x, weight, convolve = some(1, 64, 64, 64), some(64, 64, 3, 3), Convolution(resampler)
    true = convolve(x, weight)
    x[:, 5, 30, 31] = float("nan")
    found = convolve(x, weight)
    assert found[convolve.plain(x, weight).isnan()].isnan().all()
    near = slice(22 * true.shape[2] // 64, 38 * true.shape[2] // 64)
    true[:, :, near, near] = found[:, :, near, near] = 0
    assert torch.equal(found, true)


@both
def test_the_height_of_bands_changes_no_number(
    resampler: Resampler | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, weight, made = some(1, 64, 100, 40), some(64, 64, 3, 3), []
    for most in (1, 40, 10_000):  # a row of tiles, a few, all
        monkeypatch.setattr(winograd, "_TILES", most)
        monkeypatch.setattr(winograd, "_SHARED_TILES", most)
        made.append(Convolution(resampler)(x, weight))
    for other in made[1:]:
        assert torch.allclose(made[0], other, rtol=1e-5, atol=1e-4)


def test_nothing_is_finished_that_torch_follows() -> None:
    """A bias that is tuned, or moved along, gets its derivative."""
    x, weight, bias = some(1, 64, 32, 32), some(64, 64, 3, 3), some(64, 1, 1)
    convolve, plain = Convolution(), finish(x, None)

    def with_bias(bias: Tensor) -> Tensor:
        return convolve(x, weight, None, replace(plain, bias=bias)).sum()

    change = jvp(with_bias, (bias,), (torch.ones_like(bias),))[1]
    asked = bias.clone().requires_grad_()
    slope = torch.autograd.grad(with_bias(asked), asked)[0]
    assert torch.allclose(slope.sum(), change, rtol=1e-5)
    with forward_ad.dual_level():
        dual = with_bias(forward_ad.make_dual(bias, torch.ones_like(bias)))
        assert torch.allclose(forward_ad.unpack_dual(dual).tangent, change)


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Note of every convolution whether it is computed with fewer products."""
    answers: list[bool] = []

    def asked(x: Tensor, weight: Tensor, *others: Tensor | None, doubling: bool) -> bool:
        answers.append(suits(x, weight, *others, doubling=doubling))
        return answers[-1]

    with monkeypatch.context() as patch:
        patch.setattr(winograd, "suits", asked)
        yield answers


@pytest.fixture(scope="module")
def wide() -> StyleGAN2:
    generator = build(networks.stylegan2(channels=84, resolution=64), "cpu")
    assert isinstance(generator, StyleGAN2)
    return generator


def test_nothing_that_torch_follows(wide: StyleGAN2, monkeypatch: pytest.MonkeyPatch) -> None:
    """Derivatives in all modes are those of the plain convolutions, and no picture is spoiled."""
    code, move = some(1, wide.num_layers, 12), some(1, wide.num_layers, 12, seed=1)
    with counted(monkeypatch) as calls:
        plain = wide.synthesize(code)
        # 4 to 64 px: conv1, then conv0 (from half the pixels) and conv1.
        assert calls == [False, False, False, False, False, False, True, True, True]
        with torch.inference_mode():
            assert torch.equal(wide.synthesize(code), plain)
        assert sum(calls) == 6
        asked = code.clone().requires_grad_()
        picture = wide.synthesize(asked)
        change = jvp(wide.synthesize, (code,), (move,))[1]
        with forward_ad.dual_level():
            dual = wide.synthesize(forward_ad.make_dual(code, move))
            assert torch.equal(forward_ad.unpack_dual(dual).tangent, change)
        many = vmap(wide.synthesize)(torch.stack([code, move]))
        names = ("3.conv1", "4.conv0", "4.conv1")
        weights = [wide.get_parameter(f"blocks.{name}.weight") for name in names]
        for weight in weights:
            weight.requires_grad_()
        tuned = wide.synthesize(code)
        for weight in weights:
            weight.requires_grad_(False)
        assert sum(calls) == 6 and len(calls) > 20
    slope = torch.autograd.grad(picture, asked, change)[0]
    assert torch.allclose((slope * move).sum(), change.square().sum(), rtol=1e-4)
    for other in (picture.detach(), many[0], tuned.detach()):
        assert 0 < (other - plain).abs().max() < 2e-5 * plain.std()


@pytest.mark.parametrize("family", ["pggan", "stylegan", "lucidrains"])
def test_pictures_are_as_exact_as_plain_ones(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of StyleGAN2 too, by the variants that its own tests compare with the equations."""
    generator = build(getattr(networks, family)(blocks=5, channels=72), "cpu")
    code = generator.map(generator.sample([3]))
    with counted(monkeypatch) as calls:
        fast = generator.synthesize(code)
    assert any(calls)
    monkeypatch.setattr(winograd, "suits", lambda *_, **__: False)
    plain = generator.synthesize(code)
    true = generator.double().synthesize(code)
    assert not torch.equal(fast, plain)
    assert error(fast, true) < 4 * error(plain, true)
