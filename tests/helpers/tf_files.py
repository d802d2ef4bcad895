"""NVIDIA's TensorFlow-era pickles, made without TensorFlow from the forms PyTorch people have.

Written apart from the reader's tables, from the variables' names and shapes in NVIDIA's own code:
kernels (h, w, in, out), dense layers (in, out), fused kernels (h, w, out, in) in PGGAN.
"""

import contextlib
import pickle
import sys
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.helpers.remap import CANARY_SOURCE, Native, resolutions

Variables = dict[str, np.ndarray]


class Network:
    """Pickles as `dnnlib.tflib.Network` and `tfutil.Network` do: a state and no arguments."""

    def __init__(
        self, name: str, variables: Mapping[str, Any], version: int, arguments: Mapping[str, Any],
        components: Mapping[str, "Network"] | None = None,
    ) -> None:  # fmt: skip
        self.state: dict[str, Any] = {
            "version": version,
            "name": name,
            "static_kwargs": dict(arguments),
            "build_module_src": CANARY_SOURCE,
            "build_func_name": "G_main",
            "variables": [(key, np.array(value)) for key, value in variables.items()],
        }
        if components is not None:  # PGGAN's code knows none
            self.state["components"] = dict(components)

    def __getstate__(self) -> dict[str, Any]:
        return self.state

    def __setstate__(self, state: Any) -> None:
        raise AssertionError("a network was brought to life")


@contextlib.contextmanager
def importable(module: str) -> Iterator[None]:
    """While pickling, `Network` can be found where NVIDIA keeps it."""
    parts = module.split(".")
    names = [".".join(parts[: i + 1]) for i in range(len(parts))]
    sys.modules.update({name: types.ModuleType(name) for name in names})
    sys.modules[module].Network = Network  # type: ignore[attr-defined]
    before, Network.__module__ = Network.__module__, module
    try:
        yield
    finally:
        Network.__module__ = before
        for name in names:
            del sys.modules[name]


def dump(path: Path, content: Any, module: str = "dnnlib.tflib.network", protocol: int = 3) -> Path:
    """Pickle networks as NVIDIA's code of the time did."""
    with importable(module), open(path, "wb") as file:
        pickle.dump(content, file, protocol=protocol)
    return path


def three(make: Any) -> tuple[Any, Any, Any]:
    """(G, D, Gs): only the last is the averaged generator. `make(name, factor)` makes one."""
    discriminator = Network("D", {"4x4/Dense0/weight": np.zeros((2, 2), np.float32)}, 4, {}, {})
    return make("G", 0), discriminator, make("Gs", 1)


def hwio(kernel: np.ndarray) -> np.ndarray:
    """(out, in, h, w) → (h, w, in, out)."""
    return np.transpose(kernel, (2, 3, 1, 0))


def split(variables: Variables) -> tuple[Variables, dict[str, Variables]]:
    """What the network itself holds, and what lies below `mapping/` and `synthesis/`."""
    parts: dict[str, Variables] = {"synthesis": {}, "mapping": {}}
    own: Variables = {}
    for name, value in variables.items():
        part, _, rest = name.partition("/")
        if part in parts:
            parts[part][rest] = value
        else:
            own[name] = value
    return own, parts


def style_network(version: int, variables: Variables, arguments: Mapping[str, Any]) -> Any:
    """Makes StyleGAN's Network, with its two components, by name."""
    own, parts = split(variables)

    def make(name: str, factor: int) -> Network:
        components = {
            part: Network(part, scaled(inner, factor), version, arguments, {})
            for part, inner in parts.items()
        }
        return Network(name, scaled(own, factor), version, arguments, components)

    return make


def scaled(variables: Variables, factor: int) -> Variables:
    return {name: np.asarray(value * np.float32(factor)) for name, value in variables.items()}


def stylegan2_variables(native: Native) -> Variables:
    """From NVIDIA's later names; noise maps are numbered in the order of the convolutions."""
    out: Variables = {"lod": np.array(0, np.float32), "dlatent_avg": native["mapping.w_avg"]}
    for name, value in native.items():
        part, *rest = name.split(".")
        if part == "mapping" and rest[0].startswith("fc"):
            out[f"mapping/Dense{rest[0][2:]}/{rest[1]}"] = value.T
        elif rest[0] == "embed":
            out[f"mapping/LabelEmbed/{rest[1]}"] = value.T
    out["synthesis/4x4/Const/const"] = native["synthesis.b4.const"][None]
    noises = 0
    for r in resolutions(native):
        names = {"conv0": "Conv0_up", "conv1": "Conv" if r == 4 else "Conv1", "torgb": "ToRGB"}
        for ours, theirs in names.items():
            name, target = f"synthesis.b{r}.{ours}", f"synthesis/{r}x{r}/{theirs}"
            if f"{name}.weight" not in native:
                continue
            kernel = hwio(native[f"{name}.weight"])
            out[f"{target}/weight"] = kernel[::-1, ::-1] if ours == "conv0" else kernel
            out[f"{target}/bias"] = native[f"{name}.bias"]
            out[f"{target}/mod_weight"] = native[f"{name}.affine.weight"].T
            out[f"{target}/mod_bias"] = native[f"{name}.affine.bias"] - np.float32(1)
            if ours != "torgb":
                out[f"{target}/noise_strength"] = native[f"{name}.noise_strength"]
                out[f"synthesis/noise{noises}"] = native[f"{name}.noise_const"][None, None]
                noises += 1
        if f"synthesis.b{r}.skip.weight" in native:
            out[f"synthesis/{r}x{r}/Skip/weight"] = hwio(native[f"synthesis.b{r}.skip.weight"])
    return out


