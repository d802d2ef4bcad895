"""Write torch's zip archives without torch: float32 tensors and texts, alone or in a dict.

The layout is torch's own (torch/serialization.py). `archive/data.pkl` is a pickle in which a tensor
is a call of `torch._utils._rebuild_tensor_v2` on a persistent storage; `archive/data/<key>` has the
numbers of each storage. Every torch since 1.6 reads it, also with `weights_only`.
"""

import io
import math
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tree = NDArray[Any] | str | Mapping[str, "NDArray[Any] | str"]

_NOTHING = b"ccollections\nOrderedDict\n)R"  # a tensor's backward hooks


def torch_archive(tree: Tree) -> bytes:
    """Return a file as `torch.save(tree, …)` writes it; equal content gives equal bytes."""
    storages: list[bytes] = []
    pickle = b"\x80\x02" + _pickled(tree, storages) + b"."
    entries = {"data.pkl": pickle, "byteorder": b"little"}
    entries |= {f"data/{key}": numbers for key, numbers in enumerate(storages)}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in {**entries, "version": b"3\n"}.items():
            archive.writestr(zipfile.ZipInfo(f"archive/{name}"), content)
    return file.getvalue()


def _pickled(value: Tree, storages: list[bytes]) -> bytes:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        items = (_text(key) + _pickled(entry, storages) for key, entry in value.items())
        return b"}(" + b"".join(items) + b"u"
    key = _text(str(len(storages)))
    storages.append(np.ascontiguousarray(value, "<f4").tobytes())
    storage = (
        b"(" + _text("storage") + b"ctorch\nFloatStorage\n" + key + _text("cpu")
        + _integer(value.size) + b"tQ"
    )  # fmt: skip
    strides = tuple(math.prod(value.shape[axis + 1 :]) for axis in range(value.ndim))
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + _integer(0)
        + _integers(value.shape) + _integers(strides) + b"\x89" + _NOTHING + b"tR"
    )  # fmt: skip


def _text(value: str) -> bytes:
    content = value.encode()
    return b"X" + struct.pack("<I", len(content)) + content


def _integer(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def _integers(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(_integer(value) for value in values) + b"t"
