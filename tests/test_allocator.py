"""The allocator setting: off until asked for, on once, nothing where the C library is another."""

import ctypes
import platform
import subprocess
import sys
from collections.abc import Iterator

import pytest

from sefa_cli import allocator

FAULTS = """
import resource, sys, threading
import numpy as np
import sefa_cli, sefa_cli.allocator
on = "on" in sys.argv and sefa_cli.allocator.keep_blocks()
def work():
    for round in range(12):
        if round == 2:  # the first ones grow the heap
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        np.ones(64 << 20, np.uint8)
    print(on, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
if "thread" in sys.argv:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
else:
    work()
"""

FEW = 100  # ten such arrays are 320 pages of 2 MB, or 163,840 of 4 kB

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's own setting")


def faults(*words: str, **environment: str) -> tuple[bool, int]:
    """Whether the setting is on, and page faults of ten arrays of 64 MB, one after another."""
    done = subprocess.run(
        [sys.executable, "-c", FAULTS, *words], env=environment, capture_output=True, check=True
    )
    on, count = done.stdout.split()
    return on == b"True", int(count)


@glibc
def test_kept_blocks_cost_no_page_faults() -> None:
    on, count = faults("on")
    assert on
    assert count < FEW


@glibc
def test_nor_in_another_thread() -> None:
    """The studio paints and localizes in threads; half its time went into page faults once."""
    on, count = faults("on", "thread")
    assert on
    assert count < FEW


@glibc
def test_importing_changes_nothing() -> None:
    on, count = faults()
    assert not on
    assert count > FEW


@glibc
def test_the_environment_turns_it_off() -> None:
    on, count = faults("on", SEFA_MALLOC="0")
    assert not on
    assert count > FEW


HELD = """
import resource
import numpy as np
from sefa_cli.allocator import give_back, keep_blocks
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() >> 20
keep_blocks()
blocks = [np.ones(40 << 20, np.uint8) for _ in range(8)]
last = np.ones(1 << 20, np.uint8)  # the top of the heap stays in use
before = resident()
del blocks
freed = resident()
print(before - freed, give_back(), freed - resident())
"""


@glibc
def test_freed_memory_is_given_back_when_asked() -> None:
    done = subprocess.run([sys.executable, "-c", HELD], capture_output=True, check=True)
    kept, given, fell = done.stdout.split()
    assert int(kept) < 5 and given == b"True" and int(fell) > 300


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[int, int]]]:
    """As if nobody had asked yet; what the C library is told is only noted."""
    allocator.keep_blocks.cache_clear()
    told: list[tuple[int, int]] = []

    class Library:
        gnu_get_libc_version = "2.40"

        def mallopt(self, parameter: int, value: int) -> int:
            told.append((parameter, value))
            return 1

    monkeypatch.setattr(ctypes, "CDLL", lambda name: Library())
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("SEFA_MALLOC", raising=False)
    yield told
    allocator.keep_blocks.cache_clear()


def test_it_is_told_once(fresh: list[tuple[int, int]]) -> None:
    assert allocator.keep_blocks()
    assert allocator.keep_blocks()
    assert fresh == [(-4, 0), (-1, 2**31 - 1), (-2, 256 << 20), (-8, 1)]


def test_another_c_library_is_left_alone(
    fresh: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not allocator.keep_blocks() and not allocator.give_back()
    assert fresh == []


def test_other_systems_are_left_alone(
    fresh: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not allocator.keep_blocks()
    assert fresh == []
