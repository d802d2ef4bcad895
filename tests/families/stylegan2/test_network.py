"""StyleGAN2 against the published code's numbers, and where there are none against a plain copy."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from sefa_cli.errors import SefaError
from sefa_cli.families.build import build
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.generators.base import Generator
from tests.helpers import GOLDEN, networks, reference
from tests.helpers.golden import load

STATES = ["ada_nvidia", "ada_nvidia_cond", "genforce", "hammer", "rosinality"]
CONTAINERS = [
    "ckpt_genforce_stylegan2.pth",
    "ckpt_hammer_stylegan2.pth",
    "ckpt_rosinality.pt",
    "nv_stylegan2_ada.pkl",
]

Golden = tuple[dict[str, Any], dict[str, np.ndarray], Generator]


@pytest.fixture(params=STATES + CONTAINERS)
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Golden:
    """Facts and tensors of a published run, and our generator from the same weights."""
    if request.param in STATES:
        run = load(f"stylegan2_{request.param}")
        save_file(run.state, path := tmp_path / "model.safetensors")
    else:
        path = GOLDEN / "containers" / request.param
        run = load(f"containers/{path.stem}")
    return *run, build(read_checkpoint(path), "cpu")


def test_codes_are_the_published_ones(golden: Golden) -> None:
    meta, tensors, generator = golden
    w = generator.map(tensors["in/z"], tensors.get("in/label"))
    spread = meta["ranges"]["w"][2]
    assert np.abs(w.numpy() - tensors["out/w"]).max() < 2e-6 * spread
    whole = tensors["out/w_trunc"]
    ours = generator.truncate(w, 0.7).numpy()
    ours = ours if whole.ndim == 3 else ours[:, 0]  # rosinality truncates before it repeats
    assert np.abs(ours - whole).max() < 2e-6 * spread
    for name in ("out/w_trunc_cutoff4", "out/w_trunc_layers4"):
        if name in tensors:
            assert np.abs(generator.truncate(w, 0.7, 4).numpy() - tensors[name]).max() < 2e-6


@pytest.mark.parametrize("name", ["image_const", "image_none", "image_trunc"])
@pytest.mark.slow
def test_pictures_are_the_published_ones(golden: Golden, name: str) -> None:
    meta, tensors, generator = golden
    codes = tensors["out/w_trunc" if name == "image_trunc" else "out/w"]
    mode = "none" if name == "image_none" else "const"
    picture = generator.synthesize(codes, noise_mode=mode)
    worst = np.abs(picture.numpy() - tensors[f"out/{name}"]).max()
    assert worst < 10 * meta["noise_floor_maxabs"][name]


VARIANTS: dict[str, dict[str, Any]] = {
    "skip": {},
    "resnet": {"architecture": "resnet"},
    "orig": {"architecture": "orig"},
    "clamped": {"clamp": 0.8},
    "clamped resnet": {"architecture": "resnet", "clamp": 0.8},
    "scaled demodulation": {"scaled": True},
    "not square": {"start": (3, 5)},
    "one block": {"resolution": 4},
    "wide": {"channels": 72, "resolution": 32},  # some of it by generators/winograd.py
    "wide, not square": {
        "channels": 72,
        "resolution": 32,
        "start": (5, 7),
        "architecture": "resnet",
    },
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("noise_mode", ["const", "none"])
def test_variants_do_what_is_described(variant: str, noise_mode: str) -> None:
    options = VARIANTS[variant]
    made = networks.stylegan2(**options)
    generator = build(made, "cpu")
    codes = np.random.RandomState(1).randn(2, generator.num_layers, 12)
    picture = generator.synthesize(codes, noise_mode=noise_mode)
    for ours, code in zip(picture, codes, strict=True):
        expected = reference.stylegan2(
            networks.arrays(made), code, options.get("clamp"), options.get("scaled", False),
            noise_mode == "const",
        )  # fmt: skip
        assert ours.shape == expected.shape
        assert np.abs(ours.numpy() - expected).max() < 1e-5 * np.abs(expected).max()
        assert max(expected.shape) == generator.resolution


def test_epsilon_acts_where_the_dialect_has_it() -> None:
    """With tiny kernels the two readings of demodulation part, so the flag is not idle."""
    made = [networks.stylegan2(scaled=scaled) for scaled in (False, True)]
    code = np.ones((1, 6, 12))
    pictures = []
    for each in made:
        for name, tensor in each.tensors.items():
            if name.endswith("conv1.weight"):
                tensor.read()[...] *= 1e-4
        pictures.append(build(each, "cpu").synthesize(code))
        expected = reference.stylegan2(
            networks.arrays(each), code[0], scaled=each.config["demod_scaled"]
        )
        assert np.abs(pictures[-1][0].numpy() - expected).max() < 1e-5 * np.abs(expected).max()
    assert (pictures[0] - pictures[1]).abs().max() > 0.1


@pytest.mark.parametrize("taps", [(1, 2, 1), (1, 3, 3, 1), (1, 2, 3, 4), (1, 4, 6, 6, 4, 1)])
def test_any_resampling_filter(taps: tuple[int, ...]) -> None:
    filter = np.outer(taps, taps[::-1]).astype(np.float32)
    made = networks.stylegan2("resnet", resolution=8)
    arrays = {n: t.numpy() for n, t in made.tensors.items()}
    arrays["synthesis.resample_filter"] = filter / filter.sum()
    made = networks.checkpoint("stylegan2", "nvidia", dict(made.config), arrays)
    code = np.random.RandomState(2).randn(1, 4, 12)
    ours = build(made, "cpu").synthesize(code)[0].numpy()
    expected = reference.stylegan2(networks.arrays(made), code[0])
    assert np.abs(ours - expected).max() < 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("label_mode", ["embed", "concat"])
def test_both_kinds_of_label(label_mode: str) -> None:
    made = networks.stylegan2(classes=3, label_mode=label_mode)
    t, z = networks.arrays(made), np.random.RandomState(3).randn(8)
    if label_mode == "embed":
        y = t["mapping.embed.weight"][:, 1] / np.sqrt(3) + t["mapping.embed.bias"]
        x = np.concatenate([v / np.sqrt(np.mean(v**2) + 1e-8) for v in (z, y)])
        x = x / np.sqrt(np.mean(x**2))  # the reference normalizes once more: nothing changes
    else:
        x = np.concatenate([z, t["mapping.label_weight"][1]])
    w = build(made, "cpu").map(z[None], [1])
    assert np.abs(w[0].numpy() - reference.mapping(t, x, 0.01)).max() < 1e-6


def test_random_noise_is_drawn_by_torch() -> None:
    generator = build(networks.stylegan2(), "cpu")
    codes = generator.map(generator.sample([0]))
    torch.manual_seed(0)
    first = generator.synthesize(codes, noise_mode="random")
    second = generator.synthesize(codes, noise_mode="random")
    torch.manual_seed(0)
    assert torch.equal(first, generator.synthesize(codes, noise_mode="random"))
    assert not torch.equal(first, second)


def test_random_noise_has_the_strength_of_the_file() -> None:
    """Where a layer only adds noise to a large bias, all that follows is linear in the noise."""
    made = networks.stylegan2(resolution=4)
    made.tensors["synthesis.b4.conv1.weight"].read()[...] = 0
    made.tensors["synthesis.b4.conv1.bias"].read()[...] = 10
    t, code = networks.arrays(made), np.random.RandomState(4).randn(12)
    style = t["synthesis.b4.torgb.affine.weight"] @ code / np.sqrt(12)
    style += t["synthesis.b4.torgb.affine.bias"]
    rgb = t["synthesis.b4.torgb.weight"][:, :, 0, 0] @ style / np.sqrt(10)  # of features all 1
    expected = np.abs(rgb * np.sqrt(2) * t["synthesis.b4.conv1.noise_strength"])
    pictures = build(made, "cpu").synthesize(code[None].repeat(400, 0), noise_mode="random")
    measured = pictures.permute(1, 0, 2, 3).flatten(1).std(dim=1).numpy()  # 6,400 draws
    assert np.abs(measured / expected - 1).max() < 0.05


def test_without_noise_maps_const_adds_none() -> None:
    made = networks.stylegan2()
    arrays = {n: t.numpy() for n, t in made.tensors.items() if "noise_const" not in n}
    generator = build(networks.checkpoint("stylegan2", "rosinality", dict(made.config), arrays))
    codes = generator.map(generator.sample([0]))
    none = generator.synthesize(codes, noise_mode="none")
    assert torch.equal(generator.synthesize(codes), none)
    assert not torch.equal(generator.synthesize(codes, noise_mode="random"), none)


@pytest.mark.parametrize(
    ("name", "shape", "said"),
    [
        ("synthesis.b8.conv0.weight", (10, 9, 3, 3), "(any, 10, 3, 3)"),
        ("synthesis.b8.torgb.affine.weight", (9, 11), "(9, 12)"),
        ("synthesis.b4.const", (10, 4), "(any, any, any)"),
        ("mapping.fc1.weight", (11, 12), "(12, 12)"),
    ],
)
def test_misshapen_tensors_are_named(name: str, shape: tuple[int, ...], said: str) -> None:
    made = networks.stylegan2()
    arrays = {n: t.numpy() for n, t in made.tensors.items()} | {name: np.zeros(shape, np.float32)}
    with pytest.raises(SefaError) as error:
        build(networks.checkpoint("stylegan2", "nvidia", dict(made.config), arrays), "cpu")
    assert name in str(error.value)
    assert said in str(error.value)


def test_missing_tensors_are_named() -> None:
    made = networks.stylegan2()
    arrays = {n: t.numpy() for n, t in made.tensors.items() if n != "synthesis.b8.conv1.bias"}
    with pytest.raises(SefaError, match=r"no tensor synthesis\.b8\.conv1\.bias"):
        build(networks.checkpoint("stylegan2", "nvidia", dict(made.config), arrays), "cpu")
