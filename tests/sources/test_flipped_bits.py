"""A flipped bit in a file that sefa keeps is found: what comes back is right, or nothing is."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.discovery.partial import Partial
from sefa_cli.errors import SefaError
from sefa_cli.evaluation import measuring
from sefa_cli.evaluation.kept_scores import Kept
from sefa_cli.parts import Part, Shard
from sefa_cli.sources import cache
from sefa_cli.studio.saving import Saved
from sefa_cli.studio.session import History, Sliders, State
from tests.helpers import FORMATS

Read = Callable[[], object]
PAGE = "x" * 22


def numbers(count: int = 40) -> np.ndarray:
    return np.random.default_rng(0).random(count)


def index(folder: Path) -> tuple[Path, Read]:
    cache.remember("ab" * 32, folder)
    (entry,) = (cache.cache_folder() / "index").rglob("*.json")
    return entry, lambda: cache.recall("ab" * 32) or None


def mean(folder: Path) -> tuple[Path, Read]:
    cache.save_w_avg("ab" * 32, numbers())
    (entry,) = (cache.cache_folder() / "w_avg").iterdir()
    return entry, lambda: cache.load_w_avg("ab" * 32)


def saved_page(suffix: str) -> tuple[Path, Read]:
    path = sorted((FORMATS / "golden").glob("*.dirs"))[0]
    own = Sliders("a.dirs", Bundle.load(path), alphas=((0, 1.5),))
    Saved(PAGE).write("tiny.pth", History(State(seed=7, sets=(own,))))

    def read() -> object:
        found = Saved(PAGE).read()
        if found is None:
            return None
        own = found[1].present.sets[0]
        return found[0], found[1].present.seed, own.path, own.alphas, own.bundle.to_bytes()

    (entry,) = (cache.cache_folder() / "pages").glob(f"*{suffix}")
    return entry, read


def page(folder: Path) -> tuple[Path, Read]:
    return saved_page(".json")


def bundle_of_a_page(folder: Path) -> tuple[Path, Read]:
    return saved_page(".dirs")


def measurement(folder: Path) -> tuple[Path, Read]:
    arrays: list[Any] = [numbers(3) for _ in fields(measuring.Measured)]
    measuring.keep(folder / "a.npz", measuring.Measured(*arrays))

    def read() -> object:
        found = measuring._read(folder / "a.npz")
        return found and [getattr(found, one.name) for one in fields(found)]

    return folder / "a.npz", read


def pictures(folder: Path) -> tuple[Path, Read]:
    tall = (numbers(2 * 64 * 64 * 3) * 255).astype(np.uint8).reshape(2, 64, 64, 3)
    measuring._write_pictures(folder / "a.png", list(tall))
    return folder / "a.png", lambda: measuring._read_pictures(folder / "a.png", 2, (64, 64, 3))


def scores(folder: Path) -> tuple[Path, Read]:
    Kept("key", "about", ("smile",), {3: numbers(1), 5: numbers(1)}).write(folder / "a.npz")

    def read() -> object:
        found = Kept.read(folder / "a.npz")
        return found.key, found.about, found.attributes, list(found.rows), [*found.rows.values()]

    return folder / "a.npz", read


def unfinished_search(folder: Path) -> tuple[Path, Read]:
    Partial(folder / "x.partial", {}).keep("grams", 0, [numbers()])

    def read() -> object:
        found = Partial(folder / "x.partial", {})
        found.read()
        return found.found("grams", 0)

    return folder / "x.partial", read


def part_of_a_job(folder: Path) -> tuple[Path, Read]:
    job = {"items": [1, 2, 3]}
    Part("codes", Shard(1, 2), job, {}, {"code/0": numbers()}).save(folder / "a.part")

    def read() -> object:
        found = Part.load(folder / "a.part")
        return found.kind, str(found.shard), dict(found.job), found.array("code/0")

    return folder / "a.part", read


def same(one: object, other: object) -> bool:
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return type(one) is type(other) and one == other


KEPT = (
    *(index, mean, page, bundle_of_a_page, measurement, pictures, scores),
    *(unfinished_search, part_of_a_job),
)


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: kept.__name__)
def test_a_flipped_bit_is_found(
    kept: Callable[[Path], tuple[Path, Read]], own_cache: Path, tmp_path: Path
) -> None:
    path, read = kept(tmp_path)
    whole, right = path.read_bytes(), read()
    assert right is not None
    bits, found = range(0, len(whole) * 8, max(1, len(whole) * 8 // 1000)), 0
    for bit in bits:
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.unlink(missing_ok=True)  # ext4 flushes a file that is written over
        path.write_bytes(flipped)
        now = None
        with suppress(SefaError):
            now = read()
        assert now is None or same(now, right), bit
        found += now is None
    assert found > len(bits) / 3
