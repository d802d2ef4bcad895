"""A film as a folder of PNG frames, `0000.png`, `0001.png` …: whole or not at all."""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from sefa_cli.errors import SefaError
from sefa_cli.files import check_writable, why_not
from sefa_cli.rendering.pictures import Picture, to_image

_FRAME = re.compile(r"\d{4,}\.png")


def check_frame_folder(path: Path, overwrite: bool = False) -> None:
    """Refuse a folder that holds something; with `overwrite`, one that holds more than frames."""
    if not path.is_dir():
        check_writable(path)
        return
    check_writable(path.parent / f".{path.name}-new", overwrite=True)
    names = [entry.name for entry in path.iterdir()]
    if names and not overwrite:
        raise SefaError(f"{path} exists", remedy="Name another folder or pass --overwrite.")
    if strange := sorted(name for name in names if not _FRAME.fullmatch(name)):
        raise SefaError(
            f"the folder {path} holds {strange[0]}",
            "nothing but frames, since all of it would be replaced",
            "Name another folder.",
        )


def write_frame_folder(
    path: Path, frames: Iterable[Picture], overwrite: bool = False, count: int = 0
) -> None:
    """Write each frame as a PNG; `count`, where it is known, sets the digits of the names."""
    digits = max(4, len(str(count - 1)))
    with _folder_beside(path, overwrite) as folder:
        for number, frame in enumerate(frames):
            to_image(frame).save(folder / f"{number:0{digits}d}.png")


@contextlib.contextmanager
def _folder_beside(path: Path, overwrite: bool) -> Iterator[Path]:
    """A temporary folder that takes the name of `path` when the block ends well, else goes."""
    check_frame_folder(path, overwrite)
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    except OSError as error:
        raise why_not(path, error) from error
    try:
        yield folder
        umask = os.umask(0)
        os.umask(umask)
        folder.chmod(0o777 & ~umask)  # mkdtemp makes folders private
        check_frame_folder(path, overwrite)  # rendering takes minutes: something may have come
        _take_name(folder, path)
    except OSError as error:
        raise why_not(path, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _take_name(folder: Path, path: Path) -> None:
    """Rename `folder` to `path`; frames that lie there are kept until the new ones do."""
    if not path.exists():
        folder.rename(path)
        return
    former = folder.with_name(f"{folder.name}-former")
    path.rename(former)
    try:
        folder.rename(path)
    except BaseException:
        former.rename(path)
        raise
    shutil.rmtree(former)
