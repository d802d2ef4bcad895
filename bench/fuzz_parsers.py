"""What `bench/fuzz.py` feeds: each reader of files and words, and whole inputs to change."""

import atexit
import functools
import io
import os
import struct
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.expressions import parse_mix
from sefa_cli.container import pack, unpack
from sefa_cli.containers.contents import Contents
from sefa_cli.containers.file_regions import mapped
from sefa_cli.containers.pickle.reader import read_pickle
from sefa_cli.containers.safetensors_files import is_safetensors, read_safetensors
from sefa_cli.discovery.regions.files import read_labels, read_mask
from sefa_cli.discovery.regions.shapes import box, polygon
from sefa_cli.editing.moves import ends_of, parse_alphas
from sefa_cli.errors import SefaError
from sefa_cli.families.mobilestylegan.ir import Source, read_graph
from sefa_cli.families.raw_tensors import raw_leaves
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.interchange.containers import Archive, opened
from sefa_cli.interchange.gguf import read_control_vector
from sefa_cli.interchange.notes import read_note, to_text
from sefa_cli.inversion.photos import read_photo
from sefa_cli.ranges import parse_range
from tests.helpers import CONTAINERS, FORMATS, networks
from tests.helpers.ir_files import mapping_network

_MEMORY = Path("/dev/shm")
_FOLDER = _MEMORY if os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
Read = Callable[[bytes], object]


@dataclass(frozen=True)
class Parser:
    """A reader, whole inputs for it, and words that its inputs are made of."""

    name: str
    read: Read
    seeds: Callable[[], list[bytes]]
    words: tuple[bytes, ...] = ()
    room: int = 8 << 20  # bytes that any input may cost


def _file(read: Callable[[Path], object], suffix: str = "") -> Read:
    """Return a reader of bytes, which go through a file in memory."""

    def through(data: bytes) -> object:
        path = _FOLDER / f"sefa-fuzz-{os.getpid()}{suffix}"
        path.write_bytes(data)
        try:
            return read(path)
        finally:
            path.unlink()

    return through


def _text(*parsers: Callable[[str], object]) -> Read:
    """Return a reader of bytes as text, with several parsers in turn."""

    def each(data: bytes) -> None:
        refused = None
        for parser in parsers:
            try:
                parser(data.decode("utf-8", "surrogateescape"))
            except SefaError as error:
                refused = error
        if refused:
            raise refused

    return each


def _arrays(path: Path) -> None:
    """Open a foreign file as `sefa import` does, and read every array."""
    content = opened(path)
    if isinstance(content, Archive):
        for name in content.names:
            content.shape(name), content.get(name)
    elif isinstance(content, Contents):
        _tensors(content)


def _tensors(content: Contents) -> None:
    for leaf in raw_leaves(content).values():
        tensor = content.tensor(leaf)
        if tensor is not None:
            tensor.numpy()


def _safetensors(path: Path) -> None:
    if path.stat().st_size:
        with mapped(path) as data:
            if is_safetensors(data):
                _tensors(read_safetensors(data, path))


def _checkpoint(path: Path) -> None:
    for tensor in read_checkpoint(path).tensors.values():
        tensor.numpy()


def _ir(data: bytes) -> None:
    """Read the XML of a network whose .bin lies beside it."""
    path = _FOLDER / f"sefa-fuzz-{os.getpid()}.xml"
    path.write_bytes(data)
    if not path.with_suffix(".bin").exists():
        path.with_suffix(".bin").write_bytes(_network().content)
        atexit.register(path.with_suffix(".bin").unlink, missing_ok=True)
        atexit.register(path.unlink, missing_ok=True)
    for node in read_graph(Source(path)).nodes:
        if node.tensor is not None:
            node.tensor.numpy()


@functools.cache
def _network() -> Any:
    tensors = networks.mobilestylegan().tensors
    return mapping_network({name: t.numpy() for name, t in tensors.items() if "mapping" in name})


def _box(text: str) -> None:
    box(text)(64, 48)


def _polygon(text: str) -> None:
    polygon(text)(64, 48)


def _saved(save: Callable[..., object], *things: Any, **how: Any) -> bytes:
    """Return what `save(file, …)` writes."""
    file = io.BytesIO()
    save(file, *things, **how)
    return file.getvalue()


def _torch(legacy: bool) -> list[bytes]:
    import torch

    tensors = {"w": torch.arange(6.0).reshape(2, 3), "b": torch.ones(2, dtype=torch.bfloat16)}
    tree = {"g_ema": tensors, "args": {"size": 32, "names": ["a", (1, 2)]}, "n": torch.ones(1, 1)}
    things = (tree, torch.eye(2), [torch.zeros(3)])

    def save(file: io.BytesIO, thing: object) -> None:
        torch.save(thing, file, _use_new_zipfile_serialization=not legacy)

    return [_saved(save, thing) for thing in things]


def _pickles() -> list[bytes]:
    import pickle

    things = ({"a": [1, 2.5, "x", (True, None)], "b": {1, 2}, "n": np.arange(4.0)}, [b"x" * 100])
    made = [pickle.dumps(thing, protocol) for thing in things for protocol in range(6)]
    hostile = (FORMATS.parent / "tests" / "golden" / "containers").glob("nv_*.pkl")
    return [*made, *(path.read_bytes()[:3000] for path in hostile)]


