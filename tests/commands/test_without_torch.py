"""Without torch, many commands work, and the others say in one line what to install."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from sefa_cli.commands.missing import missing_package
from tests.helpers import DOCS, ROOT
from tests.test_dependencies import declared

WORKS = [
    "--help",
    "factorize tiny.pth -o tiny.dirs",
    "inspect tiny.pth",
    "inspect tiny.dirs",
    "name tiny.dirs 0 smile",
    "pick tiny.dirs --mix 'smile + 0.5*3' --as both -o both.dirs",
    "inspect --compare tiny.dirs both.dirs",
    "convert tiny.pth -o tiny.safetensors",
    "export tiny.dirs --to rosinality -o factor.pt",
    "import factor.pt --model tiny.pth -o back.dirs",
    "models",
]
NEEDS_TORCH = [
    "sample tiny.pth -o faces.png",
    "edit --dirs tiny.dirs --k 0 --alpha 2 -o edit.png",
    "animate --dirs tiny.dirs --k 0 -o film.gif",
    "report tiny.dirs -o report",
    "localize tiny.pth --region center -o center.dirs",
    "localize tiny.pth --region center --preview center.png",
    "studio tiny.pth --no-open --port 0",
]
Run = Callable[..., subprocess.CompletedProcess[str]]


def left_out() -> set[str]:
    """The modules that docs/install.md does not list for an installation without torch."""
    page = (DOCS / "install.md").read_text()
    listed = re.search(r"--no-deps \.\npip install (.+)\n", page)
    assert listed is not None
    every = declared((ROOT / "pyproject.toml").read_text())[""]
    assert set(listed[1].split()) < every
    modules = {name.replace("-", "_") for name in every - set(listed[1].split())}
    assert {"torch", "pillow"} <= modules
    return modules - {"pillow"} | {"PIL"}


@pytest.fixture
def run(workplace: Path) -> Run:
    """Run a command in a process that cannot import some modules."""

    def run(line: str, modules: Iterable[str] = ("torch",)) -> subprocess.CompletedProcess[str]:
        code = f"import sys; sys.modules.update(dict.fromkeys({sorted(modules)}))\n"
        code += "from sefa_cli.cli import main; main()"
        command = [sys.executable, "-c", code, *shlex.split(line)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    return run


def test_what_works(run: Run) -> None:
    for line in WORKS:
        done = run(line, left_out())
        assert done.returncode == 0, f"{line}\n{done.stderr}"


def test_what_needs_torch_says_so(run: Run) -> None:
    assert run(WORKS[1]).returncode == 0
    for line in NEEDS_TORCH:
        done = run(line)
        assert done.returncode == 1 and done.stderr.count("\n") == 1, f"{line}\n{done.stderr}"
        assert "needs torch, which is not installed" in done.stderr
        assert "pip install sefa-cli" in done.stderr and not done.stdout
    assert run(NEEDS_TORCH[0], left_out()).stderr == run(NEEDS_TORCH[0]).stderr


@pytest.mark.parametrize(
    ("module", "package"),
    [("PIL.Image", "pillow"), ("imageio_ffmpeg", "imageio-ffmpeg")],
)
def test_the_package_of_a_module(module: str, package: str) -> None:
    error = missing_package(ModuleNotFoundError(name=module))
    assert error is not None and f"needs {package}," in str(error)


@pytest.mark.parametrize("module", ["sefa_cli.nothing", "tkinter", None])
def test_our_own_faults_stay_tracebacks(module: str | None) -> None:
    assert missing_package(ModuleNotFoundError(name=module)) is None
