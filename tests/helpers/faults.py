"""What goes wrong around a command: a full disk, a folder that vanishes, a clock that goes back.

From one of its steps on, `tests/helpers/crashes.py` lets a fork meet one of these. The command must
end with one line and leave the old files or the new ones, or go on without what only helps.
"""

import errno
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from sefa_cli.scratch import is_scratch
from tests.helpers.crashes import Case, Meet, all_files, content, faults, prepare, run

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
    if "Traceback" in done.said or done.status not in (0, 1):
        wrong.append(f"ended with {done.status}: {done.said[-300:]}")
    last = done.said.strip().split("\n")[-1]
    if done.status == 1 and not last.startswith("sefa: "):
        wrong.append(f"said {last!r}")
    checked = kind != "vanished folder" and not case.quiet
    if checked and done.status == 0 and content(folder, case.outputs) != new:
        wrong.append("succeeded with other files")
    if kind not in ("read-only", "vanished folder"):
        parts = ((name, Path(name).parts) for name in all_files(folder))
        wrong += [f"left {name}" for name, path in parts if any(map(is_scratch, path))]
    return wrong
