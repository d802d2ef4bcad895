"""The contents of a container, before anyone knows which network it holds."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from sefa_cli.containers.checkpoint import LazyTensor


class Contents(NamedTuple):
    """An inert tree of dicts, lists and records, whose leaves `tensor` turns into tensors."""

    path: Path
    container: str  # "torch zip", "torch legacy", "NVIDIA pickle", "pickle", "safetensors"
    tree: Any
    tensor: Callable[[Any], LazyTensor | None]  # None for leaves that are not tensors
    called: tuple[str, ...] = ()  # what a live unpickler would have called
    metadata: Mapping[str, str] = MappingProxyType({})  # of safetensors
