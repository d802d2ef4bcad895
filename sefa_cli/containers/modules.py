"""Turn live torch modules in a pickle into their state dict and attributes.

NVIDIA pickles whole networks: `_reconstruct_persistent_obj({class_name, module_src, state})`,
where `state` is the module's `__dict__` and `module_src` is source text, which stays text.
"""

from collections.abc import Mapping
from typing import Any

from sefa_cli.containers.faults import damaged
from sefa_cli.containers.inert import Global, Record

_MAX_NAMES = 20_000
_MAX_DEPTH = 32
_MAX_NAME = 80
_PARTS = ("_parameters", "_buffers", "_modules")


def module_dict(leaf: Any) -> Mapping[str, Any] | None:
    """Return the `__dict__` of the module that a record stands for; None for anything else."""
    if not isinstance(leaf, Record):
        return None
    state = leaf.state
    if isinstance(leaf.target, Global) and leaf.target.name == "_reconstruct_persistent_obj":
        meta = leaf.args[0] if leaf.args else None
        state = meta.get("state") if isinstance(meta, dict) else None
    if not isinstance(state, dict):
        return None
    return state if all(isinstance(state.get(part), dict) for part in _PARTS) else None


def flatten(leaf: Any) -> tuple[dict[str, Any], dict[str, Mapping[str, Any]]]:
    """Return the leaves by dotted name, as `state_dict` names them, and each module's `__dict__`.

    Raises SefaError for modules that contain themselves, or more names than any network has.
    """
    leaves: dict[str, Any] = {}
    modules: dict[str, Mapping[str, Any]] = {}
    waiting = [("", leaf, 0)]
    while waiting:
        prefix, module, depth = waiting.pop()
        state = module_dict(module)
        if state is None:
            continue
        modules[prefix.removesuffix(".")] = state
        passing = state.get("_non_persistent_buffers_set")
        for name, value in (*state["_parameters"].items(), *state["_buffers"].items()):
            if value is not None and not (isinstance(passing, set) and name in passing):
                leaves[f"{prefix}{_short(name)}"] = value
        children = reversed(state["_modules"].items())
        waiting.extend((f"{prefix}{_short(name)}.", child, depth + 1) for name, child in children)
        if depth > _MAX_DEPTH or len(leaves) + len(modules) + len(waiting) > _MAX_NAMES:
            raise damaged("its modules contain themselves, or too many others")
    return leaves, modules


def _short(name: Any) -> str:
    return name[:_MAX_NAME] if isinstance(name, str) else ""
