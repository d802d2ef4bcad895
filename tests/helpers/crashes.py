"""Kill a command at every boundary of its writing, and see what it leaves.

A fork runs `sefa …` with the functions wrapped that change files. Each tells a log before and after
what it does, and a file's `write` also tells of the half that is written. The fork kills itself
with SIGKILL at one of these boundaries. `bench/crashes.py` does it at all of them.
"""

import contextlib
import csv
import os
import re
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sefa_cli import scratch
from tests.helpers.steps import watch

Meet = Callable[[int, str], None]
BETWEEN = (".partial", ".part", ".tag")  # what the next run resumes


@dataclass(frozen=True)
class Case:
    """A command that writes `outputs`, and another that has written them before."""

    words: Sequence[str]
    before: Sequence[str]
    outputs: Sequence[str]
    whole: bool = True  # the outputs are old or new together; else each by itself
    again: Sequence[str] = ("--overwrite",)  # how the next run says that it may replace
    grows: str = ""  # a page that stands with gaps until all its pictures are there
    quiet: bool = False  # a convenience, which goes on without what cannot be written


@dataclass(frozen=True)
class Ran:
    """How a fork ended, and the boundaries it reached."""

    status: int  # as subprocess has it: the exit code, or minus the signal
    steps: tuple[str, ...]
    said: str


def run(
    words: Sequence[str],
    folder: Path,
    kill_at: int | None = None,
    after: float | None = None,
    meet: Meet | None = None,
    broken_pipe: bool = False,
) -> Ran:
    """Run `sefa …` in `folder`; kill it at a boundary, or after some seconds.

    `meet` is called with the number and the name of each step, and may raise OSError there. Its
    output may go into a pipe that nobody reads.
    """
    ended = _start(words, folder, kill_at, meet, broken_pipe)
    return ended(after)


def run_together(commands: Iterable[Sequence[str]], folder: Path, later: float = 0.0) -> list[Ran]:
    """Run commands at once in one folder, each some seconds `later` than the one before."""
    running = []
    for number, words in enumerate(commands):
        time.sleep(later if number else 0)
        running.append(_start(words, folder, name=str(number)))
    return [ended(None) for ended in running]


def _start(
    words: Sequence[str],
    folder: Path,
    kill_at: int | None = None,
    meet: Meet | None = None,
    broken_pipe: bool = False,
    name: str = "",
) -> Callable[[float | None], Ran]:
    log, said = (folder.parent / f"{kind}{name}.log" for kind in ("steps", "said"))
    log.write_bytes(b"")
    pid = os.fork()
    if pid == 0:
        where = os.open(log, os.O_WRONLY | os.O_APPEND)
        _child(words, folder, where, said, kill_at, meet, broken_pipe)

    def ended(after: float | None) -> Ran:
        if after is not None:
            time.sleep(after)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return Ran(status, tuple(log.read_text().split("\n")[:-1]), said.read_text())

    return ended


_NAMED_SHELL = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}  # not the one around us


def _child(
    words: Sequence[str],
    folder: Path,
    log: int,
    said: Path,
    kill_at: int | None,
    meet: Meet | None,
    broken_pipe: bool,
) -> None:
    code = 99
    try:
        os.chdir(folder)
        os.environ |= {"SEFA_CACHE": f"{folder}/cache", "HOME": f"{folder}/home", **_NAMED_SHELL}
        where = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(where, 1), os.dup2(where, 2)
        if broken_pipe:
            reader, writer = os.pipe()
            os.close(reader), os.dup2(writer, 1)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 (for the rest of the fork)
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
        scratch._swept.clear()
        steps = 0

        def reached(name: str) -> None:
            nonlocal steps
            steps += 1
            os.write(log, f"{name}\n".encode())
            if steps == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            if meet is not None:
                meet(steps, name)

        watch(reached)
        if words[0] in CALLS:
            CALLS[words[0]](*words[1:])
        else:
            sys.argv = ["sefa", *words]
            from sefa_cli.__main__ import main

            main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        scratch.remove_scratch()  # not all of atexit: the parent's things are not ours
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.flush(), sys.stderr.flush()
        os._exit(code)


def _autosave(seed: str) -> None:
    """Save a page of the studio, as it does while somebody moves its sliders."""
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.studio.saving import Saved
    from sefa_cli.studio.session import History, Sliders, State

    own = Sliders("tiny.dirs", Bundle.load("tiny.dirs"))
    history = History(State(seed=int(seed), sets=(own,)))
    Saved("x" * 22).write("tiny.pth", history)


