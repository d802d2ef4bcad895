"""What derivatives are computed in: float32, TensorFloat-32, or bfloat16.

A derivative written by hand keeps the picture it was made of, painted in float32; torch's own modes
paint it again, in the precision of the pass. On CUDA torch rounds convolutions to TensorFloat-32
by default, so float32 has to be asked for as well.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from sefa_cli.errors import UsageError, either
from sefa_cli.generators.devices import why_not

if TYPE_CHECKING:
    import torch

PRECISIONS = ("auto", "float32", "tf32", "bf16")


def check_precision(precision: str, device: str = "auto") -> None:
    """Check a precision. Raises UsageError if it is unknown, or cannot be had on this device."""
    if precision not in PRECISIONS:
        raise UsageError(f"unknown precision {precision!r}", either(PRECISIONS))
    cuda = why_not("cuda") == "" if device == "auto" else device.startswith("cuda")
    if precision == "tf32" and not cuda:
        raise UsageError("precision tf32 needs a CUDA device", "float32 or bf16")


@contextmanager
def computing(precision: str, device: "torch.device") -> Iterator[None]:
    """Convolutions and matrix products on `device` in that precision, until the block ends."""
    import torch

    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    matmul.allow_tf32 = cudnn.allow_tf32 = precision == "tf32"
    try:
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before


def multiplies_bf16(device: "torch.device") -> bool:
    """Whether the device is a CPU with instructions for bfloat16, as torch 2.10 and newer know."""
    import torch

    known: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return device.type == "cpu" and any(known.get(f"{unit}_bf16") for unit in ("avx512", "amx"))


def cast(part: Any, dtype: "torch.dtype") -> Any:
    """Return a tensor, a module or a step of a derivative with all its numbers in `dtype`.

    A module is copied, because pictures need it as it is; a step is changed.
    """
    import torch

    if isinstance(part, torch.Tensor):
        return part.to(dtype) if part.is_floating_point() else part
    if isinstance(part, torch.nn.Module):
        return deepcopy(part).to(dtype)
    if isinstance(part, list | tuple):
        return type(part)(cast(one, dtype) for one in part)
    if hasattr(part, "__dict__"):
        for name, value in vars(part).items():
            setattr(part, name, cast(value, dtype))
    return part
