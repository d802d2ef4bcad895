"""Tests of the browser fixtures: they report trouble on a page, and a missing browser."""

import os
import subprocess
import sys

import pytest
from playwright.sync_api import Page

from tests.helpers.chromium import NewPage, stays_here
from tests.helpers.visiting import until


def test_a_page_opens(page: Page) -> None:
    page.goto("data:text/html,<h1>here</h1>")
    assert page.inner_text("h1") == "here"


@pytest.mark.parametrize(
    ("content", "said", "count"),  # the request, and its failure
    [
        ("<script>console.error('broken')</script>", "broken", 1),
        ("<script>throw new Error('thrown')</script>", "thrown", 1),
        ("<img src='https://example.org/a.png'>", "leaves the machine: https://example.org", 2),
        ("<img src='http://192.0.2.1/a.png'>", "leaves the machine: http://192.0.2.1", 2),
        ("<script>new WebSocket('ws://192.0.2.1/')</script>", "leaves the machine: ws:", 2),
    ],
)
def test_trouble_is_reported(
    page: Page, troubles: list[str], content: str, said: str, count: int
) -> None:
    page.goto(f"data:text/html,{content}")
    until(lambda: page.wait_for_timeout(20) or len(troubles) == count)
    assert said in "\n".join(troubles)
    troubles.clear()


def test_two_pages_share_nothing(new_page: NewPage) -> None:
    one, other = new_page(), new_page(color_scheme="dark")
    assert one.context is not other.context
    dark = "matchMedia('(prefers-color-scheme: dark)').matches"
    assert not one.evaluate(dark) and other.evaluate(dark)


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("file:///tmp/index.html", True),
        ("file://server/share/a.png", False),
        ("data:,x", True),
        ("blob:null/1", True),
        ("http://127.0.0.1:8080/", True),
        ("ws://localhost/socket", True),
        ("http://[::1]:1/", True),
        ("http://localhost.example.org/", False),
        ("https://10.0.0.1/", False),
    ],
)
def test_addresses_that_stay_on_this_machine(url: str, here: bool) -> None:
    assert stays_here(url) is here


@pytest.mark.parametrize(("asked", "outcome"), [("", "1 skipped"), ("required", "1 error")])
def test_without_a_browser(asked: str, outcome: str) -> None:
    command = [sys.executable, "-m", "pytest", f"{__file__}::test_a_page_opens", "-rs"]
    surroundings = {**os.environ, "SEFA_CHROMIUM": "/nowhere/chromium", "SEFA_BROWSER": asked}
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    assert outcome in done.stdout and (done.returncode != 0) == bool(asked), done.stdout
    assert "no Chromium was found" in done.stdout and "SEFA_CHROMIUM" in done.stdout
