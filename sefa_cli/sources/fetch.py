"""One file from the web into the cache: resumed, measured, and never kept if it is not it."""

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sefa_cli.errors import SefaError
from sefa_cli.files import why_not
from sefa_cli.sources.references import file_name, host_of, shown, web_address
from sefa_cli.sources.store import Facts, measure, stamp_files, stamp_of

if TYPE_CHECKING:
    from sefa_cli.sources.downloader import ResumingDownloader

Report = Callable[[int, int | None], None]  # bytes so far, bytes in all if known

logger = logging.getLogger(__name__)


def fetch(
    ref: str,
    folder: Path,
    name: str,
    facts: Facts = Facts(),
    *,
    stall: float = 30.0,
    tries: int = 5,
    pause: float = 1.0,
) -> Path:
    """Bring the file behind an `https:` or `hf:` reference to `folder/name`, stamped.

    `stall` is how many seconds may pass without a byte, `pause` the first wait between the
    `tries`. Raises OfflineError where nobody answers, SefaError where it is not the file.
    """
    from sefa_cli.sources.downloader import ResumingDownloader

    address, target = web_address(ref), folder / name
    token = os.environ.get("HF_TOKEN") if ref.startswith("hf:") else None
    logger.info("fetching %s from %s", name, host_of(address))
    with progress_line(name) as report:
        downloader = ResumingDownloader(
            target.with_name(name + ".part"), facts, token, stall, tries, pause, report
        )
        try:
            measured = _retrieve(address, target, facts, downloader)
            stamp_files(folder, {name: stamp_of(target, measured)})
        except OSError as error:
            raise why_not(target, error) from error
    if facts.digits is None:
        logger.warning(
            "nobody has stated a SHA-256 for %s; the file that came has %s",
            file_name(ref), measured.sha256,
        )  # fmt: skip
    return target


def _retrieve(address: str, target: Path, facts: Facts, downloader: "ResumingDownloader") -> Facts:
    """Through pooch; a resumed file that is wrong is fetched once more from the beginning."""
    import pooch

    known_hash = f"sha256:{facts.sha256}" if facts.sha256 else None
    if known_hash is None:
        target.unlink(missing_ok=True)  # pooch would take what lies there for the file
    for _ in range(2):
        try:
            with _hushed(pooch.get_logger()):
                pooch.retrieve(address, known_hash, target.name, target.parent, None, downloader)
            measured = measure(target)
            if facts.fit(measured):
                return measured
            target.unlink()  # pooch knows of whole checksums only
        except ValueError:  # pooch's word for a wrong checksum; the file is gone by now
            pass
        if not downloader.resumed:
            break
        downloader.resumed = False
    raise SefaError(
        f"what {shown(address)} sent does not have the SHA-256 that is known for it",
        facts.digits or "",
        "It was changed or damaged and is not kept.",
    )


@contextlib.contextmanager
def _hushed(log: logging.Logger) -> Iterator[None]:
    """pooch tells of every download on stderr; here the progress line does."""
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


@contextlib.contextmanager
def progress_line(name: str) -> Iterator[Report]:
    """A bar on stderr where that is a terminal and warnings are wanted; else nothing."""
    if not sys.stderr.isatty() or not logger.isEnabledFor(logging.WARNING):
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    columns = ("{task.description}", BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
