"""What several test files use: networks, files of other tools, servers, browsers."""

from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"  # numbers of the published implementations
CONTAINERS = GOLDEN / "containers"  # checkpoints as the published code writes them
FORMATS = ROOT / "formats"
DOCS = ROOT / "docs"
Sefa = Callable[..., Result]  # the fixture `sefa`: runs `sefa …` inside this process
