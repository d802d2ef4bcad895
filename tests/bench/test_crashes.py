"""Commands killed at every boundary of their writing; bench/crashes.py does it with all of them."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.helpers import ROOT
from tests.helpers.crashes import Case, Ran, all_files, content, faults, run


@pytest.fixture(scope="module")
def crashes() -> ModuleType:
    spec = importlib.util.spec_from_file_location("crashes", ROOT / "bench" / "crashes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pick", "completion"])
def test_a_kill_at_any_boundary_leaves_the_old_file_or_the_new_one(
    crashes: ModuleType, tmp_path: Path, name: str
) -> None:
    given = tmp_path / "given"
    crashes.make_template(given)
    kills = list(crashes.kills(crashes.cases("")[name], given, 0))
    assert [(where, wrong) for where, _, wrong in kills if wrong] == []
    assert {"before fsync", "after fsync", "half of write"} <= {k[0].split(" (")[0] for k in kills}


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_installing_completion_twice_changes_nothing(tmp_path: Path, shell: str) -> None:
    home = tmp_path / "work" / "home"
    home.mkdir(parents=True)
    for name in (".bashrc", ".zshrc"):
        (home / name).write_text("mine\n")
    assert run(["--install-completion", shell], tmp_path / "work").status == 0
    once = all_files(home)
    assert run(["--install-completion", shell], tmp_path / "work").status == 0
    assert all_files(home) == once and len(once) == 3
    assert once[f".{shell}rc"].startswith(b"mine\n") if shell != "fish" else True


def test_completion_that_cannot_be_installed(tmp_path: Path) -> None:
    home = tmp_path / "work" / "home"
    home.mkdir(parents=True)
    (home / ".bashrc").write_bytes(b"\xff")
    done = run(["--install-completion", "bash"], tmp_path / "work")
    assert done.status == 1 and done.said.startswith("sefa: cannot install completion: ")
    assert done.said.count("\n") == 1 and (home / ".bashrc").read_bytes() == b"\xff"


def test_seconds_do_not_count_as_a_difference(tmp_path: Path) -> None:
    """Under load, half of all trials of `invert --report` seemed to differ."""
    page = "<dt>LPIPS</dt><dd><bdi>{}</bdi></dd><dt>seconds</dt><dd><bdi>{}</bdi></dd>"
    found = []
    for lpips, seconds in (("0.3", "0.1"), ("0.3", "12.5"), ("0.4", "0.1")):
        (tmp_path / "page.html").write_text(page.format(lpips, seconds))
        (tmp_path / "table.csv").write_text(f"lpips,seconds\n{lpips},{seconds}\n")
        found.append(content(tmp_path, ["page.html", "table.csv"]))
    assert found[0] == found[1] and not set(found[0].items()) & set(found[2].items())


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


def test_kinds_of_faults_are_chosen(
    crashes: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = Ran(0, ("before open", "after open", "before write"), "")
    runs: list[tuple[Path, Ran, dict[str, bytes], float]] = [
        (Path(name), ran, {}, 1.0) for name in ("fresh", "old")
    ]
    monkeypatch.setattr(crashes, "undisturbed", lambda one, given: runs)
    monkeypatch.setattr(
        crashes, "trial", lambda one, kind, at, base, new: [f"{base.name} {kind} {at}"]
    )
    case = Case([], [], ["x.dirs"])
    told = ["evaluate", "--faults", "--kind", "clock", "--kind", "quota", "--over-old"]
    found = crashes.trials(crashes.parse(told), case, tmp_path)
    assert [wrong for _, _, (wrong,) in found] == [
        "old clock 1", "old clock 3", "old quota 1", "old quota 3"
    ]  # fmt: skip
    everything = list(crashes.trials(crashes.parse(["--faults"]), case, tmp_path))
    assert len(everything) == 2 * 5 * 2 and all(is_step for _, is_step, _ in everything)
