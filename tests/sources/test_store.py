"""A cached file is hashed once, believed while it is untouched, and hashed again when it is not."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from sefa_cli.sources import store
from sefa_cli.sources.store import Facts, Wanted, proven

BYTES = b"weights" * 1000
FACTS = Facts(len(BYTES), hashlib.sha256(BYTES).hexdigest())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m.pt").write_bytes(BYTES)
    return tmp_path


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were hashed."""
    paths: list[Path] = []
    measure = store.measure
    monkeypatch.setattr(store, "measure", lambda path: paths.append(path) or measure(path))
    return paths


def test_a_file_put_there_by_hand_is_proven_once(folder: Path, hashed: list[Path]) -> None:
    for _ in range(3):
        assert proven(folder, {"m.pt": FACTS}) == ("m.pt",)
    assert hashed == [folder / "m.pt"]


def test_a_touched_file_is_hashed_again(folder: Path, hashed: list[Path]) -> None:
    proven(folder, {"m.pt": FACTS})
    os.utime(folder / "m.pt", ns=(1, 1))
    assert proven(folder, {"m.pt": FACTS}) == ("m.pt",)
    assert len(hashed) == 2


def test_a_flipped_bit_is_found_within_a_day(
    folder: Path, hashed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk changed it, so that its size and time stayed; even if no SHA-256 is published."""
    for known in (FACTS, Facts()):
        (folder / "m.pt").write_bytes(BYTES)
        assert proven(folder, {"m.pt": known}) == ("m.pt",)
        stamped = (folder / "m.pt").stat().st_mtime_ns
        (folder / "m.pt").write_bytes(bytes([BYTES[0] ^ 1]) + BYTES[1:])
        os.utime(folder / "m.pt", ns=(stamped, stamped))
        with monkeypatch.context() as later:
            now = time.time()
            later.setattr(time, "time", lambda now=now: now + 86_401)
            assert proven(folder, {"m.pt": known}) == ()


def test_a_clock_that_goes_backwards_costs_a_hash(
    folder: Path, hashed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    proven(folder, {"m.pt": FACTS})
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 10**6)
    assert proven(folder, {"m.pt": FACTS}) == ("m.pt",)
    assert len(hashed) == 2


@pytest.mark.parametrize("change", [BYTES[::-1], BYTES[:-1], BYTES + b"!", b""])
def test_a_changed_file_is_not_believed(folder: Path, change: bytes) -> None:
    proven(folder, {"m.pt": FACTS})
    (folder / "m.pt").write_bytes(change)
    os.utime(folder / "m.pt", ns=(1, 1))
    assert proven(folder, {"m.pt": FACTS}) == ()


def test_a_stamp_for_other_bytes_is_not_believed(folder: Path) -> None:
    proven(folder, {"m.pt": Facts()})
    assert proven(folder, {"m.pt": Facts(sha256="0" * 64)}) == ()
    assert proven(folder, {"m.pt": FACTS}) == ("m.pt",)


def test_every_expected_file_must_be_there(folder: Path) -> None:
    assert proven(folder, {"m.pt": FACTS, "other.bin": Facts()}) == ()
    assert proven(folder / "nowhere", {"m.pt": FACTS}) == ()


def test_without_expectations_only_the_stamped_count(folder: Path) -> None:
    assert proven(folder, {}) == ()
    proven(folder, {"m.pt": FACTS})
    assert proven(folder, {}) == ("m.pt",)


@pytest.mark.parametrize(
    "stamp",
    ["", "[1]", "null", '{"m.pt": 3}', '{"m.pt": {"size": []}}', '{"../x": {}}', "[" * 9999],
)
def test_a_broken_stamp_is_no_proof(folder: Path, stamp: str) -> None:
    (folder / ".verified.json").write_text(stamp)
    assert proven(folder, {"m.pt": FACTS}) == ("m.pt",)
    assert proven(folder, {"m.pt": Facts(size=1)}) == ()


def test_a_cache_that_cannot_be_written_is_hashed_each_time(
    folder: Path, hashed: list[Path]
) -> None:
    (folder / ".verified.json").mkdir()  # nothing can take its place
    for _ in range(2):
        assert proven(folder, {"m.pt": FACTS}) == ("m.pt",)
    assert len(hashed) == 2


def test_folders_tell_models_and_versions_apart(own_cache: Path) -> None:
    a = Wanted("car", ("https://h/car.pt",), Facts(sha256="a" * 64))
    b = Wanted("car", ("https://h/car.pt",), Facts(sha256="b" * 64))
    c = Wanted("https://h/car.pt", ("https://h/car.pt",))
    d = Wanted("https://g/car.pt", ("https://g/car.pt",))
    assert a.folder == own_cache / "models" / "car-aaaaaaaa"
    assert len({w.folder for w in (a, b, c, d)}) == 4
    assert {w.folder.parent for w in (a, b, c, d)} == {own_cache / "models"}
    assert c.folder.name.startswith("car-")
    assert c.expected == {"car.pt": Facts()}