def write_stylegan2(path: Path, native: Native, **arguments: Any) -> Path:
    """A snapshot of StyleGAN2's or ADA's TensorFlow code; `arguments` are the network's."""
    make = style_network(4, stylegan2_variables(native), arguments)
    return dump(path, three(make))


def stylegan_variables(state: Mapping[str, np.ndarray]) -> Variables:
    """From genforce's state dict of a StyleGAN, whose kernels keep TensorFlow's orientation."""
    blocks = sum(name.startswith("synthesis.output") for name in state) // 2
    out: Variables = {
        "lod": state["synthesis.lod"],
        "dlatent_avg": state["truncation.w_avg"],
        "synthesis/lod": state["synthesis.lod"],
        "synthesis/4x4/Const/const": state["synthesis.layer0.const"],
    }
    for name, value in state.items():
        if name.startswith("mapping.dense"):
            number, kind = name.removeprefix("mapping.dense").split(".")
            out[f"mapping/Dense{number}/{kind}"] = value.T
    if "mapping.label_weight" in state:
        out["mapping/LabelConcat/weight"] = state["mapping.label_weight"]
    for k in range(2 * blocks):
        r, first = 4 << k // 2, ("Const", "Conv") if k < 2 else ("Conv0_up", "Conv1")
        ours, theirs = f"synthesis.layer{k}", f"synthesis/{r}x{r}/{first[k % 2]}"
        if k:
            out[f"{theirs}/weight"] = hwio(state[f"{ours}.weight"])
        out[f"{theirs}/bias"] = state[f"{ours}.bias"]
        out[f"{theirs}/Noise/weight"] = state[f"{ours}.apply_noise.weight"]
        out[f"synthesis/noise{k}"] = state[f"{ours}.apply_noise.noise"]
        out[f"{theirs}/StyleMod/weight"] = state[f"{ours}.style.weight"].T
        out[f"{theirs}/StyleMod/bias"] = state[f"{ours}.style.bias"]
    for b in range(blocks):
        theirs = f"synthesis/ToRGB_lod{blocks - 1 - b}"
        out[f"{theirs}/weight"] = hwio(state[f"synthesis.output{b}.weight"])
        out[f"{theirs}/bias"] = state[f"synthesis.output{b}.bias"]
    return out


def write_stylegan(path: Path, state: Mapping[str, np.ndarray], **arguments: Any) -> Path:
    """A snapshot of StyleGAN's TensorFlow code."""
    return dump(path, three(style_network(3, stylegan_variables(state), arguments)))


def pggan_variables(state: Mapping[str, np.ndarray], fused: bool = False) -> Variables:
    """From genforce's state dict of a PGGAN without fused layers."""
    blocks = sum(name.startswith("output") for name in state) // 2
    first = state["layer0.weight"]  # (C, z, 4, 4)
    dense = np.transpose(first, (1, 0, 2, 3))[:, :, ::-1, ::-1]
    out: Variables = {
        "lod": state["lod"],
        "4x4/Dense/weight": dense.reshape(first.shape[1], -1),
        "4x4/Dense/bias": state["layer0.bias"],
        "4x4/Conv/weight": hwio(state["layer1.weight"]),
        "4x4/Conv/bias": state["layer1.bias"],
    }
    for k in range(2, 2 * blocks):
        r, kernel = 4 << k // 2, state[f"layer{k}.weight"]
        theirs = f"{r}x{r}/" + ("Conv1" if k % 2 else "Conv0_up" if fused else "Conv0")
        turned = fused and k % 2 == 0  # (h, w, out, in), as a transposed convolution takes it
        out[f"{theirs}/weight"] = (
            np.transpose(kernel, (2, 3, 0, 1))[::-1, ::-1] if turned else hwio(kernel)
        )
        out[f"{theirs}/bias"] = state[f"layer{k}.bias"]
    for b in range(blocks):
        out[f"ToRGB_lod{blocks - 1 - b}/weight"] = hwio(state[f"output{b}.weight"])
        out[f"ToRGB_lod{blocks - 1 - b}/bias"] = state[f"output{b}.bias"]
    return out


def write_pggan(
    path: Path, state: Mapping[str, np.ndarray], fused: bool = False, **arguments: Any
) -> Path:
    """A snapshot of PGGAN's code."""
    variables = pggan_variables(state, fused)

    def make(name: str, factor: int) -> Network:
        return Network(name, scaled(variables, factor), 2, {"fused_scale": fused, **arguments})

    return dump(path, three(make), module="tfutil")
