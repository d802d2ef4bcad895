"""Generators that other packages bring: the entry-point group `sefa.generators` (docs/plugins.md).

Nothing of them is loaded before a file was met that no built-in dialect knows, or a family that is
not built in. What fails in a plug-in is said and left alone: it never stops sefa.
"""

import contextlib
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol

from sefa_cli.containers.checkpoint import Checkpoint, LazyTensor
from sefa_cli.containers.contents import Contents
from sefa_cli.errors import SefaError
from sefa_cli.families.model import Model
from sefa_cli.families.native import check_config
from sefa_cli.families.raw_tensors import raw_leaves

GROUP = "sefa.generators"
logger = logging.getLogger(__name__)


class Plugin(Protocol):
    """What an entry point names: a module or an object with these four.

    The last two are not asked of one that only reads another dialect of a built-in family.
    """

    FAMILY: str  # letters, digits, _ . + -

    def recognize(
        self, tensors: Mapping[str, LazyTensor]
    ) -> tuple[Mapping[str, Any], Mapping[str, LazyTensor]] | None:
        """Configuration and native tensors of a state by the file's names; None if it is another's.

        The configuration holds what `Checkpoint` says it must.
        """

    def first_projections(self, tensors: Mapping[str, LazyTensor]) -> list[Any]:
        """`projections.Layer`s of the native tensors. Called without torch being needed."""

    def generator(self, checkpoint: Checkpoint) -> Any:
        """A `generators.base.Generator`."""


def recognize(contents: Contents, states: Iterable[Mapping[str, Any]]) -> Model | None:
    """The model that a plug-in knows in one of `states` (leaves by name), or None.

    The whole tree by dotted names is tried last. Nothing is loaded where no plug-in is installed.
    """
    installed = _installed()
    if not installed:
        return None
    for leaves in (*states, raw_leaves(contents)):
        tensors = {name: t for name, leaf in leaves.items() if (t := _tensor(contents, leaf))}
        for name, plugin in installed.items():
            try:
                found = plugin.recognize(tensors) if tensors else None
                if found is not None:
                    config, native = found
                    check_config(config)
                    if not all(isinstance(tensor, LazyTensor) for tensor in native.values()):
                        raise TypeError("its native tensors are none")
                    return Model(name, plugin.FAMILY, dict(config), dict(native))
            except Exception as error:
                logger.warning("the plug-in %s failed to recognize a file: %s", name, _why(error))
    return None


def find(family: str) -> Plugin | None:
    """The plug-in that brings a family which is not built in."""
    return next((plugin for plugin in _installed().values() if family == plugin.FAMILY), None)


@contextlib.contextmanager
def blamed(plugin: Plugin) -> Iterator[None]:
    """Turns whatever a plug-in raises into a SefaError that names it."""
    try:
        yield
    except SefaError:
        raise
    except Exception as error:
        raise SefaError(
            f"the plug-in for {plugin.FAMILY} failed: {_why(error)}",
            remedy="Update it, or tell its author.",
        ) from error


@cache
def _installed() -> Mapping[str, Plugin]:
    """The plug-ins that can be loaded, by the name of their entry point."""
    entries = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    loaded = ((entry.name, _load(entry)) for entry in entries)
    return {name: plugin for name, plugin in loaded if plugin is not None}


def _load(entry: EntryPoint) -> Plugin | None:
    try:
        plugin: Plugin = entry.load()
        if not re.fullmatch(r"[\w.+-]{1,60}", plugin.FAMILY) or not callable(plugin.recognize):
            raise ValueError("FAMILY is no name, or recognize no function")
    except (Exception, SystemExit) as error:
        logger.warning("the plug-in %s cannot be used: %s", entry.name, _why(error))
        return None
    return plugin


def _tensor(contents: Contents, leaf: Any) -> LazyTensor | None:
    try:
        return contents.tensor(leaf)
    except SefaError:  # of a kind that no network is made of
        return None


def _why(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]
