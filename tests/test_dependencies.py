"""Every declared dependency is imported by the package, and every import is declared."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path, PurePath

from tests.helpers import ROOT

# The parts that need an extra; all other files may import nothing but the plain dependencies.
HOMES = {
    "cluster": ("sefa_cli/cluster.py", "sefa_cli/joining.py"),
    "studio": ("sefa_cli/studio",),
    "eval": (
        "sefa_cli/discovery/regions/landmarks.py",
        "sefa_cli/evaluation/faces.py",
        "sefa_cli/evaluation/persons.py",
    ),
}


def declared(pyproject: str) -> dict[str, set[str]]:
    """The distributions of each extra that users install, of "" those always installed."""
    project = tomllib.loads(pyproject)["project"]
    extras = {"": project["dependencies"], **project.get("optional-dependencies", {})}
    return {
        extra: {normal(re.split(r"[^\w.-]", requirement)[0]) for requirement in requirements}
        for extra, requirements in extras.items()
        if extra not in ("dev", "docs")  # tools that are run, not imported
    }


def normal(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(source: str) -> set[str]:
    """The top-level modules a source imports that are neither Python's own nor the package's."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    tops = {name.partition(".")[0] for name in names}
    return tops - sys.stdlib_module_names - {"sefa_cli"}


def faults(
    pyproject: str,
    sources: Mapping[str, str],
    providers: Mapping[str, Iterable[str]],
    homes: Mapping[str, tuple[str, ...]] = HOMES,
) -> list[str]:
    """What is declared in vain or imported undeclared; `providers`: distributions of a module."""
    extras, found, used = declared(pyproject), [], set()
    for path, source in sources.items():
        allowed = set(extras[""])
        for extra, places in homes.items():
            if any(PurePath(path).is_relative_to(place) for place in places):
                allowed |= extras.get(extra, set())
        for module in sorted(imported(source)):
            by = {normal(name) for name in providers.get(module, [module])} & allowed
            used |= by
            if not by:
                found.append(f"{path} imports {module}, which is not declared for it")
    for extra, names in extras.items():
        where = f" of the extra {extra}" if extra else ""
        found += [f"nothing imports {name}{where}" for name in sorted(names - used)]
    return found


def test_what_is_declared_is_imported_and_what_is_imported_is_declared() -> None:
    paths = sorted((ROOT / "sefa_cli").rglob("*.py"))
    sources = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths}
    pyproject = Path(ROOT, "pyproject.toml").read_text("utf-8")
    assert faults(pyproject, sources, packages_distributions()) == []


PROJECT = """
[project]
dependencies = ["Pillow>=10", "my.lib[fast]>=1; python_version < '4'"]
[project.optional-dependencies]
studio = ["nicegui>=3"]
dev = ["pytest"]
"""
PROVIDERS = {"PIL": ["pillow"], "mylib": ["my-lib", "other"]}
GOOD = {
    "sefa_cli/a.py": "import os\nfrom PIL import Image\nimport sefa_cli.b",
    "sefa_cli/b.py": "def f():\n    import mylib.core",
    "sefa_cli/studio/c.py": "from nicegui import ui",
}


def test_a_project_in_order_has_no_faults() -> None:
    assert faults(PROJECT, GOOD, PROVIDERS) == []


def test_a_dependency_that_nothing_imports_is_found() -> None:
    without = {path: source for path, source in GOOD.items() if path != "sefa_cli/b.py"}
    assert faults(PROJECT, without, PROVIDERS) == ["nothing imports my-lib"]
    without = {path: source for path, source in GOOD.items() if "studio" not in path}
    assert faults(PROJECT, without, PROVIDERS) == ["nothing imports nicegui of the extra studio"]


def test_an_import_that_is_not_declared_is_found() -> None:
    for line in ("import yaml", "from yaml.nodes import Node", "def f():\n    import yaml as y"):
        assert faults(PROJECT, GOOD | {"sefa_cli/d.py": line}, PROVIDERS) == [
            "sefa_cli/d.py imports yaml, which is not declared for it"
        ]


def test_an_extra_is_imported_only_where_it_is_needed() -> None:
    assert faults(PROJECT, GOOD | {"sefa_cli/d.py": "import nicegui"}, PROVIDERS) == [
        "sefa_cli/d.py imports nicegui, which is not declared for it"
    ]


def test_a_dependency_for_development_alone_is_not_for_the_package() -> None:
    assert faults(PROJECT, GOOD | {"sefa_cli/d.py": "import pytest"}, PROVIDERS) == [
        "sefa_cli/d.py imports pytest, which is not declared for it"
    ]
