"""What every generator promises, sentence by sentence, on small random ones of each family."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from sefa_cli.errors import SefaError, UsageError
from sefa_cli.families.build import build
from sefa_cli.generators.base import Generator
from sefa_cli.generators.layers import area_mean
from tests.helpers import networks


def codes_of(generator: Generator, seeds: list[int]) -> torch.Tensor:
    return generator.map(generator.sample(seeds))


def test_it_says_what_it_is(tiny: Generator) -> None:
    assert tiny.family in ("stylegan", "stylegan2", "mobilestylegan")
    assert tiny.space == "w"
    assert tiny.device == torch.device("cpu")
    assert tiny.synthesize(codes_of(tiny, [0])).shape == (
        1, tiny.img_channels, tiny.resolution, tiny.resolution,
    )  # fmt: skip


def test_z_is_drawn_seed_by_seed(tiny: Generator) -> None:
    z = tiny.sample([5, 3, 5])
    assert z.dtype == torch.float32
    assert z.shape == (3, tiny.z_dim)
    expected = np.random.RandomState(3).randn(1, tiny.z_dim).astype(np.float32)
    assert np.array_equal(z[1:2].numpy(), expected)
    assert torch.equal(z[0], z[2])
    assert torch.equal(tiny.sample(np.arange(3)), tiny.sample(range(3)))


@pytest.mark.parametrize("seeds", [[], [-1], [2**32], [0.5], 3, ["a"]])
def test_no_seeds_but_integers(tiny: Generator, seeds: object) -> None:
    with pytest.raises(SefaError, match="seed"):
        tiny.sample(seeds)  # type: ignore[arg-type]


def test_codes_are_not_truncated(tiny: Generator) -> None:
    w = codes_of(tiny, [0, 1])
    assert w.shape == (2, tiny.w_dim)
    tiny.w_avg = torch.zeros(tiny.w_dim)
    assert torch.equal(w, codes_of(tiny, [0, 1]))


def test_numpy_is_accepted(tiny: Generator) -> None:
    z = tiny.sample([0, 1])
    w = tiny.map(z)
    assert torch.equal(tiny.map(z.numpy()), w)
    assert torch.equal(tiny.map(z.numpy().astype(np.float64)), w)
    assert torch.equal(tiny.map(z.tolist()), w)
    assert torch.equal(tiny.truncate(w.numpy(), 0.5), tiny.truncate(w, 0.5))
    assert torch.equal(tiny.synthesize(w.numpy()), tiny.synthesize(w))
    backwards = np.ascontiguousarray(w.numpy()[::-1])[::-1]
    backwards.flags.writeable = False
    assert torch.equal(tiny.synthesize(backwards), tiny.synthesize(w))


def test_truncation_pulls_to_the_mean(tiny: Generator) -> None:
    w, mean = codes_of(tiny, [0, 1]), tiny.w_avg
    half = tiny.truncate(w, 0.5)
    assert half.shape == (2, tiny.num_layers, tiny.w_dim)
    assert torch.allclose(half, ((w + mean) / 2)[:, None].expand_as(half), atol=1e-6)
    assert torch.allclose(tiny.truncate(w, 0), mean.expand_as(half))
    assert torch.allclose(tiny.truncate(w, 2)[:, 0], 2 * w - mean, atol=1e-6)
    assert torch.allclose(tiny.truncate(tiny.truncate(w, 0.5), 2)[:, 0], w, atol=1e-6)


@pytest.mark.parametrize("psi", [2.5, -2.5, float("nan"), float("inf")])
def test_truncation_has_limits(tiny: Generator, psi: float) -> None:
    with pytest.raises(UsageError, match=f"truncation must be between -2 and 2, got {psi:g}"):
        tiny.truncate(codes_of(tiny, [0]), psi)


def test_truncation_of_some_layers(tiny: Generator) -> None:
    w = codes_of(tiny, [0, 1])
    full, none = tiny.truncate(w, 0.5), tiny.truncate(w, 1)
    for layers, chosen in ((2, [0, 1]), (0, []), (99, range(tiny.num_layers)), ([3, 0], [0, 3])):
        some = tiny.truncate(w, 0.5, layers)
        for index in range(tiny.num_layers):
            expected = full if index in chosen else none
            assert torch.equal(some[:, index], expected[:, index])
    array: Any = np.array([0, 3])
    assert torch.equal(tiny.truncate(w, 0.5, array), tiny.truncate(w, 0.5, [0, 3]))
    assert torch.equal(tiny.truncate(w, 0.5, np.int64(2)), tiny.truncate(w, 0.5, 2))  # type: ignore[arg-type]
    assert torch.equal(tiny.truncate(w, 0.5, []), none)


def test_truncation_gives_new_tensors(tiny: Generator) -> None:
    each = codes_of(tiny, [0])[:, None].repeat(1, tiny.num_layers, 1)
    for psi in (1, 0.5):
        before = each.clone()
        tiny.truncate(each, psi).add_(1)  # writable, and not the argument
        tiny.truncate(each[:, 0], psi).add_(1)
        assert torch.equal(each, before)


@pytest.mark.parametrize(
    ("layers", "said"), [([0, 99], "layer 99"), (-1, "below -1"), ([0, 0], "twice")]
)
def test_truncation_of_layers_that_are_not_there(
    tiny: Generator, layers: int | list[int], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        tiny.truncate(codes_of(tiny, [0]), 0.5, layers)


def test_codes_in_z_cannot_be_truncated(tiny: Generator) -> None:
    tiny.space = "z"
    w = codes_of(tiny, [0])
    assert tiny.truncate(w, 1).shape == (1, tiny.num_layers, tiny.w_dim)
    with pytest.raises(UsageError, match="no mean w"):
        tiny.truncate(w, 0.7)


def test_one_code_counts_for_every_layer(tiny: Generator) -> None:
    w = codes_of(tiny, [0])
    each = w[:, None].repeat(1, tiny.num_layers, 1)
    assert torch.equal(tiny.synthesize(w), tiny.synthesize(each))
    each[:, -1] += 1
    assert not torch.equal(tiny.synthesize(w), tiny.synthesize(each))


def test_a_picture_is_the_same_alone_and_in_a_batch(tiny: Generator) -> None:
    z = tiny.sample([0, 1, 2])
    assert torch.equal(z[1:2], tiny.sample([1]))
    w = tiny.map(z)
    assert (w[1:2] - tiny.map(z[1:2])).abs().max() < 1e-6
    together = tiny.synthesize(w)
    for i in range(3):
        assert (together[i] - tiny.synthesize(w[i : i + 1])[0]).abs().max() < 1e-5
    # As on a GPU, where the batch is not taken apart:
    each = w[:, None].repeat(1, tiny.num_layers, 1)
    batch = tiny._picture(each, "const", tiny.resolution)
    assert (batch - together).abs().max() < 1e-4 * together.abs().max()


def test_pictures_are_not_clamped(tiny: Generator) -> None:
    assert tiny.synthesize(3 * codes_of(tiny, [0])).abs().max() > 1


def test_pictures_are_float32(tiny: Generator) -> None:
    assert tiny.synthesize(codes_of(tiny, [0]).double()).dtype == torch.float32


def test_size_is_the_area_mean(tiny: Generator) -> None:
    w = codes_of(tiny, [0])
    full = tiny.synthesize(w)
    for size in (1, 2, tiny.resolution // 2, tiny.resolution - 3, tiny.resolution):
        expected = F.interpolate(full, size=(size, size), mode="area")
        assert torch.allclose(tiny.synthesize(w, size=size), expected, atol=1e-5)


def test_the_longer_side_becomes_the_size() -> None:
    generator = build(networks.stylegan2(start=(2, 4)), "cpu")
    w = codes_of(generator, [0])
    assert generator.resolution == 16
    assert generator.synthesize(w).shape == (1, 3, 8, 16)
    assert generator.synthesize(w, size=8).shape == (1, 3, 4, 8)
    assert area_mean(torch.ones(1, 3, 1, 16), 4).shape == (1, 3, 1, 4)


@pytest.mark.parametrize("size", [0, -1, 10_000, 2.5, "large"])
def test_sizes_out_of_range(tiny: Generator, size: object) -> None:
    with pytest.raises(UsageError, match="size"):
        tiny.synthesize(codes_of(tiny, [0]), size=size)  # type: ignore[arg-type]


def test_previews(tiny: Generator) -> None:
    w = codes_of(tiny, [0])
    full, quick = tiny.synthesize(w), tiny.synthesize(w, preview=True)
    if tiny.preview_size is None:
        assert torch.equal(full, quick)
        return
    assert quick.shape[-1] == tiny.preview_size == tiny.resolution // 4
    half = tiny.synthesize(w, preview=True, size=tiny.preview_size // 2)
    assert torch.allclose(half, F.avg_pool2d(quick, 2), atol=1e-6)
    larger = tiny.preview_size * 2  # more than the shortcut has: the exact way
    assert torch.equal(
        tiny.synthesize(w, preview=True, size=larger), tiny.synthesize(w, size=larger)
    )


def test_noise_modes(tiny: Generator) -> None:
    w = codes_of(tiny, [0])
    const, none = tiny.synthesize(w), tiny.synthesize(w, noise_mode="none")
    assert torch.equal(const, tiny.synthesize(w, noise_mode="const"))
    torch.manual_seed(1)
    one = tiny.synthesize(w, noise_mode="random")
    torch.manual_seed(1)
    assert torch.equal(one, tiny.synthesize(w, noise_mode="random"))
    for first, second in itertools.combinations((const, none, one), 2):
        assert (first - second).abs().max() > 0.1 * const.std()  # sums agree: an instance norm's do
    two = tiny.synthesize(w.repeat(2, 1), noise_mode="random")
    assert not torch.equal(two[0], two[1])
    with pytest.raises(UsageError, match="loud"):
        tiny.synthesize(w, noise_mode="loud")


@pytest.mark.parametrize("bad", [(4,), (2, 5), (0, 8), (1, 2, 8), (1, 1, 1, 8)])
def test_shapes_are_checked(tiny: Generator, bad: tuple[int, ...]) -> None:
    for call in (tiny.map, tiny.synthesize, lambda codes: tiny.truncate(codes, 0.5)):
        with pytest.raises(SefaError) as error:
            call(np.zeros(bad))
        assert str(bad) in str(error.value)
        assert f"(n, {tiny.w_dim if call != tiny.map else tiny.z_dim})" in str(error.value)


def test_what_is_no_number(tiny: Generator) -> None:
    with pytest.raises(SefaError, match="must be an array or a tensor of numbers, got"):
        tiny.map([["a"] * 8])


def test_truncation_elsewhere_is_refused(tiny: Generator) -> None:
    with pytest.raises(UsageError, match="truncate"):
        tiny.sample([0], truncation=0.5)
    with pytest.raises(UsageError, match="truncate"):
        tiny.synthesize(codes_of(tiny, [0]), truncation=0.5)


def test_labels() -> None:
    conditional = build(networks.stylegan2(classes=3), "cpu")
    z = conditional.sample([0, 1])
    one_hot = np.array([[0.0, 0, 1], [1, 0, 0]])
    w = conditional.map(z, [2, 0])
    assert torch.equal(w, conditional.map(z, one_hot))
    assert torch.equal(w, conditional.map(z, torch.tensor([2, 0], dtype=torch.uint8)))
    assert not torch.equal(w, conditional.map(z, [0, 0]))
    assert conditional.synthesize(w, label=[2, 0]).equal(conditional.synthesize(w))


@pytest.mark.parametrize(
    ("label", "said"),
    [
        (None, "no label for a network of 3 classes"),
        ([3, 0], "label 3 is out of range"),
        ([-1, 0], "label -1 is out of range"),
        ([0], r"\(2,\) or \(2, 3\)"),
        ([[1, 0], [0, 1]], r"\(2,\) or \(2, 3\)"),
        ([0.5, 1], "integers"),
    ],
)
def test_wrong_labels(label: object, said: str) -> None:
    conditional = build(networks.stylegan2(classes=3), "cpu")
    with pytest.raises(SefaError, match=said):
        conditional.map(conditional.sample([0, 1]), label)  # type: ignore[arg-type]


def test_labels_for_a_network_without(tiny: Generator) -> None:
    z = tiny.sample([0])
    with pytest.raises(SefaError, match="the model has no classes"):
        tiny.map(z, [0])
    assert torch.equal(tiny.map(z, np.zeros((1, 0))), tiny.map(z))


def test_the_mean_is_computed_where_the_file_has_none() -> None:
    generator = build(networks.stylegan2(mean=False), "cpu")
    rows = np.random.RandomState(0).randn(10_000, 8)
    assert torch.allclose(generator.w_avg, generator.map(rows).mean(dim=0), atol=1e-5)
    assert generator.w_avg is generator.w_avg


def test_the_mean_of_the_file_and_one_that_is_set() -> None:
    generator = build(made := networks.stylegan2(), "cpu")
    assert np.array_equal(generator.w_avg.numpy(), made.tensors["mapping.w_avg"].numpy())
    generator.w_avg = np.arange(12.0)
    assert generator.w_avg.tolist() == list(range(12))
    with pytest.raises(SefaError, match=r"\(12,\)"):
        generator.w_avg = np.zeros(11)


def test_a_mean_computed_in_inference_mode_serves_derivatives() -> None:
    generator = build(networks.stylegan2(mean=False), "cpu")
    with torch.inference_mode():
        codes_of(generator, [0])
        assert generator.w_avg is not None
    w = codes_of(generator, [0]).requires_grad_()
    generator.truncate(w, 0.5).sum().backward()
    assert w.grad is not None


@pytest.mark.parametrize("label_mode", ["embed", "concat"])
def test_a_computed_mean_has_every_class_equally_often(label_mode: str) -> None:
    generator = build(networks.stylegan2(classes=3, label_mode=label_mode, mean=False), "cpu")
    rows = np.random.RandomState(0).randn(10_000, 8)
    w = generator.map(rows, np.arange(10_000) % 3)
    assert torch.allclose(generator.w_avg, w.mean(dim=0), atol=1e-5)


def test_weights_are_not_trained(tiny: Generator) -> None:
    assert not any(parameter.requires_grad for parameter in tiny.parameters())
    assert not tiny.synthesize(codes_of(tiny, [0])).requires_grad
