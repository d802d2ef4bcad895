"""Which network a container holds: every family is asked; and what to say of all others."""

from collections.abc import Iterator
from typing import Any

from sefa_cli.containers.contents import Contents
from sefa_cli.containers.inert import Global, Record
from sefa_cli.containers.modules import flatten, module_dict
from sefa_cli.errors import SefaError
from sefa_cli.families import registry, tensorflow
from sefa_cli.families.family import Dialect, Family, Model, Rules
from sefa_cli.families.names import State, fit
from sefa_cli.families.raw_tensors import raw_leaves

# Where files keep the generator; averaged weights first.
_PLACES: tuple[tuple[str, ...], ...] = (
    ("G_ema",),
    ("g_ema",),
    ("models", "generator_smooth"),
    ("generator_smooth",),
    ("models", "generator"),
    ("generator",),
    ("G",),
    ("g",),
    ("netG_state_dict",),
    ("GAN",),
    ("avgG",),
    ("netG",),
    ("params_ema",),  # BasicSR's; read where it holds a known dialect, else its names are told
    ("state_dict", "generator_ema."),  # a dot: all names that begin so
    ("state_dict", "generator."),
    ("state_dict",),
    ("generator_ema.",),
    (),
)
_NOT_AVERAGED = ("generator", "G", "g", "generator.", "netG")
_MEAN = "latent_avg"  # rosinality's mean w lies beside the network
_PREFIXES = ("module.", "_orig_mod.")  # what DataParallel and torch.compile put before names

# Files that people take for checkpoints, by a name that marks them.
_OTHERS = {
    "eigenvalues": "a direction bundle, not a generator",
}
# Calls that checkpoints usually make; a note names any other.
_USUAL = (
    *("torch._utils.", "torch.storage.", "torch._tensor.", "torch.nn.", "torch.Size"),
    *("numpy.dtype", "numpy.core.multiarray.", "numpy._core.multiarray."),
    *("collections.", "argparse.Namespace", "dnnlib.", "tfutil.", "torch_utils.persistence."),
)
_SHOWN = 4


def recognize(contents: Contents) -> Model:
    """Return the generator in a container, under its family's native names.

    Raises SefaError that names the container, the first names found, what they resemble most and
    the families there are.
    """
    seen: list[State] = []
    for place, state in _candidates(contents):
        seen.append(state)
        for family in registry.built_in().values():
            model = family.recognize(state)
            if model is not None:
                said = (*model.notes, *_warnings(place, contents))
                return model._replace(family=family.name, notes=said)
    if registry.installed() and (brought := _of_a_package(contents, seen)) is not None:
        return brought._replace(notes=(*brought.notes, *_warnings((), contents)))
    raise _unknown(contents, seen)


def _of_a_package(contents: Contents, seen: list[State]) -> Model | None:
    """Return the model that an installed package knows; the whole tree is tried last."""
    whole = State(contents.path, raw_leaves(contents), contents.tensor)
    return registry.recognize_installed([*seen, whole])


def _candidates(contents: Contents) -> Iterator[tuple[tuple[str, ...], State]]:
    """Yield every part of the tree that may be a network, the likeliest first."""
    if (network := tensorflow.find_network(contents.tree)) is not None:
        state = tensorflow.as_state(network, contents.path, contents.tensor)
        yield (network.name,), state
    for place in _PLACES:
        part = contents.tree
        for name in place:
            part = _below(part, name) if isinstance(part, dict) else None
        if module_dict(part) is not None:
            leaves, modules = flatten(part)
        elif isinstance(part, dict):
            leaves, modules = _without_prefix(part), {}
        else:
            continue
        if isinstance(contents.tree, dict) and isinstance(contents.tree.get(_MEAN), Record):
            leaves.setdefault(_MEAN, contents.tree[_MEAN])
        yield place, State(contents.path, leaves, contents.tensor, modules)


