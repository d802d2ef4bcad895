"""The memory of the studio's process: pages that were closed leave nothing behind."""

from functools import partial
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import Page

from tests.helpers.chromium import NewPage
from tests.helpers.visiting import Serve, asked, opened, until

TOGETHER = 3  # pages at once
ROUNDS = 3


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


def visit(address: str, stranger: Page, pages: list[Page]) -> None:
    """Open pages, close them, and wait until the studio has let go of them."""
    for page in pages:
        opened(page, address)
    pictures = [urljoin(p.url, p.locator(".canvas img").get_attribute("src")) for p in pages]
    for page in pages:
        page.context.close()
    for picture in pictures:
        until(partial(gone, stranger, picture), seconds=20)


def gone(stranger: Page, picture: str) -> bool:
    """Whether a page's picture can no longer be fetched."""
    return asked(stranger, picture).status == 404


def test_memory_after_many_pages_is_that_after_one(
    serve: Serve, default_model: Path, new_page: NewPage
) -> None:
    """Each page once kept 385 MB for ever."""
    address, stranger = serve(str(default_model)), new_page()
    visit(address, stranger, [new_page() for _ in range(TOGETHER)])
    first = resident()  # with what three pages at once need, and the allocator keeps
    for _ in range(ROUNDS):
        visit(address, stranger, [new_page() for _ in range(TOGETHER)])
    assert resident() - first < 150
