"""The registry of families: folders of this package, and what installed packages bring.

A folder's `__init__.py` is imported when a family is first asked for; its heavy modules only when
one of its files is met. Packages name a `Family` in the entry-point group `sefa.generators`; they
are loaded only for a file or a family that no folder knows. A family that
cannot be loaded is logged and skipped.
"""

import contextlib
import logging
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from importlib import import_module
from typing import Any

from sefa_cli import families
from sefa_cli.containers.checkpoint import Checkpoint, Config, LazyTensor
from sefa_cli.errors import SefaError, either
from sefa_cli.families.family import Family, Model
from sefa_cli.families.names import State

GROUP = "sefa.generators"
logger = logging.getLogger(__name__)


@cache
def built_in() -> Mapping[str, Family]:
    """Return the families that are folders of `sefa_cli.families`, by name, in order of name."""
    folders = [module.name for module in pkgutil.iter_modules(families.__path__) if module.ispkg]
    found = [
        _load(f"the family in {folder}", partial(_of_folder, folder)) for folder in sorted(folders)
    ]
    return {family.name: family for family in found if family is not None}


@cache
def installed() -> Mapping[str, Family]:
    """Return the families of installed packages that can be loaded, by entry point."""
    from importlib.metadata import entry_points  # slow to import, and mostly not needed

    entries = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    loaded = ((entry.name, _load(f"the plug-in {entry.name}", entry.load)) for entry in entries)
    return {name: family for name, family in loaded if family is not None}


def find(name: str) -> Family | None:
    """Return the family of that name, a folder before a package; None if there is none."""
    if name in built_in():
        return built_in()[name]
    return next((family for family in installed().values() if family.name == name), None)


def family_of(checkpoint: Checkpoint) -> Family:
    """Return a checkpoint's family.

    Raises:
        SefaError: If nothing brings the family that the checkpoint names.
    """
    family = find(checkpoint.family)
    if family is None:
        raise SefaError(
            f"{checkpoint.ref} is of the family {checkpoint.family!r}",
            either(built_in()),
            "A plug-in may bring another.",
        )
    return family


def recognize_installed(states: Iterable[State]) -> Model | None:
    """Return the model that a package's family knows in one of `states`, or None."""
    for state in states:
        for name, family in installed().items():
            try:
                model = family.recognize(state) if state.tensors else None
                if model is not None:
                    return _checked(model)._replace(family=family.name)
            except Exception as error:
                logger.warning("the plug-in %s failed to recognize a file: %s", name, _why(error))
    return None


@contextlib.contextmanager
def blamed(family: Family) -> Iterator[None]:
    """Turn whatever a package's family raises into a SefaError that names the package."""
    try:
        yield
    except SefaError:
        raise
    except Exception as error:
        if built_in().get(family.name) is family:
            raise
        raise SefaError(
            f"the plug-in for {family.name} failed: {_why(error)}",
            remedy="Update it, or report this to its author.",
        ) from error


def _of_folder(folder: str) -> Any:
    return import_module(f"{families.__name__}.{folder}").FAMILY


def _load(what: str, load: Callable[[], Any]) -> Family | None:
    try:
        family = load()
        if not isinstance(family, Family):
            raise TypeError(f"it names a {type(family).__name__} instead of a Family")
        if not re.fullmatch(r"[\w.+-]{1,60}", family.name):
            raise ValueError(f"its name is {family.name!r:.80}")
    except (Exception, SystemExit) as error:
        logger.warning("%s cannot be used: %s", what, _why(error))
        return None
    return family


def _checked(model: Model) -> Model:
    """Return a package's model. Raises TypeError if it is not one."""
    if not isinstance(model, Model) or not isinstance(model.config, Config):
        raise TypeError("recognize() must return a Model with a Config, or None")
    if not all(isinstance(tensor, LazyTensor) for tensor in model.tensors.values()):
        raise TypeError("its native tensors must be LazyTensors")
    return model


def _why(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]
