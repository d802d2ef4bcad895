"""Our own model files: native tensors, and a JSON text that describes the network.

A safetensors file with the one metadata key `sefa-model`; formats/model-v1.md has the layout. It
holds only the generator, so it is small, safe and complete. The library reads it; the writer of
`container` makes it, one tensor in memory at a time, so that equal content gives equal bytes.
"""

import logging
import re
from pathlib import Path
from typing import Any

import numpy as np

from sefa_cli.canonical import canonical_json, plain, read_json, shown
from sefa_cli.container import head
from sefa_cli.containers.checkpoint import Checkpoint, Config, LazyTensor
from sefa_cli.containers.contents import Contents
from sefa_cli.containers.faults import damaged, unreadable
from sefa_cli.containers.safetensors_files import DTYPES
from sefa_cli.errors import SefaError
from sefa_cli.families.family import Model
from sefa_cli.files import open_atomically

KEY = "sefa-model"
DIALECT = "sefa"
_VERSION = "1.0"
logger = logging.getLogger(__name__)
_CODES = {name: code for code, name in DTYPES.items()}


def write_native(
    path: Path | str, checkpoint: Checkpoint, fingerprint: str, overwrite: bool = False
) -> None:
    """Write `checkpoint` whole or not at all, its numbers as stored, one tensor at a time.

    Equal checkpoints give equal bytes. The log names tensors with NaN or infinite numbers.
    Raises SefaError for an existing file unless `overwrite`, and for a configuration that JSON
    cannot hold.
    """
    text = canonical_json(
        plain(
            {
                "format": KEY,
                "version": _VERSION,
                "family": checkpoint.family,
                "dialect": checkpoint.origin or checkpoint.dialect,
                "config": dict(checkpoint.config),
                "notes": checkpoint.notes,
                "fingerprint": fingerprint,
            },
            "the model's description",
        )
    )
    tensors = checkpoint.tensors
    forms = {name: (_code(tensor), tensor.shape) for name, tensor in tensors.items()}
    begin, order = head({KEY: text}, forms)
    with open_atomically(path, overwrite) as file:
        file.write(begin)
        for name in order:
            numbers = tensors[name].numpy()
            if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
                logger.warning("%s holds NaN or infinite numbers; they are kept", name)
            stored = np.dtype(DTYPES[forms[name][0]]).newbyteorder("<")
            file.write(np.ascontiguousarray(numbers, stored).data)


def _code(tensor: LazyTensor) -> str:
    """Return a tensor's type as safetensors calls it; bfloat16 is written as float32."""
    return "F32" if tensor.dtype == "bfloat16" else _CODES[tensor.dtype]


def is_native(contents: Contents) -> bool:
    """Return whether a container is one of our own model files."""
    return KEY in contents.metadata


def read_native(contents: Contents) -> Model:
    """Return the model in one of our own files.

    The fingerprint in it is for people: nothing relies on it. Raises SefaError for a description
    that breaks the layout.
    """
    facts = read_json(contents.metadata[KEY].encode("utf-8", "surrogatepass"), "the description")
    if not isinstance(facts, dict) or facts.get("format") != KEY:
        raise damaged("its description is not that of a model")
    version = facts.get("version")
    if not isinstance(version, str) or not re.fullmatch(r"1\.\d{1,4}", version):
        raise unreadable(f"its format version is {shown(version)}", "Update sefa.")
    for name in ("family", "dialect"):
        if not isinstance(facts.get(name), str) or not re.fullmatch(r"[\w.+-]{1,60}", facts[name]):
            raise damaged(f"its {name} is {shown(facts.get(name))}")
    notes = facts.get("notes")
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        raise damaged("its notes must be a list of texts")
    try:
        given: Any = facts.get("config")
        config = Config(given)
    except SefaError as error:
        raise damaged(str(error)) from None
    tensors = {name: tensor.named(name, contents.path) for name, tensor in contents.tree.items()}
    return Model(DIALECT, config, tensors, tuple(notes), facts["family"], facts["dialect"])
