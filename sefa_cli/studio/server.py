"""The studio's server: where it listens, who may use it, and how it ends."""

import errno
import hmac
import secrets
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

from sefa_cli import interrupts
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.sources.references import is_loopback

if TYPE_CHECKING:
    from types import FrameType

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sefa_cli.studio.studio import Studio

PORT = 8642  # the first port to try by default
PATIENCE = 20  # seconds for an answer: NiceGUI's 2 cut pages off while the first model was opened
_TRIES = 20
_COOKIE = "sefa-token"
# On every answer. NiceGUI compiles its page in the browser, from a script in the page.
_HEADERS = [
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
        b"style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; "
        b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]


def bind(host: str, port: int | None) -> socket.socket:
    """Return a socket that listens on `host`, at `port` or at the first free port from 8642 on.

    Raises SefaError if the port is taken, UsageError if `host` is not an address of this machine.
    """
    ports = range(PORT, PORT + _TRIES) if port is None else [port]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in ports:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, number))
            listener.listen(128)
        except OSError as error:
            listener.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise UsageError(f"{host} is not an address of this machine", "127.0.0.1") from None
            if error.errno == errno.EACCES or port is not None:
                why = "is taken" if error.errno == errno.EADDRINUSE else "needs more rights"
                raise SefaError(
                    f"port {number} of {host} {why}",
                    remedy="Choose another with --port, or leave it out to get a free one.",
                ) from None
        else:
            return listener
    raise SefaError(
        f"ports {ports[0]} to {ports[-1]} of {host} are taken", remedy="Choose one with --port."
    )


def new_token() -> str:
    """Return a token that nobody can guess."""
    return secrets.token_urlsafe(16)


class Gate:
    """Lets in requests that know the token, or, without a token, those of this machine's own pages.

    The token comes once in the address and then as a cookie. Without a token, the name in `Host`
    must be that of this machine. Pages of other sites, and frames without an origin, cannot drive
    the studio. Every answer forbids to be framed.
    """

    def __init__(self, app: "ASGIApp", token: str | None) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: "Message") -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        if "\0" in scope["path"] or not self._may(headers, query):
            await _refuse(scope, send_guarded)
        elif self._token is not None and "token" in query and scope["path"] == "/":
            await _welcome(send_guarded, self._token)
        else:
            await self._app(scope, receive, send_guarded)

    def _may(self, headers: dict[bytes, str], query: dict[str, list[str]]) -> bool:
        origin, host = headers.get(b"origin"), urlsplit(f"//{headers.get(b'host', '')}")
        if origin is not None and urlsplit(origin).netloc != host.netloc:
            return False  # also `null`, the origin of a sandboxed frame
        if headers.get(b"sec-fetch-site") == "cross-site" and "token" not in query:
            return False
        if self._token is None:
            return is_loopback(host.hostname or "")
        cookies = dict(
            part.strip().partition("=")[::2] for part in headers.get(b"cookie", "").split(";")
        )
        given = [*query.get("token", []), *([cookies[_COOKIE]] if _COOKIE in cookies else [])]
        return any(hmac.compare_digest(word.encode(), self._token.encode()) for word in given)


async def _refuse(scope: "Scope", send: "Send") -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    plain = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 403, "headers": plain})
    text = b"sefa studio: open the whole address that the terminal shows, with its token\n"
    await send({"type": "http.response.body", "body": text})


async def _welcome(send: "Send", token: str) -> None:
    """Set the token as a cookie, and go on to the address without it.

    A page does this, not a redirect: after a link on another site, browsers send no strict cookie
    along a redirect.
    """
    cookie = f"{_COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/"
    headers = [(b"content-type", b"text/html"), (b"set-cookie", cookie.encode("latin-1"))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    page = b'<!doctype html><title>sefa studio</title><meta http-equiv=refresh content="0;url=/">'
    await send({"type": "http.response.body", "body": page})


def address(listener: socket.socket, token: str | None) -> str:
    """Return the address to open in a browser."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(host, host)
    shown = f"[{shown}]" if ":" in shown else shown
    return f"http://{shown}:{port}/" + (f"?token={quote(token, safe='')}" if token else "")


def serve(
    listener: socket.socket, token: str | None, studio: "Studio", ready: Callable[[], object]
) -> None:
    """Serve the pages until an interrupt. Call `ready` once they can be opened."""
    import contextlib
    import warnings
    from collections.abc import AsyncIterator

    import uvicorn
    from fastapi import FastAPI
    from nicegui import core, ui

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: "FrameType | None") -> None:
            """End at once. To wait for work and for open connections takes seconds."""
            interrupts.end(sig, "The studio is closed.")

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        core.sio.eio.ping_timeout = PATIENCE
        ready()
        yield

    # NiceGUI looks at every object of the process to find its server, and torch warns about that.
    warnings.filterwarnings("ignore", category=FutureWarning, message=".*reduce_op.*")
    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    studio.add_routes(app)
    ui.run_with(
        app,
        title="sefa studio",
        favicon="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'>"
        "<circle cx='4' cy='4' r='3.4' fill='%233b6ea5'/></svg>",
        dark=None,
        language="en-US",
        tailwind=False,  # it would compile and watch every class of the page
        show_welcome_message=False,
        reconnect_timeout=3,
    )
    config = uvicorn.Config(Gate(app, token), log_level="error", access_log=False)
    Server(config).run(sockets=[listener])
