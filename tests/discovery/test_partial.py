"""The partial file of a search: what is done stays done when the file cannot be removed."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from sefa_cli.commands.on_cluster import _removed
from sefa_cli.discovery.partial import Partial


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
    partial = Partial(tmp_path / "x.dirs.partial", "task")
    partial.keep("grams", 0, [np.zeros(3)])
    request.getfixturevalue("read_only")
    partial.remove()
    assert partial.path.exists()


def test_parts_that_cannot_be_removed_are_named(tmp_path: Path, read_only: None) -> None:
    said = [str(error) for error in _removed([tmp_path / "x.part", tmp_path / "y.part"])]
    for name in ("x.part", "y.part"):
        assert any(f"{name}: the file system is read-only" in text for text in said)
