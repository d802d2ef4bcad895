"""A device that is not the CPU, for machines that have no other.

Its numbers lie in CPU tensors, so they can be compared. But its tensors say they are elsewhere; an
operation that mixes them with others fails as on a GPU, and there is no float64, as on MPS. It
knows nothing of kernels, memory and rounding, and forward mode through vmap does not reach it.
torch registers such a device by an experimental helper, torch.utils.backend_registration; that has
to be done before the first reverse pass of a process, so it is when this file is imported.
"""

from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_iter, tree_map
from torch.utils.backend_registration import (
    _DummyBackendModule,
    _setup_privateuseone_for_python_backend,
)

NAME = "elsewhere"
aten = torch.ops.aten
CROSSING = (aten._to_copy.default, aten.copy_.default)
INDEXING = (aten.index.Tensor, aten.index_put.default, aten.index_put_.default)


class _Module(_DummyBackendModule):
    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


_setup_privateuseone_for_python_backend(NAME, backend_module=_Module())
DEVICE = torch.device(NAME, 0)


class There(Tensor):
    """A tensor of that device; `here` holds its numbers."""

    here: Tensor

    @staticmethod
    def __new__(cls, here: Tensor) -> "There":
        if here.dtype == torch.float64:
            raise TypeError(f"no float64 on {NAME}")
        facts: dict[str, Any] = {"strides": here.stride(), "storage_offset": here.storage_offset()}
        facts |= {"dtype": here.dtype, "device": DEVICE, "requires_grad": here.requires_grad}
        made: There = Tensor._make_wrapper_subclass(cls, here.shape, **facts)
        made.here = here
        return made

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, operation: Any, types: Any, args: Any = (), kwargs: Any = None
    ):
        return run(operation, args, kwargs or {})


class Elsewhere(TorchDispatchMode):
    """While it is on, tensors can be made on the device and moved to it."""

    def __enter__(self) -> "Elsewhere":
        with ExitStack() as stack:
            for name in ("__enter__", "__exit__"):
                stack.enter_context(patch.object(torch.inference_mode, name, getattr(Still, name)))
            stack.enter_context(Literals())
            self._until = stack.pop_all()
        return super().__enter__()

    def __exit__(self, *why: Any) -> None:
        super().__exit__(*why)
        self._until.close()

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None):
        return run(operation, args, kwargs or {})


class Still:
    """What `torch.inference_mode`, which cannot make views of wrapped tensors, is meanwhile."""

    def __enter__(self) -> None:
        self._grad = torch.no_grad()
        self._grad.__enter__()

    def __exit__(self, *why: Any) -> None:
        self._grad.__exit__(*why)


class Literals(TorchFunctionMode):
    """Numbers and lists made tensors: torch asks no dispatch mode about them."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None):
        kwargs = dict(kwargs or {})
        if function in (Tensor.__getitem__, Tensor.__setitem__) and isinstance(args[1], tuple):
            index = tuple(torch.tensor(i) if isinstance(i, list) else i for i in args[1])
            args = (args[0], index, *args[2:])
        if function is Tensor.new_tensor:
            kwargs = {"dtype": args[0].dtype, "device": args[0].device} | kwargs
            function, args = torch.tensor, args[1:]
        if function in (torch.tensor, torch.as_tensor) and kwargs.get("device") is not None:
            return function(*args, **kwargs | {"device": "cpu"}).to(kwargs["device"])
        return function(*args, **kwargs)


def run(operation: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Do on the CPU what is asked, if all tensors are on one device."""
    tensors = [x for x in tree_iter((args, kwargs)) if isinstance(x, Tensor)]
    there = any(isinstance(x, There) for x in tensors)
    if there and operation not in CROSSING:
        strange = [x for x in tensors if not isinstance(x, There) and x.ndim]  # numbers may be
        if operation in INDEXING:
            strange = [x for x in strange if x.dtype != torch.int64]
        if strange:
            raise RuntimeError(f"tensors on two devices, {NAME} and cpu, in {operation}")
    if kwargs.get("device") is not None:
        there = torch.device(kwargs["device"]).type == NAME
        kwargs = kwargs | {"device": torch.device("cpu")}
    elif operation is aten.copy_.default:
        there = isinstance(args[0], There)
    bare = tree_map(lambda x: x.here if isinstance(x, There) else x, (args, kwargs))
    made = operation(*bare[0], **bare[1])
    if not there:
        return made
    wrapped = tree_map(lambda x: There(x) if isinstance(x, Tensor) else x, made)
    return return_and_correct_aliasing(operation, args, kwargs, wrapped)
