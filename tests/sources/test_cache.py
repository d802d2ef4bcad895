"""The cache is a convenience: it never fails a command, and never loses what two wrote."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sefa_cli.sources import cache

FINGERPRINT = "ab" * 32


def test_sefa_cache_overrides_the_platform_folder(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cache.cache_folder() == own_cache
    assert cache.models_folder() == own_cache / "models"
    monkeypatch.delenv("SEFA_CACHE")
    assert cache.cache_folder().is_absolute()
    assert "sefa" in cache.cache_folder().parts


def test_asking_makes_no_folder(own_cache: Path) -> None:
    assert cache.recall(FINGERPRINT) == []
    assert cache.load_w_avg(FINGERPRINT) is None
    assert not own_cache.exists()


def test_places_come_back_latest_first(own_cache: Path, tmp_path: Path) -> None:
    places = [tmp_path / name for name in ("a.pt", "b.pt", "ir")]
    places[0].touch(), places[1].touch(), places[2].mkdir()
    for age, place in enumerate(places):
        cache.remember(FINGERPRINT, place)
        [entry] = [e for e in (own_cache / "index").rglob("*.json") if place.name in e.read_text()]
        os.utime(entry, ns=(age * 10**9, age * 10**9))
    assert cache.recall(FINGERPRINT) == places[::-1]
    cache.remember(FINGERPRINT, places[0])  # seen again
    assert cache.recall(FINGERPRINT)[0] == places[0]
    assert cache.recall("cd" * 32) == []


def test_every_flipped_bit_of_a_kept_array_is_found(own_cache: Path) -> None:
    w_avg = np.linspace(-1, 1, 16, dtype=np.float32)
    cache.save_w_avg(FINGERPRINT, w_avg)
    [file] = (own_cache / "w_avg").iterdir()
    whole = file.read_bytes()
    for bit in range(len(whole) * 8):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        file.unlink(missing_ok=True)  # ext4 flushes a file that is written over
        file.write_bytes(flipped)
        assert cache.load_w_avg(FINGERPRINT) is None, bit
    file.write_bytes(whole)
    np.testing.assert_array_equal(cache.load_w_avg(FINGERPRINT), w_avg)


def test_vanished_places_are_dropped(own_cache: Path, tmp_path: Path) -> None:
    place = tmp_path / "a.pt"
    place.touch()
    cache.remember(FINGERPRINT, place)
    place.unlink()
    assert cache.recall(FINGERPRINT) == []
    assert list((own_cache / "index").rglob("*.json")) == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"path": 3}', '{"path": "relative"}', "\x00\xff", "[" * 99999]
)
def test_a_broken_index_file_is_ignored(own_cache: Path, tmp_path: Path, text: str) -> None:
    place = tmp_path / "a.pt"
    place.touch()
    cache.remember(FINGERPRINT, place)
    [entry] = (own_cache / "index").rglob("*.json")
    entry.with_name("broken.json").write_text(text, "latin-1")
    assert cache.recall(FINGERPRINT) == [place]


def test_two_processes_lose_nothing(own_cache: Path, tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from sefa_cli.sources import cache\n"
        f"for i in range(40): cache.remember('{FINGERPRINT}', pathlib.Path(sys.argv[1]) / str(i))"
    )
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        for i in range(40):
            (folder / str(i)).touch()
    running = [subprocess.Popen([sys.executable, "-c", code, str(folder)]) for folder in folders]
    assert [process.wait(60) for process in running] == [0, 0]
    assert len(cache.recall(FINGERPRINT)) == 80


def test_a_mean_style_comes_back(own_cache: Path) -> None:
    w_avg = np.linspace(-1, 1, 512, dtype=np.float32)
    cache.save_w_avg(FINGERPRINT, w_avg)
    loaded = cache.load_w_avg(FINGERPRINT)
    assert loaded is not None
    assert loaded.dtype == np.float32
    np.testing.assert_array_equal(loaded, w_avg)


def test_a_transposed_mean_style_comes_back(own_cache: Path) -> None:
    w_avg = np.arange(6, dtype=np.float32).reshape(2, 3).T
    cache.save_w_avg(FINGERPRINT, w_avg)
    np.testing.assert_array_equal(cache.load_w_avg(FINGERPRINT), w_avg)


@pytest.mark.parametrize("broken", ["empty", "text", "truncated", "pickle", "nan", "integers"])
def test_a_broken_mean_style_is_ignored(own_cache: Path, broken: str) -> None:
    cache.save_w_avg(FINGERPRINT, np.zeros(512, np.float32))
    [file] = (own_cache / "w_avg").iterdir()
    if broken == "nan":
        np.save(file, np.full(512, np.nan, np.float32))
    elif broken == "integers":
        np.save(file, np.zeros(512, np.int64))
    elif broken == "pickle":
        np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    else:
        whole = file.read_bytes()
        file.write_bytes({"empty": b"", "text": b"hello", "truncated": whole[:300]}[broken])
    assert cache.load_w_avg(FINGERPRINT) is None


@pytest.mark.parametrize("fingerprint", ["../../outside", "/etc/passwd", "", "a\0b", "\ud800"])
def test_a_hostile_fingerprint_stays_inside(
    own_cache: Path, tmp_path: Path, fingerprint: str
) -> None:
    cache.remember(fingerprint, tmp_path)
    cache.save_w_avg(fingerprint, np.ones(2, np.float32))
    assert cache.recall(fingerprint) == [tmp_path]
    assert cache.load_w_avg(fingerprint) is not None
    assert [entry.name for entry in tmp_path.iterdir()] == ["cache"]


def test_a_cache_that_cannot_be_written_fails_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    monkeypatch.setenv("SEFA_CACHE", str(in_the_way))
    cache.remember(FINGERPRINT, tmp_path)
    cache.save_w_avg(FINGERPRINT, np.ones(2, np.float32))
    assert cache.recall(FINGERPRINT) == []
    assert cache.load_w_avg(FINGERPRINT) is None
    assert in_the_way.read_bytes() == b""
