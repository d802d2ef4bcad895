"""A checkpoint's tensors on their way into torch, each checked for its shape when it is taken."""

from collections.abc import Mapping

import torch
from torch import nn

from sefa_cli.containers.checkpoint import LazyTensor
from sefa_cli.errors import SefaError


class Weights:
    """The tensors below a dotted prefix: `weights.at("b4").take("const", None, 4, 4)`."""

    def __init__(self, tensors: Mapping[str, LazyTensor], prefix: str = "") -> None:
        self._tensors, self._prefix = tensors, prefix

    def at(self, name: str) -> "Weights":
        """Return the tensors below `name`."""
        return Weights(self._tensors, f"{self._prefix}{name}.")

    def __contains__(self, name: str) -> bool:
        return f"{self._prefix}{name}" in self._tensors

    def count(self, pattern: str) -> int:
        """Return how many of `pattern.format(0)`, `pattern.format(1)` … there are.

        Raises SefaError if a number is left out.
        """
        there = [n for n in range(len(self._tensors)) if pattern.format(n) in self]
        for number, found in enumerate(there):
            if number != found:
                raise self._missing(self._prefix + pattern.format(number))
        return len(there)

    def axes(self, name: str) -> int:
        """Return how many axes the tensor `name` has."""
        return len(self._tensors[f"{self._prefix}{name}"].shape)

    def take(self, name: str, *shape: int | None) -> torch.Tensor:
        """Return the float32 tensor `name`, whose sides must be `shape` (None: any).

        Raises SefaError where it is missing or shaped otherwise: the file is damaged, or of a
        variant of the family that is not known here.
        """
        name = self._prefix + name
        if name not in self._tensors:
            raise self._missing(name)
        found = self._tensors[name].shape
        if len(found) != len(shape) or any(
            side not in (None, length) for side, length in zip(shape, found, strict=True)
        ):
            expected = ", ".join("any" if side is None else str(side) for side in shape)
            raise SefaError(f"{name} has the shape {found}", f"({expected})")
        return torch.from_numpy(self._tensors[name].finite(name))

    def _missing(self, name: str) -> SefaError:
        return SefaError(f"the checkpoint has no tensor {name}", "a complete generator")


def frozen(tensor: torch.Tensor) -> nn.Parameter:
    """Return a parameter that moves with its module and is not trained."""
    return nn.Parameter(tensor, requires_grad=False)
