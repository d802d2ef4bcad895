"""A real Chromium for the tests of pages: fixtures, and what is said where there is none.

`SEFA_BROWSER=required` (as in `.ci/run`) makes a missing browser an error instead of a skip;
`SEFA_CHROMIUM` names one that is not on the path. Playwright drives it and downloads nothing.
"""

import ipaddress
import os
import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:  # every run of pytest reads this file, few need a browser
    from playwright.sync_api import Browser, BrowserContext, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
REMEDY = "install Debian's chromium, or name one by SEFA_CHROMIUM"
HERE_ONLY = "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, EXCLUDE ::1"

NewPage = Callable[..., "Page"]
_ran_in: list[str] = []  # the browser's version, once for every file of tests that used it


def find_chromium() -> str | None:
    """The path of a Chromium, or None."""
    names = [os.environ["SEFA_CHROMIUM"]] if "SEFA_CHROMIUM" in os.environ else NAMES
    return next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A headless Chromium that reaches nothing but this machine.

    One a file of tests, not one a session: Playwright keeps an event loop running in this thread,
    under which other files' `asyncio.run` would fail. It starts in half a second.
    """
    path = find_chromium()
    if path is None and os.environ.get("SEFA_BROWSER") == "required":
        pytest.fail(f"no Chromium was found, and SEFA_BROWSER=required: {REMEDY}", pytrace=False)
    if path is None:
        pytest.skip(f"no Chromium was found: {REMEDY}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", f"--host-resolver-rules={HERE_ONLY}"]
        )
        _ran_in.append(started.version)
        yield started
        started.close()


@pytest.fixture
def troubles() -> Iterator[list[str]]:
    """Console errors, exceptions and requests to elsewhere; a test that ends with any fails.

    A test that provokes one looks at it here and clears the list.
    """
    found: list[str] = []
    yield found
    assert not found, "the page is in trouble:\n" + "\n".join(found)


@pytest.fixture
def new_page(browser: "Browser", troubles: list[str]) -> Iterator[NewPage]:
    """Open a page in a context of its own, as another person would; takes `new_context`'s words."""
    contexts: list[BrowserContext] = []

    def opened(**options: Any) -> "Page":
        contexts.append(
            browser.new_context(**{"viewport": {"width": 1280, "height": 800}} | options)
        )
        page = contexts[-1].new_page()
        page.set_default_timeout(20_000)  # on two cores with ten others, a page loads in 10 s
        _watch(page, troubles)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: NewPage) -> "Page":
    """An empty page, 1280 × 800, light."""
    return new_page()


def _watch(page: "Page", troubles: list[str]) -> None:
    """Note what no page of ours may do."""

    def address(url: str) -> None:
        if not stays_here(url):
            troubles.append(f"a request leaves the machine: {url}")

    def heard(said: Any) -> None:
        if said.type == "error":
            troubles.append(said.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda request: address(request.url))
    page.on("websocket", lambda socket: address(socket.url))


def stays_here(url: str) -> bool:
    """Whether an address is in the page, on the disk, or served by this machine."""
    parts = urlsplit(url)
    if parts.scheme in ("data", "blob", "about"):
        return True
    host = parts.hostname or ""
    if parts.scheme == "file" or host == "localhost":
        return host in ("", "localhost")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line on where the pages were opened, or why not."""
    if _ran_in:
        terminalreporter.write_line(f"browser tests: ran in Chromium {_ran_in[0]}")
    elif find_chromium() is None:
        terminalreporter.write_line(f"browser tests: not run, no Chromium was found; {REMEDY}")