def _below(part: dict[Any, Any], name: str) -> Any:
    """Return what a dict holds under `name`; after a dot at its end, all names that begin so."""
    if not name.endswith("."):
        return part.get(name)
    names = {n: leaf for n, leaf in part.items() if isinstance(n, str) and n.startswith(name)}
    names.pop(f"{name}steps", None)  # what an averager counts beside its module
    return {n.removeprefix(name): leaf for n, leaf in names.items()} or None


def _without_prefix(part: dict[Any, Any]) -> dict[str, Any]:
    """Return a state dict without the prefixes that wrappers put before all its names."""
    names = {name: leaf for name, leaf in part.items() if isinstance(name, str)}
    for prefix in _PREFIXES:
        if names and all(name.startswith(prefix) for name in names):
            names = {name.removeprefix(prefix): leaf for name, leaf in names.items()}
    return names


def _warnings(place: tuple[str, ...], contents: Contents) -> Iterator[str]:
    if place[-1:] and place[-1] in _NOT_AVERAGED:
        yield f"The file holds no averaged generator; {'.'.join(place).rstrip('.')!r} is used."
    if strange := _strange_calls(contents):
        yield f"Nothing in the file was run; it would have called {strange}."


def _strange_calls(contents: Contents) -> str:
    strange = [name for name in contents.called if not name.startswith(_USUAL)]
    return ", ".join(f"{name!r:.60}" for name in strange[:_SHOWN])


def _unknown(contents: Contents, seen: list[State]) -> SefaError:
    """Return the error for a container whose network is not known."""
    name, families = (
        contents.path.name,
        f"a generator of the family {' or '.join(registry.built_in())}",
    )
    other = next((o for mark, o in _OTHERS.items() if any(mark in s.leaves for s in seen)), "")
    if _is_tensorflow(contents.tree):
        other = "TensorFlow-era networks"
    if other:
        return SefaError(f"{name} ({contents.container}) holds {other}", families)
    state = max(seen, key=lambda state: len(state.leaves), default=None)
    if state is None or not state.leaves:
        found = f"{name} ({contents.container}) holds no named tensors"
    else:
        shown = ", ".join(f"{key!r:.60}" for key in list(state.leaves)[:_SHOWN])
        found = f"{name} ({contents.container}) holds no known generator; its first names: {shown}"
    remedy = _resemblance(seen)
    if strange := _strange_calls(contents):
        remedy = f"Nothing in it was run; it would have called {strange}. {remedy}"
    return SefaError(found, families, remedy.strip())


def _is_tensorflow(tree: Any) -> bool:
    """Return whether it is an NVIDIA pickle of 2017 to 2020: (G, D, Gs), or one of them."""
    network = tree[-1] if isinstance(tree, tuple | list) and tree else tree
    target = network.target if isinstance(network, Record) else None
    return isinstance(target, Global) and target.name == "Network"


def _resemblance(seen: list[State]) -> str:
    """Return a sentence on the dialect that knows most names, and the first misfit."""
    known = list(_all_dialects())
    pairs = [(list(state.leaves), entry) for state in seen for entry in known]
    leaves, best = max(pairs, key=lambda pair: _known(pair[0], pair[1][2]), default=([], None))
    if best is None or not _known(leaves, best[2]):
        return ""
    family, dialect, rules = best
    failed = next((mark for mark in dialect.marks if mark not in leaves), "")
    odd = next((name for name in leaves if not fit(name, rules)), "")
    why = f"{failed!r} is missing" if failed else f"{odd!r:.60} is none of its names"
    return f"It most resembles {family.name} as {dialect.name} writes it, but {why}."


def _all_dialects() -> Iterator[tuple[Family, Dialect, Rules]]:
    for family in registry.built_in().values():
        for dialect in family.dialects:
            yield family, dialect, family.reader(dialect).rules


def _known(names: list[str], rules: Rules) -> int:
    """Return how many of the first thousand names a dialect's rules know."""
    return sum(fit(name, rules) for name in names[:1000])
