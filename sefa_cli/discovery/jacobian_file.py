"""Write the Jacobian itself to a file, for more than its Gram matrices."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sefa_cli.errors import SefaError, UsageError
from sefa_cli.files import check_writable, make_folder, temporary_beside

if TYPE_CHECKING:
    from torch import Tensor

Shape = tuple[int, int, int, int, int]  # pictures, dim, channels, height, width


def check_jacobian_file(path: Path | str, overwrite: bool) -> None:
    """Raise UsageError unless the name ends in .npy, SefaError if it cannot be written."""
    check_writable(path, overwrite, [".npy"])
    if Path(path).suffix != ".npy":
        raise UsageError(f"a Jacobian as {path}", "a name that ends in .npy")


def file_bytes(shape: Shape) -> int:
    """Return the size of the file in bytes, without its header of 128 bytes."""
    return 4 * prod(shape)


@contextmanager
def jacobian_file(
    path: Path | str, shape: Shape, overwrite: bool = False
) -> Iterator[Callable[[int, slice, "Tensor"], None]]:
    """Write a .npy file of float32 `(pictures, dim, C, H, W)`, whole or not at all.

    The function it yields takes a picture's place, a slice of the dimensions and their changes
    `(b, C, H, W)`. It keeps nothing in memory. Raises SefaError if the disk is too small.
    """
    wanted, free = file_bytes(shape), shutil.disk_usage(make_folder(Path(path).parent)).free
    if free < wanted:
        raise SefaError(
            f"the Jacobian takes {wanted / 1e9:.2f} GB, the disk has {free / 1e9:.2f} GB left",
            remedy="Take a smaller size, or write it elsewhere.",
        )
    with temporary_beside(path, overwrite) as temporary:
        array = np.lib.format.open_memmap(temporary, "w+", np.dtype(np.float32), shape)

        def put(picture: int, at: slice, changes: "Tensor") -> None:
            array[picture, at] = changes.float().cpu().numpy()

        yield put
        array.flush()
