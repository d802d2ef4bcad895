"""The studio's address, and the requests that it accepts."""

import asyncio
import json
import os
import socket
from typing import Any
from urllib.request import urlopen

import pytest

from sefa_cli.errors import SefaError, UsageError
from sefa_cli.studio import server
from sefa_cli.studio.server import PORT, Gate, address, bind
from tests.helpers import Sefa


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
    token: str | None,
    kind: str = "http",
    query: str = "",
    path: str = "/",
    answer: bool = False,
    headers: dict[str, str] | None = None,
) -> list[Any]:
    """Send a request through the gate; return the answer, ["passed"] if it reaches the page."""
    sent: list[Any] = []

    async def page(scope: Any, receive: Any, send: Any) -> None:
        if answer:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        else:
            sent.append("passed")

    async def receive() -> Any:
        raise AssertionError("the gate reads nothing")

    async def send(message: Any) -> None:
        sent.append(message)

    given = {"host": "127.0.0.1:8642", **(headers or {})}
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
    assert asked(None, kind, headers={"host": "localhost:1", "origin": "http://localhost:1"}) == [
        "passed"
    ]
    for headers in (
        {"host": "attacker.example"},  # a foreign name that resolves to this machine
        {"origin": "http://attacker.example"},  # a page of another site
        {"origin": "http://127.0.0.1:9"},  # another server on this machine
        {"host": ""},
        {"origin": "null"},  # a sandboxed frame on any site
        {"sec-fetch-site": "cross-site"},  # a link, a form or a picture on another site
    ):
        assert refused(asked(None, kind, headers=headers))


def test_a_path_with_a_null_byte_goes_no_further() -> None:
    assert refused(asked(None, path="/_nicegui/esm/\0/etc/passwd"))


def refused(sent: list[Any]) -> bool:
    """Whether the gate refused the request."""
    return sent[0] == {"type": "websocket.close", "code": 1008} or sent[0].get("status") == 403


def cookie(token: str) -> dict[str, str]:
    return {"cookie": f"a=b; sefa-token={token}"}


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_only_the_token_opens(kind: str) -> None:
    host = {"host": "somewhere:80"}
    assert refused(asked("right", kind, headers=host))
    assert refused(asked("right", kind, "token=wrong", headers=host))
    assert refused(asked("right", kind, headers={**host, **cookie("wrong")}))
    assert refused(asked("right", kind, "token=", headers={**host, **cookie("")}))
    assert asked("right", kind, path="/x", headers={**host, **cookie("right")}) == ["passed"]
    for origin in ("http://x", "null"):
        assert refused(asked("right", kind, headers={**host, **cookie("right"), "origin": origin}))


def test_the_token_moves_from_the_address_to_a_cookie() -> None:
    start, page = asked("right", query="token=right")
    assert start["status"] == 200 and b'http-equiv=refresh content="0;url=/"' in page["body"]
    (given,) = [value for name, value in start["headers"] if name == b"set-cookie"]
    assert b"sefa-token=right" in given and b"HttpOnly" in given and b"SameSite=Strict" in given


@pytest.mark.parametrize("token", [None, "right"])
@pytest.mark.parametrize("given", ["", "token=right"])
def test_every_answer_forbids_frames_and_guesses(token: str | None, given: str) -> None:
    """The page's own answers, a refusal, and the page that sets the cookie."""
    (start,) = (m for m in asked(token, query=given, answer=True) if "status" in m)
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_a_page_is_not_cut_off_while_the_studio_is_busy(tiny: str) -> None:
    """It was after 2 s: ten pages at once were, while the first of them opened the model."""
    with urlopen(f"{tiny}_nicegui_ws/socket.io/?EIO=4&transport=polling") as answer:
        told = json.loads(answer.read()[1:])
    assert told["pingTimeout"] == 1000 * server.PATIENCE >= 20_000


def test_idle_threads_of_torch_sleep(monkeypatch: pytest.MonkeyPatch, sefa: Sefa) -> None:
    """Threads that spin while they wait once took the cores from the browser."""
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")  # so that it is put back
    monkeypatch.setattr(server, "serve", lambda *_: None)
    assert sefa("studio", "--no-open", "--port", "0").exit_code == 0
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"  # a user's own word counts
    monkeypatch.delenv("OMP_WAIT_POLICY")
    assert sefa("studio", "--no-open", "--port", "0").exit_code == 0
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
