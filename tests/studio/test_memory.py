"""The memory of the studio's process: pages that were closed leave nothing behind."""

import os
import re
import time
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import Page, expect

from tests.helpers.visiting import Serve, until

TOGETHER = 7  # tabs
ROUNDS = int(os.environ.get("SEFA_LOADS", "7")) // TOGETHER
MORE = 60  # MB; the same page at rest has 397 to 438


def resident() -> int:
    """The megabytes that the process of the studio, this test's child, has in memory."""
    (studio,) = (
        path.parent
        for path in Path("/proc").glob("[0-9]*/cwd")
        if path.readlink() == Path.cwd()
        and b"sefa_cli" in (path.parent / "cmdline").read_bytes().split(b"\0")
    )
    fields = dict(line.split(":", 1) for line in (studio / "status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) >> 10


def loaded(tab: Page, address: str) -> str:
    """Load the studio in a tab until it shows a face; the address of its picture."""
    tab.goto(address, timeout=60_000)
    image = tab.locator(".canvas img")
    expect(image).to_have_attribute("src", re.compile("^/picture"), timeout=60_000)
    return urljoin(tab.url, image.get_attribute("src"))


def test_memory_after_many_loads_is_that_after_one(
    serve: Serve, default_model: Path, page: Page
) -> None:
    """Each page once kept 385 MB for ever; then the C library kept what pages had used at most.

    SEFA_LOADS=49 takes two minutes and shows it for fifty loads.
    """
    address, tabs = serve(str(default_model)), [page.context.new_page() for _ in range(TOGETHER)]
    picture = loaded(tabs[0], address)
    tabs[0].goto("about:blank")
    until(lambda: page.request.get(picture).status == 404, seconds=30)
    time.sleep(1)  # then the memory goes back
    first = resident()
    for _ in range(ROUNDS):
        for tab in tabs:
            loaded(tab, address)
    for tab in tabs:
        tab.close()
    until(lambda: resident() - first < MORE, seconds=30)
