"""Caches of other programs: found, proven, used where they lie; never written, never believed."""

import hashlib
import os
import random
from pathlib import Path

import pytest

from sefa_cli.errors import OfflineError
from sefa_cli.sources import external_caches
from sefa_cli.sources.locate import locate, pinned
from sefa_cli.sources.store import Facts, Wanted
from tests.helpers.server import Page, Server

MODEL = b"\x80\x03" + random.Random(0).randbytes(50_000)
SHA = hashlib.sha256(MODEL).hexdigest()
URL = "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/ffhq.pkl"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def in_dnnlib(cache: Path, url: str, content: bytes = MODEL, name: str = "") -> Path:
    """Lay a file where `dnnlib.util.open_url(url)` would."""
    # As in NVlabs/stylegan3:dnnlib/util.py: md5 of the address, then the address made harmless.
    key = hashlib.md5(url.encode()).hexdigest()
    path = cache / "downloads" / f"{key}_{name or url.replace('/', '_').replace(':', '_')}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def in_hub(
    cache: Path,
    repo: str,
    file: str,
    content: bytes = MODEL,
    commit: str = COMMIT,
    ref: str = "main",
) -> Path:
    """Lay a file where `huggingface_hub.hf_hub_download` would."""
    folder = cache / f"models--{repo.replace('/', '--')}"
    blob = folder / "blobs" / hashlib.sha256(content).hexdigest()
    link = folder / "snapshots" / commit / file
    for path in (blob, link, folder / "refs" / ref):
        path.parent.mkdir(parents=True, exist_ok=True)
    blob.write_bytes(content)
    link.symlink_to(os.path.relpath(blob, link.parent))
    (folder / "refs" / ref).write_text(commit)
    return link


@pytest.fixture
def dnnlib(own_cache: Path, tmp_path: Path) -> Path:
    return tmp_path / "dnnlib"


@pytest.fixture
def hub(own_cache: Path, tmp_path: Path) -> Path:
    return tmp_path / "hub"


