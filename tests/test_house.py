"""The house of DESIGN: imports point up, heavy ones stay out of the way, every module says why."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import ROOT

PACKAGE = ROOT / "sefa_cli"
ROWS = [
    ("errors", "ranges", "files", "allocator", "canonical", "container"),
    ("bundle", "sources", "containers"),
    ("generators",),
    ("families",),
    ("checkpoints", "projections", "interchange"),
    ("discovery",),
    ("editing",),
    ("rendering",),
    ("evaluation", "studio"),
    ("commands", "cli", "__main__"),
]
# Pure functions of arrays that import row 0 alone: every row may use the one home of the sum.
PURE = {"sefa_cli.editing.sum"}
ROW_OF = {name: row for row, names in enumerate(ROWS) for name in names}
MODULES = sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    """The part of the house a file belongs to: `discovery`, `errors`, "" for the package itself."""
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if name == "__init__" else name


def imported_parts(tree: ast.AST) -> set[str]:
    parts = set()
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            if node.module == "sefa_cli":
                names = [f"sefa_cli.{alias.name}" for alias in node.names]
            else:
                names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            raise AssertionError("relative import: it hides the row")
        parts |= {
            name.split(".")[1]
            for name in names
            if name.startswith("sefa_cli.") and name not in PURE
        }
    return parts - {"__version__"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_up(path: Path) -> None:
    part = part_of(path)
    if not part:
        return  # the package's own __init__ hands out names from everywhere, lazily
    assert part in ROW_OF, f"{part} has no row in the house"
    row = ROW_OF[part]
    whole = row in (0, len(ROWS) - 1)  # leaves, and the command line
    beside = ROWS[row] if whole else (part,)
    for other in imported_parts(ast.parse(path.read_text())):
        assert ROW_OF[other] < row or other in beside, f"{part} imports {other}"


@pytest.mark.parametrize("module", sorted(PURE))
def test_pure_functions_know_row_0_alone(module: str) -> None:
    path = ROOT / f"{module.replace('.', '/')}.py"
    assert all(ROW_OF[part] == 0 for part in imported_parts(ast.parse(path.read_text())))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_is_short_and_says_what_it_does(path: Path) -> None:
    source = path.read_text()
    if source.strip():
        assert ast.get_docstring(ast.parse(source)), f"{path.name} has no docstring"
    assert len(source.splitlines()) <= 350, f"{path.name} cannot be read in one sitting"


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        ("import sefa_cli", ["torch", "numpy", "rich", "typer"]),
        ("import sefa_cli.cli", ["torch", "numpy", "rich", "PIL", "requests", "pooch"]),
        ("import sefa_cli.discovery.factorize", ["torch", "rich", "PIL", "requests", "pooch"]),
        ("import sefa_cli.bundle", ["torch", "rich", "PIL"]),
    ],
)
def test_light_things_stay_light(code: str, heavy: list[str]) -> None:
    check = f"{code}\nimport sys\nprint([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
