"""Tuned models: a small file of changes to a model's convolutions, which belongs to some codes.

The file is a model to all commands that make pictures. It holds half-precision differences under
the generator's own parameter names, and says which model they are for: its reference, its
fingerprint, and a digest of the weights that change.
"""

import hashlib
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sefa_cli.checkpoints import about_tuned
from sefa_cli.container import Tensor, pack, unpack
from sefa_cli.errors import MismatchError, SefaError
from sefa_cli.file_kinds import open_file, why_not
from sefa_cli.files import open_atomically
from sefa_cli.projections import fingerprint

if TYPE_CHECKING:
    from torch import nn

    from sefa_cli.generators.base import Generator

Changes = Mapping[str, NDArray[np.float16]]  # by the name of the generator's parameter

_WEIGHTS = {"weight", "kernel", "depthwise", "bias"}
_FIXED = {"mapping", "affine"}  # directions and fingerprint hang on them


def tunable(generator: "Generator") -> "dict[str, nn.Parameter]":
    """Return the parameters that tuning may change: kernels and biases of the convolutions."""
    found = {}
    for name, parameter in generator.named_parameters():
        *rooms, kind = name.split(".")
        if kind in _WEIGHTS and not _FIXED & set(rooms):
            found[name] = parameter
    return found


def save_tuned(
    path: Path | str, generator: "Generator", changes: Changes, overwrite: bool = False
) -> None:
    """Write the changes of a generator. Raises SefaError if the file cannot be written."""
    about = {
        "sefa_tuned": "1",
        "ref": generator.checkpoint.ref,
        "fingerprint": fingerprint(generator.checkpoint),
        "weights": _digest(generator, changes),
    }
    tensors = {
        name: Tensor("F16", change.shape, change.astype("<f2").tobytes())
        for name, change in changes.items()
    }
    with open_atomically(path, overwrite) as file:
        file.write(pack(about, tensors))


def tune(generator: "Generator", path: Path | str) -> None:
    """Apply the changes in a file to a generator.

    Raises MismatchError if they belong to another model, SefaError if the file is damaged.
    """
    import torch

    about = about_tuned(path)
    assert about is not None
    weights = tunable(generator)
    try:
        with open_file(path) as file:
            tensors = unpack(io.BytesIO(file.read()))[1]
    except OSError as error:
        raise why_not(path, error, "read") from error
    except SefaError as error:
        raise SefaError(f"{path} is damaged: {error.found}", error.expected) from None
    for name, tensor in tensors.items():
        shape = tuple(weights[name].shape) if name in weights else None
        if tensor.dtype != "F16" or tensor.shape != shape:
            raise _other(path, about, generator)
    if about["weights"] != _digest(generator, tensors):
        raise _other(path, about, generator)
    for name, tensor in tensors.items():
        change = np.frombuffer(tensor.data, "<f2").reshape(tensor.shape).astype(np.float32)
        if not np.isfinite(change).all():
            raise SefaError(f"{path} is damaged: {name} holds NaN or infinite numbers")
        with torch.no_grad():
            weights[name].add_(torch.from_numpy(change).to(weights[name]))


def _other(path: Path | str, about: Mapping[str, str], generator: "Generator") -> SefaError:
    return MismatchError(
        f"{path} changes {about['ref']:.200}, not the weights of {generator.checkpoint.ref}",
        remedy="Use the model that the photos were inverted with.",
    )


def _digest(generator: "Generator", names: Iterable[str]) -> str:
    """Return the SHA-256 of the weights that change, as they are in the model."""
    digest, weights = hashlib.sha256(), tunable(generator)
    for name in sorted(names):
        digest.update(weights[name].detach().float().cpu().numpy().tobytes())
    return digest.hexdigest()
