"""Fetching from servers that stall, lie, hang up and show pages: whole and right, or not at all."""

import hashlib
import io
import random
import sys
from functools import partial
from pathlib import Path

import pytest

from sefa_cli.errors import OfflineError, SefaError
from sefa_cli.sources import downloader
from sefa_cli.sources.fetch import fetch
from sefa_cli.sources.store import Facts, proven
from tests.helpers.server import Page, Server

MODEL = b"PK\x03\x04" + random.Random(0).randbytes(700_000)
SHA = hashlib.sha256(MODEL).hexdigest()
FACTS = Facts(len(MODEL), SHA)
PREFIX = Facts(sha256_prefix=SHA[:8])
KNOWN = [FACTS, Facts(sha256=SHA), PREFIX, Facts(size=len(MODEL)), Facts()]


@pytest.fixture
def folder(own_cache: Path) -> Path:
    own_cache.mkdir()
    return own_cache


def bring(
    web: Server, folder: Path, facts: Facts = FACTS, tries: int = 3, stall: float = 15.0
) -> Path:
    return fetch(web.url("/m.pt"), folder, "m.pt", facts, stall=stall, tries=tries, pause=0.0)


def assert_nothing_kept(folder: Path) -> None:
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("facts", KNOWN)
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_file_arrives(web: Server, folder: Path, facts: Facts, framing: str) -> None:
    web.pages["/m.pt"] = Page(MODEL, framing=framing)
    assert bring(web, folder, facts).read_bytes() == MODEL
    assert proven(folder, {"m.pt": FACTS}) == ("m.pt",)
    assert sorted(p.name for p in folder.iterdir()) == [".verified.json", "m.pt"]


