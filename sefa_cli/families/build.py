"""From a checkpoint to a generator that makes pictures."""

import torch

from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import SefaError
from sefa_cli.families.native import DIALECT
from sefa_cli.families.registry import blamed, family_of
from sefa_cli.generators.base import Generator
from sefa_cli.generators.devices import pick_device

_MISFITS = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RuntimeError)


def build(checkpoint: Checkpoint, device: str = "auto") -> Generator:
    """Return the generator of a checkpoint, its weights read and on `device`.

    Args:
        checkpoint: The model.
        device: `auto` (CUDA, else MPS, else the CPU) or a device's name.

    Raises:
        SefaError: For an unknown family, a device that is not there, and tensors that are missing
            or have the wrong shape.
    """
    where, family = pick_device(device), family_of(checkpoint)
    try:
        with blamed(family):
            generator = family.generator(checkpoint)
            if not isinstance(generator, Generator):
                raise TypeError(f"generator() returned a {type(generator).__name__}")
    except _MISFITS as error:
        if checkpoint.dialect != DIALECT:
            raise
        raise SefaError(  # a forged file of our own: others were checked
            f"{checkpoint.ref} has settings that do not make a {checkpoint.family} ({error})",
            "a complete generator",
        ) from None
    if where.type == "cpu":
        generator.to(where)
    else:  # some kernels lie in memory as CPUs like them; torch's types lack the keyword
        generator.to(where, memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return generator.eval()
