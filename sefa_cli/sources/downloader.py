"""Download over bad networks: stalls end, failed attempts repeat, broken ones resume.

The bytes gather in a `.part` file that outlives the process, so the next run goes on where this
one stopped. requests does the rest: redirects, proxies, certificates, framing.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from urllib.parse import urljoin

import requests
from requests.exceptions import (
    ChunkedEncodingError,
    ConnectionError,
    ContentDecodingError,
    RequestException,
    SSLError,
    Timeout,
)

from sefa_cli.errors import OfflineError, SefaError
from sefa_cli.file_kinds import why_not
from sefa_cli.sources.references import check_address, host_of, is_commit, shown
from sefa_cli.sources.store import Facts, is_page

_CHUNK = 1 << 16  # what a broken connection may cost
_PROGRESS = 1 << 20  # an attempt that brings more than this resets the count of failures
_TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}


class _BrokenError(Exception):
    """This attempt failed; the next one may not."""


class _UnreachableError(_BrokenError):
    """No connection could be made."""


class _Session(requests.Session):
    """Follow redirects, but never from https: down to plain http:."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target:
            check_address(urljoin(resp.url, target))
        return target


@dataclass
class Download:
    """The bytes behind an address, on their way into the file `part`."""

    address: str
    part: Path  # where the bytes gather
    facts: Facts
    token: str | None = None  # for hosts that ask who is there
    stall: float = 30.0  # seconds without a byte before an attempt is given up
    tries: int = 5  # failures in a row without progress
    pause: float = 1.0  # seconds before the second attempt; doubles each time
    report: Callable[[int, int | None], None] = lambda done, total: None
    resumed: bool = field(default=False, init=False)  # whether bytes of an earlier answer were kept
    commit: str | None = field(default=None, init=False)  # that the hub answered from

    def run(self) -> None:
        """Complete `part`, in as many attempts as it takes.

        Raises OfflineError if no server answers, SefaError if the answer is not the file.
        """
        failures, reached, self.resumed = 0, False, False
        with _Session() as session:
            while True:
                before = self._size()
                try:
                    self._attempt(session)
                    return
                except _BrokenError as failure:
                    reached = reached or not isinstance(failure, _UnreachableError)
                    failures = 1 if self._size() - before > _PROGRESS else failures + 1
                    if failures >= (self.tries if reached else 2):
                        raise self._given_up(failure) from None
                time.sleep(min(self.pause * 2 ** (failures - 1), 10.0))

    def _given_up(self, failure: _BrokenError) -> SefaError:
        if isinstance(failure, _UnreachableError):
            return OfflineError(str(failure))
        return SefaError(
            f"fetching {shown(self.address)} failed repeatedly: {failure}",
            remedy="Run the command again later: it resumes where it stopped.",
        )

    def forget(self) -> None:
        """Drop the bytes gathered so far."""
        self.part.unlink(missing_ok=True)
        self.forget_tag()

    def forget_tag(self) -> None:
        """Drop the server's tag: the bytes are complete."""
        self._tag_file.unlink(missing_ok=True)

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    @property
    def _tag_file(self) -> Path:
        return self.part.with_name(self.part.name + ".tag")

    def _attempt(self, session: _Session) -> None:
        offset, tag = self._gathered()
        if offset and offset == self.facts.size:
            self.resumed = True  # an earlier run ended just before the file got its name
            return
        with self._get(session, offset, tag) as response:
            if response.status_code == 416:
                self._check_whole(response, offset)
                return
            _check_status(response)
            self.commit = _commit_of(response)
            offset = self._start(response, offset, tag)
            chunks = self._chunks(response)
            head = next(chunks, b"")
            if not offset:
                _refuse_page(response, head)
            total = self._total(response)
            if not offset:
                self._begin(response)
            self.resumed |= offset > 0
            self._copy(response.url, chain([head], chunks), offset, total)

    def _gathered(self) -> tuple[int, str | None]:
        """Return the bytes that may be kept, and the server's tag for that version of the file.

        Without a tag they are kept only if a SHA-256 will tell a mixture from the file.
        """
        offset = self._size()
        try:
            tag = self._tag_file.read_text("utf-8") or None
        except (OSError, ValueError):
            tag = None
        trusted = (tag or self.facts.digits) and offset <= (self.facts.size or offset)
        return (offset, tag) if trusted else (0, None)

    def _get(self, session: _Session, offset: int, tag: str | None) -> requests.Response:
        headers = {"Accept-Encoding": "identity", "User-Agent": "sefa-cli"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        if offset and tag:
            headers["If-Range"] = tag
        host = host_of(self.address)
        try:
            return session.get(
                self.address,
                headers=headers,
                auth=_bearer(self.token) if self.token else None,
                stream=True,
                timeout=self.stall,
            )
        except SSLError as error:
            reason = f"the certificate of {host} was not accepted ({_cause(error)})"
            raise SefaError(reason, remedy="Check the clock and the network's proxy.") from None
        except ConnectionError as error:
            if error.args and hasattr(error.args[0], "reason"):  # no connection, says urllib3
                raise _UnreachableError(f"cannot reach {host} ({_cause(error)})") from None
            raise _BrokenError("the server hung up without an answer") from None
        except Timeout:
            raise _BrokenError(f"no answer within {self.stall:g} s") from None
        except RequestException as error:
            raise SefaError(f"cannot fetch {shown(self.address)}: {error}") from None

    def _check_whole(self, response: requests.Response, offset: int) -> None:
        """Check that the file is complete when the server has nothing after `offset`."""
        if response.headers.get("Content-Range", "") != f"bytes */{offset}":
            self.forget()
            raise _BrokenError("the file on the server has changed since it was begun")
        self.resumed = True

    def _start(self, response: requests.Response, offset: int, tag: str | None) -> int:
        """Return where the answer begins: at `offset`, or at 0 if the server sends everything."""
        if response.status_code != 206:
            return 0
        begins = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
        if begins and int(begins[1]) == offset and tag in (None, _tag_of(response)):
            return offset
        self.forget()
        raise _BrokenError("the server resumed another file, or elsewhere")

    def _total(self, response: requests.Response) -> int | None:
        """Return the file's size as the server states it, checked against what is known."""
        headers = response.headers
        if response.status_code == 206:
            stated = headers["Content-Range"].rpartition("/")[2]
        else:
            stated = "" if "Content-Encoding" in headers else headers.get("Content-Length", "")
        total = int(stated) if stated.isdecimal() else None
        if total is not None and self.facts.size not in (None, total):
            self.forget()
            raise SefaError(
                f"{shown(response.url)} is {total:,} bytes long", f"{self.facts.size:,}",
                "Another file lies there now.",
            )  # fmt: skip
        told = total is not None or headers.get("Transfer-Encoding") == "chunked"
        if not told and self.facts == Facts():
            raise SefaError(
                f"{host_of(response.url)} does not say how long the file is, so that a truncated"
                " one could not be told from a whole one",
                remedy="Fetch it yourself and name the file.",
            )
        return total

    def _begin(self, response: requests.Response) -> None:
        self.forget()
        if tag := _tag_of(response):
            self._tag_file.write_text(tag, "utf-8")

    def _copy(self, url: str, chunks: Iterable[bytes], offset: int, total: int | None) -> None:
        done = offset
        length = total if total is not None else self.facts.size
        try:
            with open(self.part, "ab" if offset else "wb") as file:
                for chunk in chunks:
                    file.write(chunk)
                    done += len(chunk)
                    self.report(done, length)
                    if length is not None and done > length:
                        break
        except OSError as error:
            raise why_not(self.part, error) from error
        if total is not None and done < total:
            raise _BrokenError(f"the connection ended after {done:,} of {total:,} bytes")
        if done == 0 or (length is not None and done != length):
            self.forget()
            expected = "a model file" if length is None else f"{length:,}"
            raise SefaError(f"{shown(url)} sent {done:,} bytes", expected)

    def _chunks(self, response: requests.Response) -> Iterator[bytes]:
        try:
            yield from response.iter_content(_CHUNK)
        except (ConnectionError, Timeout, ChunkedEncodingError, ContentDecodingError) as error:
            if "timed out" in str(error).lower():
                raise _BrokenError(f"no byte came for {self.stall:g} s") from None
            raise _BrokenError("the connection broke off in the middle") from None


def _refuse_page(response: requests.Response, head: bytes) -> None:
    """Refuse login pages, quota notices and error JSON that come with status 200."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in ("text/html", "application/json") and not is_page(head):
        return
    title = re.search(rb"<title[^>]*>([^<]{1,100})", head, re.IGNORECASE)
    named = f" ({title[1].decode('utf-8', 'replace').strip()!r})" if title else ""
    raise SefaError(
        f"{shown(response.url)} answered with a page{named}, not with a model file",
        remedy="Open the address in a browser, fetch the file and name it.",
    )


def _bearer(token: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    """Add the token as `auth`, not as a header: requests drops that on a redirect elsewhere."""

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return sign


def _check_status(response: requests.Response) -> None:
    code = response.status_code
    if code in (200, 206):
        return
    answer = f"{host_of(response.url)} answered {code} {response.reason or ''}".rstrip()
    if code in _TRY_AGAIN:
        raise _BrokenError(answer)
    remedy = "Check the name."
    if code in (401, 403):
        remedy = "It may need a login: set HF_TOKEN, or fetch it yourself and name the file."
    raise SefaError(f"{answer} to {shown(response.url)}", "the file", remedy)


def _tag_of(response: requests.Response) -> str | None:
    """Return the tag for `If-Range`: a strong ETag, else the date of change."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified")


def _commit_of(response: requests.Response) -> str | None:
    """Return the commit that the hub names on the way to a file; storage elsewhere names none."""
    named = [one.headers.get("X-Repo-Commit") for one in (*response.history, response)]
    return next(filter(is_commit, named), None)


def _cause(error: RequestException) -> str:
    """Return the innermost reason of a long message of requests: `Connection refused`."""
    text = str(getattr(error.args[0] if error.args else error, "reason", error))
    system = re.search(r"\[Errno -?\d+\] ([^()\[\]'\"]+)", text)
    return (system[1] if system else text.rpartition(": ")[2]).strip()
