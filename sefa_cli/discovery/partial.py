"""The partial file of an interrupted search, kept next to the output until all is done."""

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.canonical import canonical_json, read_json
from sefa_cli.errors import SefaError
from sefa_cli.files import open_atomically
from sefa_cli.interchange.containers import BROKEN

if TYPE_CHECKING:
    from sefa_cli.discovery.jacobian import Begun

MOST_BEGUN = 1 << 30  # bytes of an unfinished picture that are worth keeping

_WHOLE, _BEGUN, _TEXTS = "whole", "begun", ("key", "task")


def partial_path(output: Path | str) -> Path:
    """Return the path of the partial file for `output`: `OUT.dirs.partial`."""
    output = Path(output)
    return output.with_name(output.name + ".partial")


def check_resumable(path: Path) -> None:
    """Raise SefaError for a partial file that is not there or cannot be read."""
    _told(path, "key")


def _told(path: Path, name: str) -> str:
    """Return one of `_TEXTS`. Raises SefaError, also for a task that an older version left out."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return str(archive[name])
    except FileNotFoundError:
        raise SefaError(
            f"{path} does not exist: nothing can be resumed", remedy="Leave out resume=True."
        ) from None
    except BROKEN as error:
        raise _unread(path) from error


def _unread(path: Path) -> SefaError:
    return SefaError(
        f"cannot read {path}",
        "what an interrupted run left",
        "Remove it, and leave out resume=True.",
    )


class Partial:
    """`OUT.dirs.partial`: the arrays of finished stages, and of the one in progress.

    Stages have names: "grams 0-4", or for a large latent "sketch" and "residuals 0" ….
    """

    def __init__(self, path: Path, task: Mapping[str, Any]) -> None:
        """Take `task`: everything that changes the numbers, as JSON."""
        self.path, self._task = path, canonical_json(task)
        self.key = hashlib.sha256(self._task.encode()).hexdigest()
        self._arrays: dict[str, NDArray[np.floating]] = {}
        self._is_ours = False  # whether the file on disk is of this search

    @property
    def written(self) -> bool:
        """Whether the file holds anything of this search."""
        return self._is_ours and self.path.exists()

    def is_of_this_search(self) -> bool:
        """Whether the file can be read, and is of this search."""
        try:
            return _told(self.path, "key") == self.key
        except SefaError:
            return False

    def read(self) -> None:
        """Take over what is there. Raises SefaError if it is another search's or unreadable."""
        if _told(self.path, "key") != self.key:
            raise SefaError(
                f"{self.path} belongs to a search with other options{self._differences()}",
                "the same model and options",
                "Repeat them, or leave out resume=True.",
            )
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                self._arrays = {name: archive[name] for name in archive if name not in _TEXTS}
        except BROKEN as error:
            raise _unread(self.path) from error
        self._is_ours = True

    def _differences(self) -> str:
        """Name our options that the file's search has not, such as ` (seeds, tau)`, or nothing."""
        try:
            text = _told(self.path, "task").encode(errors="replace")
            theirs = read_json(text, "task")
        except SefaError:  # an older version kept none
            return ""
        if not isinstance(theirs, dict):
            return ""
        ours = json.loads(self._task)  # only these names are shown: a file may hold any
        names = {name.removesuffix("_digest") for name in ours if ours[name] != theirs.get(name)}
        return f" ({', '.join(sorted(names))})" if names else ""

    def found(self, stage: str, number: int) -> list[NDArray[np.floating]] | None:
        """Return the arrays of a finished stage of a picture; None if it is not finished."""
        prefix = f"{_WHOLE}/{stage}/{number}/"
        names = [name for name in self._arrays if name.startswith(prefix)]
        return [self._arrays[f"{prefix}{i}"] for i in range(len(names))] or None

    def begun(self, stage: str, number: int) -> "Begun":
        """Return the rows of a stage that was in progress."""
        from sefa_cli.discovery.jacobian import Begun

        return Begun(self._arrays.get(f"{_BEGUN}/{stage}/{number}"))

    def keep(self, stage: str, number: int, arrays: Sequence[NDArray[np.floating]]) -> None:
        """Add a finished stage and write the file again."""
        self._arrays.pop(f"{_BEGUN}/{stage}/{number}", None)
        for i, array in enumerate(arrays):
            self._arrays[f"{_WHOLE}/{stage}/{number}/{i}"] = array
        self._write()

    def keep_begun(self, stage: str, number: int, begun: "Begun") -> None:
        """Add the rows of a stage in progress, unless there are none or they are too large."""
        if begun.rows is None or begun.rows.nbytes > MOST_BEGUN:
            return
        self._arrays[f"{_BEGUN}/{stage}/{number}"] = begun.rows.cpu().numpy()
        self._write()

    def remove(self) -> None:
        """Remove the file: all is done, also if it has to stay."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _write(self) -> None:
        with open_atomically(self.path, overwrite=True) as file:
            # mypy takes the arrays for `allow_pickle`, the one option that savez has.
            np.savez(file, key=self.key, task=self._task, **self._arrays)  # type: ignore[arg-type]
        self._is_ours = True
