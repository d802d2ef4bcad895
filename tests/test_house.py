"""The rules of the house: where imports may point, how long a file may be, what it cites."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import ROOT
from tests.helpers.tree import tracked

PACKAGE = ROOT / "sefa_cli"
ROWS = [
    (
        "arguments",
        "errors",
        "ranges",
        "files",
        "file_kinds",
        "allocator",
        "canonical",
        "container",
        "held",
        "interrupts",
        "parts",
        "scratch",
        "sealed",
    ),
    ("bundle", "sources", "containers"),
    ("generators", "lpips"),
    ("families",),
    ("checkpoints", "projections", "interchange"),
    ("editing",),
    ("rendering",),
    ("discovery",),
    ("inversion",),
    ("evaluation", "studio"),
    ("cluster", "joining", "commands", "cli", "__main__"),
]
# Pure functions of arrays that import row 0 alone: every row may use the one home of the sum.
PURE = {"sefa_cli.editing.sum"}
ROW_OF = {name: row for row, names in enumerate(ROWS) for name in names}
MODULES = sorted(PACKAGE.rglob("*.py"))

# Python files of more than 300 lines, with the length they have. Take lines away, here too.
LONG = {
    "formats/reader.py": 330,
    "tests/families/test_dialects.py": 432,
    "tests/families/test_ports.py": 309,
    "tests/helpers/hostile.py": 330,
    "tests/helpers/networks.py": 351,
    "tests/helpers/remap.py": 399,
    "tests/sources/test_fetch.py": 388,
}

FOREIGN_PAGES = {"mobilestylegan.md"}  # a name that tests/sources/test_locate.py refuses


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


def module_of(path: Path) -> str:
    """`sefa_cli.bundle.rules`; a package by its own name."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def imported_at_run_time(tree: ast.AST, known: set[str]) -> set[str]:
    """Modules of ours that a file imports, inside functions too, but not for types alone."""
    waiting, found = [tree], set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            parts = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= parts & known
            if not parts <= known:
                found.add(node.module)
        waiting += ast.iter_child_nodes(node)
    return found & known


def test_no_imports_in_circles() -> None:
    """What stays a circle is for types alone. The package itself hands out names, lazily."""
    modules = {module_of(path): path for path in MODULES if part_of(path)}
    imports = {
        name: imported_at_run_time(ast.parse(path.read_text()), set(modules))
        for name, path in modules.items()
    }
    while free := {name for name, others in imports.items() if not others & imports.keys()}:
        imports = {name: others for name, others in imports.items() if name not in free}
    wanted = {other for others in imports.values() for other in others}
    assert not {name: others & imports.keys() for name, others in imports.items() if name in wanted}


@pytest.mark.parametrize("module", sorted(PURE))
def test_pure_functions_know_row_0_alone(module: str) -> None:
    path = ROOT / f"{module.replace('.', '/')}.py"
    assert all(ROW_OF[part] == 0 for part in imported_parts(ast.parse(path.read_text())))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_says_what_it_does(path: Path) -> None:
    source = path.read_text()
    if source.strip():
        assert ast.get_docstring(ast.parse(source)), f"{path.name} has no docstring"


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        ("import sefa_cli.__main__", ["typing", "signal", "torch", "numpy", "rich", "typer"]),
        (
            "import sefa_cli.cli",
            [
                *("torch", "numpy", "rich", "PIL", "requests", "imageio"),
                *("importlib.metadata", "email", "tempfile", "random", "shlex", "sefa_cli.files"),
            ],
        ),
        (
            "import sefa_cli.discovery.factorize",
            ["torch", "rich", "PIL", "requests", "imageio", "html", "importlib.metadata"],
        ),
        ("import sefa_cli.rendering.edits", ["torch", "rich", "requests", "http"]),
        ("import sefa_cli.bundle", ["torch", "rich", "PIL", "html", "email"]),
    ],
)
def test_light_things_stay_light(code: str, heavy: list[str]) -> None:
    check = f"{code}\nimport sys\nprint([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_files_fit_in_one_sitting() -> None:
    lengths = {name: len((ROOT / name).read_text().splitlines()) for name in tracked("*.py")}
    too_long = {name: n for name, n in lengths.items() if n > 300}
    assert too_long == LONG, "split them, or write here how short they have become"


def test_tests_leave_nothing_at_the_root() -> None:
    """A test that works in the folder of the repository saves its pictures there."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", ":(glob)*"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    names = {name for name in done.stdout.split() if (ROOT / name).exists()}
    own = {"LICENSE", "Makefile", "mkdocs.yml", "pyproject.toml", ".gitignore"}
    left = names - own - {".pre-commit-config.yaml"}
    assert not [name for name in left if not name.endswith((".md", ".lock"))]


PAGE = re.compile(r"(?<![\w/])[\w./-]*\w\.md\b")


def test_code_cites_pages_that_are_here() -> None:
    pages = tracked("*.md")
    known = {page.rpartition("/")[2] for page in pages} | set(pages)
    for name in tracked("*.py", "*.sh", "*.toml", "*.html", "*.js", "Makefile", ".ci"):
        text = (ROOT / name).read_text("utf-8")
        elsewhere = set(PAGE.findall(text)) - known - FOREIGN_PAGES
        assert not elsewhere, f"{name} cites {elsewhere}"
        assert not re.findall(r"\b[Ii]ssue #?\d+\b|\bDESIG[N]\b", text), f"{name} cites notes"


def test_links_between_pages_lead_somewhere() -> None:
    for name in tracked("*.md"):
        text = re.sub(r"```.*?```", "", (ROOT / name).read_text("utf-8"), flags=re.DOTALL)
        for link in re.findall(r"\]\((?!\w+:|#)([^)\s#]+)", text):
            assert ((ROOT / name).parent / link).exists(), f"{name} links to {link}"


def test_every_promise_of_security_names_its_tests() -> None:
    promises = re.split(r"^- ", (ROOT / "SECURITY.md").read_text("utf-8"), flags=re.MULTILINE)[1:]
    for promise in promises:
        named = re.findall(r"`(tests/[\w/]+\.py)`", promise)
        assert named and all((ROOT / name).exists() for name in named), promise
