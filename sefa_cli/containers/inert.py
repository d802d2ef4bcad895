"""Stand-ins for the live objects of a pickle: names and records."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Global:
    """A name the pickle would import. It is never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(slots=True, eq=False, repr=False)
class Record:
    """A call the pickle would make and what it would do to the result. Nothing is called."""

    target: Any  # a Global, but forged files put anything here
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] | None = None
    state: Any = None  # what would go to __setstate__ or __dict__
    items: list[Any] | None = None  # what would be appended or added
    pairs: dict[Any, Any] | None = None  # what would be set by key

    def is_call(self, *names: str) -> bool:
        """Return whether the target is a Global with one of these full names."""
        return isinstance(self.target, Global) and str(self.target) in names

    def __repr__(self) -> str:  # never the contents: they may hold themselves
        return f"<record of {self.target}>" if isinstance(self.target, Global) else "<record>"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PersistentId:
    """A reference to something outside the pickle: torch's storages."""

    value: Any
