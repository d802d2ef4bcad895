"""The independent reader: alone, with the standard library, on every example."""

import ast
import json
import random
import runpy
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.errors import SefaError
from tests.helpers import FORMATS

GOLDEN = json.loads((FORMATS / "golden/expected.json").read_text("utf-8"))
HOSTILE = json.loads((FORMATS / "hostile/index.json").read_text("utf-8"))
Reader = Callable[..., subprocess.CompletedProcess[str]]


def test_it_needs_nothing_but_the_standard_library(formats: Path) -> None:
    tree = ast.parse((formats / "reader.py").read_text("utf-8"))
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import)
               for alias in node.names}  # fmt: skip
    assert not any(isinstance(node, ast.ImportFrom) for node in ast.walk(tree))
    assert modules <= sys.stdlib_module_names


@pytest.fixture(scope="module")
def complaints(reader: Reader) -> dict[str, str]:
    """What the reader says of each hostile file, all in one run that must not stop early."""
    done = reader(*(f"hostile/{name}" for name in HOSTILE))
    assert (done.returncode, done.stdout) == (1, "")
    lines = [line.partition(": ") for line in done.stderr.splitlines()]
    assert len(lines) == len(HOSTILE)
    return {name.removeprefix("hostile/"): said for name, _, said in lines}


def test_it_refuses_hostile_in_one_line(hostile: str, complaints: dict[str, str]) -> None:
    why = HOSTILE[hostile]
    assert why["mentions"].lower() in complaints[hostile].lower(), why["reason"]


def test_it_reads_golden(golden: str, reader: Reader) -> None:
    done = reader("--all", f"golden/{golden}")
    assert (done.returncode, done.stderr) == (0, "")
    expected = dict(GOLDEN[golden])
    del expected["about"]
    assert json.loads(done.stdout) == expected


def test_its_summary_has_what_inspect_prints(reader: Reader) -> None:
    summary = json.loads(reader("golden/w.dirs").stdout)
    assert list(summary) == [
        "format_version", "method", "params", "space", "model", "layers", "k", "dim",
        "eigenvalues", "labels",
    ]  # fmt: skip
    assert (summary["k"], summary["dim"], summary["labels"]) == (2, 4, ["smile", None])


def test_missing_files_and_words_are_stated(tmp_path: Path, reader: Reader) -> None:
    assert reader(tmp_path / "none.dirs").stderr.count("\n") == 1
    assert reader().returncode == 2


def damaged(data: bytes, rng: random.Random) -> bytes:
    """The file with a few bytes, mostly of its header, replaced, dropped or doubled."""
    damaged = bytearray(data)
    reach = 8 + struct.unpack("<Q", data[:8])[0] if rng.random() < 0.8 else len(data)
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(8, reach) if rng.random() < 0.95 else rng.randrange(8)
        piece = rng.choice([b"", b"0", b"9", b"-", b'"', b"[", b"}", b",", b"\x00", b"\xc3", b"e"])
        damaged[place : place + rng.randint(0, 2)] = piece
    if rng.random() < 0.5:  # a length that fits again, so that the damage reaches the JSON
        size = len(damaged) - len(data) + struct.unpack("<Q", data[:8])[0]
        damaged[:8] = struct.pack("<Q", max(size, 0))
    return bytes(damaged)


def verdict(read: Callable[[bytes], Any], refusal: type[Exception], data: bytes) -> bool:
    """Whether it accepts the data; anything but a refusal escapes."""
    try:
        read(data)
    except refusal:
        return False
    return True


@pytest.mark.parametrize("seed", range(4))
def test_both_readers_agree_on_damaged_files(seed: int, formats: Path) -> None:
    names = runpy.run_path(str(formats / "reader.py"))
    rng = random.Random(seed)
    wholes = [path.read_bytes() for path in sorted((formats / "golden").glob("*.dirs"))]
    accepted = 0
    for _ in range(300):
        data = damaged(rng.choice(wholes), rng)
        ours = verdict(Bundle.from_bytes, SefaError, data)
        assert ours == verdict(names["read"], names["Refused"], data), data
        accepted += ours
    assert 0 < accepted < 300


ODD = [
    None, True, 0, 1, -1, 2, 8.0, 0.5, -0.5, 2**53 - 1, "", "a", "z", "w+", "1.0", "1.10", "1.01",
    "3", "٣-4", "1 - 2", "²", "3,", ",", " a", "a\u00a0", "\u200b", "\x7f", "\x85", "\u2028",
    "e\u0301",
    "hf:a/b", "C:/a", "a/b", "...", "..", "F" * 64, "f" * 64, "f" * 64 + "\n", [], [1], ["a"],
    [{}, {}],
    [{}, {"label": "é"}], [{"label": "é"}, {"label": "e\u0301"}], {}, {"seeds": [1]},
    {"inside": 1, "outside": 0}, {"gain_threshold": 1}, {"gain_threshold": True},
    ["a", "b", "c", "d"],
]  # fmt: skip


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container and key inside `value`, and one key that is not there yet."""
    keys = [*value, "label", "change", "from"] if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        there = isinstance(value, list) or key in value
        if there and isinstance(value[key], dict | list):
            yield from places(value[key])


@pytest.mark.slow
def test_both_readers_agree_on_odd_metadata(formats: Path) -> None:
    """Every value of the metadata replaced by each of a list of odd ones."""
    names = runpy.run_path(str(formats / "reader.py"))
    data = (formats / "golden/masks.dirs").read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    facts = json.loads(header["__metadata__"]["sefa"])
    verdicts = []
    for place, key in list(places(facts)):
        before = dict(place) if isinstance(place, dict) else list(place)
        for odd in ODD:
            place[key] = odd
            header["__metadata__"]["sefa"] = json.dumps(facts)
            text = json.dumps(header).encode()
            file = struct.pack("<Q", len(text)) + text + data[8 + size :]
            ours = verdict(Bundle.from_bytes, SefaError, file)
            assert ours == verdict(names["read"], names["Refused"], file), (key, odd)
            verdicts.append(ours)
        place.clear()
        place.update(before) if isinstance(place, dict) else place.extend(before)
    assert 0.1 < sum(verdicts) / len(verdicts) < 0.5 and len(verdicts) > 1500
