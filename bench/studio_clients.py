"""Many people who move sliders of one studio at once: errors, memory, fairness.

    python bench/studio_clients.py             50 clients on mobilestylegan_ffhq for a minute
    python bench/studio_clients.py tiny.pth --clients 6 --seconds 5

The studio is a process of its own. Five clients at a time open its page. A client is a websocket
that says what the page says: it drags a slider for two seconds, 20 times a second, lets go, looks
for a second, and takes another one. It fetches every picture that it is shown. Ends with 1 if
anything was wrong.
"""

import argparse
import ast
import asyncio
import html
import json
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import socketio
from PIL import Image

MODEL = "mobilestylegan_ffhq"
DRAG, LOOK, EVERY = 2.0, 1.0, 0.05  # seconds; NiceGUI's sliders tell their place so often
GIVEN_BACK = 3.0  # seconds after the last page, when the studio has given memory back
AT_ONCE = 5  # pages that are being opened
LONGEST = 600.0  # seconds until all pages have their sliders, and until all are forgotten


@dataclass
class Client:
    """One page, as a browser has it: its elements, its pictures, and what went wrong."""

    address: str
    http: aiohttp.ClientSession
    wrong: list[str]
    elements: dict[str, dict[str, Any]] = field(default_factory=dict)
    pictures: list[tuple[float, int]] = field(default_factory=list)  # when, and pixels
    last: str = ""  # the address of the newest picture
    waits: list[float] = field(default_factory=list)  # from letting go to the whole picture
    _let_go: float = 0.0
    _busy: bool = False  # since it let go
    _next: int = 0
    _leaving: bool = False

    async def open(self) -> None:
        """Fetch the page, connect, and wait for its sliders and its first picture."""
        async with self.http.get(self.address) as answer:
            page = await answer.text()
            if answer.status != 200:
                raise RuntimeError(f"the page: {answer.status}")
        elements = re.search(r"parseElements\(String\.raw`(.*?)`\)", page, re.DOTALL)
        query = re.search(r"\n\s*query: (\{.*?\}),\n", page)
        assert elements and query, page
        self._take(json.loads(html.unescape(elements[1])))
        words = ast.literal_eval(html.unescape(query[1]))
        self._next, self._id = words["next_message_id"], words["client_id"]
        words |= {"document_id": uuid.uuid4(), "tab_id": uuid.uuid4(), "implicit_handshake": "true"}
        self._socket = socketio.AsyncClient(reconnection=False)
        self._socket.on("update", self._update)
        self._socket.on("run_javascript", self._run)
        self._socket.on("notify", lambda said: self.wrong.append(f"the page says: {said}"))
        self._socket.on("disconnect", self._lost)
        await self._socket.connect(
            f"{self.address}?{urlencode(words)}",
            socketio_path="/_nicegui_ws/socket.io",
            transports=["websocket"],
            wait_timeout=30,
        )
        end = time.monotonic() + LONGEST
        while not (self._sliders() and self.pictures):
            if time.monotonic() > end or not self._socket.connected:
                raise RuntimeError("a page never had sliders: " + "; ".join(set(self.wrong)))
            await asyncio.sleep(0.1)

    async def move(self, end: float, chosen: random.Random) -> None:
        """Drag one slider after the other until `end`."""
        while time.monotonic() < end and self._socket.connected:
            number = chosen.choice(self._sliders())
            props = self.elements[number]["props"]
            here, there = float(props["model-value"]), chosen.uniform(props["min"], props["max"])
            steps = round(DRAG / EVERY)
            for step in range(1, steps + 1):
                value = round(here + (there - here) * step / steps, 1)
                await self._say(number, "update:modelValue", value)
                await asyncio.sleep(EVERY)
            self._let_go, self._busy = time.monotonic(), False
            await self._say(number, "change", round(there, 1))
            await self._acknowledge()
            await asyncio.sleep(LOOK)

    async def close(self) -> None:
        self._leaving = True
        await self._socket.disconnect()

    def _sliders(self) -> list[str]:
        return [
            number for number, element in self.elements.items()
            if str(element.get("props", {}).get("aria-label", "")).startswith("direction ")
            and "model-value" in element["props"] and "max" in element["props"]
        ]  # fmt: skip

    async def _say(self, number: str, event: str, value: object) -> None:
        listeners = self.elements.get(number, {}).get("events", ())
        for listener in (one for one in listeners if one["type"] == event):
            message = {"id": int(number), "client_id": self._id, "args": [json.dumps(value)]}
            with suppress(socketio.exceptions.BadNamespaceError):  # `_lost` has said it
                await self._socket.emit(
                    "event", {**message, "listener_id": listener["listener_id"]}
                )

    async def _acknowledge(self) -> None:
        with suppress(socketio.exceptions.BadNamespaceError):
            await self._socket.emit("ack", {"client_id": self._id, "next_message_id": self._next})

    async def _update(self, message: dict[str, Any]) -> None:
        self._next = max(self._next, message.pop("_id") + 1)
        self._take(message)

    async def _run(self, message: dict[str, Any]) -> None:
        self._next = max(self._next, message.get("_id", 0) + 1)
        if shown := re.search(r'"show", \["(/picture/[^"]+)"\]', message["code"]):
            self._show(shown[1])

    def _show(self, source: str) -> None:
        if source != self.last:
            self.last = source
            self._fetching = asyncio.create_task(self._fetch(source))

    def _take(self, elements: dict[str, dict[str, Any] | None]) -> None:
        for number, element in elements.items():
            if element is None:
                self.elements.pop(number, None)
                continue
            self.elements[number] = element
            props = element.get("props", {})
            if props.get("role") == "alert" and element.get("text"):
                self.wrong.append(f"the page says: {element['text']}")
            source = str(props.get("src", ""))
            if source.startswith("/picture/"):
                self._show(source)
            if "aria-busy" in props and self._let_go:
                if self._busy and props["aria-busy"] == "false":
                    self.waits.append(time.monotonic() - self._let_go)
                    self._let_go = 0.0
                self._busy = props["aria-busy"] == "true"

    async def _fetch(self, source: str) -> None:
        status, data = 0, b""
        for _ in range(2):  # as browsers do: a kept connection may have been closed meanwhile
            with suppress(aiohttp.ClientError):
                async with self.http.get(self.address.rstrip("/") + source) as answer:
                    status, data = answer.status, await answer.read()
                    break
        if status != 200:
            self.wrong.append(f"{source}: {status}")
        else:
            self.pictures.append((time.monotonic(), Image.open(BytesIO(data)).width))

    def _lost(self, reason: str = "") -> None:
        if not self._leaving:
            self.wrong.append(f"a connection was lost: {reason}".rstrip(": "))


