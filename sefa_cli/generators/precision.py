"""What derivatives are computed in: float32, TensorFloat-32, or bfloat16.

A derivative written by hand keeps the picture it was made of, painted in float32; torch's own modes
paint it again, in the precision of the pass. On CUDA torch rounds convolutions to TensorFloat-32
by default, so float32 has to be asked for as well.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from sefa_cli.errors import UsageError

PRECISIONS = ("float32", "tf32", "bf16")


def check_precision(precision: str, device: torch.device) -> None:
    """Check a precision. Raises UsageError if it is unknown, or not offered on this device."""
    if precision not in PRECISIONS:
        raise UsageError(f"precision {precision!r} is unknown", "one of " + ", ".join(PRECISIONS))
    if precision == "tf32" and device.type != "cuda":
        raise UsageError(f"precision tf32 on {device.type}", "a CUDA device, or float32 or bf16")


@contextmanager
def computing(precision: str, device: torch.device) -> Iterator[None]:
    """Convolutions and matrix products on `device` in that precision, until the block ends."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    matmul.allow_tf32 = cudnn.allow_tf32 = precision == "tf32"
    try:
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before
