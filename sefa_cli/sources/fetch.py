"""Fetch one file from the web into the cache: resumed, measured, kept only if it is right."""

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from sefa_cli.errors import SefaError
from sefa_cli.file_kinds import why_not
from sefa_cli.scratch import sync
from sefa_cli.sources.references import at_commit, file_name, host_of, shown, web_address
from sefa_cli.sources.store import Facts, measure, stamp_files, stamp_of

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
    """Fetch the file behind an `https:` or `hf:` reference to `folder/name`, and stamp it.

    `stall` is how many seconds may pass without a byte, `pause` the first wait between the
    `tries`. A resumed file that is wrong is fetched once more from the beginning.
    Raises OfflineError if no server answers, SefaError if the answer is not the file.
    """
    from sefa_cli.sources.downloader import Download  # requests takes a tenth of a second

    address, target = web_address(ref), folder / name
    token = os.environ.get("HF_TOKEN") if ref.startswith("hf:") else None
    logger.info("fetching %s from %s", name, host_of(address))
    with progress_line(name) as report:
        part = target.with_name(name + ".part")
        download = Download(address, part, facts, token, stall, tries, pause, report)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            download.run()
            measured = measure(part)
            if download.resumed and not facts.fit(measured):  # the earlier bytes may be wrong
                download.forget()
                download.run()
                measured = measure(part)
            if not facts.fit(measured):
                download.forget()
                raise SefaError(
                    f"the file from {shown(address)} does not have the known SHA-256",
                    facts.digits or "",
                    "The file was changed or damaged, and is not kept.",
                )
            sync(part)
            download.forget_tag()
            part.replace(target)
            commit = (
                {"ref": at_commit(ref, download.commit)}
                if download.commit and ref.startswith("hf:")
                else {}
            )
            stamp_files(folder, {name: {**stamp_of(target, measured), **commit}})
        except OSError as error:
            raise why_not(target, error) from error
    if facts.digits is None:
        logger.warning(
            "no SHA-256 is known for %s; the fetched file has %s",
            file_name(ref), measured.sha256,
        )  # fmt: skip
    return target


@contextlib.contextmanager
def progress_line(name: str) -> Iterator[Report]:
    """Show a bar on stderr if that is a terminal and warnings are wanted."""
    if not sys.stderr.isatty() or not logger.isEnabledFor(logging.WARNING):
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    columns = ("{task.description}", BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
