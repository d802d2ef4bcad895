"""Free memory of the device that computes, and the errors for too little of it."""

import math
import os
from pathlib import Path

import torch

from sefa_cli.errors import SefaError

# On CPUs, torch raises a plain RuntimeError: only its text tells the cause.
OUT_OF_MEMORY = (MemoryError, RuntimeError)

_UNKNOWN = 4 << 30  # if the system does not report it


def free_bytes(device: torch.device) -> int:
    """Return the free memory of a device in bytes; on CPUs within the process's control group."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory())
    return min([_available(), *_group()])


def budget_for(once: int, device: torch.device, asked: int | None) -> int:
    """Return the budget in bytes: `asked`, or half of the free memory.

    Raises SefaError if it is less than `once`, the need of a single pass.
    """
    budget = free_bytes(device) // 2 if asked is None else asked
    if budget < once:
        raise SefaError(
            f"a memory budget of {budget / 2**20:.0f} MiB is too small for one pass",
            f"{math.ceil(once / 2**20)} MiB or more",
            "Give more memory, or take a smaller size.",
        )
    return budget


def too_little() -> SefaError:
    """Return the error for memory that does not fit even one pass."""
    return SefaError("there is not enough memory for one pass", remedy="Take a smaller size.")


def refuse_others(error: Exception) -> None:
    """Raise `error` again unless it reports too little memory."""
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


def _group() -> list[int]:
    """Return the memory left under a container's limit, if it has one."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit = int(folder.joinpath("memory.max").read_text())
        return [max(0, limit - int(folder.joinpath("memory.current").read_text()))]
    except (OSError, ValueError):  # "max", or another kind of system
        return []