def test_an_unknown_checksum_is_told(
    web: Server, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    web.pages["/m.pt"] = Page(MODEL)
    bring(web, folder, Facts())
    assert SHA in caplog.text


def test_a_known_checksum_is_not_talked_about(
    web: Server, folder: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    web.pages["/m.pt"] = Page(MODEL)
    bring(web, folder)
    assert SHA not in caplog.text
    assert capfd.readouterr() == ("", "")  # no progress line where stderr is no terminal


def test_a_terminal_gets_a_progress_line(
    web: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    web.pages["/m.pt"] = Page(MODEL)
    bring(web, folder)
    assert "m.pt" in terminal.getvalue()
    assert "700.0/700.0 kB" in terminal.getvalue()


def test_redirects_are_followed(web: Server, folder: Path) -> None:
    web.pages["/m.pt"] = Page(redirect="/elsewhere")
    web.pages["/elsewhere"] = Page(MODEL)
    assert bring(web, folder).read_bytes() == MODEL


@pytest.mark.parametrize("target", ["http://example.com/m.pt", "ftp://127.0.0.1/m.pt", "/m.pt"])
def test_a_redirect_to_plain_http_or_in_circles_is_refused(
    web: Server, folder: Path, target: str
) -> None:
    web.pages["/m.pt"] = Page(redirect=target)
    with pytest.raises(SefaError):
        bring(web, folder)
    assert_nothing_kept(folder)


@pytest.mark.parametrize("etag", ['"v1"', ""])
def test_a_broken_connection_is_resumed(web: Server, folder: Path, etag: str) -> None:
    web.pages["/m.pt"] = Page(MODEL, etag=etag, cut=[300_000, 200_000])
    assert bring(web, folder).read_bytes() == MODEL
    assert web.asked[1][1].get("If-Range", "") == etag
    first, second, third = web.ranges()
    assert first is None
    assert 200_000 <= int(str(second)[6:-1]) <= 300_000  # at most a chunk is lost
    assert int(str(third)[6:-1]) > int(str(second)[6:-1])


def test_a_server_that_dies_again_and_again_is_resumed_to_the_end(
    web: Server, folder: Path
) -> None:
    """Ten deaths are more than the three tries in a row; but each brings a piece of the file."""
    pieces = 10
    body = MODEL[:4] + random.Random(1).randbytes(11 << 20)
    web.pages["/m.pt"] = Page(body, cut=[(1 << 20) + 200_000] * 9)
    facts = Facts(len(body), hashlib.sha256(body).hexdigest())
    assert bring(web, folder, facts).read_bytes() == body
    starts = [0, *(int(str(r)[6:-1]) for r in web.ranges()[1:])]
    assert len(starts) == pieces
    assert starts == sorted(set(starts))  # never from the beginning


def test_a_redirect_is_followed_again_on_every_resumption(web: Server, folder: Path) -> None:
    """Signed addresses end; a resumed fetch asks the lasting one, which may point elsewhere."""
    web.pages["/m.pt"] = Page(redirect="/old")
    web.pages["/old"] = Page(MODEL, cut=[300_000])
    with pytest.raises(SefaError):
        bring(web, folder, tries=1)
    web.pages["/m.pt"] = Page(redirect="/new")
    web.pages["/new"] = Page(MODEL)
    assert bring(web, folder).read_bytes() == MODEL
    assert web.asked[-1][0] == "/new"
    assert web.ranges()[-1] is not None


@pytest.mark.parametrize("facts", KNOWN)
def test_an_error_page_in_the_middle_is_never_mixed_in(
    web: Server, folder: Path, facts: Facts
) -> None:
    """The connection breaks, and what is asked for the rest says with 200 that it is busy."""
    web.pages["/m.pt"] = Page(MODEL, etag='"v1"', cut=[300_000])
    with pytest.raises(SefaError):
        bring(web, folder, facts, tries=1)
    web.pages["/m.pt"] = Page(b'{"error": "busy"}', "application/json", ranges=False)
    with pytest.raises(SefaError, match="page"):
        bring(web, folder, facts)
    assert not (folder / "m.pt").exists()
    web.pages["/m.pt"] = Page(MODEL, etag='"v1"')
    assert bring(web, folder, facts).read_bytes() == MODEL


def test_a_stalled_connection_is_resumed(web: Server, folder: Path) -> None:
    web.pages["/m.pt"] = Page(MODEL, stall=[300_000])
    assert bring(web, folder, stall=0.7).read_bytes() == MODEL
    assert web.ranges()[1] is not None


def test_the_next_run_resumes_too(web: Server, folder: Path) -> None:
    web.pages["/m.pt"] = Page(MODEL, cut=[300_000])
    with pytest.raises(SefaError, match=r"700,004 bytes|broke off.*resumes where it stopped"):
        bring(web, folder, tries=1)
    assert not (folder / "m.pt").exists()
    assert bring(web, folder).read_bytes() == MODEL
    assert web.ranges()[1] is not None


def test_a_run_that_ended_just_before_the_rename_asks_nothing(web: Server, folder: Path) -> None:
    (folder / "m.pt.part").write_bytes(MODEL)
    assert bring(web, folder).read_bytes() == MODEL
    assert web.asked == []


def test_without_a_known_size_the_server_confirms_the_whole(web: Server, folder: Path) -> None:
    (folder / "m.pt.part").write_bytes(MODEL)
    web.pages["/m.pt"] = Page(MODEL)
    assert bring(web, folder, Facts(sha256=SHA)).read_bytes() == MODEL
    assert len(web.asked) == 1


def test_a_server_that_ignores_ranges_starts_over(web: Server, folder: Path) -> None:
    web.pages["/m.pt"] = Page(MODEL, ranges=False, cut=[300_000])
    assert bring(web, folder).read_bytes() == MODEL


def test_a_server_that_resumes_elsewhere_is_not_believed(web: Server, folder: Path) -> None:
    web.pages["/m.pt"] = Page(MODEL, cut=[300_000], resume_at=100)
    assert bring(web, folder).read_bytes() == MODEL
    assert web.ranges()[2] is None


def test_a_file_changed_meanwhile_is_not_mixed(web: Server, folder: Path) -> None:
    old = Page(MODEL[::-1], etag='"old"', cut=[300_000])
    web.pages["/m.pt"] = old
    with pytest.raises(SefaError):
        bring(web, folder, Facts(), tries=1)
    web.pages["/m.pt"] = Page(MODEL, etag='"new"')
    assert bring(web, folder, Facts()).read_bytes() == MODEL


def test_without_tag_and_checksum_nothing_is_resumed(web: Server, folder: Path) -> None:
    web.pages["/m.pt"] = Page(MODEL, cut=[300_000])
    assert bring(web, folder, Facts()).read_bytes() == MODEL
    assert web.ranges() == [None, None]


def test_wrong_bytes_of_an_earlier_run_are_fetched_anew(web: Server, folder: Path) -> None:
    web.pages["/m.pt"] = Page(MODEL)
    (folder / "m.pt.part").write_bytes(b"x" * 300_000)
    assert bring(web, folder).read_bytes() == MODEL
    assert web.ranges() == ["bytes=300000-", None]
    (folder / "m.pt").unlink()
    (folder / "m.pt.part").write_bytes(b"x" * len(MODEL))
    assert bring(web, folder).read_bytes() == MODEL
    (folder / "m.pt").unlink()
    (folder / "m.pt.part").write_bytes(b"x" * 300_000)
    assert bring(web, folder, PREFIX).read_bytes() == MODEL


@pytest.mark.parametrize("facts", KNOWN)
def test_a_truncated_file_is_never_kept(web: Server, folder: Path, facts: Facts) -> None:
    web.pages["/m.pt"] = Page(MODEL, ranges=False, cut=[300_000] * 9)
    with pytest.raises(SefaError):
        bring(web, folder, facts)
    assert not (folder / "m.pt").exists()


@pytest.mark.parametrize("facts", KNOWN)
def test_an_answer_shorter_than_announced_is_never_kept(
    web: Server, folder: Path, facts: Facts
) -> None:
    web.pages["/m.pt"] = Page(MODEL, length=len(MODEL) + 5, ranges=False)
    with pytest.raises(SefaError):
        bring(web, folder, facts)
    assert not (folder / "m.pt").exists()


@pytest.mark.parametrize("facts", KNOWN[:4])
def test_an_answer_announced_too_short_is_never_kept(
    web: Server, folder: Path, facts: Facts
) -> None:
    web.pages["/m.pt"] = Page(MODEL, length=len(MODEL) - 5)
    with pytest.raises(SefaError):
        bring(web, folder, facts)
    assert_nothing_kept(folder)


def test_an_end_that_cannot_be_told_needs_a_known_file(web: Server, folder: Path) -> None:
    web.pages["/m.pt"] = Page(MODEL, framing="none")
    with pytest.raises(SefaError, match="how long"):
        bring(web, folder, Facts())
    assert_nothing_kept(folder)
    assert bring(web, folder).read_bytes() == MODEL


@pytest.mark.parametrize("facts", [FACTS, PREFIX])
@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("change", [lambda m: m + b"!", lambda m: m[:-1], lambda m: b"!" + m[1:]])
def test_another_file_is_never_kept(
    web: Server, folder: Path, framing: str, change: "type[bytes]", facts: Facts
) -> None:
    web.pages["/m.pt"] = Page(change(MODEL), framing=framing)
    with pytest.raises(SefaError):
        bring(web, folder, facts)
    assert_nothing_kept(folder)


@pytest.mark.parametrize("facts", KNOWN)
def test_what_lies_at_the_place_unproven_is_fetched_anew(
    web: Server, folder: Path, facts: Facts
) -> None:
    (folder / "m.pt").write_bytes(b"x" * len(MODEL))
    web.pages["/m.pt"] = Page(MODEL)
    assert bring(web, folder, facts).read_bytes() == MODEL
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<!DOCTYPE html><title>Quota exceeded</title>", "text/html; charset=utf-8"),
        (b"\xef\xbb\xbf\r\n  <html>", "application/octet-stream"),
        (b"plain words", "TEXT/HTML"),
        (b'{"requestStatus": {"statusCode": "OK"}}', "application/json"),
        (b'{"error": "login"}', "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
@pytest.mark.parametrize("facts", [Facts(), Facts(sha256=SHA)])
def test_an_error_page_with_status_200_is_never_kept(
    web: Server, folder: Path, body: bytes, kind: str, facts: Facts
) -> None:
    web.pages["/m.pt"] = Page(body, kind)
    with pytest.raises(SefaError, match=r"page|bytes"):
        bring(web, folder, facts)
    assert_nothing_kept(folder)
    assert len(web.asked) == 1


def test_a_passing_page_costs_nothing_gathered(web: Server, folder: Path) -> None:
    (folder / "m.pt.part").write_bytes(MODEL[:300_000])
    web.pages["/m.pt"] = Page(b"<html>busy</html>", "text/html", ranges=False)
    with pytest.raises(SefaError, match="page"):
        bring(web, folder)
    web.pages["/m.pt"] = Page(MODEL)
    assert bring(web, folder).read_bytes() == MODEL
    assert web.ranges()[1] == "bytes=300000-"


def test_the_page_is_named_by_its_title(web: Server, folder: Path) -> None:
    web.pages["/m.pt"] = Page(b"<html><title>Quota exceeded</title>", "text/html")
    with pytest.raises(SefaError, match="Quota exceeded"):
        bring(web, folder)


def test_a_safetensors_header_that_looks_like_json_is_no_page(web: Server, folder: Path) -> None:
    body = (0x227B).to_bytes(8, "little") + b"{" + b" " * 0x227A  # begins with {"
    web.pages["/m.pt"] = Page(body)
    assert bring(web, folder, Facts()).read_bytes() == body


@pytest.mark.parametrize(
    ("status", "words"), [(404, "404"), (403, "HF_TOKEN"), (401, "HF_TOKEN"), (410, "410")]
)
def test_a_refusal_is_told_at_once(web: Server, folder: Path, status: int, words: str) -> None:
    web.pages["/m.pt"] = Page(MODEL, status=status)
    with pytest.raises(SefaError, match=words):
        bring(web, folder)
    assert len(web.asked) == 1
    assert_nothing_kept(folder)


def test_a_busy_server_is_asked_again(web: Server, folder: Path) -> None:
    web.pages["/m.pt"] = Page(MODEL, busy=[503, 429])
    assert bring(web, folder).read_bytes() == MODEL
    web.pages["/m.pt"] = Page(MODEL, busy=[500] * 9)
    with pytest.raises(SefaError, match="500"):
        fetch(web.url("/m.pt"), folder, "other.pt", FACTS, tries=3, pause=0.0)
    assert len(web.asked) == 3 + 3


def test_nobody_there_is_offline(folder: Path) -> None:
    with Server() as gone:
        address = gone.url("/m.pt")
    with pytest.raises(OfflineError, match=r"cannot reach 127\.0\.0\.1:\d+ \(Connection refused\)"):
        fetch(address, folder, "m.pt", FACTS, pause=0.0)
    assert_nothing_kept(folder)


def test_a_folder_that_cannot_be_written_is_told(web: Server, tmp_path: Path) -> None:
    web.pages["/m.pt"] = Page(MODEL)
    (tmp_path / "file").touch()
    with pytest.raises(SefaError, match="cannot write"):
        bring(web, tmp_path / "file")


def test_a_full_disk_is_told(web: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    web.pages["/m.pt"] = Page(MODEL)
    full = partial(open, "/dev/full", "wb")
    monkeypatch.setattr(downloader, "open", lambda *_: full(), raising=False)
    with pytest.raises(SefaError, match="the disk is full"):
        bring(web, folder)
    assert_nothing_kept(folder)


def test_signatures_in_addresses_are_not_shown(web: Server, folder: Path) -> None:
    web.pages["/m.pt"] = Page(redirect="/store?signature=secret")
    web.pages["/store?signature=secret"] = Page(b"<html>", "text/html")
    with pytest.raises(SefaError, match="/store answered") as caught:
        bring(web, folder)
    assert "secret" not in str(caught.value)


def test_the_token_goes_to_the_hub_and_nowhere_else(
    web: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", web.url(""))
    monkeypatch.setenv("HF_TOKEN", "secret")
    web.pages["/a/b/resolve/v1/m.pt"] = Page(redirect=web.url("/store", host="localhost"))
    web.pages["/store"] = Page(MODEL)
    assert fetch("hf:a/b/m.pt@v1", folder, "m.pt", FACTS).read_bytes() == MODEL
    tokens = {path: headers.get("Authorization") for path, headers in web.asked}
    assert tokens == {"/a/b/resolve/v1/m.pt": "Bearer secret", "/store": None}
    web.pages["/m.pt"] = Page(MODEL)
    bring(web, folder / "plain")
    assert "Authorization" not in web.asked[-1][1]
