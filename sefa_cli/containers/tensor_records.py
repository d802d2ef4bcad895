"""Turn inert records of torch tensors and numpy arrays into lazy tensors and plain numbers.

The names are those that torch and numpy write into pickles; the shapes of their arguments come from
`torch/_utils.py` and from numpy's own `__reduce__`. Neither library is called.
"""

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from sefa_cli.containers.checkpoint import LazyTensor
from sefa_cli.containers.faults import damaged, unreadable
from sefa_cli.containers.file_regions import (
    AXES,
    FileRegion,
    Storage,
    contiguous_strides,
    itemsize,
)
from sefa_cli.containers.inert import Global, Record

# Finds the storage a tensor's record points to; containers differ in where those lie.
FindStorage = Callable[[Any], Storage]

_STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "UntypedStorage": "uint8",
}
_TORCH_DTYPES = {
    **{name: name for name in (*_STORAGES.values(), "uint16", "uint32", "uint64")},
    "double": "float64",
    "float": "float32",
    "half": "float16",
    "long": "int64",
    "int": "int32",
}
_NUMPY_DTYPE = re.compile(r"f[248]|[iu][1248]|b1")
_SCALAR = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
_ARRAY = ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")
_BUFFER = ("numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer")  # protocol 5
_WRAPPERS = 8  # parameters of parameters of …


def as_tensor(leaf: Any, find_storage: FindStorage) -> LazyTensor | None:
    """Return the tensor that `leaf` stands for, or None if it stands for something else.

    Raises SefaError for a tensor that is forged, or of a kind that no generator is stored in.
    """
    for _ in range(_WRAPPERS):
        if isinstance(leaf, LazyTensor):
            return leaf
        if not isinstance(leaf, Record) or not isinstance(leaf.target, Global):
            return None
        if leaf.is_call(
            "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"
        ):
            leaf = _arguments(leaf, 1)[0]
        elif leaf.is_call("torch._tensor._rebuild_from_type_v2"):
            target, _, args = _arguments(leaf, 3)[:3]
            leaf = Record(target, args if isinstance(args, tuple) else ())
        else:
            return _torch_tensor(leaf, find_storage) or _numpy_array(leaf)
    raise damaged(f"a tensor is wrapped more than {_WRAPPERS} times")


def as_number(leaf: Any) -> Any:
    """Return a plain int, float, bool, str or None (numpy scalars too); None for anything else."""
    if isinstance(leaf, Record) and leaf.is_call(*_SCALAR):
        scalar = _numpy_array(leaf)
        return scalar.numpy().item() if scalar else None
    return leaf if isinstance(leaf, int | float | str) else None


def typed_storage(
    kind: Any, source: FileRegion | bytes, count: Any, big_endian: bool = False
) -> Storage:
    """Return `count` numbers of the torch storage class `kind`, which `source` must hold."""
    name = kind.name if isinstance(kind, Global) else type(kind).__name__
    if name not in _STORAGES:
        raise unreadable(f"it holds numbers of the kind {name!r:.40}")
    dtype = _STORAGES[name]
    length = source.length if isinstance(source, FileRegion) else len(source)
    if not is_count(count) or count * itemsize(dtype) > length:
        raise damaged(f"a storage claims {count!r:.40} {dtype} numbers in {length:,} bytes")
    return Storage(source, dtype, count, big_endian)


def is_count(value: Any) -> bool:
    """Return whether `value` is an integer from 0 on that fits 63 bits."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63


def _arguments(record: Record, count: int) -> tuple[Any, ...]:
    if len(record.args) < count:
        raise damaged(f"{record.target} has {len(record.args)} arguments")
    return record.args


def _integers(values: Any) -> tuple[int, ...]:
    if not isinstance(values, tuple | list) or len(values) > AXES:
        raise damaged("a tensor's shape or strides are not a list of counts")
    if not all(is_count(value) for value in values):
        raise damaged("a tensor's shape or strides are not counts")
    return tuple(values)


def _torch_tensor(record: Record, find_storage: FindStorage) -> LazyTensor | None:
    """Read `_rebuild_tensor(storage, offset, shape, strides)`; v2 adds flags, v3 also a dtype."""
    prefix = "torch._utils._rebuild_tensor"
    if not record.is_call(prefix, f"{prefix}_v2", f"{prefix}_v3"):
        return None
    reference, offset, shape, strides = _arguments(record, 4)[:4]
    storage = find_storage(reference)
    if record.is_call(f"{prefix}_v3"):
        dtype = _arguments(record, 7)[6]
        name = _TORCH_DTYPES.get(dtype.name) if isinstance(dtype, Global) else None
        if name is None:
            raise unreadable(f"it holds a tensor of the dtype {str(dtype)!r:.40}")
        count = storage.count * storage.itemsize // itemsize(name)
        storage = Storage(storage.source, name, count, storage.big_endian)
    if not is_count(offset):
        raise damaged("a tensor's offset is not a count")
    return storage.view(offset, _integers(shape), _integers(strides))


def _numpy_array(record: Record) -> LazyTensor | None:
    if record.is_call(*_ARRAY):
        state = record.state
        if not isinstance(state, tuple) or len(state) != 5:
            raise damaged("a numpy array has no contents")
        _, shape, dtype, by_columns, content = state
    elif record.is_call(*_BUFFER):
        content, dtype, shape, order = _arguments(record, 4)[:4]
        by_columns = order == "F"
    elif record.is_call(*_SCALAR):
        dtype, content = _arguments(record, 2)[:2]
        shape, by_columns = (), False
    else:
        return None
    shape = _integers(shape)
    if by_columns:
        turned = _numpy_numbers(dtype, content, shape[::-1])
        return turned.then(np.transpose, shape)
    return _numpy_numbers(dtype, content, shape)


def _numpy_numbers(dtype: Any, content: Any, shape: tuple[int, ...]) -> LazyTensor:
    """Return the numbers of a `numpy.dtype` record in C order, from bytes or Python 2 strings."""
    if not isinstance(dtype, Record) or not dtype.is_call("numpy.dtype"):
        raise damaged("a numpy array has no dtype")
    code = dtype.args[0] if dtype.args else None
    code = code.decode("latin1") if isinstance(code, bytes) else code
    if not isinstance(code, str) or not _NUMPY_DTYPE.fullmatch(code):
        raise unreadable(f"it holds a numpy array of the kind {code!r:.40}")
    if isinstance(content, str):
        content = content.encode("latin1", "replace")
    if not isinstance(content, bytes | FileRegion):
        raise damaged("a numpy array has no contents")
    name = np.dtype(code).name
    length = content.length if isinstance(content, FileRegion) else len(content)
    order = dtype.state[1] if isinstance(dtype.state, tuple) and len(dtype.state) > 1 else "<"
    storage = Storage(content, name, length // itemsize(name), order in (">", b">"))
    return storage.view(0, shape, contiguous_strides(shape))
