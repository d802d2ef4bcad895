"""The folder of a report: what may be in it, so that nothing else is ever replaced."""

import os
import re
from pathlib import Path

from sefa_cli.errors import SefaError, UsageError
from sefa_cli.files import check_suffix, check_writable, is_folder
from sefa_cli.scratch import is_scratch

PAGE = "index.html"
PICTURES = "pictures"
_OURS = re.compile(
    r"k\d+|(k\d+/)?(seed|code)\d{4,}(_[\w.+-]+)?\.png|region(_seed\d{4,})?\.png"
    r"|(photo|found|difference)\d{4,}\.png"
)


def check_report_folder(path: Path | str, overwrite: bool = False) -> Path:
    """Check that `write_report` can write to `path`, and return the folder.

    It may be new (in an existing folder) or empty; with `overwrite` it may hold a report, and
    only a report. Raises UsageError or SefaError.
    """
    folder = Path(path)
    if str(path) == "-":
        raise UsageError("cannot write a report to stdout", "a folder, such as report/")
    if not is_folder(folder):
        check_suffix(folder, (), "a folder, such as report/")
    if folder.is_file():
        raise SefaError(f"{folder} is a file", "a folder", "Choose another name.")
    if not folder.is_dir():
        check_writable(folder)
        return folder
    check_writable(folder / PAGE, overwrite=True)
    there = [entry.name for entry in folder.iterdir() if not is_scratch(entry.name)]
    if there and not overwrite:
        raise SefaError(f"{folder} already exists", remedy="Use overwrite=True to replace it.")
    strange = [name for name in there if name not in (PAGE, PICTURES)]
    for place, folders, files in os.walk(folder / PICTURES):  # rglob keeps all paths in memory
        inner = place.removeprefix(str(folder / PICTURES)).lstrip(os.sep)
        names = (os.path.join(inner, name) for name in (*folders, *files))  # noqa: PTH118
        strange += [f"{PICTURES}/{name}" for name in names if not _is_ours(name)]
    if strange:
        raise SefaError(
            f"the folder {folder} holds {min(strange)}",
            "only a report, because all of it would be replaced",
            "Choose another folder.",
        )
    return folder


def _is_ours(name: str) -> bool:
    return _OURS.fullmatch(name) is not None or is_scratch(Path(name).name)
