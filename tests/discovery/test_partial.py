"""The partial file of a search: what is done stays done when the file cannot be removed."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from sefa_cli.commands.on_cluster import _removed
from sefa_cli.discovery.partial import Partial
from sefa_cli.errors import SefaError


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on no file can be removed: the disk became read-only."""

    def unlink(path: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "unlink", unlink)


def test_a_finished_search_succeeds_although_its_file_stays(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """`localize` and `invert` ended with a traceback, their output written."""
    partial = Partial(tmp_path / "x.dirs.partial", {"seeds": [0]})
    partial.keep("grams", 0, [np.zeros(3)])
    request.getfixturevalue("read_only")
    partial.remove()
    assert partial.path.exists()


def test_parts_that_cannot_be_removed_are_named(tmp_path: Path, read_only: None) -> None:
    said = [str(error) for error in _removed([tmp_path / "x.part", tmp_path / "y.part"])]
    for name in ("x.part", "y.part"):
        assert any(f"{name}: the file system is read-only" in text for text in said)


@pytest.mark.parametrize(
    "task",
    [None, "no JSON", "[1]", "3", '{"seeds": [0]}', '{"\\ud800": 1, "seeds": [0]}',
     '{"a\\u001b": "b", "seeds": [0]}', "\ud800"],
)  # fmt: skip
def test_a_file_that_does_not_tell_its_options_is_refused_all_the_same(
    tmp_path: Path, task: str | None
) -> None:
    """Older versions kept a key alone."""
    path = tmp_path / "x.dirs.partial"
    with open(path, "wb") as file:
        if task is None:
            np.savez(file, key="another")
        else:
            np.savez(file, key="another", task=task)
    with pytest.raises(SefaError, match="with other options; expected the same model"):
        Partial(path, {"seeds": [0]}).read()
