"""A checkpoint once it is read: native tensor names, a family, a configuration."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.canonical import shown
from sefa_cli.errors import SefaError

_LEAST = {  # the whole numbers every configuration has, and the smallest each may be
    "resolution": 1,
    "img_channels": 1,
    "z_dim": 1,
    "w_dim": 1,
    "num_layers": 1,
    "c_dim": 0,
}
_LARGEST = 1 << 20


@dataclass(frozen=True)
class LazyTensor:
    """A tensor whose numbers stay in the file until something asks for them."""

    shape: tuple[int, ...]
    dtype: str  # numpy's name, or "bfloat16"
    read: Callable[[], NDArray[Any]]  # bfloat16 comes out as float32
    origin: str = ""  # its own name and the file's, for errors

    def numpy(self) -> NDArray[Any]:
        """Return the numbers, C-contiguous and in the machine's byte order."""
        return np.ascontiguousarray(self.read()).reshape(self.shape)

    def float32(self) -> NDArray[np.float32]:
        """Return the numbers as float32, C-contiguous."""
        return np.asarray(self.numpy(), dtype=np.float32)  # keeps 0-d tensors 0-d

    def finite(self, name: str) -> NDArray[np.float32]:
        """Return the numbers as float32. Raises SefaError if some are NaN or infinite."""
        numbers = self.float32()
        if wrong := numbers.size - np.count_nonzero(np.isfinite(numbers)):
            raise SefaError(
                f"{name} holds NaN or infinite numbers: {wrong:,} of {numbers.size:,}"
                + (self.origin and f", in {self.origin}"),
                remedy="Take an earlier snapshot: the training probably diverged.",
            )
        return numbers

    def then(
        self, change: Callable[[NDArray[Any]], NDArray[Any]], shape: tuple[int, ...] | None = None
    ) -> "LazyTensor":
        """Return this tensor with `change` applied when it is read, in the result's `shape`."""
        shape = self.shape if shape is None else shape
        return replace(self, shape=shape, read=lambda: change(self.read()))

    def named(self, name: str, path: Path) -> "LazyTensor":
        """Return this tensor with its name in the file at `path`, for errors."""
        return replace(self, origin=f"{name!r:.80} of {path}")

    def kept(self) -> "LazyTensor":
        """Return this tensor, read from the file at most once and then kept in memory."""
        return replace(self, read=cache(self.read))


class Config(Mapping[str, Any]):
    """A generator's sizes, checked once, and the settings its family adds.

    Every family has the fields that are attributes. Read all facts, also the family's own, by name
    as in a dict; they keep the order they were given in.

    Args:
        facts: The configuration as a mapping: plain numbers, texts and lists.

    Raises:
        SefaError: If a required fact is missing or out of range.

    Example:
        >>> sizes = dict(resolution=64, img_channels=3, z_dim=100, w_dim=100, num_layers=1, c_dim=0)
        >>> config = Config({**sizes, "space": "z", "lod": 0.0})
        >>> config.resolution, config["lod"]
        (64, 0.0)
    """

    resolution: int  # pixels, of the longer side
    img_channels: int
    z_dim: int
    w_dim: int  # equals z_dim if the code is z itself
    c_dim: int  # classes; 0 if the generator is unconditional
    num_layers: int  # code indices
    space: str  # "w" after a mapping network, else "z": what a code is

    def __init__(self, facts: Mapping[str, Any]) -> None:
        if not isinstance(facts, Mapping):
            raise SefaError("the configuration must be an object")
        self._facts = dict(facts)
        for name, least in _LEAST.items():
            size = facts.get(name)
            if type(size) is not int or not least <= size <= _LARGEST:
                raise SefaError(f"{name} is {shown(size)}", f"a whole number from {least} on")
            setattr(self, name, size)
        if facts.get("space") not in ("w", "z"):
            raise SefaError(f"the space is {shown(facts.get('space'))}", "w or z")
        self.space = facts["space"]

    def __getitem__(self, name: str) -> Any:
        return self._facts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def __repr__(self) -> str:
        return f"Config({self._facts!r})"

    @property
    def dim(self) -> int:
        """Length of a code: `w_dim`, or `z_dim` if the code is z itself."""
        return self.w_dim if self.space == "w" else self.z_dim


@dataclass(frozen=True)
class Checkpoint:
    """A generator's weights under the family's native names, whichever dialect the file uses.

    `notes` are sentences a user should see (a computed mean, an odd keyword).
    """

    ref: str  # what the user asked for; a local file's bare name
    path: Path  # where it lies
    container: str  # "torch zip", "torch legacy", "NVIDIA pickle", "safetensors", "OpenVINO IR"
    dialect: str  # "nvidia", "rosinality", "genforce", …; "sefa" for our own files
    family: str  # "stylegan2", "mobilestylegan"
    config: Config
    tensors: Mapping[str, LazyTensor]
    notes: tuple[str, ...] = field(default=())
    origin: str = ""  # the dialect that a file of our own was converted from
    tuned: Path | None = None  # the file of changes to the generator, if it was tuned to photos