def test_nvidias_cache_is_used_where_it_lies(
    dnnlib: Path, own_cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    theirs = in_dnnlib(dnnlib, URL + "?v=2")
    before = theirs.stat().st_mtime_ns
    assert locate(f"{URL}?v=2#sha256={SHA}", offline=True) == theirs
    assert theirs.stat().st_mtime_ns == before
    assert not list(own_cache.rglob("*.pkl"))  # nothing is copied
    assert caplog.text == ""  # its checksum is known: nothing to tell


def test_a_file_without_known_checksum_is_used_and_said_once(
    dnnlib: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = URL.replace("ffhq", "afhqwild")  # in the zoo, with no SHA-256
    theirs = in_dnnlib(dnnlib, url)
    assert locate("stylegan2_ada_afhqwild", offline=True) == theirs
    assert caplog.text.count(SHA) == 1
    assert locate("stylegan2_ada_afhqwild", offline=True) == theirs
    assert caplog.text.count(SHA) == 1


@pytest.mark.parametrize("content", [MODEL[:-1], MODEL[::-1], b"", b"<html>"])
def test_another_file_is_not_believed(dnnlib: Path, content: bytes) -> None:
    in_dnnlib(dnnlib, URL, content)
    with pytest.raises(OfflineError):
        locate(f"{URL}#sha256={SHA}", offline=True)


@pytest.mark.parametrize(
    "content", [b"<!DOCTYPE html>", b' {"requestStatus": {"statusCode": "OK"}}', b""]
)
def test_a_page_that_nvidias_loader_kept_is_not_believed(dnnlib: Path, content: bytes) -> None:
    in_dnnlib(dnnlib, "https://example.com/x.pkl", content)
    with pytest.raises(OfflineError):
        locate("https://example.com/x.pkl", offline=True)


def test_two_files_of_one_address_count_for_none(dnnlib: Path) -> None:
    in_dnnlib(dnnlib, URL)
    in_dnnlib(dnnlib, URL, name="ffhq.pkl")
    with pytest.raises(OfflineError):
        locate(f"{URL}#sha256={SHA}", offline=True)


def test_a_file_that_changed_is_looked_at_again(dnnlib: Path) -> None:
    theirs = in_dnnlib(dnnlib, URL)
    assert locate(f"{URL}#sha256={SHA}", offline=True) == theirs
    theirs.write_bytes(MODEL[::-1])
    os.utime(theirs, ns=(1, 1))
    with pytest.raises(OfflineError):
        locate(f"{URL}#sha256={SHA}", offline=True)


def test_a_proof_is_not_made_twice(dnnlib: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = in_dnnlib(dnnlib, URL)
    locate(f"{URL}#sha256={SHA}", offline=True)
    monkeypatch.setattr("sefa_cli.sources.store.measure", lambda _: pytest.fail("hashed again"))
    assert locate(f"{URL}#sha256={SHA}", offline=True) == theirs


def test_the_hubs_cache_is_used_where_it_lies(hub: Path, caplog: pytest.LogCaptureFixture) -> None:
    theirs = in_hub(hub, "a/b", "sub/m.pt")
    assert locate("hf:a/b/sub/m.pt", offline=True) == theirs
    assert SHA in caplog.text
    assert locate(f"hf:a/b/sub/m.pt@{COMMIT}", offline=True) == theirs
    assert pinned("hf:a/b/sub/m.pt", theirs) == f"hf:a/b/sub/m.pt@{COMMIT}"


def test_an_older_snapshot_counts_only_with_a_known_checksum(hub: Path) -> None:
    old = in_hub(hub, "a/b", "m.pt", commit=COMMIT[::-1])
    in_hub(hub, "a/b", "other.pt", MODEL[::-1])
    with pytest.raises(OfflineError):
        locate("hf:a/b/m.pt", offline=True)
    for facts in (Facts(sha256=SHA), Facts(sha256_prefix=SHA[:8])):
        assert external_caches.find(Wanted("x", ("hf:a/b/m.pt",), facts)) == old
    assert external_caches.find(Wanted("x", ("hf:a/b/m.pt",), Facts(sha256_prefix="0" * 8))) is None


@pytest.mark.parametrize("text", ["../../../evil", "", "x" * 40, "\0"])
def test_a_forged_revision_leads_nowhere(hub: Path, text: str) -> None:
    in_hub(hub, "a/b", "m.pt")
    (hub / "models--a--b" / "refs" / "main").write_text(text)
    with pytest.raises(OfflineError):
        locate("hf:a/b/m.pt", offline=True)
    with pytest.raises(OfflineError):
        locate("hf:a/b/m.pt@../refs/main", offline=True)


def test_a_mirror_or_another_form_of_the_same_weights_counts(
    hub: Path, dnnlib: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zoo = tmp_path / "zoo.toml"
    zoo.write_text(
        '[mine]\nfamily = "stylegan2"\nresolution = 64\nlicense = "CC0"\n'
        f'source = "https://example.com/mine.pt"\nsha256 = "{"0" * 64}"\n'
        f'[[mine.also]]\nsource = "{URL}"\nmirrors = ["hf:a/b/m.pkl"]\nsha256 = "{SHA}"\n'
    )
    monkeypatch.setenv("SEFA_ZOO", str(zoo))
    theirs = in_hub(hub, "a/b", "m.pkl")
    assert locate("mine", offline=True) == theirs
    nvidias = in_dnnlib(dnnlib, URL)
    assert locate("mine", offline=True) == nvidias


def test_our_own_file_comes_first_and_nothing_is_asked(
    dnnlib: Path, web: Server, own_cache: Path
) -> None:
    web.pages["/m.pt"] = Page(MODEL)
    theirs = in_dnnlib(dnnlib, web.url("/m.pt"))
    assert locate(web.url("/m.pt")) == theirs
    assert web.asked == []
    theirs.unlink()
    ours = locate(web.url("/m.pt"))
    assert own_cache in ours.parents
    in_dnnlib(dnnlib, web.url("/m.pt"))
    assert locate(web.url("/m.pt")) == ours


@pytest.mark.parametrize(
    ("settings", "folder"),
    [
        ({}, "home/.cache/huggingface/hub"),
        ({"XDG_CACHE_HOME": "xdg"}, "xdg/huggingface/hub"),
        ({"XDG_CACHE_HOME": "xdg", "HF_HOME": "hf"}, "hf/hub"),
        ({"HF_HOME": "hf", "HUGGINGFACE_HUB_CACHE": "old"}, "old"),
        ({"HUGGINGFACE_HUB_CACHE": "old", "HF_HUB_CACHE": "new"}, "new"),
    ],
)
def test_where_the_hubs_cache_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], folder: str
) -> None:
    for name in ("XDG_CACHE_HOME", "HF_HOME", "HUGGINGFACE_HUB_CACHE", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "home", **settings}.items():
        monkeypatch.setenv(name, str(tmp_path / value))
    assert external_caches.hub_folder() == tmp_path / folder


def test_where_nvidias_cache_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("DNNLIB_CACHE_DIR", raising=False)
    assert external_caches.dnnlib_folder() == tmp_path / ".cache" / "dnnlib" / "downloads"
    monkeypatch.setenv("DNNLIB_CACHE_DIR", str(tmp_path / "own"))
    assert external_caches.dnnlib_folder() == tmp_path / "own" / "downloads"
