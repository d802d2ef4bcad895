"""StyleGAN3 against the published code's pictures, and where there are none against a plain copy.

The copy takes its geometry from the paper's formulas, where the code under test has names and
filters alone; signals are resampled with zeros inserted, filters are turned as convolutions do.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file
from torch import Tensor

from sefa_cli.errors import SefaError, UsageError
from sefa_cli.families.build import build
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.generators.base import Generator
from tests.helpers import GOLDEN, remap
from tests.helpers import stylegan3_files as files
from tests.helpers.golden import load

CASES = ["stylegan3_t_nvidia", "stylegan3_r_nvidia", "containers/nv_stylegan3_t"]
State = dict[str, np.ndarray]
Golden = tuple[dict[str, Any], State, Generator]


def generator_of(folder: Path, state: State) -> Generator:
    save_file({name: np.array(array, order="C") for name, array in state.items()}, folder / "x")
    return build(read_checkpoint(folder / "x"), "cpu")


@pytest.fixture(params=CASES)
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Golden:
    """Facts and tensors of a published run, and our generator from the same weights."""
    run = load(request.param)
    if "containers" in request.param:
        return *run, build(read_checkpoint(GOLDEN / f"{request.param}.pkl"), "cpu")
    return *run, generator_of(tmp_path, run.state)


def test_codes_are_the_published_ones(golden: Golden) -> None:
    meta, tensors, generator = golden
    w = generator.map(tensors["in/z"])
    spread = meta["ranges"]["w"][2]
    for ours, name in (
        (w, "w"),
        (generator.truncate(w, 0.7), "w_trunc"),
        (generator.truncate(w, 0.7, 4), "w_trunc_cutoff4"),
    ):
        assert np.abs(ours.numpy() - tensors[f"out/{name}"]).max() < 2e-6 * spread


@pytest.mark.parametrize("name", ["image_const", "image_none", "image_trunc"])
def test_pictures_are_the_published_ones(golden: Golden, name: str) -> None:
    meta, tensors, generator = golden
    codes = tensors["out/w_trunc" if name == "image_trunc" else "out/w"]
    picture = generator.synthesize(codes, noise_mode="none" if name == "image_none" else "const")
    worst = np.abs(picture.numpy() - tensors[f"out/{name}"]).max()
    assert worst < 10 * meta["noise_floor_maxabs"][name]


def convolve(x: Tensor, taps: Tensor) -> Tensor:
    """Every channel of `(n, c, h, w)` with `(k, k)` or twice `(k,)`, without padding."""
    taps = torch.outer(taps, taps) if taps.ndim == 1 else taps
    kernel = taps.flip(0, 1).expand(x.shape[1], 1, -1, -1)
    return F.conv2d(x, kernel, groups=x.shape[1])


def picture_of(
    state: State,
    codes: Tensor,
    made: files.Specs,
    clamp: float = 256,
    scale: float = 0.25,
    cutoff: float = 2,
    raised: int = 2,
    moved: Tensor | None = None,
) -> Tensor:
    """One picture `(1, c, side, side)` of codes `(layers, w_dim)`; `moved` is (3, 3)."""
    t = {name: torch.from_numpy(array).double() for name, array in state.items()}
    names = sorted(
        {name.split(".")[1] for name in state if ".L" in name},
        key=lambda name: int(name[1:].split("_")[0]),
    )

    def affine(name: str, w: Tensor) -> Tensor:
        weight = t[f"synthesis.{name}.affine.weight"]
        return weight @ w / weight.shape[1] ** 0.5 + t[f"synthesis.{name}.affine.bias"]

    cos, sin, right, down = affine("input", codes[0]) / affine("input", codes[0])[:2].norm()
    turn, shift = torch.eye(3, dtype=torch.float64), torch.eye(3, dtype=torch.float64)
    turn[0, 0], turn[0, 1], turn[1, 0], turn[1, 1] = cos, -sin, sin, cos
    shift[0, 2], shift[1, 2] = -right, -down
    whole = turn @ shift @ (t["synthesis.input.transform"] if moved is None else moved)
    size, rate = int(made.sizes[0]), int(made.rates[0])
    axis = (torch.arange(size, dtype=torch.float64) + 0.5 - size / 2) / rate
    places = torch.stack([*torch.meshgrid(axis, axis, indexing="xy"), torch.ones(size, size)])
    seen = torch.einsum("ij,jyx->iyx", whole, places.double())[:2]  # (2, y, x)
    frequencies = t["synthesis.input.freqs"]
    waves = torch.einsum("cj,jyx->cyx", frequencies, seen)
    waves = torch.sin(2 * math.pi * (waves + t["synthesis.input.phases"][:, None, None]))
    beyond = (frequencies @ whole[:2, :2]).norm(dim=1) - cutoff
    waves = waves * (1 - beyond / (rate / 2 - cutoff)).clamp(0, 1)[:, None, None]
    weight = t["synthesis.input.weight"]
    x = torch.einsum("oc,cyx->oyx", weight / len(weight) ** 0.5, waves)[None]

    for i, name in enumerate(names):
        last, before = i == len(names) - 1, max(i - 1, 0)
        weight, style = t[f"synthesis.{name}.weight"], affine(name, codes[i + 1])
        if not last:
            weight = weight / weight.pow(2).mean(dim=(1, 2, 3), keepdim=True).sqrt()
            style = style / style.pow(2).mean().sqrt()
        kernel = weight * style[None, :, None, None]
        if last:
            kernel = kernel / weight.shape[1] ** 0.5
        else:
            kernel = kernel / (kernel.pow(2).sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
        kernel = kernel / t[f"synthesis.{name}.magnitude_ema"].sqrt()
        x = F.conv2d(x, kernel, padding=kernel.shape[-1] - 1)
        x = x + t[f"synthesis.{name}.bias"][:, None, None]
        if last:
            x = x.clamp(-clamp, clamp)
            continue
        high = max(int(made.rates[before]), int(made.rates[i])) * raised
        up, lower = high // int(made.rates[before]), high // int(made.rates[i])
        one = torch.ones(1, dtype=torch.float64)
        ups = t.get(f"synthesis.{name}.up_filter", one)
        downs = t.get(f"synthesis.{name}.down_filter", one)
        wide = torch.zeros(*x.shape[:2], x.shape[2] * up, x.shape[3] * up, dtype=torch.float64)
        wide[:, :, ::up, ::up] = x
        total = (int(made.sizes[i]) - 1) * lower + 1 - wide.shape[2] + len(ups) + len(downs) - 2
        low = (total + up) // 2
        x = convolve(F.pad(wide, [low, total - low] * 2), ups) * up**2
        x = (F.leaky_relu(x, 0.2) * 2**0.5).clamp(-clamp, clamp)
        x = convolve(x, downs)[:, :, ::lower, ::lower]
    return x * scale


def codes_for(generator: Generator) -> Tensor:
    random = torch.Generator().manual_seed(1)
    shape = (2, generator.num_layers, generator.w_dim)
    return torch.randn(shape, dtype=torch.float64, generator=random)


def agree(generator: Generator, state: State, made: files.Specs, **options: Any) -> bool:
    codes = codes_for(generator)
    ours = generator.double().synthesize(codes)
    expected = torch.cat([picture_of(state, code, made, **options) for code in codes])
    return bool((ours - expected).abs().max() < 1e-5 * expected.std())


GEOMETRIES: dict[str, dict[str, Any]] = {
    "as published": {},
    "one size": {"resolution": 16},
    "larger": {"resolution": 64, "num_layers": 7},
    "no power of two": {"resolution": 48},
    "short filters": {"filter_size": 4},
    "odd filters": {"filter_size": 5},
    "wide margins": {"margin": 14},
    "narrow margins": {"margin": 3},
    "radial": {"kernel": 1, "radial": True},
    "radial with kernels of three": {"radial": True},
    "all critical but two": {"num_layers": 7, "num_critical": 5},
    "one critical": {"num_critical": 1},
    "other frequencies": {"first_cutoff": 4},
}


@pytest.mark.parametrize("name", GEOMETRIES)
def test_any_geometry_does_what_is_described(tmp_path: Path, name: str) -> None:
    """From names and filters alone: the file is a bare state dict."""
    options = GEOMETRIES[name]
    state = files.native_state(**options)
    below(state, options.get("first_cutoff", 2))
    shape = {k: v for k, v in options.items() if k not in ("filter_size", "kernel", "radial")}
    generator = generator_of(tmp_path, state)
    cutoff = options.get("first_cutoff", 2)
    assert agree(generator, state, files.specs(**shape), cutoff=cutoff)


def below(state: State, cutoff: float) -> None:
    """Frequencies as the published code draws them: below the first cutoff, some close to it."""
    frequencies = state["synthesis.input.freqs"]
    length = np.linalg.norm(frequencies, axis=1, keepdims=True)
    frequencies *= cutoff * 0.99 * np.exp(-((length - length.min()) ** 2) / 4) / length


def test_what_a_pickle_says_is_followed(tmp_path: Path) -> None:
    state = files.native_state(lrelu_upsampling=4)
    arguments = {"lrelu_upsampling": 4, "conv_clamp": 0.7, "output_scale": 2}
    remap.dump_nvidia(tmp_path / "x", {"G_ema": files.module(state, arguments)})
    generator = build(read_checkpoint(tmp_path / "x"), "cpu")
    assert agree(generator, state, files.specs(), clamp=0.7, scale=2, raised=4)


def test_frequencies_beyond_the_band_fade(tmp_path: Path) -> None:
    """Only pickles say where the band ends."""
    state = files.native_state()
    network = files.module(state, {})
    network.state["_modules"]["synthesis"].state["_modules"]["input"].state["bandwidth"] = 1.0
    remap.dump_nvidia(tmp_path / "x", {"G_ema": network})
    generator = build(read_checkpoint(tmp_path / "x"), "cpu")
    assert agree(generator, state, files.specs(), cutoff=1)


@pytest.mark.parametrize(("x", "y", "degrees"), [(0.25, 0, 0), (0, -0.1, 0), (0.1, 0.2, 30)])
def test_pictures_are_placed_as_by_the_published_tool(
    tmp_path: Path, x: float, y: float, degrees: float
) -> None:
    """gen_images.py turns, moves, inverts, and gives that to the network."""
    state = files.native_state()
    below(state, 2)
    generator = generator_of(tmp_path, state).double()
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    matrix = np.array([[cos, sin, x], [-sin, cos, y], [0, 0, 1]])
    moved = torch.from_numpy(np.linalg.inv(matrix))
    with generator.placed(x, y, degrees):
        assert agree(generator, state, files.specs(), moved=moved)
    assert agree(generator, state, files.specs())


def test_a_label_is_embedded_and_normalized_by_itself(tmp_path: Path) -> None:
    state = files.native_state(c_dim=3)
    generator = generator_of(tmp_path, state).double()
    t = {name: torch.from_numpy(array).double() for name, array in state.items()}
    z = torch.arange(7.0, dtype=torch.float64) - 2
    label = t["mapping.embed.weight"][:, 1] / 3**0.5 + t["mapping.embed.bias"]
    x = torch.cat([v / (v.pow(2).mean() + 1e-8).sqrt() for v in (z, label)])
    for i in (0, 1):
        weight = t[f"mapping.fc{i}.weight"] * (0.01 / len(x) ** 0.5)
        x = F.leaky_relu(weight @ x + 0.01 * t[f"mapping.fc{i}.bias"], 0.2) * 2**0.5
    assert torch.allclose(generator.map(z[None], [1])[0], x, rtol=1e-5)


def test_stylegan_xl_makes_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(SefaError, match=r"StyleGAN-XL generator.*factorized"):
        generator_of(tmp_path, files.to_xl(files.native_state()))


def test_other_families_are_not_placed(tiny: Generator) -> None:
    with pytest.raises(UsageError, match="a stylegan3 model"):
        tiny.placed(0.1, 0, 0)
