"""What the published implementations computed: the files of `tests/golden`."""

import json
from typing import Any, NamedTuple

import numpy as np
from safetensors import safe_open

from tests.helpers import GOLDEN


class Run(NamedTuple):
    """Facts of one run, and its tensors: `in/…`, `out/…` and the weights below `state/`."""

    meta: dict[str, Any]
    tensors: dict[str, np.ndarray]

    @property
    def state(self) -> dict[str, np.ndarray]:
        """The published code's own state dict, with what lies beside it in whole checkpoints."""
        prefixes = ("state/", "extra/")
        return {n[6:]: array for n, array in self.tensors.items() if n.startswith(prefixes)}


def load(name: str) -> Run:
    """Read `tests/golden/{name}.safetensors`."""
    with safe_open(GOLDEN / f"{name}.safetensors", "np") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no dict)
        return Run(json.loads(file.metadata()["meta"]), tensors)
