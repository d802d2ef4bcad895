"""Tell of every step that changes a file, so that a process can be stopped at any of them."""

import builtins
import io
import os
from collections.abc import Callable
from typing import Any

from sefa_cli import scratch

Reached = Callable[[str], None]
_STEPS = (
    *("fsync", "rename", "replace", "link", "symlink", "unlink", "remove", "mkdir", "rmdir"),
    *("chmod", "utime", "truncate", "ftruncate"),
)


def watch(reached: Reached) -> None:
    """Tell `reached` of every step that changes a file, in this process from now on."""
    for name in _STEPS:
        setattr(os, name, _around(name, getattr(os, name), reached))
    if (call := scratch._renameat2()) is not None:
        exchange = _around("renameat2", call, reached)
        scratch._renameat2 = lambda: exchange  # type: ignore[assignment]
    opened, open_ = os.open, builtins.open

    def raw_open(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if flags & os.O_CREAT:
            return int(_around("create", opened, reached)(path, flags, *more, **named))
        return opened(path, flags, *more, **named)

    def open_watched(file: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
        if not set("wxa+") & set(mode) or isinstance(file, int) or "opener" in named:
            return open_(file, mode, *more, **named)
        raw = _Raw(file, mode, reached)
        buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        if "b" in mode:
            return buffered
        encoding = named.get("encoding") or (more[1] if len(more) > 1 else "utf-8")
        return io.TextIOWrapper(buffered, encoding)

    os.open = raw_open
    builtins.open = io.open = open_watched


def _around(name: str, call: Callable[..., Any], reached: Reached) -> Callable[..., Any]:
    def step(*words: Any, **named: Any) -> Any:
        reached(f"before {name}")
        result = call(*words, **named)
        reached(f"after {name}")
        return result

    return step


class _Raw(io.FileIO):
    """A file that tells of its writes, and of the half of each."""

    def __init__(self, file: Any, mode: str, reached: Reached) -> None:
        self.reached = reached
        reached("before open")
        super().__init__(file, mode.replace("b", "").replace("t", ""))
        reached("after open")

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self.reached("before write")
        half = super().write(view[: len(view) // 2])
        self.reached("half of write")
        done = half + super().write(view[half:])
        self.reached("after write")
        return done