def _npz() -> list[bytes]:
    arrays = {"w": np.arange(6.0).reshape(2, 3), "names": np.array(["a", "b"])}
    return [_saved(np.savez, **arrays), _saved(np.savez_compressed, **arrays)]


def _npy() -> list[bytes]:
    arrays = (np.eye(3), np.arange(4, dtype=">i2"), np.ones((1, 2, 3), np.float16), np.array("x"))
    return [_saved(np.save, array) for array in arrays]


def _gguf() -> list[bytes]:
    from sefa_cli.interchange.gguf import ControlVector, control_vector_bytes

    vector = ControlVector((1, 3), np.arange(8.0).reshape(2, 4), "a model", "smile")
    return [control_vector_bytes(vector)]


def _pictures() -> list[bytes]:
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
    return [_saved(one.save, kind) for kind, images in kinds.items() for one in images]


def _notes() -> list[bytes]:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    step = {"k": 1, "alpha": 2.0, "label": "smile"}
    about = {"model": {"ref": "tiny"}, "moves": [{"layers": [0, 1], "steps": [step]}], "seed": 3}
    info.add_text("sefa", to_text(about, np.ones((8, 4), np.float32)))
    image = Image.new("RGB", (4, 4))
    return [_saved(image.save, "PNG", pnginfo=info)]


def _container() -> list[bytes]:
    from sefa_cli.container import Tensor

    two = {"a": Tensor("F32", (2, 3), bytes(24)), "b": Tensor("BF16", (4,), bytes(8))}
    one = {"i": Tensor("I64", (), bytes(8))}
    return [pack({"k": "v"}, two), pack({}, {}), pack({"x": "é"}, one)]


def _golden() -> list[bytes]:
    return [path.read_bytes() for path in sorted((FORMATS / "golden").glob("*.dirs"))]


def _checkpoints() -> list[bytes]:
    return [
        path.read_bytes() for path in sorted(CONTAINERS.iterdir()) if path.stat().st_size < 500_000
    ]


def _words(*lines: str) -> Callable[[], list[bytes]]:
    return lambda: [line.encode() for line in lines]


_EDGE = (*b"- -1 0 1e999 nan inf . , :".split(), b" ", b"9" * 30, "é".encode(), b"\xff")
_JSON = (b'"', b"{", b"}", b"[", b"]", b"null", b"NaN", b"1e999", b'"shape":', b"-1", b"\\ud800")
_OPCODES = tuple(bytes((code,)) for code in range(0x28, 0x96))
_PIXELS = 1 << 31  # what 170 megapixels cost, twice: a small picture may claim this size
_COUNTS = tuple(struct.pack("<Q", n) for n in (0, 1, 4, 2**31, 2**32, 2**63, 2**64 - 1))

PARSERS = {
    one.name: one
    for one in (
        Parser("ranges", _text(functools.partial(parse_range, what="layer", count=18)),
               _words("0-7", "0,3-5,9", "17", "0-0"), _EDGE),
        Parser("alphas", _text(parse_alphas, ends_of), _words("-3:3:7", "1,2,-2.5", "-3,3"), _EDGE),
        Parser("mix", _text(parse_mix), _words('0.7*yaw + 0.3*face:"turns left"', "a - 2e3*b"),
               (*_EDGE, b'"', b"\\", b"*", b"+")),
        Parser("box", _text(_box), _words("10,5,20,8", "0.1,0.2,0.5,0.5"), _EDGE),
        Parser("polygon", _text(_polygon), _words("1,1 40,2 30,30", "0.1,0.1 0.5,0.9"),
               _EDGE),
        Parser("pickle", lambda data: read_pickle(data, Path("x.pkl")), _pickles, _OPCODES),
        Parser("container", lambda data: unpack(io.BytesIO(data)), _container, (*_JSON, *_COUNTS)),
        Parser("gguf", read_control_vector, _gguf, _COUNTS),
        Parser("npy", _file(_arrays, ".npy"), _npy, (b"'", b"(", b"9" * 15, b"|O8", b"<f4")),
        Parser("note", _file(read_note, ".png"), _notes, _JSON),
        Parser("bundle", Bundle.from_bytes, _golden, _JSON),
        Parser("npz", _file(_arrays, ".npz"), _npz, _COUNTS),
        Parser("safetensors", _file(_safetensors), _container, (*_JSON, *_COUNTS)),
        Parser("torch zip", _file(_arrays, ".pt"), lambda: _torch(False), _OPCODES),
        Parser("torch legacy", _file(_arrays, ".pt"), lambda: _torch(True), _OPCODES),
        Parser("ir", _ir, lambda: [_network().xml().encode()],
               (b"<", b">", b'"', b"&#0;", b"-1", b"9" * 20)),
        Parser("mask", _file(read_mask, ".png"), _pictures, room=_PIXELS),
        Parser("labels", _file(read_labels, ".png"), _pictures, room=_PIXELS),
        Parser("photo", _file(lambda path: read_photo(path, (16, 16)), ".png"), _pictures,
               room=_PIXELS),
        Parser("checkpoint", _file(_checkpoint), _checkpoints),
    )
}  # fmt: skip
