"""Read an NVIDIA pickle the naive way: `pickle.load` of everything, with stand-in classes.

    python bench/naive_pickle.py FILE.pkl [OUT.npz]

NVIDIA's own loader also runs the source text in the file, to get its classes back. Here, an empty
module replaces every class, which favors the naive way. With OUT.npz, the script also computes the
directions, as the published procedure does.
"""

import pickle
import sys
import types
from typing import Any

import numpy as np
import torch


def _reconstruct_persistent_obj(meta: dict[str, Any]) -> torch.nn.Module:
    """A module that has the pickled state, without the class it was of."""
    module = torch.nn.Module()
    module.__dict__.update(meta["state"])
    return module


sys.modules["torch_utils"] = types.ModuleType("torch_utils")
persistence = sys.modules["torch_utils.persistence"] = types.ModuleType("torch_utils.persistence")
persistence._reconstruct_persistent_obj = _reconstruct_persistent_obj  # type: ignore[attr-defined]

with open(sys.argv[1], "rb") as file:
    networks = pickle.load(file)  # noqa: S301 (our own file)
state = networks["G_ema"].state_dict()

if len(sys.argv) > 2:
    blocks = sorted({int(name.split(".")[1][1:]) for name in state if name.startswith("synthesis")})
    layers = [
        f"b{r}.{conv}" for r in blocks for conv in ("conv0", "conv1") if r > 4 or conv[4] > "0"
    ]
    layers.append(f"b{blocks[-1]}.torgb")
    weights = [state[f"synthesis.{layer}.affine.weight"].detach().numpy().T for layer in layers]
    weight = np.concatenate(weights, axis=1)  # (dim, outputs)
    weight = weight / np.linalg.norm(weight, axis=0, keepdims=True)
    values, vectors = np.linalg.eig(weight.dot(weight.T))
    np.savez(sys.argv[2], values=values, directions=vectors.T)
