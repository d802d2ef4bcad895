"""A short run of bench/fuzz.py, and small inputs of each kind that it has found."""

import contextlib
import importlib.util
import io
import random
import struct
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from sefa_cli.discovery.regions.files import read_labels
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.families.mobilestylegan.ir import Source, looks_like_ir
from sefa_cli.interchange.containers import Archive, opened
from sefa_cli.inversion.photos import read_photo
from sefa_cli.ranges import parse_range
from tests.helpers import ROOT

sys.path.insert(0, str(ROOT))
from bench.fuzz_parsers import PARSERS, Parser


@pytest.fixture(scope="module")
def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz", ROOT / "bench" / "fuzz.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(set(PARSERS) - {"checkpoint"}))
def test_broken_inputs_are_refused_in_our_words(module: ModuleType, name: str) -> None:
    figures = module.fuzz(PARSERS[name], 400, seconds=10, seed=1)
    assert figures.findings == {} and figures.inputs == 400
    assert 0 < figures.refused < 400, "all or none: the inputs test nothing"


def test_findings_are_told(module: ModuleType) -> None:
    def read(data: bytes) -> None:
        if b"w" in data:
            raise SefaError("no w")
        if b"x" in data:
            raise LookupError("a bug")
        if b"m" in data:
            bytearray(10 << 20)

    figures = module.Figures(Parser("x", read, list))
    for data in (b"m", b"w", b"x", b"y"):
        figures.feed(data)
    memory, error = figures.findings
    assert memory == "more memory than stated"
    assert error.startswith("LookupError at test_fuzz.py:") and error.endswith(": a bug")
    assert (figures.inputs, figures.refused) == (4, 1)


def test_mutations_depend_on_the_seed_alone(module: ModuleType) -> None:
    made = [
        [module.mutated([b"0-7", b"3,5"], (b"-",), random.Random(seed)) for _ in range(20)]
        for seed in (1, 1, 2)
    ]
    assert made[0] == made[1] != made[2]


def saved(save: Callable[[io.BytesIO], object]) -> bytes:
    file = io.BytesIO()
    save(file)
    return file.getvalue()


def test_an_npy_whose_header_ends_early(tmp_path: Path) -> None:
    """numpy reads old headers as Python, and lets tokenize's own error out."""
    whole = saved(lambda file: np.save(file, np.eye(2)))
    (tmp_path / "a.npy").write_bytes(whole.replace(b"}", b" "))
    with pytest.raises(SefaError, match="the array cannot be read: it is damaged or cut off"):
        opened(tmp_path / "a.npy")


def test_every_flipped_bit_of_an_npz(tmp_path: Path) -> None:
    """zipfile raises RuntimeError for a flag, OSError for an offset before the file."""
    whole = saved(lambda file: np.savez(file, w=np.eye(2)))
    path = tmp_path / "a.npz"
    for bit in range(len(whole) * 8):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.unlink(missing_ok=True)  # ext4 flushes a file that is written over
        path.write_bytes(flipped)
        try:
            archive = opened(path)
            if isinstance(archive, Archive):
                for name in archive.names:
                    archive.shape(name), archive.get(name)
        except SefaError:
            pass


def test_a_tiff_whose_second_picture_has_no_size(tmp_path: Path) -> None:
    """Pillow raises TypeError for it."""
    whole = saved(lambda file: Image.new("L", (64, 64)).save(file, "TIFF"))
    (at,) = struct.unpack_from("<I", whole, 4)  # the directory: a count, entries, the next one
    following = at + 2 + 12 * struct.unpack_from("<H", whole, at)[0]
    second = struct.pack("<I", len(whole))
    (tmp_path / "a.tif").write_bytes(
        whole[:following] + second + whole[following + 4 :] + bytes(16)
    )
    with pytest.raises(SefaError, match=r"a\.tif cannot be read as a picture"):
        read_photo(tmp_path / "a.tif", (8, 8))


@pytest.mark.parametrize("kind", ["L", "I;16"])
@pytest.mark.parametrize("read", [read_labels, lambda path: read_photo(path, (8, 8))])
def test_a_png_whose_chunk_says_it_has_gigabytes(
    tmp_path: Path, read: Callable[[Path], object], kind: str
) -> None:
    """Python sets aside what a file is asked for, before it looks how much there is."""
    whole = saved(lambda file: Image.new(kind, (8, 8)).save(file, "PNG"))
    at = whole.index(b"IDAT") - 4
    (tmp_path / "a.png").write_bytes(whole[:at] + b"\x70" + whole[at + 1 :])
    tracemalloc.start()
    try:
        with contextlib.suppress(SefaError):
            read(tmp_path / "a.png")
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_a_range_beyond_its_count_takes_little_memory() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(UsageError, match=r"layer 18 is out of range; expected 0-17"):
            parse_range("0,3-171717", "layer", 18)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_small_xml_takes_little_memory(tmp_path: Path) -> None:
    """Reading up to 64 MB took them all, whatever there was to read."""
    (tmp_path / "a.xml").write_text("<net ")
    tracemalloc.start()
    try:
        assert looks_like_ir(Source(tmp_path / "a.xml"))
        Source(tmp_path / "a.xml").head(64 << 20)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
