"""The same StyleGAN2 weights in every form people have them: the way back from native names.

Written apart from the reader's tables, from the published code's own module names, so that the
two can disagree. Writers use torch; a full-width stand-in for the official 512-px models too.
"""

import argparse
import contextlib
import pickle
import sys
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

Native = dict[str, np.ndarray]

# What an embedded source text must never do: the file appears if anything executes it.
CANARY_SOURCE = (
    "import os, pathlib\n"
    "pathlib.Path(os.environ.get('CANARY', 'canary-executed')).write_text('executed')\n"
)
FILTER = np.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype(np.float32) / 64


def native_state(
    resolution: int = 32,
    z_dim: int = 16,
    w_dim: int = 24,
    c_dim: int = 0,
    mapping_layers: int = 3,
    channel_base: int = 256,
    channel_max: int = 20,
    architecture: str = "skip",
    start: tuple[int, int] = (4, 4),
    seed: int = 0,
    img_channels: int = 3,
) -> Native:
    """Random weights of a StyleGAN2 under NVIDIA's names, all of them float32."""
    draw = np.random.default_rng(seed).standard_normal
    state: Native = {}

    def put(name: str, *shape: int) -> None:
        state[name] = draw(shape, dtype=np.float32)

    def affine(name: str, channels: int) -> None:
        put(f"{name}.affine.weight", channels, w_dim)
        put(f"{name}.affine.bias", channels)
        bias = state[f"{name}.affine.bias"]
        np.round(bias * 1024, out=bias)  # so that genforce's −1 and our +1 lose no bit
        bias /= 1024

    if c_dim:
        put("mapping.embed.weight", w_dim, c_dim)
        put("mapping.embed.bias", w_dim)
    width = z_dim + (w_dim if c_dim else 0)
    for i in range(mapping_layers):
        put(f"mapping.fc{i}.weight", w_dim, width)
        put(f"mapping.fc{i}.bias", w_dim)
        width = w_dim
    put("mapping.w_avg", w_dim)

    channels = min(channel_base // 4, channel_max)
    put("synthesis.b4.const", channels, *start)
    r = 4
    while r <= resolution:
        inputs, outputs = channels, min(channel_base // r, channel_max)
        for conv in ("conv0", "conv1") if r > 4 else ("conv1",):
            name = f"synthesis.b{r}.{conv}"
            put(f"{name}.weight", outputs, channels, 3, 3)
            put(f"{name}.bias", outputs)
            put(f"{name}.noise_strength")
            put(f"{name}.noise_const", start[0] * r // 4, start[1] * r // 4)
            affine(name, channels)
            channels = outputs
        if architecture == "resnet" and r > 4:
            put(f"synthesis.b{r}.skip.weight", outputs, inputs, 1, 1)
        if architecture == "skip" or r == resolution:
            put(f"synthesis.b{r}.torgb.weight", img_channels, channels, 1, 1)
            put(f"synthesis.b{r}.torgb.bias", img_channels)
            affine(f"synthesis.b{r}.torgb", channels)
        r *= 2
    return state


def stand_in(resolution: int = 512, seed: int = 0) -> Native:
    """Full-width weights in the shape of the official config-f models (30 M numbers, 120 MB)."""
    return native_state(resolution, 512, 512, 0, 8, 32768, 512, seed=seed)


def resolutions(native: Mapping[str, np.ndarray]) -> list[int]:
    """4, 8, 16 … of the blocks there are."""
    return sorted({int(name.split(".")[1][1:]) for name in native if name.startswith("synthesis")})


def _convolutions(native: Mapping[str, np.ndarray]) -> list[str]:
    """`synthesis.b4.conv1`, `synthesis.b8.conv0` … in the order in which they run."""
    return [
        f"synthesis.b{r}.{conv}"
        for r in resolutions(native)
        for conv in ("conv0", "conv1")
        if f"synthesis.b{r}.{conv}.weight" in native
    ]


def _dense(native: Mapping[str, np.ndarray]) -> int:
    return sum(name.startswith("mapping.fc") and name.endswith(".weight") for name in native)


def to_rosinality(native: Native) -> tuple[Native, np.ndarray]:
    """`g_ema` of rosinality/stylegan2-pytorch, and the `latent_avg` that lies beside it."""
    out: Native = {}
    for i in range(_dense(native)):
        out[f"style.{i + 1}.weight"] = native[f"mapping.fc{i}.weight"]
        out[f"style.{i + 1}.bias"] = native[f"mapping.fc{i}.bias"]
    out["input.input"] = native["synthesis.b4.const"][None]
    for k, name in enumerate(_convolutions(native)):
        theirs = f"convs.{k - 1}" if k else "conv1"
        out[f"{theirs}.conv.weight"] = native[f"{name}.weight"][None]
        out[f"{theirs}.conv.modulation.weight"] = native[f"{name}.affine.weight"]
        out[f"{theirs}.conv.modulation.bias"] = native[f"{name}.affine.bias"]
        out[f"{theirs}.noise.weight"] = native[f"{name}.noise_strength"].reshape(1)
        out[f"{theirs}.activate.bias"] = native[f"{name}.bias"]
        out[f"noises.noise_{k}"] = native[f"{name}.noise_const"][None, None]
        if name.endswith("conv0"):
            out[f"{theirs}.conv.blur.kernel"] = FILTER * 4
    for b, r in enumerate(resolutions(native)):
        name, theirs = f"synthesis.b{r}.torgb", f"to_rgbs.{b - 1}" if b else "to_rgb1"
        out[f"{theirs}.conv.weight"] = native[f"{name}.weight"][None]
        out[f"{theirs}.conv.modulation.weight"] = native[f"{name}.affine.weight"]
        out[f"{theirs}.conv.modulation.bias"] = native[f"{name}.affine.bias"]
        out[f"{theirs}.bias"] = native[f"{name}.bias"].reshape(1, -1, 1, 1)
        if b:
            out[f"{theirs}.upsample.kernel"] = FILTER * 4
    return out, native["mapping.w_avg"]


def to_basicsr(native: Native) -> Native:
    """BasicSR: rosinality's order under other names, without resampling kernels."""
    theirs, _ = to_rosinality(native)
    out: Native = {}
    for name, array in theirs.items():
        if name.endswith("kernel"):
            continue
        name = name.replace("noises.noise_", "noises.noise").replace("style.", "style_mlp.")
        name = name.replace("input.input", "constant_input.weight")
        name = name.replace(".noise.weight", ".weight").replace(".conv.", ".modulated_conv.")
        out[f"style_{name}" if name.startswith(("conv1", "convs")) else name] = array
    return out


def to_mmgen(native: Native) -> Native:
    """The generator of MMGeneration and mmagic: rosinality's order under longer names."""
    theirs, _ = to_rosinality(native)
    out: Native = {}
    for name, array in theirs.items():
        if name.startswith("style."):
            _, number, part = name.split(".")
            part = "linear.weight_orig" if part == "weight" else part
            name = f"style_mapping.{number}.{part}"
        elif name.startswith("noises."):
            name = name.replace("noises.noise_", "injected_noise_")
        elif name == "input.input":
            name = "constant_input.input"
        else:
            name = name.replace("modulation.weight", "style_modulation.linear.weight_orig")
            name = name.replace("modulation.bias", "style_modulation.bias")
            name = name.replace(".conv.weight", ".conv.weight_orig")
            name = name.replace(".noise.weight", ".noise_injector.weight")
        out[name] = array
    return out


def _genforce_names(native: Native) -> Native:
    """What genforce and Hammer share; biases and kernels as in the native form."""
    out: Native = {}
    for i in range(_dense(native)):
        out[f"mapping.dense{i}.weight"] = native[f"mapping.fc{i}.weight"]
        out[f"mapping.dense{i}.bias"] = native[f"mapping.fc{i}.bias"]
    out["synthesis.early_layer.const"] = native["synthesis.b4.const"][None]
    for k, name in enumerate(_convolutions(native)):
        out[f"synthesis.layer{k}.weight"] = native[f"{name}.weight"]
        out[f"synthesis.layer{k}.bias"] = native[f"{name}.bias"]
        out[f"synthesis.layer{k}.style.weight"] = native[f"{name}.affine.weight"]
        out[f"synthesis.layer{k}.style.bias"] = native[f"{name}.affine.bias"]
        out[f"synthesis.layer{k}.noise"] = native[f"{name}.noise_const"][None, None]
        out[f"synthesis.layer{k}.noise_strength"] = native[f"{name}.noise_strength"]
    for b, r in enumerate(resolutions(native)):
        name = f"synthesis.b{r}.torgb"
        if f"{name}.weight" in native:
            out[f"synthesis.output{b}.weight"] = native[f"{name}.weight"]
            out[f"synthesis.output{b}.bias"] = native[f"{name}.bias"]
            out[f"synthesis.output{b}.style.weight"] = native[f"{name}.affine.weight"]
            out[f"synthesis.output{b}.style.bias"] = native[f"{name}.affine.bias"]
    return out


def to_genforce(native: Native) -> Native:
    """`generator_smooth` of genforce: unflipped up-sampling kernels, style biases without +1."""
    out = _genforce_names(native)
    for name in out:
        if name.endswith("style.bias"):
            out[name] = out[name] - np.float32(1)
    for k in range(1, len(_convolutions(native)), 2):
        out[f"synthesis.layer{k}.weight"] = out[f"synthesis.layer{k}.weight"][:, :, ::-1, ::-1]
        out[f"synthesis.layer{k}.filter.kernel"] = FILTER[None, None] * 4
    out["synthesis.upsample.kernel"] = FILTER[None, None] * 4
    out["truncation.w_avg"] = native["mapping.w_avg"]
    return out


def to_hammer(native: Native) -> Native:
    """`generator_smooth` of Hammer (resefa)."""
    out = {"w_avg": native["mapping.w_avg"], **_genforce_names(native)}
    for part in ("weight", "bias"):
        if f"mapping.embed.{part}" in native:
            out[f"mapping.embedding.{part}"] = native[f"mapping.embed.{part}"]
    for b, r in enumerate(resolutions(native)):
        if f"synthesis.b{r}.skip.weight" in native:
            out[f"synthesis.residual{b}.weight"] = native[f"synthesis.b{r}.skip.weight"]
    out["synthesis.filter"] = FILTER
    return out


def tensors(arrays: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """As torch tensors with memory of their own."""
    return {name: torch.from_numpy(np.array(array, order="C")) for name, array in arrays.items()}


def write_rosinality(path: Path, native: Native, **options: Any) -> Path:
    """A training snapshot, `args` and all; `options` go to torch.save."""
    g_ema, latent_avg = to_rosinality(native)
    content = {
        "g": tensors({name: array * 0 for name, array in g_ema.items()}),
        "g_ema": tensors(g_ema),
        "latent_avg": torch.from_numpy(latent_avg),
        "args": argparse.Namespace(size=32, n_mlp=8),
        "ada_aug_p": 0.0,
    }
    torch.save(content, path, **options)
    return path


def write_mmgen(path: Path, native: Native, **options: Any) -> Path:
    """`state_dict` with every network in one list, and `meta`."""
    ours = to_mmgen(native)
    state = {
        **{f"generator.{name}": array * 0 for name, array in ours.items()},
        "discriminator.convs.0.weight": np.zeros((2, 3, 1, 1), np.float32),
        **{f"generator_ema.{name}": array for name, array in ours.items()},
    }
    content = {"meta": {"mmgen_version": "0.1", "iter": 5}, "state_dict": tensors(state)}
    torch.save(content, path, **options)
    return path


def write_genforce(path: Path, native: Native, **options: Any) -> Path:
    """`generator_smooth` beside another `generator`."""
    smooth = to_genforce(native)
    other = tensors({name: array * 0 for name, array in smooth.items()})
    torch.save({"generator_smooth": tensors(smooth), "generator": other}, path, **options)
    return path


def write_hammer(path: Path, native: Native, **options: Any) -> Path:
    """`models.generator_smooth` and some metadata."""
    models = {"generator_smooth": tensors(to_hammer(native)), "discriminator": {}}
    torch.save({"models": models, "running_metadata": {"iter": 1}}, path, **options)
    return path


def _reconstruct_persistent_obj(meta: Any) -> Any:
    raise AssertionError("a record was brought to life")


class _Module:
    """Pickles as NVIDIA's persistent classes do: its `__dict__` beside the class's source text."""

    def __init__(self, class_name: str, **attributes: Any) -> None:
        self.class_name = class_name
        self.state: dict[str, Any] = {
            "training": False,
            "_parameters": {},
            "_buffers": {},
            "_non_persistent_buffers_set": set(),
            "_modules": {},
            **attributes,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        meta = {
            "type": "class",
            "version": 6,
            "module_src": CANARY_SOURCE,
            "class_name": self.class_name,
            "state": self.state,
        }
        return _reconstruct_persistent_obj, (meta,)


def nvidia_module(native: Native, init_kwargs: Mapping[str, Any], **layer: Any) -> _Module:
    """The tree of modules that holds `native`; `layer` are attributes of every convolution."""
    root = _Module("Generator", _init_args=(), _init_kwargs=dict(init_kwargs))
    for name, array in native.items():
        *path, leaf = name.split(".")
        module = root
        for part in path:
            attributes = layer if part in ("conv0", "conv1") else {}
            if part.startswith("fc"):
                attributes = {"bias_gain": 0.01, "weight_gain": np.float64(0.01) / 2}
            module = module.state["_modules"].setdefault(part, _Module(part, **attributes))
        kind = "_buffers" if leaf in ("w_avg", "noise_const") else "_parameters"
        tensor = torch.from_numpy(np.array(array))
        module.state[kind][leaf] = (
            tensor if kind == "_buffers" else torch.nn.Parameter(tensor, requires_grad=False)
        )
    return root


@contextlib.contextmanager
def fake_torch_utils() -> Iterator[None]:
    """While pickling, `_reconstruct_persistent_obj` can be found where NVIDIA keeps it."""
    package, module = types.ModuleType("torch_utils"), types.ModuleType("torch_utils.persistence")
    module._reconstruct_persistent_obj = _reconstruct_persistent_obj  # type: ignore[attr-defined]
    before = _reconstruct_persistent_obj.__module__
    _reconstruct_persistent_obj.__module__ = module.__name__
    sys.modules.update({"torch_utils": package, "torch_utils.persistence": module})
    try:
        yield
    finally:
        _reconstruct_persistent_obj.__module__ = before
        del sys.modules["torch_utils"], sys.modules["torch_utils.persistence"]


def write_nvidia(
    path: Path,
    native: Native,
    init_kwargs: Mapping[str, Any] | None = None,
    protocol: int = 4,
    bare: bool = False,
    **layer: Any,
) -> Path:
    """A snapshot of NVIDIA's: `G`, `D`, `G_ema` whole, with the source text that made them."""
    init_kwargs = {"synthesis_kwargs": {}} if init_kwargs is None else init_kwargs
    ema = nvidia_module(native, init_kwargs, **{"conv_clamp": None, "activation": "lrelu", **layer})
    other = nvidia_module({name: array * 0 for name, array in native.items()}, init_kwargs)
    content = ema if bare else {"G": other, "D": None, "G_ema": ema, "augment_pipe": None}
    return dump_nvidia(path, content, protocol)


def dump_nvidia(path: Path, content: Any, protocol: int = 4) -> Path:
    """Pickle modules as NVIDIA's `pickle.dump` does."""
    with fake_torch_utils(), open(path, "wb") as file:
        pickle.dump(content, file, protocol=protocol)
    return path


def write_state_dict(path: Path, native: Native, **options: Any) -> Path:
    """What `torch.save(G.state_dict())` writes of an NVIDIA generator."""
    filters = {f"synthesis.b{r}.resample_filter": FILTER for r in resolutions(native)}
    torch.save(tensors({**native, **filters}), path, **options)
    return path


def live_module(state: Native) -> torch.nn.Module:
    """A plain torch module whose state dict is `state`."""
    root = torch.nn.Module()
    root.__class__ = type("Generator", (torch.nn.Module,), {"__module__": "model"})
    for name, tensor in tensors(state).items():
        *path, leaf = name.split(".")
        module: torch.nn.Module = root
        for part in path:
            if part not in module._modules:
                module.add_module(part, torch.nn.Module())
            module = module._modules[part]
        module.register_buffer(leaf, tensor)
    return root


@contextlib.contextmanager
def importable(cls: type) -> Iterator[None]:
    """While saving, `cls` can be found in the module it names."""
    sys.modules[cls.__module__] = types.ModuleType(cls.__module__)
    setattr(sys.modules[cls.__module__], cls.__name__, cls)
    try:
        yield
    finally:
        del sys.modules[cls.__module__]


WRITERS = {
    "nvidia": write_nvidia,
    "rosinality": write_rosinality,
    "genforce": write_genforce,
    "hammer": write_hammer,
}
