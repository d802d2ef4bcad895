"""Whole processes measured side by side: wall seconds and peak memory, medians of several turns."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

# As a user's shell is: with this switch Python would compile our sources anew at every start.
_ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


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


def side_by_side(
    commands: Mapping[str, Sequence[str]], turns: int
) -> dict[str, tuple[float, float]]:
    """Medians of (seconds, MB); the commands take turns, so that a busy spell hits all."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for command in commands.values():
        run(command)  # once unmeasured: files into the page cache, bytecode compiled
    for _ in range(turns):
        for name, command in commands.items():
            seen[name].append(run(command))
    return {
        name: (statistics.median(s for s, _ in runs), statistics.median(mb for _, mb in runs))
        for name, runs in seen.items()
    }


def show(results: Mapping[str, tuple[float, float]], against: str) -> None:
    """A table with ratios to the row `against`."""
    base_seconds, base_mb = results[against]
    width = max(map(len, results))
    print(f"{'':{width}}  seconds  ratio   peak MB  ratio")
    for name, (seconds, mb) in results.items():
        print(
            f"{name:{width}}  {seconds:7.2f}  {seconds / base_seconds:5.2f}   "
            f"{mb:7.0f}  {mb / base_mb:5.2f}"
        )
