"""A film as a folder of PNG frames, `0000.png`, `0001.png`, …, written whole or not at all."""

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from sefa_cli.errors import SefaError
from sefa_cli.files import check_writable, remove, scratch_beside, why_not
from sefa_cli.rendering.pictures import Picture, png

_FRAME = re.compile(r"\d{4,}\.png")


def check_frame_folder(path: Path, overwrite: bool = False) -> None:
    """Raise SefaError unless `path` is new or empty or, with `overwrite`, holds only frames."""
    if not path.is_dir():
        check_writable(path)
        return
    check_writable(path.parent / f".{path.name}-new", overwrite=True)
    names = [entry.name for entry in path.iterdir()]
    if names and not overwrite:
        raise SefaError(f"{path} already exists", remedy="Use --overwrite to replace it.")
    if strange := sorted(name for name in names if not _FRAME.fullmatch(name)):
        raise SefaError(
            f"the folder {path} holds {strange[0]}",
            "only frames, because all of it would be replaced",
            "Choose another folder.",
        )


def write_frame_folder(
    path: Path, frames: Iterable[Picture], overwrite: bool = False, count: int = 0
) -> None:
    """Write each frame as a PNG; `count`, if known, sets the number of digits in the names."""
    digits = max(4, len(str(count - 1)))
    with _folder_beside(path, overwrite) as folder:
        for number, frame in enumerate(frames):
            (folder / f"{number:0{digits}d}.png").write_bytes(png(frame))


@contextlib.contextmanager
def _folder_beside(path: Path, overwrite: bool) -> Iterator[Path]:
    """Yield a temporary folder that is renamed to `path` on success and removed on failure."""
    check_frame_folder(path, overwrite)
    with scratch_beside(path) as folder:
        try:
            folder.mkdir(0o700)
            yield folder
            umask = os.umask(0)
            os.umask(umask)
            folder.chmod(0o777 & ~umask)  # it was private while incomplete
            check_frame_folder(path, overwrite)  # something may have appeared while rendering
            _take_name(folder, path)
        except OSError as error:
            raise why_not(path, error) from error


def _take_name(folder: Path, path: Path) -> None:
    """Rename `folder` to `path`, and keep the frames there until that has succeeded."""
    if not path.exists():
        folder.rename(path)
        return
    former = folder.with_name(f"{folder.name}-former")
    try:
        path.rename(former)
        folder.rename(path)
        remove(former)
    except BaseException:
        if path.exists():
            remove(former)
        else:
            former.rename(path)
        raise
