"""The methods that find directions: the command of each, and the options that it alone knows."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sefa_cli.errors import UsageError, either


class Method(NamedTuple):
    """How directions are found."""

    command: str
    options: frozenset[str] = frozenset()  # those that not all methods of the command know


# What needs the matrices of whole pictures, which StyleSpace never makes.
_OF_MATRICES = frozenset(
    {"space", "exact_gram", "per_seed", "stability", "sum_channels", "jacobian", "resume", "shard"}
)
METHODS = {
    "sefa": Method(
        "factorize",
        frozenset({"to_rgb", "normalize", "center", "deflate_gain", "tensors", "latent_axis"}),
    ),
    "ganspace": Method("factorize", frozenset({"samples", "seed"})),
    "local-basis": Method("factorize", frozenset({"seed"})),
    "frechet": Method("factorize", frozenset({"samples", "seed", "refine"})),
    "random": Method("factorize", frozenset({"seed"})),
    "resefa": Method("localize", _OF_MATRICES | {"tau", "sketch"}),
    "nullspace": Method("localize", _OF_MATRICES | {"rank", "sketch"}),
    "lowrank": Method("localize", _OF_MATRICES),
    "stylespace": Method("localize"),
    "interfacegan": Method("supervise"),
}


def methods_of(command: str) -> tuple[str, ...]:
    """Return the methods of a command, its default first.

    Example:
        >>> methods_of("localize")
        ('resefa', 'nullspace', 'lowrank', 'stylespace')
    """
    return tuple(name for name, method in METHODS.items() if method.command == command)


def check_method(command: str, name: str) -> None:
    """Raise UsageError if the command does not have the method."""
    known = methods_of(command)
    if name in known:
        return
    elsewhere = METHODS.get(name)
    remedy = "" if elsewhere is None else f"`sefa {elsewhere.command}` has the method {name}."
    raise UsageError(f"unknown method {name!r}", either(known), remedy)


def check_options(
    name: str, given: Mapping[str, object], spelled: Callable[[str], str] = str
) -> None:
    """Raise UsageError for an option that other methods of the same command know, but not this.

    Args:
        name: The method.
        given: What was asked for, by option; those that are None or False were not. Options that
            no method has may be among them.
        spelled: How the caller writes the name of an option.

    Example:
        >>> check_options("frechet", {"samples": 50, "refine": None})
        >>> try:
        ...     check_options("random", {"samples": 50})
        ... except UsageError as error:
        ...     print(error)
        samples has no effect with method random; expected ganspace or frechet
    """
    own = METHODS[name]
    for option, value in given.items():
        if value is None or value is False or option in own.options:
            continue
        others = [
            other
            for other, method in METHODS.items()
            if method.command == own.command and option in method.options
        ]
        if others:
            raise UsageError(
                f"{spelled(option)} has no effect with {spelled('method')} {name}",
                either(others),
            )
