"""PGGAN and StyleGAN against the published code's numbers, and a plain copy of what it does."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file
from torch import Tensor
from torch.func import jvp, vjp

from sefa_cli.errors import SefaError, UsageError
from sefa_cli.families.build import build
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.generators.base import Generator
from tests.helpers import golden, networks

State = Mapping[str, np.ndarray]


def generator_of(folder: Path, state: State) -> Generator:
    save_file({n: np.array(a, order="C") for n, a in state.items()}, folder / "x")
    return build(read_checkpoint(folder / "x"), "cpu")


def state_of(state: State, lod: float = 0) -> dict[str, np.ndarray]:
    name = next(n for n in state if n.endswith("lod"))
    return {**state, name: np.full((), lod, np.float32)}


@pytest.mark.parametrize("name", ["pggan", "stylegan"])
def test_codes_are_the_published_ones(tmp_path: Path, name: str) -> None:
    meta, tensors = run = golden.load(f"{name}_genforce")
    generator = generator_of(tmp_path, state_of(run.state))
    codes = generator.map(tensors["in/z"])
    published = "z_norm" if name == "pggan" else "w"
    spread = meta["ranges"][published][2]
    assert np.abs(codes.numpy() - tensors[f"out/{published}"]).max() < 2e-6 * spread
    if name == "stylegan":
        whole, some = generator.truncate(codes, 0.7), generator.truncate(codes, 0.7, 4)
        assert np.abs(whole.numpy() - tensors["out/w_trunc"]).max() < 2e-6
        assert np.abs(some.numpy() - tensors["out/w_trunc_layers4"]).max() < 2e-6


@pytest.mark.parametrize(
    ("name", "picture", "lod"),
    [
        ("pggan", "image_const", 0),
        ("pggan", "image_none", 0),
        ("pggan", "image_lod0.5", 0.5),
        ("pggan", "image_lod1", 1),
        ("stylegan", "image_const", 0),
        ("stylegan", "image_none", 0),
        ("stylegan", "image_trunc", 0),
        ("stylegan", "image_lod0.5", 0.5),
    ],
)
def test_pictures_are_the_published_ones(
    tmp_path: Path, name: str, picture: str, lod: float
) -> None:
    meta, tensors = run = golden.load(f"{name}_genforce")
    generator = generator_of(tmp_path, state_of(run.state, lod))
    codes = generator.map(tensors["in/z"])
    if picture == "image_trunc":
        codes = torch.from_numpy(tensors["out/w_trunc"])
    ours = generator.synthesize(codes, noise_mode="none" if picture == "image_none" else "const")
    worst = np.abs(ours.numpy() - tensors[f"out/{picture}"]).max()
    assert worst < 10 * meta["noise_floor_maxabs"][picture]


def pixel_norm(x: Tensor) -> Tensor:
    return x / (x.pow(2).mean(dim=1, keepdim=True) + 1e-8).sqrt()


def up_conv(x: Tensor, weight: Tensor, fused: bool) -> Tensor:
    """weight (out, in, 3, 3) after doubling, or (in, out, 3, 3) in four places of a fused layer."""
    if not fused:
        return F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), weight, padding=1)
    kernel = torch.zeros(*weight.shape[:2], 4, 4, dtype=weight.dtype)
    for y in (0, 1):
        for left in (0, 1):
            kernel[:, :, y : y + 3, left : left + 3] += weight
    return F.conv_transpose2d(x, kernel, stride=2, padding=1)


def mixed(images: list[Tensor], lod: float) -> Tensor:
    """What is shown of the pictures of all blocks, as the first code wrote it: from 4 px up."""
    shown = images[0]
    for block, image in enumerate(images[1:], 1):
        own = len(images) - 1 - block
        share = min(max(lod - own, 0.0), 1.0)
        shown = image * (1 - share) + F.interpolate(shown, scale_factor=2, mode="nearest") * share
    return shown


def draw(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    random = np.random.RandomState(7)
    return {n: np.asarray(random.randn(*shape), np.float32) for n, shape in shapes.items()}


def pggan_state(resolution: int, fused: bool) -> dict[str, np.ndarray]:
    """10 channels at 4 px, two less with every block; genforce's names."""
    shapes: dict[str, tuple[int, ...]] = {"layer0.weight": (10, 8, 4, 4), "layer0.bias": (10,)}
    blocks, inputs = int(np.log2(resolution)) - 1, 10
    for k in range(1, 2 * blocks):
        outputs = 10 - 2 * (k // 2)
        turned = fused and k % 2 == 0
        shapes[f"layer{k}.weight"] = (*((inputs, outputs) if turned else (outputs, inputs)), 3, 3)
        shapes[f"layer{k}.bias"] = (outputs,)
        inputs = outputs
    for b in range(blocks):
        shapes[f"output{b}.weight"], shapes[f"output{b}.bias"] = (3, 10 - 2 * b, 1, 1), (3,)
    return draw(shapes)


def pggan_reference(state: State, z: Tensor, fused: bool, lod: float) -> Tensor:
    t = {name: torch.from_numpy(array).double() for name, array in state.items()}
    blocks = sum(name.startswith("output") for name in t) // 2

    def gain(name: str, fan_in: int, of: float = 2.0) -> Tensor:
        return t[f"{name}.weight"] * (of / fan_in) ** 0.5

    x = pixel_norm(pixel_norm(z))[:, :, None, None]
    x = F.conv2d(x, gain("layer0", 16 * x.shape[1]), t["layer0.bias"], padding=3)
    images = []
    for k in range(1, 2 * blocks):
        x = pixel_norm(F.leaky_relu(x, 0.2))
        weight = gain(f"layer{k}", 9 * x.shape[1])
        x = F.conv2d(x, weight, padding=1) if k % 2 else up_conv(x, weight, fused)
        x = x + t[f"layer{k}.bias"][:, None, None]
        if k % 2:
            y = pixel_norm(F.leaky_relu(x, 0.2))
            rgb = gain(f"output{k // 2}", y.shape[1], 1.0)
            images.append(F.conv2d(y, rgb, t[f"output{k // 2}.bias"]))
    return mixed(images, lod)


def stylegan_state(resolution: int) -> dict[str, np.ndarray]:
    """8 channels at 4 px, one less with every block; genforce's names."""
    shapes: dict[str, tuple[int, ...]] = {"synthesis.layer0.const": (1, 8, 4, 4)}
    blocks, inputs = int(np.log2(resolution)) - 1, 8
    for i, (outputs, width) in enumerate([(9, 6), (12, 9)]):
        shapes[f"mapping.dense{i}.weight"] = (outputs, width)
        shapes[f"mapping.dense{i}.bias"] = (outputs,)
    for k in range(2 * blocks):
        name, outputs, side = f"synthesis.layer{k}", 8 - k // 2, 4 << k // 2
        if k:
            shapes[f"{name}.weight"] = (outputs, inputs, 3, 3)
        shapes[f"{name}.bias"] = shapes[f"{name}.apply_noise.weight"] = (outputs,)
        shapes[f"{name}.apply_noise.noise"] = (1, 1, side, side)
        shapes[f"{name}.style.weight"] = (2 * outputs, 12)
        shapes[f"{name}.style.bias"] = (2 * outputs,)
        inputs = outputs
    for b in range(blocks):
        shapes[f"synthesis.output{b}.weight"] = (3, 8 - b, 1, 1)
        shapes[f"synthesis.output{b}.bias"] = (3,)
    return draw(shapes)


def stylegan_reference(state: State, w: Tensor, lod: float) -> Tensor:
    t = {name.removeprefix("synthesis."): torch.from_numpy(a).double() for name, a in state.items()}
    blocks = sum(name.startswith("output") for name in t) // 2
    x, images = t["layer0.const"].expand(len(w), -1, -1, -1), []
    binomial = torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64) / 4
    for k in range(2 * blocks):
        name, side = f"layer{k}", 4 << k // 2
        if k:
            weight = t[f"{name}.weight"] * (2 / (9 * x.shape[1])) ** 0.5
            if k % 2:
                x = F.conv2d(x, weight, padding=1)
            else:
                x = up_conv(x, weight.transpose(0, 1) if side >= 128 else weight, side >= 128)
                taps = torch.outer(binomial, binomial).expand(x.shape[1], 1, 3, 3)
                x = F.conv2d(x, taps, padding=1, groups=x.shape[1])
        strength = t[f"{name}.apply_noise.weight"][:, None, None]
        x = x + t[f"{name}.apply_noise.noise"] * strength + t[f"{name}.bias"][:, None, None]
        x = F.leaky_relu(x, 0.2)
        x = x - x.mean(dim=(2, 3), keepdim=True)
        x = x / (x.pow(2).mean(dim=(2, 3), keepdim=True) + 1e-8).sqrt()
        style = w[:, k] @ t[f"{name}.style.weight"].T / 12**0.5 + t[f"{name}.style.bias"]
        scale, shift = style.reshape(len(w), 2, -1, 1, 1).unbind(dim=1)
        x = x * (scale + 1) + shift
        if k % 2:
            rgb = t[f"output{k // 2}.weight"] / x.shape[1] ** 0.5
            images.append(F.conv2d(x, rgb, t[f"output{k // 2}.bias"]))
    return mixed(images, lod)


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("lod", [0.0, 0.25, 1.0, 1.75, 2.0])
def test_pggan_does_what_is_described(tmp_path: Path, fused: bool, lod: float) -> None:
    state = {**pggan_state(16, fused), "lod": np.full((), lod, np.float32)}
    generator = generator_of(tmp_path, state).double()
    z = torch.randn(2, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected = pggan_reference(state, z, fused, lod)
    assert (generator.synthesize(z) - expected).abs().max() < 1e-6 * expected.abs().max()
    assert torch.allclose(generator.map(z), pixel_norm(z))


@pytest.mark.parametrize(("resolution", "lod"), [(16, 0.0), (16, 1.25), (256, 0.0), (8, 1.0)])
def test_stylegan_does_what_is_described(tmp_path: Path, resolution: int, lod: float) -> None:
    """From 128 px on the stored kernels are those of transposed convolutions."""
    state = {**stylegan_state(resolution), "synthesis.lod": np.full((), lod, np.float32)}
    generator = generator_of(tmp_path, state).double()
    random = torch.Generator().manual_seed(1)
    w = torch.randn(2, generator.num_layers, 12, dtype=torch.float64, generator=random)
    expected = stylegan_reference(state, w, lod)
    assert (generator.synthesize(w) - expected).abs().max() < 1e-6 * expected.abs().max()


def test_the_first_mapping_network_has_its_gain_in_the_weights(tmp_path: Path) -> None:
    state = stylegan_state(8)
    t = {n: torch.from_numpy(a).double() for n, a in state.items()}
    x = pixel_norm(torch.arange(6.0, dtype=torch.float64)[None] - 2)
    for i, width in enumerate((6, 9)):
        weight = t[f"mapping.dense{i}.weight"] * (0.01 * (2 / width) ** 0.5)
        x = F.leaky_relu(F.linear(x, weight, t[f"mapping.dense{i}.bias"] * 0.01), 0.2)
    ours = generator_of(tmp_path, state).double().map(np.arange(6.0)[None] - 2)
    assert torch.allclose(ours, x, rtol=1e-6, atol=0)


def test_a_blur_of_another_width(tmp_path: Path) -> None:
    taps = np.outer([1, 1, 2, 1, 1], [1, 1, 2, 1, 1]) / 36
    state = stylegan_state(8)
    state["synthesis.layer2.blur.kernel"] = np.tile(taps[None, None], (7, 1, 1, 1)).astype("f4")
    generator = generator_of(tmp_path, state)
    plain = generator_of(tmp_path, stylegan_state(8))
    assert torch.allclose(generator.blur.taps, torch.from_numpy(taps).float())  # type: ignore[union-attr,arg-type]
    w = generator.map(generator.sample([0]))
    assert not torch.allclose(generator.synthesize(w), plain.synthesize(w), atol=0.01)


def test_random_noise_is_drawn_by_torch(tmp_path: Path) -> None:
    generator = generator_of(tmp_path, stylegan_state(8))
    w = generator.map(generator.sample([0]))
    torch.manual_seed(0)
    first, second = (generator.synthesize(w, noise_mode="random") for _ in range(2))
    torch.manual_seed(0)
    assert torch.equal(first, generator.synthesize(w, noise_mode="random"))
    assert not torch.equal(first, second)


def test_pggan_has_one_code_and_no_mean(tmp_path: Path) -> None:
    generator = generator_of(tmp_path, pggan_state(16, False))
    z = generator.sample([0, 1])
    assert (generator.space, generator.num_layers, generator.w_dim) == ("z", 1, 8)
    codes = generator.map(z)
    assert torch.allclose(codes.square().mean(dim=1), torch.ones(2))
    assert torch.equal(generator.synthesize(codes[:, None]), generator.synthesize(codes))
    assert torch.equal(generator.synthesize(codes, noise_mode="none"), generator.synthesize(codes))
    with pytest.raises(UsageError, match="truncation"):
        generator.truncate(codes, 0.7)


@pytest.mark.parametrize("family", ["pggan", "stylegan"])
def test_derivatives_forward_and_in_reverse(tmp_path: Path, family: str) -> None:
    state = pggan_state(16, True) if family == "pggan" else stylegan_state(16)
    generator = generator_of(tmp_path, state).double()
    random = torch.Generator().manual_seed(3)
    shape = (2, generator.num_layers, generator.w_dim)
    codes, v = (torch.randn(shape, dtype=torch.float64, generator=random) for _ in range(2))
    picture, tangent = jvp(generator.synthesize, (codes,), (v,))  # type: ignore[misc]
    step = 1e-7
    after, before = (generator.synthesize(codes + s * v) for s in (step, -step))
    assert (tangent - (after - before) / (2 * step)).abs().max() < 1e-5 * tangent.abs().max()
    u = torch.randn(picture.shape, dtype=torch.float64, generator=random)
    pulled = vjp(generator.synthesize, codes)[1](u)[0]
    assert (u * tangent).sum().item() == pytest.approx((pulled * v).sum().item(), rel=1e-9)


@pytest.mark.parametrize("lod", [2.5, 3.0])
def test_a_level_of_detail_below_the_first_block(tmp_path: Path, lod: float) -> None:
    state = {**pggan_state(16, False), "lod": np.full((), lod, np.float32)}
    with pytest.raises(SefaError, match="level of detail"):
        generator_of(tmp_path, state)


def test_missing_tensors_are_named() -> None:
    made = networks.stylegan()
    arrays = {n: t.numpy() for n, t in made.tensors.items() if n != "synthesis.b8.conv1.bias"}
    with pytest.raises(SefaError, match=r"no tensor synthesis\.b8\.conv1\.bias"):
        build(networks.checkpoint("stylegan", "genforce", dict(made.config), arrays), "cpu")
