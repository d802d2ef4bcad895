"""The tutorial notebook: a whole session on the default model, stored clean, and it runs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.helpers import DOCS


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(DOCS / "tutorial.ipynb", as_version=4)


def test_it_is_stored_without_outputs(notebook: nbformat.NotebookNode) -> None:
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert not any(cell.outputs or cell.execution_count for cell in code)


def test_it_runs(notebook: nbformat.NotebookNode, tmp_path: Path, default_model: Path) -> None:
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    shown = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    assert any("text/html" in o.get("data", {}) for o in shown), "a bundle shows itself"
    assert any("image/png" in o.get("data", {}) for o in shown), "a picture shows itself"
    assert list(tmp_path.glob("*.gif")), "the film is there"
