"""A film as a folder of PNG frames, `0000.png`, `0001.png`, …, written whole or not at all."""

import re
from collections.abc import Iterable
from pathlib import Path

from sefa_cli.errors import SefaError
from sefa_cli.files import check_writable, folder_beside
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
        raise SefaError(f"{path} already exists", remedy="Use overwrite=True to replace it.")
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
    with folder_beside(path, lambda: check_frame_folder(path, overwrite)) as folder:
        for number, frame in enumerate(frames):
            (folder / f"{number:0{digits}d}.png").write_bytes(png(frame))
