"""What `bench/fuzz.py` feeds: each reader of files and words, and whole inputs to change."""

import atexit
import functools
import io
import os
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from bench import fuzz_seeds as seeds
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.expressions import parse_mix
from sefa_cli.container import unpack
from sefa_cli.containers.contents import Contents
from sefa_cli.containers.file_regions import mapped
from sefa_cli.containers.pickle.reader import read_pickle
from sefa_cli.containers.safetensors_files import is_safetensors, read_safetensors
from sefa_cli.discovery.regions.files import read_labels, read_mask
from sefa_cli.discovery.regions.shapes import box, polygon
from sefa_cli.editing.moves import ends_of, parse_alphas
from sefa_cli.editing.presets import Preset
from sefa_cli.editing.storyboard import Storyboard
from sefa_cli.errors import SefaError
from sefa_cli.families.mobilestylegan.ir import Source, read_graph
from sefa_cli.families.raw_tensors import raw_leaves
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.interchange.containers import Archive, opened
from sefa_cli.interchange.gguf import read_control_vector
from sefa_cli.interchange.notes import read_note
from sefa_cli.inversion.photos import read_photo
from sefa_cli.parts import Part
from sefa_cli.ranges import parse_range

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
        path = seeds.FOLDER / f"sefa-fuzz-{os.getpid()}{suffix}"
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
    path = seeds.FOLDER / f"sefa-fuzz-{os.getpid()}.xml"
    path.write_bytes(data)
    if not path.with_suffix(".bin").exists():
        path.with_suffix(".bin").write_bytes(seeds.network().content)
        atexit.register(path.with_suffix(".bin").unlink, missing_ok=True)
        atexit.register(path.unlink, missing_ok=True)
    for node in read_graph(Source(path)).nodes:
        if node.tensor is not None:
            node.tensor.numpy()


def _box(text: str) -> None:
    box(text)(64, 48)


def _polygon(text: str) -> None:
    polygon(text)(64, 48)


def _read_part(path: Path) -> None:
    part = Part.load(path)
    part.array("code/0")


_EDGE = (*b"- -1 0 1e999 nan inf . , :".split(), b" ", b"9" * 30, "é".encode(), b"\xff")
_JSON = (b'"', b"{", b"}", b"[", b"]", b"null", b"NaN", b"1e999", b'"shape":', b"-1", b"\\ud800")
_TOML = (b"=", b"[[", b"]]", b"\n", b"true", b"1979-05-27", b"seed", b"at", b"steps", b"layers")
_OPCODES = tuple(bytes((code,)) for code in range(0x28, 0x96))
_PIXELS = 1 << 31  # what 170 megapixels cost, twice: a small picture may claim this size
_COUNTS = tuple(struct.pack("<Q", n) for n in (0, 1, 4, 2**31, 2**32, 2**63, 2**64 - 1))

PARSERS = {
    one.name: one
    for one in (
        Parser("ranges", _text(functools.partial(parse_range, what="layer", count=18)),
               seeds.words("0-7", "0,3-5,9", "17", "0-0"), _EDGE),
        Parser("alphas", _text(parse_alphas, ends_of), seeds.words("-3:3:7", "1,2,-2.5", "-3,3"),
               _EDGE),
        Parser("mix", _text(parse_mix), seeds.words('0.7*yaw + 0.3*face:"turns left"', "a - 2e3*b"),
               (*_EDGE, b'"', b"\\", b"*", b"+")),
        Parser("box", _text(_box), seeds.words("10,5,20,8", "0.1,0.2,0.5,0.5"), _EDGE),
        Parser("polygon", _text(_polygon), seeds.words("1,1 40,2 30,30", "0.1,0.1 0.5,0.9"),
               _EDGE),
        Parser("pickle", lambda data: read_pickle(data, Path("x.pkl")), seeds.pickles, _OPCODES),
        Parser("container", lambda data: unpack(io.BytesIO(data)), seeds.container,
               (*_JSON, *_COUNTS)),
        Parser("gguf", read_control_vector, seeds.gguf, _COUNTS),
        Parser("npy", _file(_arrays, ".npy"), seeds.npy, (b"'", b"(", b"9" * 15, b"|O8", b"<f4")),
        Parser("note", _file(read_note, ".png"), seeds.notes, _JSON),
        Parser("bundle", Bundle.from_bytes, seeds.golden, _JSON),
        Parser("npz", _file(_arrays, ".npz"), seeds.npz, _COUNTS),
        Parser("safetensors", _file(_safetensors), seeds.container, (*_JSON, *_COUNTS)),
        Parser("torch zip", _file(_arrays, ".pt"), lambda: seeds.torch_files(False), _OPCODES),
        Parser("torch legacy", _file(_arrays, ".pt"), lambda: seeds.torch_files(True), _OPCODES),
        Parser("ir", _ir, lambda: [seeds.network().xml().encode()],
               (b"<", b">", b'"', b"&#0;", b"-1", b"9" * 20)),
        Parser("mask", _file(read_mask, ".png"), seeds.pictures, room=_PIXELS),
        Parser("labels", _file(read_labels, ".png"), seeds.pictures, room=_PIXELS),
        Parser("photo", _file(lambda path: read_photo(path, (16, 16)), ".png"), seeds.pictures,
               room=_PIXELS),
        Parser("preset", _file(Preset.load, ".toml"), seeds.words(seeds.PRESET),
               (*_EDGE, *_JSON, *_TOML)),
        Parser("storyboard", _file(Storyboard.load, ".toml"), seeds.words(seeds.STORY),
               (*_EDGE, *_JSON, *_TOML)),
        Parser("part", _file(_read_part, ".part"), seeds.parts, (*_JSON, *_COUNTS)),
        Parser("checkpoint", _file(_checkpoint), seeds.checkpoints),
    )
}  # fmt: skip
