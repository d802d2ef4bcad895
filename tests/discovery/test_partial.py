"""The partial file of a search: what is done stays done when the file cannot be removed."""

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sefa_cli.commands.on_cluster import _removed
from sefa_cli.discovery.partial import Partial
from sefa_cli.errors import SefaError
from sefa_cli.sealed import save_sealed


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
        save_sealed(file, {"key": "another", **({} if task is None else {"task": task})})
    with pytest.raises(SefaError, match="with other options; expected the same model"):
        Partial(path, {"seeds": [0]}).read()


TASK: dict[str, Any] = {
    "seeds": [0, 10_000, 10_001], "companions": [10_000, 10_001], "num": 6, "tau": 1e-4,
    "few_passes": True, "per_seed": False, "trunc": 0.7, "class": None, "weights": "ab" * 32,
    "region": "box 1,2,3,4", "region_digest": "cd" * 32, "layers": "4-8", "method": "resefa",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"num": 8}, "(num: 6 then, 8 now)"),
        ({"weights": "ef" * 32}, "(the model)"),
        ({"region_digest": "ef" * 32}, "(the region)"),
        ({"region": "box 1,2,3,5", "region_digest": "ef"},
         "(the region: box 1,2,3,4 then, box 1,2,3,5 now)"),
        ({"per_seed": True, "seeds": [0], "companions": None},
         "(per_seed: no then, yes now)"),
        ({"seeds": [0], "companions": None}, "(alone)"),
        ({"seeds": [0], "companions": None, "few_passes": None}, "(exact_gram)"),
        ({"seeds": [0, 1, 2], "companions": None}, "(seeds: 0 then, 0-2 now)"),
        ({"num": 30, "few_passes": None}, "(num: 6 then, 30 now)"),
        ({"trunc": 0.5}, "(truncation: 0.7 then, 0.5 now)"),
        ({"class": 3}, "(label: not given then, 3 now)"),
        ({"tau_auto": True}, "(tau)"),
    ],
)  # fmt: skip
def test_other_options_are_named_with_their_values(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    path = tmp_path / "x.dirs.partial"
    Partial(path, TASK).keep("grams", 0, [np.zeros(3)])
    with pytest.raises(SefaError) as error:
        Partial(path, {**TASK, **change}).read()
    assert f"with other options {said};" in str(error.value)


@pytest.mark.parametrize(
    "value", ["\x1b[31m", "a\nb", "x" * 99, ["\x1b"], {"a": 1}, [1e9], [True], [1 << 40]]
)
def test_what_is_not_plain_in_a_file_is_not_shown(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "x.dirs.partial"
    Partial(path, {**TASK, "num": value}).keep("grams", 0, [np.zeros(3)])
    with pytest.raises(SefaError, match=r"with other options \(num\);"):
        Partial(path, TASK).read()
