"""The shards of a job on the workers of a Ray cluster: `--on ray`.

A worker is an actor with a CPU or a part of a GPU. It runs `sefa … --shard I/N` as a shell would,
in a folder that all machines share, and keeps the model between shards. The shards' files are the
results; an exit code and a few lines come back through Ray. So nothing is lost with this process.
"""

import os
import platform
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib import metadata
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from sefa_cli import __version__
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.joining import SAME_TOKEN, connected
from sefa_cli.parts import Shard

_TRIES = 3  # of a task whose worker is lost each time
_WAIT = 20.0  # seconds without a worker before a line says so


class Outcome(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass
class Task:
    """One shard to do; `path` is its part, if it makes one."""

    shard: Shard
    path: Path | None = None
    tries: int = 0

    @property
    def is_done(self) -> bool:
        """Whether its part is there: another worker may have made it, which seemed to be lost."""
        return self.path is not None and self.path.exists()


class _Worker:
    """What runs on a worker; Ray makes an actor of it."""

    def __init__(self, environment: dict[str, str]) -> None:
        os.environ.update(environment)

    def about(self, folder: str) -> dict[str, Any]:
        """Return the versions and the machine, and go to the folder if it is here."""
        here = Path(folder).is_dir()
        if here:
            os.chdir(folder)
        return {"versions": _versions(), "at": platform.node(), "folder": here and _same(".")}

    def run(self, words: Sequence[str]) -> Outcome:
        """Run a command, and return how it ended."""
        from sefa_cli.cli import make_app
        from sefa_cli.held import hold

        hold()
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                make_app(words[0])(words, prog_name="sefa")
            except SystemExit as end:
                return Outcome(int(end.code or 0), out.getvalue(), err.getvalue())
            except Exception as error:
                return Outcome(1, out.getvalue(), f"sefa: {type(error).__name__}: {error}")
        return Outcome(0, out.getvalue(), err.getvalue())


def _versions() -> dict[str, str]:
    """Return what must be the same everywhere; torch for CPUs may work with torch for GPUs."""
    python = ".".join(map(str, sys.version_info[:2]))
    return {
        "sefa": __version__,
        "torch": metadata.version("torch").partition("+")[0],
        "Python": python,
    }


def _same(folder: str) -> int:
    """Return what a folder has in common on all machines that share it."""
    return Path(folder).stat().st_ino


@dataclass(frozen=True)
class Cluster:
    """Where to work.

    Attributes:
        address: "local", "auto", "HOST:PORT" or "ray://HOST:PORT".
        gpus: The share of a GPU that a worker has; None for one if there are GPUs.
    """

    address: str
    gpus: float | None = None

    @classmethod
    def parse(cls, on: str, gpus: float | None) -> "Cluster":
        """Return the cluster that `--on` names. Raises SefaError."""
        host, _, port = on.removeprefix("ray://").rpartition(":")
        if on not in ("ray", "auto") and not (host and port.isdigit() and "/" not in host):
            raise UsageError(
                f"--on must name a cluster, got {on!r}", "ray, auto, HOST:PORT or ray://HOST:PORT"
            )
        if gpus is not None and not (0 <= gpus <= 1 or (gpus > 0 and gpus.is_integer())):
            raise UsageError(
                f"--gpus-per-worker must be a share or a whole number, got {gpus:g}",
                "something like 0.5, 1 or 0",
            )
        from importlib.util import find_spec

        if find_spec("ray") is None:
            raise SefaError(
                "--on needs Ray, which is not installed",
                remedy="Install it with: pip install 'sefa-cli[cluster]'",
            )
        return cls("local" if on == "ray" else on, gpus)

    @contextmanager
    def workers(self, most: int, device: str, say: Callable[[str], object]) -> Iterator["Workers"]:
        """Connect, and yield at most `most` workers. Raises SefaError."""
        with redirect_stdout(StringIO()), connected(self.address) as ray:  # Ray prints its news
            has = ray.cluster_resources()
            threads = int(os.environ.get("OMP_NUM_THREADS") or 1)
            gpus = self.gpus
            if gpus is None:
                gpus = float(has.get("GPU", 0) > 0 and device != "cpu")
            count = int(has.get("CPU", 0) // threads)
            if gpus:
                count = (
                    int(has.get("GPU", 0)) * int(1 / gpus)
                    if gpus < 1
                    else int(has.get("GPU", 0) // gpus)
                )
            if not count:
                wanted = f"{gpus:g} GPU" if gpus else f"{threads} CPU"
                raise SefaError(f"the cluster has no {wanted} for a worker", "a larger cluster")
            options = {"num_cpus": 0 if gpus else threads, "num_gpus": gpus}
            yield Workers(ray, options, min(count, most), threads, say)


class Workers:
    """Actors on a cluster, and the tasks they do."""

    def __init__(
        self, ray: Any, options: dict[str, float], count: int, threads: int,
        say: Callable[[str], object],
    ) -> None:  # fmt: skip
        self._ray, self._count, self._say = ray, count, say
        self._make = ray.remote(_Worker).options(scheduling_strategy="SPREAD", **options)
        own = {name: value for name, value in os.environ.items() if name.startswith("SEFA_")}
        from sefa_cli.sources.cache import cache_folder

        self._environment = {
            **own,
            "SEFA_CACHE": str(cache_folder()),
            "OMP_NUM_THREADS": str(threads),
        }
        self._folder = str(Path.cwd())
        self._failed = 0  # workers that could not start
        self._idle: list[Any] = []
        self._flying: dict[Any, tuple[Any, Task | None]] = {}  # by the reference that is waited for

    def run(
        self, tasks: deque[Task], words: Callable[[Shard], list[str]]
    ) -> Iterator[tuple[Task, Outcome]]:
        """Yield how each task ended. A worker has one at a time; more may be added meanwhile.

        Raises SefaError for workers that cannot do the work.
        """
        told = False
        while tasks or any(task for _, task in self._flying.values()):
            self._hire(len(tasks) + sum(task is not None for _, task in self._flying.values()))
            while tasks and self._idle:
                worker, task = self._idle.pop(), tasks.popleft()
                self._flying[worker.run.remote(words(task.shard))] = worker, task
            done, _ = self._ray.wait(list(self._flying), timeout=_WAIT)
            if not done and not told and not any(task for _, task in self._flying.values()):
                self._say("no worker is free; waiting for one")
                told = True
            for one in done:
                worker, of = self._flying.pop(one)
                try:
                    answer = self._ray.get(one)
                except self._ray.exceptions.RayError as error:
                    yield from self._lost(of, error, tasks)
                    continue
                if of is None:
                    self._check(answer)
                else:
                    yield of, answer
                self._idle.append(worker)

    def _hire(self, wanted: int) -> None:
        """Start workers for `wanted` tasks, unless they are there."""
        for _ in range(min(self._count, wanted) - len(self._flying) - len(self._idle)):
            worker = self._make.remote(self._environment)
            self._flying[worker.about.remote(self._folder)] = worker, None

    def _lost(
        self, task: Task | None, error: Exception, tasks: deque[Task]
    ) -> Iterator[tuple[Task, Outcome]]:
        """Put the task of a lost worker back, unless it has lost several."""
        if task is None:
            text = str(error)
            if "No module named 'sefa_cli" in text:
                raise SefaError(
                    "a worker has no sefa, or another version",
                    f"sefa {__version__} on all machines",
                )
            self._failed += 1
            if self._failed > _TRIES * self._count:
                barred = SAME_TOKEN if "never ran" in text else ""
                raise SefaError(f"workers cannot start: {_last(text)}", remedy=barred)
            return
        task.tries += 1
        if task.tries < _TRIES:
            tasks.append(task)
        else:
            yield task, Outcome(1, "", f"its worker was lost {_TRIES} times: {_last(str(error))}")

    def _check(self, about: dict[str, Any]) -> None:
        """Raise SefaError for a worker that would do other work."""
        own = _versions()
        for name, version in about["versions"].items():
            if version != own[name]:
                raise SefaError(
                    f"the worker on {about['at']} has {name} {version}",
                    f"{own[name]}, as here",
                    "Install the same versions on all machines.",
                )
        if about["folder"] != _same("."):
            raise SefaError(
                f"the worker on {about['at']} does not see {self._folder}",
                "a folder that all machines share",
            )


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else "nothing was said"
