"""The command line answers at once: what it imports and makes is what the answer needs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import sefa_cli
from sefa_cli import cli
from tests.helpers import ROOT

MODEL = str(ROOT / "tests/golden/containers/ckpt_genforce_stylegan2.pth")
# What `--help` and `inspect` cannot do without. Everything beyond it has a name in the test.
HELP = "import typer.rich_utils"
INSPECT = "import typer, rich.console, rich.table, numpy.typing, safetensors"
RUN = """
import sys
sys.argv = ["sefa", *{!r}]
from sefa_cli.__main__ import main
try: main()
except SystemExit as end: assert end.code in (0, None), end.code
"""


def imported(code: str) -> set[str]:
    """The packages and top modules that some code imports; of rich and numpy, all modules."""
    code += "\nimport sys\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    whole = ("rich.", "numpy.")
    return {n if n.startswith(whole) else n.partition(".")[0] for n in done.stderr.split()}


def test_help_imports_little_more_than_typer_does() -> None:
    more = imported(RUN.format(["--help"])) - imported(HELP)
    assert more <= {"sefa_cli", "gc", "json", "_json", "rich._emoji_codes"}


def test_inspect_imports_little_more_than_a_table_and_numpy(tmp_path: Path) -> None:
    bundle = str(tmp_path / "tiny.dirs")
    sefa_cli.factorize(MODEL).save(bundle)
    more = imported(RUN.format(["inspect", bundle])) - imported(INSPECT)
    own = {"sefa_cli", "gc", "atexit", "rich._emoji_codes"}
    small = {"json", "_json", "logging", "string", "_string", "shlex", "base64", "binascii"}
    assert more <= own | small | {"unicodedata"}


@pytest.mark.parametrize("columns", ["59", "60", "80", "200"])
def test_the_list_of_commands_is_the_same_without_their_options(columns: str) -> None:
    code = "from sefa_cli.cli import make_app; make_app({!r})(['--help'], prog_name='sefa')"
    environment = {**os.environ, "COLUMNS": columns, "FORCE_COLOR": "1"}
    short, whole = (
        subprocess.check_output([sys.executable, "-c", code.format(only)], env=environment)
        for only in ("--help", "")
    )
    assert short == whole and b"factorize" in short


def test_commands_have_their_options_wherever_help_stands() -> None:
    for words in (["edit", "--help"], ["-q", "edit", "-h"]):
        done = CliRunner().invoke(cli.app, words)
        assert "--alpha" in done.stdout
    listed = get_command(cli.make_app("--help")).commands["edit"]  # type: ignore[attr-defined]
    assert [parameter.name for parameter in listed.params] == []


@pytest.mark.parametrize(("own", "threads"), [(None, 1), ("2", 2)])
def test_numpy_starts_no_threads(own: str | None, threads: int) -> None:
    """Those of torch and of a child are not touched, and a user's own number stays."""
    code = RUN.format(["inspect", MODEL]) + (
        "import os\nfrom threadpoolctl import threadpool_info\n"
        "used = [one['num_threads'] for one in threadpool_info() if one['user_api'] == 'blas']\n"
        f"assert os.environ.get('OPENBLAS_NUM_THREADS') == {own!r}\n"
        f"assert set(used) <= {{min({threads}, os.cpu_count())}}, used"
    )
    environment = {n: v for n, v in os.environ.items() if not n.endswith("_NUM_THREADS")}
    environment |= {} if own is None else {"OPENBLAS_NUM_THREADS": own}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True)


def test_garbage_is_not_looked_for_in_all_modules() -> None:
    state = "import gc\nprint(gc.isenabled(), gc.get_threshold()[2])"
    for words, on in ((["--version"], False), (["inspect", MODEL], True)):
        done = subprocess.check_output([sys.executable, "-c", RUN.format(words) + state], text=True)
        assert done.splitlines()[-1] == f"{on} 1000"


KEPT = """
import atexit, os, sys
class Kept:
    def __del__(self, write=os.write):
        write(1, b"taken apart")
atexit.register(print, "registered", end=" ")
from sefa_cli import __main__, cli
cli.kept = Kept()
sys.argv = ["sefa", *{!r}]
"""


def ended(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.parametrize(("words", "code"), [(["--version"], 0), (["inspect", "no.dirs"], 1)])
def test_modules_are_not_taken_apart_at_the_end(words: list[str], code: int) -> None:
    """What was registered for the end, also before us, is done; what was written is there."""
    done = ended(KEPT.format(words) + "__main__.run()")
    assert done.returncode == code
    assert done.stdout.endswith("registered ")
    assert "sefa" in (done.stderr if code else done.stdout)


def test_the_end_waits_for_threads() -> None:
    late = (
        "import threading, time\n"
        "threading.Thread(target=lambda: (time.sleep(0.3), print('late'))).start()\n"
    )
    done = ended(KEPT.format(["--version"]) + late + "__main__.run()")
    assert done.returncode == 0 and done.stdout.endswith("late\nregistered ")


def test_a_program_that_calls_main_ends_as_it_likes() -> None:
    call = "try:\n    __main__.main()\nexcept SystemExit as end:\n    print(end.code)\n"
    done = ended(KEPT.format(["--version"]) + call + "sys.exit(3)")
    assert done.returncode == 3 and "\n0\nregistered " in done.stdout


def test_a_traceback_ends_with_code_1() -> None:
    done = ended("from sefa_cli import cli, __main__\ncli.main = lambda: 1 / 0\n__main__.run()")
    assert done.returncode == 1 and "ZeroDivisionError" in done.stderr
