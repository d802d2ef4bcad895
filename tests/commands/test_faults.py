"""What goes wrong around a command ends it in one line, with nothing half-written.

bench/crashes.py --faults tries all commands and all of their steps.
"""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.helpers import ROOT
from tests.helpers.crashes import all_files, content, prepare, run
from tests.helpers.faults import FAULTS, pair, small_disk, squeeze, trial

pytestmark = pytest.mark.slow
QUICK = (
    *("factorize", "convert", "export", "export, a folder", "import", "pick", "name", "merge"),
    *("edit, a folder", "animate", "completion"),
)
PAIRED = ("factorize", "export, a folder", "edit", "animate, a folder", "pick", "name")
TO_STDOUT = (
    "factorize tiny.pth -o -", "pick tiny.dirs -k 0 -o -", "export tiny.dirs --to npy -o -",
    "edit tiny.dirs -k 0 --seeds 0 -o - --size 32 --device cpu",
    "sample tiny.pth --seeds 0 -o - --size 32 --device cpu", "inspect tiny.dirs",
    "inspect tiny.dirs --json", "inspect tiny.pth", "models", "models --json", "edit --help",
    "--show-completion bash", "--version",
    "localize tiny.pth --box 2,2,8,8 --size 32 --seeds 0 -o - --device cpu",
)  # fmt: skip


@pytest.fixture(scope="module")
def crashes() -> ModuleType:
    spec = importlib.util.spec_from_file_location("crashes", ROOT / "bench" / "crashes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def given(crashes: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults") / "given"
    crashes.import_all()
    crashes.make_template(folder)
    return folder


@pytest.mark.parametrize("name", QUICK)
def test_a_fault_at_a_step_ends_in_one_line(crashes: ModuleType, given: Path, name: str) -> None:
    """Each kind of fault at the first, a middle and the last step that is no end of another."""
    case = crashes.cases("")[name]
    folder = prepare(given.with_name("work"), given)
    whole = run([*case.words], folder)
    new = content(folder, case.outputs)
    steps = [at for at, step in enumerate(whole.steps, 1) if not step.startswith("after")]
    for number, kind in enumerate(FAULTS):
        at = steps[number * len(steps) // len(FAULTS)]
        assert trial(case, kind, at, given, new) == [], (kind, whole.steps[at - 1])


@pytest.mark.parametrize("words", TO_STDOUT)
def test_a_reader_that_goes_away_is_no_error_to_talk_about(given: Path, words: str) -> None:
    folder = prepare(given.with_name("work"), given)
    before = all_files(folder)
    done = run(words.split(), folder, broken_pipe=True)
    assert (done.status, "Traceback" in done.said, "sefa: " in done.said) == (1, False, False)
    assert {n for n in all_files(folder) if not n.startswith("cache")} == set(before)


@pytest.mark.parametrize("has_old", [False, True])
@pytest.mark.parametrize("name", PAIRED)
def test_two_processes_on_one_output_and_one_cache(
    crashes: ModuleType, given: Path, name: str, has_old: bool
) -> None:
    case = crashes.cases("")[name]
    base, _, new, _ = list(crashes.undisturbed(case, given))[has_old]
    assert pair(case, base, new, later=0) == []


def test_elsewhere_than_on_linux_no_disk_is_mounted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There `mount` takes other arguments, and the test of full disks failed."""
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(PermissionError), small_disk(tmp_path / "disk"):
        pass
    assert not (tmp_path / "disk").exists()


@pytest.mark.parametrize("name", ["pick", "edit, a folder", "animate, mp4"])
def test_a_disk_without_room_ends_in_one_line(crashes: ModuleType, given: Path, name: str) -> None:
    case = crashes.cases("")[name]
    base, _, new, _ = next(crashes.undisturbed(case, given))
    try:
        wrong = [squeeze(case, room, base, new) for room in (0, 8192, 1 << 20)]
    except PermissionError:
        pytest.skip("only root of a Linux machine may mount a small disk")
    assert wrong == [[], [], []]
