"""The free memory where a computation runs, and the errors that say there is too little."""

import math
import os
from contextlib import suppress
from pathlib import Path

import torch

from sefa_cli.errors import SefaError

# On CPUs, torch raises a plain RuntimeError: only its text tells the cause.
OUT_OF_MEMORY = (MemoryError, RuntimeError)

_UNKNOWN = 4 << 30  # if the system does not report it


def free_bytes(device: torch.device) -> int:
    """Return the free memory of a device in bytes; on CPUs, within the process's control group."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory())
    return min([_available(), *_group()])


def budget_for(once: int, device: torch.device, asked: int | None) -> int:
    """Return the budget in bytes: `asked`, or half of what is free.

    Raises SefaError if it is less than `once`, the need of a single pass.
    """
    budget = free_bytes(device) // 2 if asked is None else asked
    if budget < once:
        raise SefaError(
            f"a memory budget of {budget / 2**20:.0f} MiB is too small for one pass",
            f"{math.ceil(once / 2**20)} MiB or more",
            "Allow more memory, or use a smaller size.",
        )
    return budget


def too_little() -> SefaError:
    """Return the error for when even the smallest piece of work does not fit."""
    return SefaError("there is not enough memory for one pass", remedy="Use a smaller size.")


def refuse_others(error: Exception) -> None:
    """Raise `error` again, unless it reports a lack of memory."""
    text = str(error)
    said = "out of memory" in text or "can't allocate memory" in text or "not enough memory" in text
    if isinstance(error, RuntimeError) and not said:
        raise error


def _available() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
        return int(os.sysconf("SC_AVPHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return _UNKNOWN


def _group(folder: Path = Path("/sys/fs/cgroup")) -> list[int]:
    """Return what a container's limit leaves, if there is one; cached files are free."""
    try:
        limit = int(folder.joinpath("memory.max").read_text())
        used = int(folder.joinpath("memory.current").read_text())
    except (OSError, ValueError):  # "max", or another kind of system
        return []
    cached = 0
    with suppress(OSError):
        words = folder.joinpath("memory.stat").read_text().split()
        cached = int(dict(zip(words[::2], words[1::2], strict=True)).get("inactive_file", 0))
    return [max(0, limit - used + cached)]
