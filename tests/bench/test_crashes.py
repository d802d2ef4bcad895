"""Commands killed at every boundary of their writing; bench/crashes.py does it with all of them."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.helpers import ROOT
from tests.helpers.crashes import Case, faults, run


@pytest.fixture(scope="module")
def crashes() -> ModuleType:
    spec = importlib.util.spec_from_file_location("crashes", ROOT / "bench" / "crashes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pick", "name"])
def test_a_kill_at_any_boundary_leaves_the_old_file_or_the_new_one(
    crashes: ModuleType, tmp_path: Path, name: str
) -> None:
    given = tmp_path / "given"
    crashes.make_template(given)
    kills = list(crashes.kills(crashes.cases("")[name], given, 0))
    assert [(where, wrong) for where, _, wrong in kills if wrong] == []
    assert {"before fsync", "after fsync", "half of write"} <= {k[0].split(" (")[0] for k in kills}


def test_a_fork_tells_how_it_ended(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    whole = run(["factorize", "nothing.pth", "-o", "x.dirs"], folder)
    assert whole.status == 1 and "nothing.pth" in whole.said


def test_faults_are_told(tmp_path: Path) -> None:
    case = Case([], [], ["x.dirs"])
    (tmp_path / "x.dirs").write_bytes(b"ha")
    old, new = {"x.dirs": b"old"}, {"x.dirs": b"half"}
    assert faults(case, tmp_path, old, new) == ["neither old nor new: ['x.dirs']"]
    (tmp_path / "x.dirs").write_bytes(b"half")
    assert faults(case, tmp_path, old, new) == []
    (tmp_path / "x.dirs.bak").touch()
    assert faults(case, tmp_path, old, new) == ["x.dirs.bak lies beside"]
