"""What a container was found to hold, before anyone knows which network it is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sefa_cli.checkpoints.checkpoint import LazyTensor


@dataclass(frozen=True)
class Contents:
    """An inert tree of dicts, lists and records, whose leaves `tensor` turns into tensors."""

    path: Path
    container: str  # "torch zip", "torch legacy", "NVIDIA pickle", "pickle", "safetensors"
    tree: Any
    tensor: Callable[[Any], LazyTensor | None]  # None for leaves that are no tensors
    called: tuple[str, ...] = ()  # what a live unpickler would have called
