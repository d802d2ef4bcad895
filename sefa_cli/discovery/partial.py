"""The partial file of an interrupted search, kept next to the output until all is done."""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.canonical import canonical_json, read_json
from sefa_cli.errors import SefaError
from sefa_cli.file_kinds import LEFT, why_not
from sefa_cli.files import open_atomically
from sefa_cli.interchange.containers import BROKEN
from sefa_cli.parts import SUFFIX
from sefa_cli.ranges import format_range
from sefa_cli.sealed import read_sealed, save_sealed

if TYPE_CHECKING:
    from sefa_cli.discovery.jacobian import Begun

MOST_BEGUN = 1 << 30  # bytes of an unfinished picture that are worth keeping

_PLAIN = re.compile(r"[\w.,:+ -]{1,30}", re.ASCII)

# Arguments whose names are not those in a task.
_ARGUMENTS = {
    "trunc": "truncation", "class": "label", "codes_digest": "codes", "companions": "alone",
    "few_passes": "exact_gram", "tau_auto": "tau", "layers_auto": "layers", "begin": "loss",
    "region": "the region", "region_digest": "the region", "background_digest": "background",
    "weights": "the model", "model": "the model",
}  # fmt: skip
_SETTLED = {"companions", "few_passes", "tau_auto", "layers_auto", "begin"}  # no value of a user
_FOLLOWING = {  # what these others settle too is not named beside them
    "alone": {"exact_gram", "per_seed", "seeds", "codes"},
    "exact_gram": {"method", "num", "sketch", "space"},
}

_WHOLE, _BEGUN, _TEXTS = "whole", "begun", ("key", "task")


def partial_path(output: Path | str) -> Path:
    """Return the path of the partial file for `output`: `OUT.dirs.partial`."""
    output = Path(output)
    return output.with_name(output.name + ".partial")


def check_resumable(path: Path) -> None:
    """Raise SefaError for a partial file that is not there or cannot be read."""
    _told(path, "key")


def check_not_kept(written: Path, others: Iterable[Path] = (), resumes: bool = True) -> None:
    """Refuse an output with a partial file: a new run would write over the work that it keeps.

    `others` are written too when it is done.
    """
    path = partial_path(written)
    if os.path.lexists(path):  # where nobody may look, the refusal to write says it
        # A share that is done is left alone by resume=True.
        there = written.suffix != SUFFIX and any(path.exists() for path in (written, *others))
        also = " and overwrite=True" * there
        go_on = f"Go on with resume=True{also}, or start again" if resumes else "Start again"
        raise SefaError(
            f"{path} is there from an interrupted run",
            remedy=f"{go_on} with overwrite=True.",
        )


def _told(path: Path, name: str) -> str:
    """Return one of `_TEXTS`. Raises SefaError, also for a task that an older version left out."""
    try:
        return str(read_sealed(path, [name])[name])
    except FileNotFoundError:
        raise SefaError(
            f"{path} does not exist: nothing can be resumed", remedy="Leave out resume=True."
        ) from None
    except BROKEN as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> SefaError:
    if isinstance(error, OSError) and error.errno:  # the disk's fault, not the file's
        return why_not(path, error, "read")
    return SefaError(
        f"{path} is damaged",
        LEFT,
        "Remove it, and leave out resume=True.",
    )


def _told_apart(theirs: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    """Return the options that differ, as arguments of Python, with what they were and are."""
    found: dict[str, str] = {}
    for name in sorted({*ours, *_ARGUMENTS}):  # only these are shown: a file may hold any name
        then, now = _chosen(name, theirs), _chosen(name, ours)
        argument = _ARGUMENTS.get(name, name)
        if then != now and not found.get(argument):
            no = "no" if then is True or now is True else "not given"
            values = [no if one is None else _short(one) for one in (then, now)]
            told = all(values) and name not in _SETTLED
            found[argument] = f": {values[0]} then, {values[1]} now" if told else ""
    for name, others in _FOLLOWING.items():
        if others & found.keys():
            found.pop(name, None)
    return [name + text for name, text in sorted(found.items())]


def _chosen(name: str, task: dict[str, Any]) -> Any:
    """Return what the user chose, or None; pictures that join are not among the seeds."""
    value, beside = task.get(name), task.get("companions")
    if name == "seeds" and isinstance(value, list) and isinstance(beside, list):
        value = [seed for seed in value if seed not in beside]
    return None if value is False else value


def _short(value: Any) -> str:
    """Return a value if it is short and plain, else nothing: it may come from a damaged file."""
    if value is True:
        return "yes"
    if isinstance(value, list):
        plain = value and all(type(n) is int and 0 <= n < 1 << 32 for n in value)
        value = format_range(value) if plain else ""
    text = str(value) if isinstance(value, str | int | float) else ""
    return text if _PLAIN.fullmatch(text) else ""


class Partial:
    """`OUT.dirs.partial`: the arrays of finished stages, and of the one in progress.

    Stages have names: "grams 0-4", or for a large latent "sketch" and "turn 0" ….
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
                "Repeat them, or start again with overwrite=True in place of resume=True.",
            )
        try:
            arrays = read_sealed(self.path)
        except BROKEN as error:
            raise _damaged(self.path, error) from error
        self._arrays = {name: arrays[name] for name in arrays if name not in _TEXTS}
        self._is_ours = True

    def _differences(self) -> str:
        """Name options that differ, such as ` (num: 6 then, 8 now; the model)`, or nothing."""
        try:
            text = _told(self.path, "task").encode(errors="replace")
            theirs = read_json(text, "task")
        except SefaError:  # an older version kept none
            return ""
        if not isinstance(theirs, dict):
            return ""
        told = _told_apart(theirs, json.loads(self._task))
        return f" ({'; '.join(told)})" if told else ""

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
            save_sealed(file, {"key": self.key, "task": self._task, **self._arrays})
        self._is_ours = True
