"""Row 0. Parts of a job: `--shard 2/8` does the second eighth, `sefa merge` puts all together.

A part is an .npz archive. Its member `about` is JSON: the job, which all its parts share, and the
shard. The other members are the results for the shard's items: seeds, codes or photos.
"""

import itertools
import json
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from sefa_cli import __version__
from sefa_cli.canonical import canonical_json, shown
from sefa_cli.errors import MismatchError, SefaError, UsageError
from sefa_cli.file_kinds import check_ordinary, kind_at, not_here, why_not
from sefa_cli.files import open_atomically
from sefa_cli.ranges import format_range
from sefa_cli.sealed import read_sealed, save_sealed

SUFFIX = ".part"
_UNREADABLE = (
    *(OSError, ValueError, KeyError, TypeError, EOFError, MemoryError, RuntimeError),
    *(BadZipFile, zlib.error),
)  # what np.load and json.loads raise for a file that is something else, or broken


@dataclass(frozen=True)
class Shard:
    """One of `count` nearly equal shares of a job, numbered from 1.

    Example:
        >>> shard = Shard.parse("2/3")
        >>> list(shard.share(10)), shard.path("eyes.dirs").name
        ([3, 4, 5], 'eyes.dirs.2of3.part')
    """

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Return the shard that `--shard` names. Raises UsageError."""
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            raise UsageError(
                f"--shard must be a share such as 2/8, got {text!r}",
                f"1/{match[2]} to {match[2]}/{match[2]}" if match and int(match[2]) else "",
            )
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def share(self, total: int) -> range:
        """Return which of `total` items this shard has. Raises UsageError for none."""
        if self.count > total:
            items = f"{total} item{'s' * (total != 1)}"
            raise UsageError(f"{self.count} shards for {items}", f"at most {total}")
        return range(*(total * n // self.count for n in (self.number - 1, self.number)))

    def path(self, output: Path | str) -> Path:
        """Return where the part of an output goes: beside it."""
        output = Path(output)
        return output.with_name(f"{output.name}.{self.number}of{self.count}{SUFFIX}")


@dataclass(frozen=True)
class Part:
    """The results of one shard.

    Attributes:
        kind: What is merged: "directions", "codes", "scores" or "evaluation".
        shard: Which share of the job this is.
        job: What all parts share, as JSON; `items` lists what was shared among them.
        notes: What this part alone says, as JSON.
        arrays: The results by name. Those of a file are read when they are asked for.
        path: The file it was read from.
    """

    kind: str
    shard: Shard
    job: Mapping[str, Any]
    notes: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    path: Path = Path()

    @property
    def share(self) -> range:
        """Which of the job's items it has."""
        return self.shard.share(len(self.job["items"]))

    def save(self, path: Path | str, overwrite: bool = False) -> None:
        """Write the part to a file, whole or not at all."""
        about = {
            "kind": self.kind,
            "shard": [self.shard.number, self.shard.count],
            "job": {**self.job, "sefa": __version__},
            "notes": self.notes,
        }
        text = np.frombuffer(canonical_json(about).encode(), np.uint8)
        with open_atomically(path, overwrite) as file:
            save_sealed(file, {"about": text, **self.arrays})

    @classmethod
    def load(cls, path: Path | str) -> "Part":
        """Read a part; its arrays later. Raises SefaError for a file that is none."""
        path = Path(path)
        try:
            about = json.loads(read_sealed(path, ["about"])["about"].tobytes())
            part = cls(
                str(about["kind"]), Shard(*about["shard"]), dict(about["job"]),
                dict(about["notes"]), {}, path,
            )  # fmt: skip
            assert len(part.share)
        except FileNotFoundError:
            raise not_here(path, "Run its shard.") from None
        except (*_UNREADABLE, AssertionError, SefaError) as error:
            if isinstance(error, OSError) and error.errno:
                raise why_not(path, error, "read") from None
            check_ordinary(path)
            what, remedy = kind_at(path)
            found = f"{path} is not a part of a job, or is broken: it is {what}"
            raise SefaError(found, "a file that --shard has written", remedy) from error
        return part

    @classmethod
    def is_done(cls, path: Path, job: Mapping[str, Any]) -> bool:
        """Return whether the file is there. Raises MismatchError for a part of another job."""
        if not path.exists():
            return False
        if cls.load(path).job != json.loads(canonical_json({**job, "sefa": __version__})):
            raise MismatchError(
                f"{path} is there, made with other options or by another version of sefa",
                remedy="Use --overwrite to make it again.",
            )
        return True

    def array(self, name: str) -> NDArray[Any]:
        """Return one of its results, from the file if it has one. Raises SefaError."""
        if name in self.arrays:
            return self.arrays[name]
        try:
            return read_sealed(self.path, [name])[name]
        except _UNREADABLE as error:
            raise SefaError(f"{self.path} is broken", remedy="Run its shard again.") from error


