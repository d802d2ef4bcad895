"""The examples in the docstrings of sefa_cli run as they stand.

An example may use `sefa` (sefa_cli), `np`, `torch`, and `tiny`: the path of a small StyleGAN2
checkpoint in the folder it runs in. Its cache is a temporary folder, unless it names the default
model, which comes from the user's own cache.
"""

import ast
import doctest
import importlib
import shutil
from pathlib import Path

import numpy as np
import pytest

import sefa_cli
from tests.helpers import CONTAINERS, ROOT

OPTIONAL = {"nicegui", "mediapipe"}
DEFAULT_MODEL = "mobilestylegan_ffhq"
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def examples(source: str) -> list[str]:
    """The docstrings of a module's source that hold an example."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, documented)]
    return [text for node in nodes if ">>>" in (text := ast.get_docstring(node) or "")]


def modules() -> list[str]:
    """The modules of sefa_cli that have examples, found without importing them."""
    paths = sorted((ROOT / "sefa_cli").rglob("*.py"))
    dotted = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths}
    return [name.removesuffix(".__init__") for p, name in dotted.items() if examples(p.read_text())]


@pytest.mark.parametrize("name", modules())
def test_examples_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in OPTIONAL:
            raise
        pytest.skip(f"{error.name} is not installed")
    assert module.__file__
    expected = examples(Path(module.__file__).read_text())
    if DEFAULT_MODEL in "".join(expected):
        request.getfixturevalue("default_model")
    else:
        monkeypatch.setenv("SEFA_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    shutil.copy(CONTAINERS / "ckpt_genforce_stylegan2.pth", "tiny.pth")

    names = {**vars(module), "sefa": sefa_cli, "np": np, "tiny": "tiny.pth"}
    if "torch" in "".join(expected):
        names["torch"] = importlib.import_module("torch")
    found = [test for test in doctest.DocTestFinder().find(module, globs=names) if test.examples]
    assert len(found) == len(expected), "an example that doctest does not find"
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    report: list[str] = []
    for test in found:
        runner.run(test, out=report.append)
    assert not runner.failures, "".join(report)
