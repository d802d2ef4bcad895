"""Which network a container holds: every family is asked; and what to say of all others."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.containers.contents import Contents
from sefa_cli.containers.inert import Global, Record
from sefa_cli.containers.modules import flatten, module_dict
from sefa_cli.errors import SefaError, either
from sefa_cli.families import registry, tensorflow
from sefa_cli.families.arguments import listed
from sefa_cli.families.family import Dialect, Family, Model, Rules
from sefa_cli.families.names import State, fit
from sefa_cli.families.native_tensors import BY_NAME
from sefa_cli.families.raw_tensors import raw_leaves

# Where files keep the generator; averaged weights first.
_PLACES: tuple[tuple[str, ...], ...] = (
    ("G_ema",),
    ("g_ema",),
    ("models", "generator_smooth"),
    ("generator_smooth",),
    ("g_running",),
    ("models", "generator"),
    ("generator",),
    ("G",),
    ("g",),
    ("netG_state_dict",),
    ("GAN",),
    ("avgG",),
    ("netG",),
    ("params_ema",),  # BasicSR's
    ("state_dict", "generator_ema."),  # a dot: all names that begin so
    ("state_dict", "generator."),
    ("state_dict",),
    ("generator_ema.",),
    (),
)
_AVERAGED = re.compile("ema|avg|average|smooth|running", re.IGNORECASE)
_NOT_AVERAGED = ("generator", "G", "g", "generator.", "netG")
_MEAN = "latent_avg"  # rosinality's mean w lies beside the network
_PREFIXES = ("module.", "_orig_mod.")  # what DataParallel and torch.compile put before names

# Files that people take for checkpoints, by a name that marks them.
_BUNDLE = "a direction bundle, not a generator"
_OTHERS = {"eigenvalues": _BUNDLE}
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
        if (model := _of_a_family(state)) is not None:
            return model._replace(notes=(*model.notes, *_warnings(place, contents)))
    for whole in list(seen):
        for prefix, state in _below_prefixes(whole):
            seen.append(state)
            if (model := _of_a_family(state)) is not None:
                said = (*model.notes, *_elsewhere(whole, prefix), *_warnings((), contents))
                return model._replace(notes=said)
    if registry.installed() and (brought := registry.recognize_installed(seen)) is not None:
        return brought._replace(notes=(*brought.notes, *_warnings((), contents)))
    raise _unknown(contents, seen)


def _of_a_family(state: State) -> Model | None:
    for family in registry.built_in().values():
        if (model := family.recognize(state)) is not None:
            return model._replace(family=family.name)
    return None


def _below_prefixes(whole: State) -> Iterator[tuple[str, State]]:
    """Yield the parts at whose names some dialect's marks end: whole ones first, averaged first.

    The part with most marks comes even if they are not complete: an error then names the others.
    """
    dialects = [set(dialect.marks) for _, dialect in _dialects()]
    marks = set().union(*dialects)
    found: dict[str, set[str]] = {}
    for name in whole.leaves:
        for dot in re.finditer(r"\.", name):
            if (mark := name[dot.end() :]) in marks:
                found.setdefault(name[: dot.end()], set()).add(mark)

    def rank(prefix: str) -> tuple[bool, bool, int]:
        complete = any(names <= found[prefix] for names in dialects)
        return not complete, not _AVERAGED.search(prefix), -len(found[prefix])

    for prefix in sorted(found, key=rank):
        yield prefix, _part_of(whole, prefix)
        if rank(prefix)[0]:  # not complete, as are all after it
            return


def _part_of(whole: State, prefix: str) -> State:
    """Return the part of a state below a prefix, with a mean w that lies above it."""
    leaves, modules = (_below(dict(names), prefix) or {} for names in (whole.leaves, whole.modules))
    above = [prefix[: dot.end()] for dot in re.finditer(r"\.", prefix)][-2::-1]
    for place in (*above, ""):
        if f"{place}{_MEAN}" in whole.leaves:
            leaves.setdefault(_MEAN, whole.leaves[f"{place}{_MEAN}"])
    return whole._replace(leaves=leaves, modules=modules)


def _elsewhere(whole: State, prefix: str) -> Iterator[str]:
    """Yield a sentence on what else the file holds."""
    names = [n for n in whole.tensors if not n.startswith(prefix) and not n.endswith(_MEAN)]
    if others := list(dict.fromkeys(_apart(name, prefix) for name in names)):
        yield f"The generator is below {prefix!r:.60}; the file also holds {listed(others)}."


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
    if named := {name: leaf for name, leaf in raw_leaves(contents).items() if name}:
        yield ("",), State(contents.path, named, contents.tensor)


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


def _apart(name: str, prefix: str) -> str:
    """Return the shortest beginning of a dotted name that is not a beginning of the prefix."""
    starts = (name[: dot.start()] for dot in re.finditer(r"\.|$", name))
    return next(start for start in starts if not prefix.startswith(f"{start}."))


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
    name, families = contents.path, f"a generator: {either(registry.built_in())}"
    other = next((o for mark, o in _OTHERS.items() if any(mark in s.leaves for s in seen)), "")
    if _is_tensorflow(contents.tree):
        other = "TensorFlow-era networks"
    if other == _BUNDLE:
        return SefaError(f"{name} holds {other}", _model_of(contents.path))
    if other:
        return SefaError(f"{name} ({contents.container}) holds {other}", families)
    state = max(seen, key=lambda state: len(state.leaves), default=None)
    if state is None or not state.leaves:
        found = f"{name} ({contents.container}) holds no named tensors"
    else:
        shown = ", ".join(f"{key!r:.60}" for key in list(state.leaves)[:_SHOWN])
        found = f"{name} ({contents.container}) holds no known generator; its first names: {shown}"
    remedy = f"{_resemblance(seen)} {BY_NAME}"
    if strange := _strange_calls(contents):
        remedy = f"Nothing in it was run; it would have called {strange}. {remedy}"
    return SefaError(found, families, remedy.strip())


def _model_of(path: Path) -> str:
    """Return the model that is meant where a bundle is given."""
    try:
        return f"a model: this bundle's is {Bundle.load(path).model['ref']:.200}"
    except SefaError:
        return "a model"


def _is_tensorflow(tree: Any) -> bool:
    """Return whether it is an NVIDIA pickle of 2017 to 2020: (G, D, Gs), or one of them."""
    network = tree[-1] if isinstance(tree, tuple | list) and tree else tree
    target = network.target if isinstance(network, Record) else None
    return isinstance(target, Global) and target.name == "Network"


def _resemblance(seen: list[State]) -> str:
    """Return a sentence on the dialect that knows most names, and the first misfit."""
    known = [(*pair, pair[0].reader(pair[1]).rules) for pair in _dialects()]
    pairs = [(list(state.leaves), entry) for state in seen for entry in known]
    leaves, best = max(pairs, key=lambda pair: _known(pair[0], pair[1][2]), default=([], None))
    if best is None or not _known(leaves, best[2]):
        return ""
    family, dialect, rules = best
    failed = next((mark for mark in dialect.marks if mark not in leaves), "")
    odd = next((name for name in leaves if not fit(name, rules)), "")
    why = f"{failed!r} is missing" if failed else f"{odd!r:.60} is not among its names"
    return f"It most resembles {family.name} as {dialect.name} writes it, but {why}."


def _dialects() -> list[tuple[Family, Dialect]]:
    families = registry.built_in().values()
    return [(family, dialect) for family in families for dialect in family.dialects]


def _known(names: list[str], rules: Rules) -> int:
    """Return how many of the first thousand names a dialect's rules know."""
    return sum(fit(name, rules) for name in names[:1000])