CALLS = {"autosave": _autosave}  # what is no command, by the word that stands for it


def content(folder: Path, outputs: Iterable[str]) -> dict[str, bytes]:
    """Return the files that are at or below `outputs`, without those that were never finished.

    Seconds in a table or on a page differ from run to run, and a page may name its command with
    --overwrite or without; both are left out.
    """
    return {
        name: _timeless(name, data)
        for name, data in all_files(folder).items() if _is_below(name, outputs)
        if not is_begun(name)
    }  # fmt: skip


def _timeless(name: str, data: bytes) -> bytes:
    if name.endswith(".csv"):
        return _timeless_table(data)
    if name.endswith((".html", ".json")):
        return re.sub(rb"(?<=<dt>seconds</dt><dd><bdi>)[\d.]+| --overwrite\b", b"", data)
    return data


def _timeless_table(table: bytes) -> bytes:
    rows = list(csv.reader(table.decode("utf-8", "replace").splitlines()))
    found = [at for at, name in enumerate(rows[0] if rows else []) if name == "seconds"]
    rows = [[cell for at, cell in enumerate(row) if at not in found] for row in rows]
    return "\n".join(map(repr, rows)).encode() if found else table


def all_files(folder: Path) -> dict[str, bytes]:
    """Return all files by their path in the folder, and empty folders as `name/`."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file():
            found[name] = path.read_bytes()
    return found


def state(folder: Path) -> frozenset[tuple[str, bytes]]:
    """Return what lies in a folder; of unfinished files, that they are there: nobody reads them."""
    files = all_files(folder).items()
    return frozenset(
        (re.sub(r"(\.sefa-\w+)-.*", r"\1", name), b"" if ".sefa-" in name else data)
        for name, data in files
    )


def faults(case: Case, folder: Path, old: dict[str, bytes], new: dict[str, bytes]) -> list[str]:
    """Say what is wrong after a kill: half a file, a lost one, a foreign one beside it."""
    left = content(folder, case.outputs)
    if case.whole and left not in (old, new):
        return [f"neither old nor new: {sorted(left)}"]
    grown = not old and left.get(case.grows, b"").rstrip().endswith(b"</html>")
    wrong = [
        n for n, data in left.items()
        if data not in (old.get(n), new.get(n)) and not (grown and n == case.grows)
    ]  # fmt: skip
    lost = [] if left == new else [n for n in old if n not in left]
    strange = [
        n for n in all_files(folder)
        if not is_begun(n) and not _is_below(n, (*case.outputs, "cache"))
        and n not in GIVEN
    ]  # fmt: skip
    return [
        *(f"{n} is neither old nor new" for n in wrong),
        *(f"{n} is lost" for n in lost),
        *(f"{n} lies beside" for n in strange),
    ]


def try_again(case: Case, folder: Path, new: dict[str, bytes]) -> list[str]:
    """Run the command again after a kill; say what is wrong then."""
    begun = any(re.fullmatch(r"[^.].*\.partial", name) for name in all_files(folder))
    resume = ["--resume"] if begun else []
    done = run([*case.words, *case.again, *resume], folder)
    if done.status:
        return [f"the next run ended with {done.status}: {done.said}"]
    left = [n for n in all_files(folder) if is_begun(n) and not n.startswith("cache/index")]
    same = content(folder, case.outputs) == new
    return [f"{name} was left" for name in left] + ([] if same else ["the next run differs"])


def prepare(folder: Path, template: Path) -> Path:
    """Make `folder` a fresh copy of the template."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder, symlinks=True)
    return folder


GIVEN = frozenset(
    ("tiny.pth", "tiny.dirs", "boundary_w.npy", "photos/seed0000.png", "home/.bashrc")
) | {f"x.dirs.{n}of2.part" for n in (1, 2)}


def _is_below(name: str, outputs: Iterable[str]) -> bool:
    return any(name == one or name.startswith(f"{one}/") for one in outputs)


def is_begun(name: str) -> bool:
    parts = Path(name).parts
    begun = name.endswith(BETWEEN) and not re.search(r"\dof\d+\.part$", name)
    return begun or any(scratch.is_scratch(part) for part in parts)
