"""Fetched models in the cache: where each is, and the proof that it is the right one.

A file is hashed when it arrives or when someone has put it there by hand. After that a stamp next
to it (size, time, SHA-256) is the proof, so finding a 400 MB model again costs nothing. Once a day
it is hashed again: disks lose bits.
"""

import hashlib
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from sefa_cli.sources import cache, references

_STAMP = ".verified.json"
_DAY = 86_400  # seconds that a stamp counts


@dataclass(frozen=True)
class Facts:
    """The facts known about a file before it is seen."""

    size: int | None = None  # bytes
    sha256: str | None = None  # 64 lower-case hex digits
    sha256_prefix: str | None = None  # its first digits, where no more are published

    def fit(self, other: "Facts") -> bool:
        """Return whether `other`, measured, is what these facts promise."""
        begins = (other.sha256 or "").startswith(self.sha256_prefix or "")
        return begins and self.size in (None, other.size) and self.sha256 in (None, other.sha256)

    @property
    def digits(self) -> str | None:
        """All that is known of the SHA-256: enough to tell a mixture from the file."""
        return self.sha256 or self.sha256_prefix


@dataclass(frozen=True)
class Wanted:
    """A model to fetch: where from, and how to know it is the right one."""

    label: str  # the zoo name, or the reference as the user wrote it
    refs: tuple[str, ...]  # places with the very same bytes, in order of preference
    facts: Facts = Facts()  # of the file, or of the wheel, that is fetched
    files: Mapping[str, Facts] = field(default_factory=dict)  # wanted from the wheel, if known

    @property
    def folder(self) -> Path:
        """Its own folder in the cache, with a name that people recognize."""
        stem = self.label
        if references.is_package(stem):
            stem = references.parse_package(stem).name
        elif references.is_remote(stem):
            stem = re.sub(r"\.\w+$", "", references.file_name(stem))
        digest = self.facts.digits or references.ref_digest(self.refs[0])
        return cache.models_folder() / f"{re.sub(r'[^A-Za-z0-9_-]', '_', stem)}-{digest[:8]}"

    @property
    def expected(self) -> Mapping[str, Facts]:
        """The files that will be in the folder; empty if only the wheel itself knows."""
        if self.files or references.is_package(self.refs[0]):
            return self.files
        return {references.file_name(self.refs[0]): self.facts}

    def stored(self) -> Path | None:
        """Return the proven file, or the folder of a model of several files; None if not cached."""
        names = proven(self.folder, self.expected)
        if not names:
            return None
        if references.is_package(self.refs[0]):
            inner = references.parse_package(self.refs[0]).inner
            if names != (PurePosixPath(inner).name,):
                return self.folder
        return self.folder / names[0]


def measure(path: Path) -> Facts:
    """Return a file's size and SHA-256. Raises OSError."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Facts(file.tell(), digest)


def proven(folder: Path, expected: Mapping[str, Facts]) -> tuple[str, ...]:
    """Return the names of the files in `folder` if every expected one is there and right, else ().

    Without expectations: the files that were stamped on arrival, if none has changed since.
    """
    stamps = read_stamps(folder)
    fresh: dict[str, dict[str, Any]] = {}
    for name in expected or stamps:
        stamp = prove(folder / name, expected.get(name, Facts()), stamps.get(name))
        if stamp is None:
            return ()
        fresh[name] = stamp
    if fresh != stamps:
        stamp_files(folder, fresh)
    return tuple(fresh)


def is_page(head: bytes) -> bool:
    """Return whether a file begins as web pages and JSON answers do, unlike models."""
    # A safetensors file may begin with `{"` too, but then zeros follow: its header's length.
    is_json = head.lstrip()[:1] == b"{" and b"\0" not in head[:8]
    return is_json or head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"


def stamp_files(folder: Path, stamps: Mapping[str, Mapping[str, Any]]) -> None:
    """Record proofs; if the cache cannot be written, files are hashed again next time."""
    text = json.dumps(stamps, indent=1, sort_keys=True)
    cache.write_quietly(folder / _STAMP, lambda file: file.write(text.encode()))


def stamp_of(path: Path, facts: Facts) -> dict[str, Any]:
    """Return the stamp of a file whose measured `facts` were right. Raises OSError."""
    return {
        "size": facts.size,
        "sha256": facts.sha256,
        "mtime_ns": path.stat().st_mtime_ns,
        "checked": int(time.time()),
    }


def prove(path: Path, facts: Facts, stamp: Any) -> dict[str, Any] | None:
    """Return the stamp of a file that is there and right: `stamp` if it holds, else a new one."""
    try:
        status = path.stat()
        same = isinstance(stamp, dict) and stamp.get("mtime_ns") == status.st_mtime_ns
        known = Facts(stamp.get("size"), stamp.get("sha256")) if same else Facts()
        if same and known.size == status.st_size and facts.fit(known) and _is_fresh(stamp):
            return dict(stamp)
        if facts.size not in (None, status.st_size):
            return None
        measured = measure(path)
        if not (facts.fit(measured) and (facts.digits or known.fit(measured))):
            return None
        return {**(stamp if same else {}), **stamp_of(path, measured)}
    except OSError:
        return None


def _is_fresh(stamp: Mapping[str, Any]) -> bool:
    """Return whether a stamp was made in the last day; clocks may go backwards."""
    checked = stamp.get("checked")
    return isinstance(checked, int) and 0 <= time.time() - checked < _DAY


def hub_ref(path: Path) -> str | None:
    """Return `hf:OWNER/REPO/FILE@COMMIT` of a fetched file, if the hub has told the commit."""
    stamp = read_stamps(path.parent).get(path.name)
    ref = stamp.get("ref") if isinstance(stamp, dict) else None
    return ref if isinstance(ref, str) and ref.startswith("hf:") else None


def read_stamps(folder: Path) -> dict[str, Any]:
    """Return what `stamp_files` recorded, by file name; {} if it cannot be read."""
    try:
        stamps = json.loads((folder / _STAMP).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(stamps, dict):
        return {}
    return {name: stamp for name, stamp in stamps.items() if references.is_plain_path(name)}
