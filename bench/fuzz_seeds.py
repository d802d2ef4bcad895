"""The whole files and lines that `bench/fuzz.py` changes, for each reader."""

import functools
import io
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))
from sefa_cli.container import pack
from sefa_cli.families.native import write_native
from sefa_cli.interchange.notes import to_text
from sefa_cli.parts import Part, Shard
from tests.helpers import CONTAINERS, FORMATS, networks
from tests.helpers.ir_files import mapping_network

_MEMORY = Path("/dev/shm")
FOLDER = _MEMORY if os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())


BUNDLE = sorted((FORMATS / "golden").glob("*.dirs"))[0]
PRESET = f'''name = "happy"
[[moves]]
bundle = "{BUNDLE}"
layers = "0-1"
steps = {{ 0 = 1.5, 1 = "auto" }}
'''
STORY = f'''model = "tiny.pth"
[[keys]]
seed = 3
caption = "one"
[[keys]]
at = 2.5
seed = 7
mix_from = "7:1-2"
truncation = 0.5
moves = [{{ bundle = "{BUNDLE}", steps = {{ 0 = 2 }} }}]
'''


@functools.cache
def network() -> Any:
    tensors = networks.mobilestylegan().tensors
    return mapping_network({name: t.numpy() for name, t in tensors.items() if "mapping" in name})


def saved(save: Callable[..., object], *things: Any, **how: Any) -> bytes:
    """Return what `save(file, …)` writes."""
    file = io.BytesIO()
    save(file, *things, **how)
    return file.getvalue()


def torch_files(legacy: bool) -> list[bytes]:
    import torch

    tensors = {"w": torch.arange(6.0).reshape(2, 3), "b": torch.ones(2, dtype=torch.bfloat16)}
    tree = {"g_ema": tensors, "args": {"size": 32, "names": ["a", (1, 2)]}, "n": torch.ones(1, 1)}
    things = (tree, torch.eye(2), [torch.zeros(3)])

    def save(file: io.BytesIO, thing: object) -> None:
        torch.save(thing, file, _use_new_zipfile_serialization=not legacy)

    return [saved(save, thing) for thing in things]


def pickles() -> list[bytes]:
    import pickle

    things = ({"a": [1, 2.5, "x", (True, None)], "b": {1, 2}, "n": np.arange(4.0)}, [b"x" * 100])
    made = [pickle.dumps(thing, protocol) for thing in things for protocol in range(6)]
    hostile = (FORMATS.parent / "tests" / "golden" / "containers").glob("nv_*.pkl")
    return [*made, *(path.read_bytes()[:3000] for path in hostile)]


def npz() -> list[bytes]:
    arrays = {"w": np.arange(6.0).reshape(2, 3), "names": np.array(["a", "b"])}
    return [saved(np.savez, **arrays), saved(np.savez_compressed, **arrays)]


def npy() -> list[bytes]:
    arrays = (np.eye(3), np.arange(4, dtype=">i2"), np.ones((1, 2, 3), np.float16), np.array("x"))
    return [saved(np.save, array) for array in arrays]


def gguf() -> list[bytes]:
    from sefa_cli.interchange.gguf import ControlVector, control_vector_bytes

    vector = ControlVector((1, 3), np.arange(8.0).reshape(2, 4), "a model", "smile")
    return [control_vector_bytes(vector)]


def pictures() -> list[bytes]:
    rng = np.random.default_rng(0)
    rgba = Image.fromarray(rng.integers(0, 256, (24, 16, 4), np.uint8))
    rgb = rgba.convert("RGB")
    deep = Image.fromarray(rng.integers(0, 65536, (8, 8)).astype(np.uint16))
    gray, palette = rgb.convert("L"), rgb.convert("P")
    kinds = {
        "PNG": (rgba, rgb, gray, palette, deep),
        "GIF": (palette,),
        "JPEG": (rgb, gray),
        "WEBP": (rgba, rgb),
        "BMP": (rgb,),
        "TIFF": (rgb, gray),
    }
    return [saved(one.save, kind) for kind, images in kinds.items() for one in images]


def notes() -> list[bytes]:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    step = {"k": 1, "alpha": 2.0, "label": "smile"}
    about = {"model": {"ref": "tiny"}, "moves": [{"layers": [0, 1], "steps": [step]}], "seed": 3}
    info.add_text("sefa", to_text(about, np.ones((8, 4), np.float32)))
    image = Image.new("RGB", (4, 4))
    return [saved(image.save, "PNG", pnginfo=info)]


def container() -> list[bytes]:
    from sefa_cli.container import Tensor

    two = {"a": Tensor("F32", (2, 3), bytes(24)), "b": Tensor("BF16", (4,), bytes(8))}
    one = {"i": Tensor("I64", (), bytes(8))}
    return [pack({"k": "v"}, two), pack({}, {}), pack({"x": "é"}, one)]


def golden() -> list[bytes]:
    return [path.read_bytes() for path in sorted((FORMATS / "golden").glob("*.dirs"))]


def checkpoints() -> list[bytes]:
    """Files that hold little but what is parsed, and some as the published code writes them."""
    made = []
    for build in (networks.stylegan2, networks.stylegan3, networks.biggan, networks.dcgan):
        path = FOLDER / f"sefa-fuzz-{os.getpid()}.safetensors"
        write_native(path, build(), "0" * 64, overwrite=True)
        made.append(path.read_bytes())
        path.unlink()
    kinds = (".pt", ".pth", ".pkl")
    files = sorted(path for path in CONTAINERS.iterdir() if path.suffix in kinds)
    return [*made, *(path.read_bytes() for path in files if path.stat().st_size < 500_000)]


def parts() -> list[bytes]:
    """A part of a job, as `--shard` writes it."""
    path = FOLDER / f"sefa-fuzz-{os.getpid()}.part"
    job = {"items": [1, 2, 3], "model": {"ref": "tiny"}}
    Part("codes", Shard(1, 2), job, {"a": 1}, {"code/0": np.eye(2)}).save(path, overwrite=True)
    whole = path.read_bytes()
    path.unlink()
    return [whole]


def words(*lines: str) -> Callable[[], list[bytes]]:
    return lambda: [line.encode() for line in lines]
