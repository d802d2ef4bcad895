"""Where networks compute, checked before torch is loaded as far as its files tell."""

import os
import re
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sefa_cli.errors import UsageError

if TYPE_CHECKING:
    import torch

_NO_GPU = "no GPU with a working driver was found"


def check_device(name: str) -> None:
    """Check a device without loading torch.

    Raises UsageError for one that is unknown, or that this machine or this torch lacks.
    """
    _check_name(name)
    if name[:4] in ("cuda", "mps") and (why := why_not(name[:4])):
        raise _missing(name, why)


def _check_name(name: str) -> None:
    if not re.fullmatch(r"auto|cpu|mps|cuda(:(0|[1-9][0-9]{0,3}))?", name):
        raise UsageError(f"unknown device {name!r}", "auto, cpu, cuda or mps")


def pick_device(name: str) -> "torch.device":
    """`auto` (CUDA, else Apple's MPS, else the CPU) or a device by its name.

    Raises UsageError as `check_device` does.
    """
    import torch

    _check_name(name)
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    if not ((cuda and name.startswith("cuda")) or (mps and name == "mps")):
        check_device(name)
    kind, _, index = name.partition(":")
    if kind == "cuda" and not cuda:
        raise _missing(name, _NO_GPU)
    if index and int(index) >= (count := torch.cuda.device_count()):  # torch's index is 8 bits
        raise _missing(name, f"there are {count} GPUs, counted from 0")
    return torch.device(name)


@cache
def why_not(kind: str) -> str:
    """Return why there can be no `cuda` or `mps` here, "" if there may be one.

    The file in which torch names its build is read; torch is not loaded.
    """
    if kind == "mps":
        apple = sys.platform == "darwin" and os.uname().machine == "arm64"
        return "" if apple else "it needs a Mac with Apple silicon"
    found = find_spec("torch")
    if found is None or found.origin is None:
        return ""  # another message helps
    says = Path(found.origin).with_name("version.py").read_text(encoding="utf-8")
    build = dict(re.findall(r"^(\w+)(?:: [\w\[\]]+)? = (.*)$", says, re.MULTILINE))
    if build.get("cuda") == "None" == build.get("hip", "None"):
        version = build["__version__"].strip("'\"")
        return (
            f"this torch ({version}) is a CPU build. Install the CUDA build that pytorch.org names"
        )
    if sys.platform == "linux" and build.get("cuda") != "None":
        import ctypes  # slow to import

        try:
            ctypes.CDLL("libcuda.so.1")
        except OSError:
            return _NO_GPU
    return ""


def _missing(name: str, why: str) -> UsageError:
    why, _, remedy = why.partition(". ")
    return UsageError(
        f"device {name} cannot be used here: {why}", "auto or cpu", f"{remedy}." * bool(remedy)
    )
