"""What goes wrong around a command: a full disk, a folder that vanishes, a clock that goes back.

From one of its steps on, `tests/helpers/crashes.py` lets a fork meet one of these. The command must
end with one line and leave the old files or the new ones, or go on without what only helps.
"""

import ctypes
import errno
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sefa_cli.scratch import is_scratch
from tests.helpers.crashes import (
    Case,
    Meet,
    Ran,
    all_files,
    content,
    faults,
    is_begun,
    prepare,
    run,
    run_together,
    try_again,
)

_GROWS = ("write", "open", "create", "mkdir", "fsync", "symlink", "link")


def refusing(number: int, all_steps: bool = False) -> Callable[[int], Meet]:
    """Return what lets all steps that take room fail with this error, or all steps at all."""

    def make(first: int) -> Meet:
        def meet(step: int, name: str) -> None:
            when, what = name.rsplit(" ", 1)
            if step >= first and when != "after" and (all_steps or what in _GROWS):
                raise OSError(number, os.strerror(number))

        return meet

    return make


def vanishing(first: int) -> Meet:
    """Remove the working folder, with all that is in it."""

    def meet(step: int, name: str) -> None:
        if step == first:
            shutil.rmtree(Path.cwd(), ignore_errors=True)

    return meet


def going_back(first: int) -> Meet:
    """Turn the clock back by a year."""
    now = time.time

    def meet(step: int, name: str) -> None:
        if step == first:
            time.time = lambda: now() - 365 * 86_400

    return meet


FAULTS: dict[str, Callable[[int], Meet]] = {
    "full disk": refusing(errno.ENOSPC),
    "quota": refusing(errno.EDQUOT),
    "read-only": refusing(errno.EROFS, all_steps=True),
    "vanished folder": vanishing,
    "clock": going_back,
}


def trial(case: Case, kind: str, first: int, base: Path, new: dict[str, bytes]) -> list[str]:
    """Run a command that meets a fault from a step on; say what is wrong."""
    folder = prepare(base.with_name("work"), base)
    again = case.again if content(base, case.outputs) else ()
    old = content(folder, case.outputs)
    done = run([*case.words, *again], folder, meet=FAULTS[kind](first))
    folder.mkdir(exist_ok=True)
    wrong = [] if kind == "vanished folder" else faults(case, folder, old, new)
    wrong += _said(done)
    checked = kind != "vanished folder" and not case.quiet
    if checked and done.status == 0 and content(folder, case.outputs) != new:
        wrong.append("succeeded with other files")
    return wrong + ([] if kind in ("read-only", "vanished folder") else _left(folder))


def _said(done: Ran) -> list[str]:
    """Say what is wrong with how a command ended."""
    wrong = []
    if "Traceback" in done.said or done.status not in (0, 1):
        wrong.append(f"ended with {done.status}: {done.said[-300:]}")
    last = done.said.strip().split("\n")[-1]
    if done.status == 1 and not last.startswith("sefa: "):
        wrong.append(f"said {last!r}")
    return wrong


@contextmanager
def small_disk(folder: Path) -> Iterator[Callable[[int], None]]:
    """Mount an empty disk in memory on `folder`; yield what gives it so many bytes more.

    Raises PermissionError for who may not mount, and where that is done otherwise.
    """
    if sys.platform != "linux":
        raise PermissionError(errno.EPERM, f"{sys.platform} mounts in another way")
    library = ctypes.CDLL(None, use_errno=True)
    where = os.fsencode(folder)

    def mount(flags: int, size: int) -> None:
        if library.mount(b"tmpfs", where, b"tmpfs", flags, f"size={size}".encode()):
            raise OSError(number := ctypes.get_errno(), os.strerror(number))

    def give(room: int) -> None:
        has = os.statvfs(folder)
        mount(32, (has.f_blocks - has.f_bfree) * has.f_frsize + room)  # MS_REMOUNT

    folder.mkdir()
    mount(0, 1 << 30)
    try:
        yield give
    finally:
        library.umount2(where, 2)  # MNT_DETACH
        folder.rmdir()


def squeeze(case: Case, room: int, base: Path, new: dict[str, bytes]) -> list[str]:
    """Run a command on a real disk that has so many bytes of room; say what is wrong."""
    folder = base.with_name("work")
    shutil.rmtree(folder, ignore_errors=True)
    with small_disk(folder) as give:
        shutil.copytree(base, folder, dirs_exist_ok=True)
        again = case.again if content(base, case.outputs) else ()
        old = content(folder, case.outputs)
        give(room)
        done = run([*case.words, *again], folder)
        wrong = [*faults(case, folder, old, new), *_said(done)]
        if done.status == 0 and content(folder, case.outputs) != new and not case.quiet:
            wrong.append("succeeded with other files")
        return wrong + _left(folder)


def _left(folder: Path) -> list[str]:
    """Say what unfinished files are there."""
    parts = ((name, Path(name).parts) for name in all_files(folder))
    return [f"left {name}" for name, path in parts if any(map(is_scratch, path))]


def pair(case: Case, base: Path, new: dict[str, bytes], later: float) -> list[str]:
    """Run two processes on one output and one cache; say what is wrong.

    Over old files, the other process is the one that made them, and the output is of one of both.
    What is changed in place is as after one run or after two.
    """
    folder = prepare(base.with_name("work"), base)
    old = content(folder, case.outputs)
    first = [*case.words, *(case.again if old else ())]
    second = [*case.before, *case.again] if old and case.again else first
    one_more = new
    if old and not case.again:
        for _ in range(2):
            run(first, folder)
        one_more = content(folder, case.outputs)
        prepare(folder, base)
    both = run_together([first, second], folder, later)
    for name, data in content(folder, case.outputs).items():
        free = re.sub(r"-2(\.\w+)$", r"\1", name)
        if free != name and data == new.get(free):
            (folder / name).unlink()  # the later process took another name beside
    wrong = faults(case, folder, old if second != first else one_more, new)
    left = content(folder, case.outputs)
    left_over = [name for name in all_files(folder) if is_begun(name)]
    wrong += [f"{name} is lacking" for name in new if name not in left and left != old]
    refused = [one for one in both if one.status]
    wrong += [line for one in both for line in _said(one)]
    if len(refused) > (0 if old else 1):
        wrong += [f"refused: {one.said.strip()[-200:]}" for one in refused]
    for one in refused:
        if not re.search("exists|is not empty|partial already keeps", one.said):
            wrong.append(f"said {one.said.strip()[-200:]!r}")
    if refused and all(name.endswith(".partial") for name in left_over):
        return wrong + (try_again(case, folder, new) if left_over else [])  # its work is kept
    return wrong + [f"left {name}" for name in left_over]
