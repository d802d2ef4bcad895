"""Row 0. The arguments of public functions: their names and kinds, checked before any work."""

import difflib
import errno
import inspect
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial, wraps
from itertools import islice
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any, TypeVar

from sefa_cli.errors import SefaError, UsageError, either

F = TypeVar("F", bound=Callable[..., Any])
DIGITS = 18  # of the largest whole number
MOST_LISTED = 1_000_000  # a range of a billion seeds is a typing error, not a wish

# A name in a union, with what lists hold: `str | Sequence[int]`.
_KIND = re.compile(r"(\w+)(?:\[([^]]*)\])?")
# Classes are known by their names, so that no module has to be imported for a check.
_WORDS = {
    "None": "None",
    "bool": "True or False",
    "Begin": "a function",
    "bytes": "bytes",
    "Bundle": "a bundle",
    "Callable": "a function",
    "Checkpoint": "an open checkpoint",
    "float": "a number",
    "Generator": "a generator",
    "int": "a whole number",
    "IO": "an open file",
    "Iterable": "a list",
    "Path": "a path",
    "Preset": "a preset",
    "Progress": "a function",
    "Sequence": "a list",
    "Shard": "a shard",
    "Storyboard": "a storyboard",
    "str": "a string",
}
_OF = {
    "float": " of numbers",
    "int": " of whole numbers",
    "Key": " of key frames",
    "Part": " of moves",
    "str": " of strings",
    "str | Path": " of paths",
}


def public(function: F, usual: Mapping[str, object] = MappingProxyType({})) -> F:
    """Check the arguments of a public function by its annotations, before it is called.

    The keywords of `**options: Unpack[Options]` are known by name, to `help()` as well; `usual`
    says what they are unless given, beside those that may be None. The function's module delays
    its annotations (`from __future__ import annotations`).
    """
    known = _parameters(function, usual)
    positional = [name for name, one in known.items() if one.kind is one.POSITIONAL_OR_KEYWORD]

    @wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        for name in options.keys() - known.keys():
            near = difflib.get_close_matches(name, known, n=1)
            hint = f". Did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"{function.__name__}() has no argument {name!r}{hint}")
        args = tuple(map(_listed, args))
        options = {name: _listed(value) for name, value in options.items()}
        for name, value in (*zip(positional, args, strict=False), *options.items()):
            if known[name].annotation is not inspect.Parameter.empty:  # as of self
                check_kind(name, value, known[name].annotation)
        try:
            return function(*args, **options)
        except OSError as error:
            if not isinstance(error.filename, str | bytes | os.PathLike):
                raise
            raise refused(error) from error  # it may be of a function of the caller's own

    own = inspect.signature(function)
    call.__signature__ = own.replace(parameters=list(known.values()))  # type: ignore[attr-defined]
    return call  # type: ignore[return-value]


def public_with(**usual: object) -> Callable[[F], F]:
    """Decorate as `public` does, with what the keywords of `Unpack[Options]` are unless given."""
    return partial(public, usual=usual)


def _listed(value: object) -> object:
    """Return an iterator's items as a list, which can be read twice; anything else as it is."""
    if isinstance(value, Iterator) and not hasattr(value, "read"):  # an open file is an iterator
        return list(islice(value, MOST_LISTED + 1))
    return value


def _parameters(
    function: Callable[..., Any], usual: Mapping[str, object]
) -> dict[str, inspect.Parameter]:
    """Return the parameters by name, those of `Unpack[Options]` with the others."""
    known = dict(inspect.signature(function).parameters)
    *_, last = known.values()
    if last.kind is last.VAR_KEYWORD:
        del known[last.name]
        options = function.__globals__[last.annotation.removeprefix("Unpack[").removesuffix("]")]
        for name, annotation in options.__annotations__.items():
            text = getattr(annotation, "__forward_arg__", annotation)
            default = usual.get(name, None if text.endswith("| None") else last.empty)
            known[name] = last.replace(
                name=name, kind=last.KEYWORD_ONLY, default=default, annotation=text
            )
    return known


def check_fields(owner: object) -> None:
    """Check the fields of a frozen dataclass by their annotations. Raises UsageError."""
    for name, annotation in type(owner).__annotations__.items():
        value = _listed(getattr(owner, name))
        object.__setattr__(owner, name, value)
        check_kind(name, value, annotation)


def check_kind(name: str, value: object, annotation: str) -> None:
    """Raise UsageError unless a value is of a kind that its annotation names.

    Annotations with other names than those of `_WORDS` take anything: the function checks it.

    Example:
        >>> try:
        ...     check_kind("device", 3, "str | None")
        ... except UsageError as error:
        ...     print(error)
        device must be a string or None, got 3
    """
    kinds = dict(_KIND.findall(annotation))
    if kinds.keys() <= _WORDS.keys() and not any(_is(value, *one) for one in kinds.items()):
        words = [_WORDS[kind] + _OF.get(of, "") for kind, of in kinds.items()]
        choices = either(word for choice in words for word in choice.split(" or "))
        raise UsageError(f"{name} must be {choices}, got {in_short(value)}")
    if isinstance(value, str | os.PathLike) and "\0" in str(value):
        raise UsageError(f"{name} {in_short(value)} holds a null character", "none")
    check_digits(name, value)


def check_digits(name: str, value: object) -> None:
    """Raise UsageError for a whole number that a float cannot hold, alone or in a list."""
    for one in value if isinstance(value, list | tuple) else (value,):
        if isinstance(one, int) and abs(one) >= 10**DIGITS:
            raise UsageError(
                f"{name} {in_short(one):.20}… is too large", f"at most {DIGITS} digits"
            )


def in_short(value: object) -> str:
    """Return a value as an error shows it: on one line, not all of a long one."""
    if isinstance(value, int) and abs(value) >= 10**80:  # str() of thousands of digits is refused
        return f"{value // 10 ** (int(math.log10(abs(value))) - 20)}…"
    try:
        return f"{' '.join(repr(value).split()):.80}"
    except ValueError:
        return f"a {type(value).__name__} with a huge number"


def refused(error: OSError) -> SefaError:
    """Return the error for a file that nobody else told of."""
    from sefa_cli.file_kinds import why_not

    written = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
    return why_not(os.fsdecode(error.filename), error, "write" if written else "read")


def _is(value: object, kind: str, of: str = "") -> bool:
    """Return whether a value is of a kind; True and False are not numbers here."""
    if kind in ("int", "float"):
        number = isinstance(value, Integral if kind == "int" else Real)
        return number and not isinstance(value, bool)
    if kind == "None":
        return value is None
    if _WORDS.get(kind) == "a function":
        return callable(value)
    if kind == "IO":
        return hasattr(value, "read")
    if kind in ("Iterable", "Sequence"):
        inside = value if of in _OF and isinstance(value, list | tuple) else ()
        iterable = hasattr(value, "__iter__") and not isinstance(value, Mapping | bytes | str)
        return iterable and all(any(_is(one, kind) for kind in of.split(" | ")) for one in inside)
    if kind == "Path":
        return isinstance(value, os.PathLike)
    homes = ("builtins", "numpy") if kind.islower() else ("sefa_cli",)  # torch has a Generator too
    return any(
        base.__name__ in (kind, f"{kind}_") and base.__module__.partition(".")[0] in homes
        for base in type(value).__mro__
    )
