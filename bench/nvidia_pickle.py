"""A full-width NVIDIA pickle with random weights: `G`, `D` and `G_ema` as a snapshot has them.

    python bench/nvidia_pickle.py 1024 snapshot.pkl

StyleGAN2-ADA's own names, widths of config-f, each class with the source text it was of, as
torch_utils.persistence writes it. About 380 MB at 1024 px, as NVIDIA's ffhq.pkl (381,624,121).
"""

import pickle
import sys
import types
from collections.abc import Iterator
from typing import Any

import torch

_SOURCE = "# as long as the real one, which is not ours to copy\n" * 600
_BUFFERS = ("w_avg", "noise_const", "resample_filter")


class Module:
    """Pickles as a persistent class: its attributes beside the source text of its class."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.parameters: dict[str, Any] = {}
        self.buffers: dict[str, Any] = {}
        self.modules: dict[str, Module] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        state = {
            "training": False,
            "_parameters": self.parameters,
            "_buffers": self.buffers,
            "_non_persistent_buffers_set": set(),
            "_modules": self.modules,
            "_init_args": (),
            "_init_kwargs": {"synthesis_kwargs": {}} if self.name == "Generator" else {},
        }
        meta = {"type": "class", "version": 6, "module_src": _SOURCE}
        return _reconstruct_persistent_obj, ({**meta, "class_name": self.name, "state": state},)


def _reconstruct_persistent_obj(meta: Any) -> Any:
    raise NotImplementedError("only named here; naive_pickle.py has one that loads")


def generator(resolution: int, width: int = 512) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes of a skip generator."""
    for i in range(8):
        yield f"mapping.fc{i}.weight", (width, width)
        yield f"mapping.fc{i}.bias", (width,)
    yield "mapping.w_avg", (width,)
    inputs = width
    yield "synthesis.b4.const", (width, 4, 4)
    for px in _blocks(resolution):
        outputs, block = _channels(px, width), f"synthesis.b{px}"
        yield f"{block}.resample_filter", (4, 4)
        for conv in ("conv0", "conv1")[px == 4 :]:
            yield f"{block}.{conv}.weight", (outputs, inputs, 3, 3)
            yield f"{block}.{conv}.bias", (outputs,)
            yield f"{block}.{conv}.noise_strength", ()
            yield f"{block}.{conv}.noise_const", (px, px)
            yield f"{block}.{conv}.affine.weight", (inputs, width)
            yield f"{block}.{conv}.affine.bias", (inputs,)
            inputs = outputs
        yield f"{block}.torgb.weight", (3, outputs, 1, 1)
        yield f"{block}.torgb.bias", (3,)
        yield f"{block}.torgb.affine.weight", (outputs, width)
        yield f"{block}.torgb.affine.bias", (outputs,)


def discriminator(resolution: int, width: int = 512) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes of a residual discriminator."""
    yield f"b{resolution}.fromrgb.weight", (_channels(resolution, width), 3, 1, 1)
    for px in reversed(_blocks(resolution)[1:]):
        inputs, outputs = _channels(px, width), _channels(px // 2, width)
        yield f"b{px}.conv0.weight", (inputs, inputs, 3, 3)
        yield f"b{px}.conv1.weight", (outputs, inputs, 3, 3)
        yield f"b{px}.skip.weight", (outputs, inputs, 1, 1)
    yield "b4.conv.weight", (width, width + 1, 3, 3)
    yield "b4.fc.weight", (width, width * 16)
    yield "b4.out.weight", (1, width)


def network(name: str, shapes: Iterator[tuple[str, tuple[int, ...]]]) -> Module:
    """A tree of modules with random tensors."""
    root = Module(name)
    for path, shape in shapes:
        *parts, leaf = path.split(".")
        module = root
        for part in parts:
            module = module.modules.setdefault(part, Module(part))
        if leaf in _BUFFERS:
            module.buffers[leaf] = torch.randn(shape)
        else:
            module.parameters[leaf] = torch.nn.Parameter(torch.randn(shape), requires_grad=False)
    return root


def _blocks(resolution: int) -> list[int]:
    return [4 << n for n in range(resolution.bit_length() - 2)]


def _channels(px: int, width: int) -> int:
    return min(32768 // px, width)


if __name__ == "__main__":
    px, path = int(sys.argv[1]), sys.argv[2]
    torch.manual_seed(0)
    networks = {
        "training_set_kwargs": {"resolution": px},
        "G": network("Generator", generator(px)),
        "D": network("Discriminator", discriminator(px)),
        "G_ema": network("Generator", generator(px)),
        "augment_pipe": None,
    }
    sys.modules["torch_utils"] = types.ModuleType("torch_utils")
    home = sys.modules["torch_utils.persistence"] = types.ModuleType("torch_utils.persistence")
    home._reconstruct_persistent_obj = _reconstruct_persistent_obj  # type: ignore[attr-defined]
    _reconstruct_persistent_obj.__module__ = home.__name__
    with open(path, "wb") as file:
        pickle.dump(networks, file)
    print(path)
