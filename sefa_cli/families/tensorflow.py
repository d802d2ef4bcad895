"""NVIDIA's TensorFlow-era pickles (PGGAN, StyleGAN, StyleGAN2, ADA) → names and tensors as data.

A file is a tuple (G, D, Gs) of `Network` records, or one of them; Gs is the averaged generator. A
record's state holds numpy `variables` by name, sub-networks as `components`, the constructor's
arguments as `static_kwargs`, and source text that TensorFlow's loader would run. It stays text.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sefa_cli.containers.faults import damaged
from sefa_cli.containers.inert import Global, Record
from sefa_cli.containers.tensor_records import as_number
from sefa_cli.families.arguments import as_dict, note_unknown
from sefa_cli.families.names import Change, Shape, State

NAME = "tensorflow"

_MAX_NAMES = 20_000
_MAX_DEPTH = 8
_MAX_NAME = 120
_ARGUMENTS = "static_kwargs"
_PREFERRED = ("Gs", "G")  # by the name a network was given, the averaged one first


def axes(*order: int) -> Change:
    """Return the change of a tensor's axes; other numbers of axes are left to the checks."""

    def shape(old: Shape) -> Shape:
        return tuple(old[axis] for axis in order) if len(old) == len(order) else old

    return Change(shape, lambda a: a.transpose(order) if a.ndim == len(order) else a)


def flipped(change: Change) -> Change:
    """`change`, and then the kernel turned by 180 degrees."""
    numbers = change.numbers or (lambda a: a)
    return Change(change.shape, lambda a: numbers(a)[..., ::-1, ::-1])


TRANSPOSED = axes(1, 0)  # (in, out) → (out, in)
HWIO = axes(3, 2, 0, 1)  # kernels (h, w, in, out) → (out, in, h, w)
HWOI = axes(2, 3, 0, 1)  # fused up-sampling kernels of PGGAN (h, w, out, in) → (out, in, h, w)


class TensorFlowNetwork(NamedTuple):
    """A generator as such a file holds it."""

    name: str  # what it was called: "Gs" is averaged
    leaves: dict[str, Any]  # `4x4/Dense/weight`, `synthesis/4x4/Const/const` …
    arguments: Mapping[str, Any]


def find_network(tree: Any) -> TensorFlowNetwork | None:
    """Return the averaged generator of such a file, else the other one; None for any other file.

    Raises SefaError for networks that hold themselves, or more names than any network has.
    """
    parts = tree if isinstance(tree, tuple | list) else (tree,)
    states = [state for part in parts if (state := _network_state(part)) is not None]
    if not states:
        return None
    named = {str(state.get("name")): state for state in states}
    state = next((named[name] for name in _PREFERRED if name in named), states[-1])
    name = f"{state.get('name')!s:.20}"
    return TensorFlowNetwork(name, _variables(state), as_dict(state.get(_ARGUMENTS)))


def _network_state(part: Any) -> Mapping[str, Any] | None:
    """Return what would go to a network's `__setstate__`; None for anything else."""
    if not isinstance(part, Record) or not isinstance(part.target, Global):
        return None
    state = part.state
    return state if part.target.name == "Network" and isinstance(state, dict) else None


def _variables(network: Mapping[str, Any]) -> dict[str, Any]:
    """Return variables by name; a component's name and a slash precede its variables."""
    leaves: dict[str, Any] = {}
    waiting = [("", network, 0)]
    while waiting:
        prefix, state, depth = waiting.pop()
        variables = state.get("variables")
        for pair in variables if isinstance(variables, list) else ():
            if isinstance(pair, tuple | list) and len(pair) == 2:
                leaves[f"{prefix}{pair[0]!s:.{_MAX_NAME}}"] = pair[1]
        for name, part in as_dict(state.get("components")).items():
            if (inner := _network_state(part)) is not None:
                waiting.append((f"{prefix}{name!s:.{_MAX_NAME}}/", inner, depth + 1))
        if depth > _MAX_DEPTH or len(leaves) + len(waiting) > _MAX_NAMES:
            raise damaged("its networks hold themselves, or hold too many others")
    return leaves


def as_state(network: TensorFlowNetwork, path: Path, tensor: Any) -> State:
    """Return the network for a dialect's `read`; `argument` finds its arguments."""
    return State(path, network.leaves, tensor, {"": {_ARGUMENTS: network.arguments}})


def argument(state: State, name: str, default: Any) -> Any:
    """Return a plain value of the constructor's; `default` if it is absent or not plain."""
    value = as_number(_arguments(state).get(name))
    return default if value is None else value


def filter_argument(state: State, name: str) -> list[float] | None:
    """Return a resampling filter given as a list of numbers; None where it is the default."""
    value = _arguments(state).get(name)
    if not isinstance(value, list | tuple) or not 0 < len(value) <= 32:
        return None
    taps = [as_number(tap) for tap in value]
    return [float(tap) for tap in taps] if all(isinstance(t, int | float) for t in taps) else None


def _arguments(state: State) -> Mapping[str, Any]:
    return as_dict(state.attribute("", _ARGUMENTS))


def top_block(state: State) -> int:
    """Return the largest resolution among blocks' names (`4x4/…`, `synthesis/8x8/…`), or 4."""
    sides = [
        int(side)
        for name in state.leaves
        for part in name.split("/")
        if len(side := part.partition("x")[0]) <= 6 and side.isascii() and side.isdigit()
        if part == f"{side}x{side}"
    ]
    return max(sides, default=4)


# What the four code bases know, and what any of it must be for pictures to be right here.
_KNOWN = {
    *("latent_size", "label_size", "dlatent_size", "resolution", "num_channels", "dtype"),
    *("mapping_layers", "mapping_fmaps", "label_fmaps", "mapping_lrmul", "dlatent_broadcast"),
    *("fmap_base", "fmap_min", "fmap_max", "fmap_decay", "fmap_const", "randomize_noise"),
    *("dlatent_avg_beta", "w_avg_beta", "truncation_psi", "truncation_cutoff"),
    *("truncation_psi_val", "truncation_cutoff_val", "style_mixing_prob", "structure"),
    *("is_training", "is_validation", "is_template_graph", "return_dlatents", "components"),
    *("mapping_func", "synthesis_func", "architecture", "resample_kernel", "blur_filter"),
    *("fused_scale", "fused_modconv", "num_fp16_res", "conv_clamp", "pixelnorm_epsilon"),
    *("use_noise", "force_clean_graph"),
}
_REQUIRED = {
    "use_wscale": True,
    "use_pixelnorm": True,
    "use_leakyrelu": True,
    "use_pixel_norm": False,
    "use_instance_norm": True,
    "use_styles": True,
    "const_input_layer": True,
    "normalize_latents": True,
    "nonlinearity": "lrelu",
    "mapping_nonlinearity": "lrelu",
}


def argument_notes(state: State) -> Iterator[str]:
    """Yield sentences on arguments that are unknown, or known and not followed."""
    names = [name for name in _arguments(state) if isinstance(name, str)]
    yield from note_unknown(names, _KNOWN | _REQUIRED.keys())
    for name, required in _REQUIRED.items():
        if (value := argument(state, name, required)) != required:
            yield f"Built with {name}={value!r:.20}; {required!r} is used, so pictures differ."


def as_filter(taps: list[float]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return a filter's taps `(k,)` as the kernel `(k, k)` with sum 1."""
    kernel = np.outer(taps, taps).astype(np.float32)
    total = kernel.sum()
    return kernel / (total if total else np.float32(1))