@dataclass(frozen=True)
class Job:
    """All parts of one job, in order."""

    parts: tuple[Part, ...]

    @property
    def kind(self) -> str:
        """What is merged."""
        return self.parts[0].kind

    @property
    def asked(self) -> Mapping[str, Any]:
        """What all parts share."""
        return self.parts[0].job

    @cached_property
    def owner(self) -> tuple[Part, ...]:
        """The part that has each item."""
        return tuple(part for part in self.parts for _ in part.share)

    def array(self, item: int, name: str) -> NDArray[Any]:
        """Return the result `name` of an item."""
        return self.owner[item].array(f"{name}/{item}")


def read_job(paths: Iterable[Path | str]) -> Job:
    """Read the parts of a job, and check that they belong together and are all here.

    Raises:
        SefaError: A file is not a part, or a shard is missing or given twice.
        MismatchError: Two parts differ in what was asked for.
    """
    parts = load_alike(paths)
    if not parts:
        raise UsageError("no parts are given", "all parts of a job")
    first = parts[0]
    parts.sort(key=lambda part: part.shard.number)
    for one, other in itertools.pairwise(parts):
        if one.shard == other.shard:
            raise UsageError(
                f"shard {one.shard} is given twice, as {one.path} and {other.path}", "each once"
            )
    given = {part.shard.number for part in parts}
    missing = [n for n in range(1, first.shard.count + 1) if n not in given]
    if missing:
        several = len(missing) > 1
        raise SefaError(
            f"shard{'s' * several} {format_range(missing)} of {first.shard.count} "
            f"{'are' if several else 'is'} missing",
            remedy="Run what is missing, and name all parts.",
        )
    return Job(tuple(parts))


def load_alike(paths: Iterable[Path | str]) -> list[Part]:
    """Read parts of one job, which they hold once. Raises MismatchError for two jobs."""
    parts: list[Part] = []
    for path in paths:
        part = Part.load(path)
        if parts:
            _check_same(parts[0], part)
            part = replace(part, job=parts[0].job)
        parts.append(part)
    return parts


def _check_same(one: Part, other: Part) -> None:
    """Raise MismatchError that names the first thing in which two parts differ."""
    for what, a, b in (
        ("kind", one.kind, other.kind),
        ("number of shards", one.shard.count, other.shard.count),
        *(
            (str(key), one.job.get(key), other.job.get(key))
            for key in sorted({*one.job, *other.job})
        ),
    ):
        if a != b:
            name, a, b = _narrowed(what, a, b)
            raise MismatchError(
                f"{one.path} and {other.path} are parts of different jobs: {name} is {shown(a)} "
                f"and {shown(b)}",
                remedy="Make all parts with the same command.",
            )


def _narrowed(what: str, a: Any, b: Any) -> tuple[str, Any, Any]:
    """Return the one field of two tables that differs."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted({*a, *b}):
            if a.get(key) != b.get(key):
                return _narrowed(f"{what} {key}", a.get(key), b.get(key))
    return {"sefa": "the version of sefa", "items": "the list of items"}.get(what, what), a, b
