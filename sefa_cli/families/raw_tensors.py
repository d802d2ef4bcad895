"""All tensors of a container by the file's own names, whether or not a network is known in it."""

from collections.abc import Iterator
from typing import Any

from sefa_cli.containers.contents import Contents
from sefa_cli.containers.faults import damaged
from sefa_cli.containers.modules import flatten, module_dict
from sefa_cli.families.tensorflow import find_network

_MAX_DEPTH = 32
_MAX_NAMES = 100_000


def raw_leaves(contents: Contents) -> dict[str, Any]:
    """Return what may be a tensor, by dotted name: `G_ema.synthesis.b4.const`, `netG.0.weight`.

    Dicts and lists are opened, live modules name their parts as `state_dict` would; of TensorFlow's
    pickles it is the averaged network. Raises SefaError for a tree that holds itself.
    """
    network = find_network(contents.tree)
    if network is not None:
        return dict(network.leaves)
    return dict(_walk(contents))


def _walk(contents: Contents) -> Iterator[tuple[str, Any]]:
    waiting: list[tuple[str, Any, int]] = [("", contents.tree, 0)]
    seen = 0
    while waiting:
        name, part, depth = waiting.pop()
        seen += 1
        if depth > _MAX_DEPTH or seen + len(waiting) > _MAX_NAMES:
            raise damaged("it holds itself, or far too many names")
        children: dict[Any, Any] | None = None
        if module_dict(part) is not None:
            children = dict(flatten(part)[0])
        elif isinstance(part, dict):
            children = part
        elif isinstance(part, list | tuple):
            children = dict(enumerate(part))
        if children is None:
            yield name, part
            continue
        prefix = f"{name}." if name else ""
        below = [(f"{prefix}{key}", child, depth + 1) for key, child in children.items()
                 if isinstance(key, str | int)]  # fmt: skip
        waiting.extend(reversed(below))
