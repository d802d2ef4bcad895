"""What a checkpoint is once it was read: native tensor names, a family, a configuration."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LazyTensor:
    """A tensor whose numbers are read from the file when they are asked for, not before."""

    shape: tuple[int, ...]
    dtype: str  # numpy's name, or "bfloat16"
    read: Callable[[], NDArray[Any]]  # bfloat16 comes out as float32

    def numpy(self) -> NDArray[Any]:
        """The numbers, C-contiguous and native-endian."""
        return np.ascontiguousarray(self.read()).reshape(self.shape)

    def float32(self) -> NDArray[np.float32]:
        """The numbers as float32, C-contiguous."""
        return np.asarray(self.numpy(), dtype=np.float32)  # keeps 0-d tensors 0-d

    def then(
        self, change: Callable[[NDArray[Any]], NDArray[Any]], shape: tuple[int, ...] | None = None
    ) -> "LazyTensor":
        """The same tensor with `change` applied when it is read; `shape` is that of the result."""
        shape = self.shape if shape is None else shape
        return replace(self, shape=shape, read=lambda: change(self.read()))

    def kept(self) -> "LazyTensor":
        """The same tensor, read from the file at most once and then held in memory."""
        return replace(self, read=cache(self.read))


@dataclass(frozen=True)
class Checkpoint:
    """A generator's weights under the family's native names, whatever dialect the file spoke.

    `config` holds for every family: `resolution` (pixels), `img_channels`, `z_dim`, `w_dim`,
    `c_dim` (0 when unconditional), `num_layers` (code indices), `space` ("w" or "z"), and what
    the family adds. `notes` are sentences a user should see (a computed mean, an odd keyword).
    """

    ref: str  # what the user asked for; a local file's bare name
    path: Path  # where it lies
    container: str  # "torch zip", "torch legacy", "NVIDIA pickle", "safetensors", "OpenVINO IR"
    dialect: str  # "nvidia", "rosinality", "genforce", …; "sefa" for our own files
    family: str  # "stylegan2", "mobilestylegan"
    config: Mapping[str, Any]
    tensors: Mapping[str, LazyTensor]
    notes: tuple[str, ...] = field(default=())
    origin: str = ""  # the dialect that a file of our own was converted from
