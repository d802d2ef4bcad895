"""How much memory is free where a computation runs, and how it says that it is not enough."""

import os
from pathlib import Path

import torch

# torch raises a plain RuntimeError on CPUs: the text has to be looked at.
OUT_OF_MEMORY = (MemoryError, RuntimeError)

_UNKNOWN = 4 << 30  # where the system does not say


def free_bytes(device: torch.device) -> int:
    """Free memory of a device in bytes; on CPUs within the process's control group."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory())
    return min([_available(), *_group()])


def _available() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
        return int(os.sysconf("SC_AVPHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return _UNKNOWN


def _group() -> list[int]:
    """What a container's limit leaves, if there is one."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit = int(folder.joinpath("memory.max").read_text())
        return [max(0, limit - int(folder.joinpath("memory.current").read_text()))]
    except (OSError, ValueError):  # "max", or another kind of system
        return []
