"""Regions of a file whose bytes are read when they are needed."""

import contextlib
import math
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.containers.checkpoint import LazyTensor
from sefa_cli.containers.faults import damaged
from sefa_cli.file_kinds import open_file, why_not

Buffer = bytes | mmap.mmap

REPEATS = 1 << 20  # a tensor of stride 0 may hold more numbers than its storage, up to this many
AXES = 32  # what every numpy can hold


@contextlib.contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap]:
    """Map the file into memory, read-only; only pages that are looked at are read.

    The file must not be empty.
    """
    with open_file(path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


@dataclass(frozen=True)
class FileRegion:
    """`length` bytes of the file at `path`, beginning at `offset`."""

    path: Path
    offset: int
    length: int

    def part(self, offset: int, length: int) -> "FileRegion":
        """Return a region inside this one. Raises SefaError if it would reach past the end."""
        if offset < 0 or length < 0 or offset + length > self.length:
            raise damaged(f"{length:,} bytes are announced, but there are {self.length:,}")
        return FileRegion(self.path, self.offset + offset, length)

    def read(self) -> NDArray[np.uint8]:
        """Return a copy of the bytes, which stays valid if the file goes away."""
        content = np.empty(self.length, np.uint8)
        view, done = content.data, 0
        try:
            with open(self.path, "rb", buffering=0) as file:
                file.seek(self.offset)
                while done < self.length and (count := file.readinto(view[done:])):
                    done += count
        except OSError as error:
            raise why_not(self.path, error, "read") from error
        if done < self.length:
            cut = damaged("it ends early, or it changed while it was read")
            raise cut.named(str(self.path))  # tensors are read long after the file was opened
        return content


@dataclass(frozen=True)
class Storage:
    """A run of numbers, the way torch keeps them: tensors are views into it."""

    source: FileRegion | bytes
    dtype: str  # numpy's name, or "bfloat16"
    count: int
    big_endian: bool = False

    @property
    def itemsize(self) -> int:
        """Bytes per number."""
        return itemsize(self.dtype)

    def numbers(self, first: int, count: int) -> NDArray[Any]:
        """Return `count` numbers from `first` on, native-endian; bfloat16 becomes float32."""
        start, length = first * self.itemsize, count * self.itemsize
        if isinstance(self.source, FileRegion):
            content = self.source.part(start, length).read()
        else:
            content = np.frombuffer(self.source, np.uint8)[start : start + length].copy()
        stored = np.dtype("uint16" if self.dtype == "bfloat16" else self.dtype)
        if self.big_endian:
            stored = stored.newbyteorder(">")
        numbers = content.view(stored).astype(stored.newbyteorder("="), copy=False)
        if self.dtype == "bfloat16":  # the upper half of a float32
            return (numbers.astype(np.uint32) << 16).view(np.float32)
        return numbers

    def view(self, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> LazyTensor:
        """Return the tensor of `shape` at number `offset` that steps by `strides` (in numbers).

        Raises SefaError for views no program writes: negative, past the storage, absurdly large.
        """
        if len(shape) != len(strides) or len(shape) > AXES:
            raise damaged(f"a tensor has {len(shape)} sizes and {len(strides)} strides")
        if min((offset, *shape, *strides)) < 0:
            raise damaged(f"a tensor of shape {shape} has a negative size, stride or offset")
        if max(shape, default=0) > max(self.count, REPEATS):
            raise damaged(f"a tensor of shape {shape} claims more than its storage holds")
        count = math.prod(shape)
        span = 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) if count else 0
        if offset + span > self.count or count > max(self.count, REPEATS):
            raise damaged(f"a tensor of shape {shape} reaches beyond its storage")

        def read() -> NDArray[Any]:
            numbers = self.numbers(offset, span)
            if strides == contiguous_strides(shape):
                return numbers.reshape(shape)
            steps = [s * numbers.itemsize for s in strides]
            return np.lib.stride_tricks.as_strided(numbers, shape, steps).copy()

        return LazyTensor(shape, self.dtype, read)


def itemsize(dtype: str) -> int:
    """Return the bytes per number of a dtype, given by name."""
    return 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize


def contiguous_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the C-order strides in numbers: `(2, 3, 4)` → `(12, 4, 1)`."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
