"""The studio's address, and the requests that it accepts."""

import asyncio
import socket
from typing import Any

import pytest

from sefa_cli.errors import SefaError, UsageError
from sefa_cli.studio.server import PORT, Gate, address, bind


def test_a_port_that_is_taken_is_named() -> None:
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(SefaError, match=f"port {port} of 127.0.0.1 is taken.*--port"):
            bind("127.0.0.1", port)


def test_the_next_free_port() -> None:
    with bind("127.0.0.1", None) as one, bind("127.0.0.1", None) as other:
        first, second = one.getsockname()[1], other.getsockname()[1]
        assert PORT <= first < second < PORT + 20


def test_a_request_without_a_cookie_has_no_token() -> None:
    """Not even an empty one, and a token of any letters survives the address."""
    assert asked("")[0] != "passed"
    with bind("127.0.0.1", 0) as listener:
        assert address(listener, "a&b+c").endswith("/?token=a%26b%2Bc")


def test_a_host_must_be_this_machine() -> None:
    with pytest.raises(UsageError, match=r"192\.0\.2\.1 is not an address of this machine"):
        bind("192.0.2.1", 0)
    with pytest.raises(UsageError, match="not an address"):
        bind("nowhere.invalid", 0)


def test_addresses() -> None:
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert address(listener, "ab") == f"http://127.0.0.1:{port}/?token=ab"
    with bind("0.0.0.0", 0) as listener:
        assert address(listener, None).startswith(f"http://{socket.gethostname()}:")


def asked(
    token: str | None, kind: str = "http", query: str = "", path: str = "/", **headers: str
) -> list[Any]:
    """Send a request through the gate; return the answer, ["passed"] if it reaches the page."""
    sent: list[Any] = []

    async def page(scope: Any, receive: Any, send: Any) -> None:
        sent.append("passed")

    async def receive() -> Any:
        raise AssertionError("the gate reads nothing")

    async def send(message: Any) -> None:
        sent.append(message)

    given = {"host": "127.0.0.1:8642", **headers}
    scope: dict[str, Any] = {
        "type": kind,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    asyncio.run(Gate(page, token)(scope, receive, send))
    return sent


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_without_a_token_only_own_pages_pass(kind: str) -> None:
    assert asked(None, kind) == ["passed"]
    assert asked(None, kind, host="localhost:1", origin="http://localhost:1") == ["passed"]
    for headers in (
        {"host": "attacker.example"},  # a foreign name that resolves to this machine
        {"origin": "http://attacker.example"},  # a page of another site
        {"origin": "http://127.0.0.1:9"},  # another server on this machine
        {"host": ""},
    ):
        assert refused(asked(None, kind, **headers))


def refused(sent: list[Any]) -> bool:
    """Whether the gate refused the request."""
    return sent[0] == {"type": "websocket.close", "code": 1008} or sent[0].get("status") == 403


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_only_the_token_opens(kind: str) -> None:
    host = {"host": "somewhere:80"}
    assert refused(asked("right", kind, **host))
    assert refused(asked("right", kind, "token=wrong", **host))
    assert refused(asked("right", kind, cookie="sefa-token=wrong", **host))
    assert refused(asked("right", kind, "token=", cookie="sefa-token=", **host))
    assert asked("right", kind, path="/x", cookie="a=b; sefa-token=right", **host) == ["passed"]
    assert refused(asked("right", kind, cookie="sefa-token=right", origin="http://x", **host))


def test_the_token_moves_from_the_address_to_a_cookie() -> None:
    start, _ = asked("right", query="token=right")
    assert start["status"] == 303 and (b"location", b"/") in start["headers"]
    (cookie,) = [value for name, value in start["headers"] if name == b"set-cookie"]
    assert b"sefa-token=right" in cookie and b"HttpOnly" in cookie and b"SameSite=Strict" in cookie
