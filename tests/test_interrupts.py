"""Ctrl-C and SIGTERM at any moment: one line, an exit code, never a traceback."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sefa_cli.interrupts import INTERRUPTED
from tests.helpers import ROOT

GOLDEN = ROOT / "tests/golden/containers/ckpt_genforce_stylegan2.pth"
BOTH = [(signal.SIGINT, 130, f"{INTERRUPTED}\n"), (signal.SIGTERM, 143, "")]
# A module that is interrupted while it is imported, and swallows or changes what is raised.
SWALLOWS = "import os\ntry:\n    os.kill(os.getpid(), {})\nexcept BaseException:\n    pass\n"
CHANGES = SWALLOWS.replace("pass", "raise ImportError('cannot load') from None")


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize("module", [SWALLOWS, CHANGES])
@pytest.mark.parametrize(("number", "code", "line"), BOTH)
def test_a_command_interrupted_in_an_import(
    tmp_path: Path, module: str, number: int, code: int, line: str
) -> None:
    (tmp_path / "numpy.py").write_text(module.format(int(number)))
    out = tmp_path / "out.dirs"
    done = run(tmp_path, "-m", "sefa_cli", "factorize", str(GOLDEN), "-o", str(out))
    assert (done.returncode, done.stderr) == (code, line)
    assert not out.exists()


@pytest.mark.parametrize(("number", "code", "line"), BOTH)
def test_interrupted_before_the_command_line_is_imported(
    tmp_path: Path, number: int, code: int, line: str
) -> None:
    (tmp_path / "typer.py").write_text(SWALLOWS.format(int(number)))
    done = run(tmp_path, "-m", "sefa_cli", "--help")
    assert (done.returncode, done.stdout, done.stderr) == (code, "", line)


def test_nothing_is_imported_before_signals_are_handled(tmp_path: Path) -> None:
    """Before that, Ctrl-C is Python's own traceback."""
    child = "import sys; old = set(sys.modules); import sefa_cli.__main__; "
    child += "print(*sorted(set(sys.modules) - old))"
    assert run(tmp_path, "-c", child).stdout == "sefa_cli sefa_cli.__main__\n"


def test_ctrl_c_before_the_handler_is_there_says_nothing(tmp_path: Path) -> None:
    """Its own import was interrupted with a traceback."""
    child = (
        "import os, sys\n"
        "class Interrupts:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == 'sefa_cli.interrupts': os.kill(os.getpid(), {int(signal.SIGINT)})\n"
        "sys.meta_path.insert(0, Interrupts())\n"
        "from sefa_cli.__main__ import main\n"
        "sys.argv = ['sefa', '--version']; main()\n"
    )
    done = run(tmp_path, "-c", child)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.parametrize(("number", "code", "line"), BOTH)
def test_an_import_leaves_no_temporary_file(
    tmp_path: Path, number: int, code: int, line: str
) -> None:
    (tmp_path / "slow.py").write_text(f"{SWALLOWS}import time; time.sleep(9)\n".format(number))
    check = (
        "from sefa_cli import interrupts; interrupts.install()\n"
        "from sefa_cli.files import open_atomically\n"
        f"with interrupts.Catchable(), open_atomically({str(tmp_path / 'a.bin')!r}):\n"
        "    import slow\n"
    )
    done = run(tmp_path, "-c", check)
    assert (done.returncode, done.stderr) == (code, line)
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".bin"] == []


@pytest.mark.parametrize(
    ("number", "raised"), [(signal.SIGINT, "KeyboardInterrupt"), (signal.SIGTERM, "SystemExit")]
)
def test_a_working_command_can_clean_up(tmp_path: Path, number: int, raised: str) -> None:
    check = (
        "import os\nfrom sefa_cli import interrupts; interrupts.install()\n"
        f"try:\n    with interrupts.Catchable(): os.kill(os.getpid(), {int(number)})\n"
        f"except {raised}: print('cleaned up')\n"
    )
    done = run(tmp_path, "-c", check)
    assert (done.returncode, done.stdout, done.stderr) == (0, "cleaned up\n", "")


@pytest.mark.parametrize(
    ("number", "raised"), [(signal.SIGINT, "KeyboardInterrupt"), (signal.SIGTERM, "SystemExit")]
)
@pytest.mark.parametrize("module", [SWALLOWS, SWALLOWS + "import time; time.sleep(0.05)\n"])
def test_a_short_import_in_the_midst_of_work_delays_the_clean_up(
    tmp_path: Path, module: str, number: int, raised: str
) -> None:
    (tmp_path / "plugin.py").write_text(module.format(int(number)))
    check = (
        "import time\nfrom sefa_cli import interrupts; interrupts.install()\n"
        "interrupts._TRIES = 10_000\n"  # also on a machine that is busy
        "try:\n    with interrupts.Catchable():\n        import plugin; time.sleep(9)\n"
        f"except {raised}: print('cleaned up')\n"
    )
    done = run(tmp_path, "-c", check)
    assert (done.returncode, done.stdout, done.stderr) == (0, "cleaned up\n", "")


@pytest.mark.parametrize(("number", "code", "line"), BOTH)
def test_a_long_import_ends(tmp_path: Path, number: int, code: int, line: str) -> None:
    (tmp_path / "slow.py").write_text(f"{SWALLOWS}import time; time.sleep(9)\n".format(number))
    check = (
        "from sefa_cli import interrupts; interrupts.install()\n"
        "with interrupts.Catchable(): import slow\n"
    )
    done = run(tmp_path, "-c", check)
    assert (done.returncode, done.stderr) == (code, line)


def test_an_interrupt_in_a_destructor_ends_the_command(tmp_path: Path) -> None:
    check = (
        "import os\nfrom sefa_cli import interrupts; interrupts.install()\n"
        "class Held:\n    def __del__(self): os.kill(os.getpid(), 2)\n"
        "with interrupts.Catchable(): Held()\n"
    )
    done = run(tmp_path, "-c", check)
    assert (done.returncode, done.stderr) == (130, f"{INTERRUPTED}\n")


@pytest.mark.parametrize("another", [signal.SIGINT, signal.SIGTERM, signal.SIGALRM])
def test_a_signal_while_the_process_ends_changes_nothing(tmp_path: Path, another: int) -> None:
    """The timer of an import that was waited for once made it say its line twice."""
    check = (
        "import os\nfrom sefa_cli import interrupts; interrupts.install()\nwrite = os.write\n"
        f"def told(*words):\n    write(*words)\n    os.kill(os.getpid(), {int(another)})\n"
        "os.write = told\nos.kill(os.getpid(), 2)\n"
    )
    done = run(tmp_path, "-c", check)
    assert (done.returncode, done.stderr) == (130, f"{INTERRUPTED}\n")


def test_an_ignored_signal_stays_ignored(tmp_path: Path) -> None:
    check = (
        "import os, signal\nsignal.signal(2, signal.SIG_IGN)\n"
        "from sefa_cli import interrupts; interrupts.install()\n"
        "os.kill(os.getpid(), 2)\nprint('went on')\n"
    )
    assert run(tmp_path, "-c", check).stdout == "went on\n"
