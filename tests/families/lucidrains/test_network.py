"""StyleGAN2 of lucidrains: against a plain copy of its arithmetic in double precision.

No published numbers are at hand. The copy below follows the published code's facts step by step:
kernels of each sample's own, demodulated as they stand, resampling written out by hand.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from sefa_cli.errors import SefaError
from sefa_cli.families.build import build
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.projections import first_projections, levels, select
from tests.helpers.reference import correlate, leaky

State = dict[str, np.ndarray]
W = 12


def state_of(
    size: int = 32, channels: int = 3, current: bool = True, seed: int = 0, depth: int = 3
) -> State:
    """`GAN` of a checkpoint as the published code names it; training networks are there too."""
    random = np.random.RandomState(seed)
    state: State = {}

    def linear(name: str, outputs: int, inputs: int, std: float = 1.0) -> None:
        state[f"{name}.weight"] = random.randn(outputs, inputs).astype(np.float32) * std
        state[f"{name}.bias"] = random.randn(outputs).astype(np.float32) * std

    for i in range(depth):
        linear(f"SE.net.{2 * i}", W, W, std=8 if current else 0.6)
    blocks = int(np.log2(size)) - 1
    widths = [9] + [9 - i for i in range(blocks)]
    state["GE.initial_block"] = random.randn(1, widths[0], 4, 4).astype(np.float32)
    if current:
        shape = (widths[0], widths[0], 3, 3)
        state["GE.initial_conv.weight"] = random.randn(*shape).astype(np.float32) / 9
        state["GE.initial_conv.bias"] = random.randn(widths[0]).astype(np.float32)
    for i in range(blocks):
        name, inputs, outputs = f"GE.blocks.{i}", widths[i], widths[i + 1]
        for k, into in ((1, inputs), (2, outputs)):
            linear(f"{name}.to_style{k}", into, W, std=0.4)
            linear(f"{name}.to_noise{k}", outputs, 1)
            kernel = random.randn(outputs, into, 3, 3).astype(np.float32)
            state[f"{name}.conv{k}.weight"] = kernel
        linear(f"{name}.to_rgb.to_style", outputs, W, std=0.4)
        rgb = random.randn(channels, outputs, 1, 1).astype(np.float32) / 9
        state[f"{name}.to_rgb.conv.weight"] = rgb
        if current and i < blocks - 1:
            state[f"{name}.to_rgb.upsample.1.f"] = np.array([1, 2, 1], np.float32)
    state["S.net.0.weight"] = state["D.to_logit.weight"] = np.zeros((W, W), np.float32)
    return state


def write(path: Path, state: State) -> Path:
    tensors = {name: torch.from_numpy(array) for name, array in state.items()}
    torch.save({"GAN": tensors, "version": "1.8.9"}, path)
    return path


def twice(x: np.ndarray) -> np.ndarray:
    """Bilinear, corners not aligned: weights 3/4 and 1/4, the border repeated."""
    x = np.pad(x, ((0, 0), (1, 1), (1, 1)), mode="edge")
    for axis in (1, 2):
        x = np.moveaxis(x, axis, 0)
        near, before, after = x[1:-1], x[:-2], x[2:]
        pair = np.stack([0.75 * near + 0.25 * before, 0.75 * near + 0.25 * after], axis=1)
        x = np.moveaxis(pair.reshape(-1, *x.shape[1:]), 0, axis)
    return x


def blur(x: np.ndarray) -> np.ndarray:
    x = np.pad(x, ((0, 0), (1, 1), (1, 1)), mode="reflect")
    kernel = np.zeros((len(x), len(x), 3, 3))
    kernel[range(len(x)), range(len(x))] = np.outer([1, 2, 1], [1, 2, 1]) / 16
    return correlate(x, kernel, (0, 0))


def mapped(state: State, z: np.ndarray, current: bool) -> np.ndarray:
    x, i = (z / np.linalg.norm(z) if current else z), 0
    lr = 0.1 if current else 1.0
    while f"SE.net.{i}.weight" in state:
        x = leaky(state[f"SE.net.{i}.weight"] * lr @ x + state[f"SE.net.{i}.bias"] * lr)
        i += 2
    return x


def picture(state: State, codes: np.ndarray, noise: np.ndarray, current: bool) -> np.ndarray:
    """`(channels, h, w)` in the published range; `noise` `(h, w)` is not yet turned."""

    def modulated(name: str, style: str, x: np.ndarray, w: np.ndarray, demod: bool) -> np.ndarray:
        s = state[f"{style}.weight"] @ w + state[f"{style}.bias"]
        kernel = state[f"{name}.weight"] * (s + 1)[:, None, None]
        if demod:
            kernel = kernel / np.sqrt((kernel**2).sum(axis=(1, 2, 3), keepdims=True) + 1e-8)
        return correlate(x, kernel, (1, 1) if kernel.shape[2] == 3 else (0, 0))

    x, rgb = state["GE.initial_block"][0], None
    if current:
        x = correlate(x, state["GE.initial_conv.weight"], (1, 1))
        x = x + state["GE.initial_conv.bias"][:, None, None]
    for i, w in enumerate(codes):
        name = f"GE.blocks.{i}"
        x = twice(x) if i else x
        for k in (1, 2):
            x = modulated(f"{name}.conv{k}", f"{name}.to_style{k}", x, w, True)
            part = noise[: x.shape[1], : x.shape[2]].T
            weight, bias = state[f"{name}.to_noise{k}.weight"], state[f"{name}.to_noise{k}.bias"]
            x = leaky(x + weight[:, :, None] * part + bias[:, None, None])
        own = modulated(f"{name}.to_rgb.conv", f"{name}.to_rgb.to_style", x, w, False)
        rgb = own if rgb is None else own + rgb
        if i < len(codes) - 1:
            rgb = blur(twice(rgb)) if current else twice(rgb)
    assert rgb is not None
    return rgb


@pytest.mark.parametrize("current", [True, False], ids=["current", "early"])
@pytest.mark.parametrize(("size", "channels"), [(4, 3), (16, 3), (32, 4)])
def test_equals_a_plain_copy(tmp_path, size, channels, current):
    state = state_of(size, channels, current)
    found = read_checkpoint(write(tmp_path / "model_1.pt", state))
    assert (found.dialect, found.family) == ("lucidrains", "lucidrains")
    assert (found.config["resolution"], found.config["img_channels"]) == (size, channels)
    assert found.config["num_layers"] == int(np.log2(size)) - 1
    generator = build(found, "cpu").double()
    exact = {name: array.astype(np.float64) for name, array in state.items()}
    z = np.random.RandomState(3).randn(2, W)
    w = generator.map(z)
    for ours, row in zip(w.numpy(), z, strict=True):
        np.testing.assert_allclose(ours, mapped(exact, row, current), rtol=1e-9, atol=1e-12)
    codes = np.random.RandomState(4).randn(2, generator.num_layers, W)
    map_0 = np.random.RandomState(0).rand(size, size).astype(np.float32)
    for mode, noise in (("none", np.zeros((size, size))), ("const", map_0)):
        ours = generator.synthesize(codes, noise_mode=mode).numpy()
        theirs = np.stack([picture(exact, row, noise, current) for row in codes])
        np.testing.assert_allclose(
            (ours + 1) / 2, theirs, rtol=0, atol=1e-6 * theirs.std()
        )  # + 1 in float32


def test_single_precision(tmp_path):
    generator = build(read_checkpoint(write(tmp_path / "x", state_of())), "cpu")
    codes = generator.map(generator.sample([0, 1]))
    once = generator.synthesize(codes)
    twice_ = generator.double().synthesize(codes)
    assert (once - twice_).abs().max() < 1e-4 * once.std()


def test_derivatives_both_ways(tmp_path):
    generator = build(read_checkpoint(write(tmp_path / "x", state_of(16))), "cpu").double()
    codes = generator.map(generator.sample([0]))[:, None].repeat(1, 3, 1)
    step = torch.randn_like(codes, generator=torch.Generator().manual_seed(1))
    image, change = torch.func.jvp(generator.synthesize, (codes,), (step,))  # type: ignore[misc]
    back, pull = torch.func.vjp(generator.synthesize, codes)  # type: ignore[misc]
    cotangent = torch.randn_like(image)
    assert torch.allclose((cotangent * change).sum(), (pull(cotangent)[0] * step).sum())
    near = generator.synthesize(codes + 1e-6 * step) - generator.synthesize(codes - 1e-6 * step)
    assert torch.allclose(near / 2e-6, change, atol=1e-5) and torch.equal(image, back)


def test_random_noise_follows_the_seed(tmp_path):
    generator = build(read_checkpoint(write(tmp_path / "x", state_of(16))), "cpu")
    pictures = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        pictures.append(generator.synthesize(torch.zeros(1, W), noise_mode="random"))
    assert torch.equal(pictures[0], pictures[1]) and not torch.equal(pictures[0], pictures[2])


def test_one_code_drives_a_block(tmp_path):
    found = read_checkpoint(write(tmp_path / "x", state_of(32)))
    layers = first_projections(found)
    assert [layer.index for layer in layers] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert [layer.kind for layer in layers[:3]] == ["conv", "conv", "torgb"]
    assert [layer.resolution for layer in layers[::3]] == [4, 8, 16, 32]
    assert levels(found) == {"all": (0, 1, 2, 3), "bottom": (0, 1), "middle": (2, 3), "top": ()}
    assert [layer.name for layer in select(found) if layer.kind == "torgb"] == [
        "synthesis.blocks.3.torgb"
    ]


@pytest.mark.parametrize(
    ("name", "shape", "words"),
    [
        ("GE.attns.1.0.fn.fn.to_q.weight", (3, 3), "attn_layers"),
        ("GE.to_initial_block.weight", (W, 9, 4, 4), "no_const"),
        ("GE.blocks.1.conv2.weight", (8, 9, 3, 3), r"\(8, 9, 3, 3\) and not"),
        ("SE.net.2.weight", (W, 5), r"mapping\.fc1\.weight"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, name, shape, words):
    state = {**state_of(16), name: np.zeros(shape, np.float32)}
    with pytest.raises(SefaError, match=words):
        read_checkpoint(write(tmp_path / "x", state))


def test_through_the_commands(tmp_path, monkeypatch):
    """Four channels end to end: directions, a sheet with transparency, a film, our own format."""
    from PIL import Image

    from sefa_cli.cli import app

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEFA_CACHE", str(tmp_path / "cache"))
    write(tmp_path / "m.pt", state_of(32, 4))
    for words in (
        "convert m.pt -o m.safetensors",
        "factorize m.pt -o a.dirs",
        "factorize m.safetensors -o b.dirs",
        "edit --dirs a.dirs --k 0 --alpha 2 --seeds 0 -o out",
        "edit --dirs b.dirs --k 0 --alpha 2 --seeds 0 -o native",
        "animate --dirs a.dirs --k 0 --range -2:2 --frames 3 -o f.webp",
    ):
        result = CliRunner().invoke(app, words.split())
        assert result.exit_code == 0, (words, result.output)
    one, two = (next((tmp_path / name).glob("*.png")) for name in ("out", "native"))
    assert Image.open(one).mode == "RGBA"
    assert np.array_equal(np.asarray(Image.open(one)), np.asarray(Image.open(two)))
