"""What a dialect makes of a state: a family, its configuration, its native tensors."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sefa_cli.containers.checkpoint import LazyTensor
from sefa_cli.families.names import Rule, State


class Model(NamedTuple):
    """A recognized generator."""

    dialect: str
    family: str
    config: Mapping[str, Any]
    tensors: Mapping[str, LazyTensor]
    notes: tuple[str, ...] = ()
    origin: str = ""  # what a file of our own was converted from


class Dialect(NamedTuple):
    """One code base's way of writing one family."""

    name: str
    family: str
    marks: tuple[str, ...]  # names that together only this dialect has
    rules: tuple[Rule, ...]
    read: Callable[["Dialect", State], Model]