@dataclass
class Studio:
    """A studio as a process of its own."""

    process: subprocess.Popen[str]
    address: str
    peak: int = 0

    def memory(self) -> int:
        """Return the megabytes that it has in memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        size = int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) >> 10
        self.peak = max(self.peak, size)
        return size

    async def watch(self) -> None:
        while True:
            self.memory()
            await asyncio.sleep(0.2)


@contextmanager
def studio(model: str, wrong: list[str]) -> Iterator[Studio]:
    """Run `sefa studio`; note what it says on its way."""
    words = [sys.executable, "-m", "sefa_cli", "studio", model, "--no-open", "--port", "0"]
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=said, text=True)
        try:
            assert process.stdout is not None
            yield Studio(process, process.stdout.readline().strip())
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(30)
            said.seek(0)
            lines = [line for line in said if "Press Ctrl-C" not in line and "closed" not in line]
            wrong += [f"the studio ended with {code}"] * (code != 130)
            wrong += [f"the studio says: {line.strip()}" for line in lines]


async def visit(
    one: Studio, count: int, seconds: float, wrong: list[str]
) -> tuple[list[Client], float]:
    """Let clients come, move sliders and go: the clients, and the seconds until all could begin."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        clients = [Client(one.address, http, wrong) for _ in range(count)]
        came, door = time.monotonic(), asyncio.Semaphore(AT_ONCE)

        async def enter(client: Client) -> None:
            async with door:
                await client.open()

        await asyncio.gather(*map(enter, clients))
        for client in clients:
            client.pictures.clear()
        began = time.monotonic()
        moves = (c.move(began + seconds, random.Random(n)) for n, c in enumerate(clients))
        await asyncio.gather(*moves)
        sources = [client.last for client in clients]
        await asyncio.gather(*(client.close() for client in clients))
        end = time.monotonic() + LONGEST
        for source in sources:
            while True:
                async with http.get(one.address.rstrip("/") + source) as answer:
                    if answer.status == 404:
                        break
                if time.monotonic() > end:
                    wrong.append("a page was not forgotten")
                    break
                await asyncio.sleep(0.2)
    return clients, began - came


async def measure(model: str, count: int, seconds: float, rounds: int) -> list[str]:
    """Print a table; return what was wrong."""
    wrong: list[str] = []
    with studio(model, wrong) as one:
        await visit(one, 1, 1, wrong)
        print(f"{count} clients, {seconds:g} s; a single one before them: {one.memory()} MB;")
        print("pictures a client: fewest, median, most; whole: from letting go to it, median")
        print("round  all ready  peak MB  after MB  pictures a client  longest gap  whole  wrong")
        for turn in range(rounds):
            one.peak, before = 0, len(wrong)
            watching = asyncio.create_task(one.watch())
            clients, ready = await visit(one, count, seconds, wrong)
            watching.cancel()
            await asyncio.sleep(GIVEN_BACK)
            shown = sorted(len(client.pictures) for client in clients)
            median = statistics.median(shown)
            each = f"{shown[0]}, {median:g}, {shown[-1]}"
            gap = max((gap for client in clients for gap in _gaps(client)), default=seconds)
            wait = statistics.median([wait for client in clients for wait in client.waits] or [0])
            print(f"{turn + 1:<5}{ready:9.1f} s{one.peak:9}{one.memory():10}{each:>19}", end="")
            print(f"{gap:11.1f} s{wait:5.1f} s{len(wrong) - before:7}", flush=True)
            if shown[0] < median / 2:
                wrong.append(f"unfair: a client got {shown[0]} pictures, half of all {median:g}")
    return wrong


def _gaps(client: Client) -> Iterator[float]:
    return (later - earlier for (earlier, _), (later, _) in pairwise(client.pictures))


def main() -> int:
    """Measure, and say what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default=MODEL)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    wrong = asyncio.run(measure(asked.model, asked.clients, asked.seconds, asked.rounds))
    for line in sorted(set(wrong))[:20]:
        print(f"  {wrong.count(line)} x {line}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
