"""Models that other programs have fetched: NVIDIA's and Hugging Face's own caches.

A model is found by its address, checked as our own are, and used in place. Nothing is copied, and
nothing is written there; the proof is kept in our cache.
"""

import contextlib
import glob
import hashlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from sefa_cli.sources import cache, references
from sefa_cli.sources.store import Facts, Wanted, is_page, prove, read_stamps, stamp_files

logger = logging.getLogger(__name__)


def find(wanted: Wanted) -> Path | None:
    """Return the wanted file in another program's cache, if it is there and right."""
    for ref in wanted.refs:
        for path in _places(ref, wanted.facts):
            if _is_right(path, wanted.facts):
                logger.info("using %s from another program's cache", path)
                return path
    return None


def _places(ref: str, facts: Facts) -> Iterator[Path]:
    if ref.startswith("hf:"):
        yield from _in_hub_cache(ref, facts)
    elif not references.is_package(ref):
        yield from _in_dnnlib_cache(references.web_address(ref))


def dnnlib_folder() -> Path:
    """Return the folder where NVIDIA's `dnnlib.util.open_url` keeps what it fetched."""
    own = os.environ.get("DNNLIB_CACHE_DIR")
    return Path(own or _home(".cache", "dnnlib")).absolute() / "downloads"


def hub_folder() -> Path:
    """Return the folder where `huggingface_hub` keeps repositories; its older variable is last."""
    if own := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return Path(own).expanduser().absolute()
    caches = Path(os.environ.get("XDG_CACHE_HOME") or _home(".cache"))
    home = Path(os.environ.get("HF_HOME") or caches / "huggingface")
    return home.expanduser().absolute() / "hub"


def _home(*names: str) -> str:
    return os.path.join(os.path.expanduser("~"), *names)  # noqa: PTH111, PTH118 (never raises)


def _in_dnnlib_cache(address: str) -> Iterator[Path]:
    """Find `<md5 of the address>_<name>`; as in dnnlib, two matches count as none."""
    key = hashlib.md5(address.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    with contextlib.suppress(OSError):
        found = list(dnnlib_folder().glob(f"{key}_*"))
        if len(found) == 1:
            yield from found


def _in_hub_cache(ref: str, facts: Facts) -> Iterator[Path]:
    """Find the file in the revision's snapshot, or in any snapshot if its SHA-256 is known."""
    hub = references.parse_hub(ref)
    folder = hub_folder() / f"models--{hub['repo'].replace('/', '--')}"
    commit = _commit(folder, hub["rev"] or "main")
    if commit:
        yield folder / "snapshots" / commit / hub["file"]
    if facts.digits:
        with contextlib.suppress(OSError):
            yield from sorted((folder / "snapshots").glob(f"*/{glob.escape(hub['file'])}"))


def _commit(folder: Path, revision: str) -> str:
    """Return the commit a revision stood for when the hub was last asked, or ""."""
    if references.is_commit(revision):
        return revision
    text = ""
    if references.is_plain_path(revision):
        with contextlib.suppress(OSError, ValueError):
            text = (folder / "refs" / revision).read_text("ascii").strip()
    return text if references.is_commit(text) else ""


def _is_right(path: Path, facts: Facts) -> bool:
    """Return whether the file matches what is known; hash it once, then stamp it in our cache."""
    folder = cache.cache_folder() / "elsewhere" / references.ref_digest(str(path))[:16]
    before = read_stamps(folder)
    stamp = prove(path, facts, before.get("file"))
    if stamp is None or (facts.digits is None and _begins_as_page(path)):
        return False
    if stamp != before.get("file"):
        stamp_files(folder, {"file": stamp})
        if facts.digits is None:
            logger.warning(
                "no SHA-256 is known for %s; the file in use has %s",
                path, stamp["sha256"],
            )  # fmt: skip
    return True


def _begins_as_page(path: Path) -> bool:
    """Return whether the file is an error page: dnnlib keeps whatever came."""
    try:
        with open(path, "rb") as file:
            head = file.read(64)
    except OSError:
        return True
    return not head or is_page(head)
