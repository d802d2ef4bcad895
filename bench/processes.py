"""Processes and functions measured side by side: they take turns, so a busy spell hits all."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

# As a user's shell is: with this switch Python would compile our sources again at every start.
_ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

Runs = list[tuple[float, float]]  # (seconds, peak resident MB; 0 if unknown) of each turn


def run(command: Sequence[str]) -> tuple[float, float]:
    """Wall seconds and peak resident MB of one process; its output is dropped."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, env=_ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        message = process.stderr.read().decode() if process.stderr else ""
        sys.exit(f"{' '.join(command)} failed:\n{message}")
    return seconds, usage.ru_maxrss / 1024


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start, 0.0


def side_by_side(
    works: Mapping[str, Sequence[str] | Callable[[], object]], turns: int
) -> dict[str, Runs]:
    """Run each command or function once unmeasured, then all of them `turns` times in turn."""
    seen: dict[str, Runs] = {name: [] for name in works}
    for turn in range(turns + 1):
        for name, work in works.items():
            result = timed(work) if callable(work) else run(work)
            if turn:
                seen[name].append(result)
    return seen
