"""A web server on this machine that misbehaves as asked, and stops by itself."""

import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LONGEST = 20.0  # seconds that a stalled answer may take; no test waits for it


@dataclass
class Page:
    """What lies at a path, and what goes wrong when it is asked for.

    The lists are used up one item for each request; when they are empty, all goes well.
    """

    body: bytes = b""
    kind: str = "application/octet-stream"
    status: int = 200
    redirect: str = ""
    etag: str = ""
    commit: str = ""  # as the hub names it
    ranges: bool = True  # whether Range is honored
    length: int | None = None  # Content-Length, where that is a lie
    framing: str = "length"  # or "chunked", or "none": the end of the connection is the end
    delay: float = 0.0  # seconds before the answer
    busy: list[int] = field(default_factory=list)  # status codes to answer first
    cut: list[int] = field(default_factory=list)  # hang up after so many bytes
    stall: list[int] = field(default_factory=list)  # fall silent after so many bytes
    resume_at: int | None = None  # answer a Range request from here, whatever was asked


class Server:
    """`with Server() as web: web.pages["/car.pt"] = Page(body)`; `web.asked` is what it heard."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.stopping = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self._http.server_port}{path}"

    def ranges(self) -> list[str | None]:
        """The Range header of every request so far."""
        return [headers.get("Range") for _, headers in self.asked]

    def __enter__(self) -> "Server":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            server.asked.append((self.path, dict(self.headers)))
            page = server.pages.get(self.path, Page(b"nothing here", "text/plain", 404))
            server.stopping.wait(page.delay)
            if page.busy:
                self.answer(Page(b"busy", status=page.busy.pop(0)), 0)
            elif page.redirect:
                self.send_response(302)
                if page.commit:
                    self.send_header("X-Repo-Commit", page.commit)
                self.send_header("Location", page.redirect)
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self.answer(page, self.wanted_start(page))

        def wanted_start(self, page: Page) -> int:
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            condition = self.headers.get("If-Range")
            if not asked or not page.ranges or condition not in (None, page.etag):
                return 0
            return int(asked[1]) if page.resume_at is None else page.resume_at

        def answer(self, page: Page, start: int) -> None:
            if start >= len(page.body) > 0:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(page.body)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = page.body[start:]
            self.send_response(206 if start else page.status)
            self.send_header("Content-Type", page.kind)
            if page.etag:
                self.send_header("ETag", page.etag)
            if page.commit:
                self.send_header("X-Repo-Commit", page.commit)
            if start:
                whole = len(page.body)
                self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
            if page.framing == "length":
                length = len(body) if page.length is None else page.length
                self.send_header("Content-Length", str(length))
            elif page.framing == "chunked":
                self.send_header("Transfer-Encoding", "chunked")
                body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
            self.end_headers()
            self.send_body(page, body)

        def end_headers(self) -> None:
            self.send_header("Connection", "close")  # or the client would ask on a closing one
            super().end_headers()

        def send_body(self, page: Page, body: bytes) -> None:
            try:
                if page.cut:
                    self.wfile.write(body[: page.cut.pop(0)])
                elif page.stall:
                    self.wfile.write(body[: page.stall.pop(0)])
                    self.wfile.flush()
                    server.stopping.wait(LONGEST)
                else:
                    self.wfile.write(body)
            except OSError:
                pass  # the client has seen enough

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
