"""The wheel and the sdist: nothing but the package, the same bytes each time, and they work."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.helpers import ROOT
from tests.helpers.tree import tracked

pytestmark = pytest.mark.slow
PACKAGE = set(tracked("sefa_cli"))
BESIDE = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", ".gitignore", "PKG-INFO"}


def built(tree: Path, umask: int, modified: float) -> list[Path]:
    """The files that a copy of the tree gives: other dates, rights and folder, stray files."""
    for name in tracked("*"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
        os.utime(tree / name, (modified, modified))
        (tree / name).chmod(0o666 & ~umask)
    (tree / "sefa_cli" / "__pycache__").mkdir()
    (tree / "sefa_cli" / "__pycache__" / "stray.pyc").write_bytes(os.urandom(9))
    (tree / "model.pth").write_bytes(b"weights")
    done = subprocess.run(
        [sys.executable, ".ci/build.py", "dist"], cwd=tree, capture_output=True, text=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [tree / "dist" / name for name in done.stdout.split()]


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> list[list[Path]]:
    return [
        built(tmp_path_factory.mktemp("one"), 0o022, 1.5e9),
        built(tmp_path_factory.mktemp("other"), 0o027, 1.6e9),
    ]


def test_two_builds_have_the_same_bytes(twice: list[list[Path]]) -> None:
    for one, other in zip(*twice, strict=True):
        assert one.name == other.name and one.read_bytes() == other.read_bytes()


def test_the_sdist_holds_the_package_and_no_more(twice: list[list[Path]]) -> None:
    with tarfile.open(twice[0][0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names == PACKAGE | BESIDE


def test_the_wheel_holds_the_package_and_works_alone(
    twice: list[list[Path]], tmp_path: Path
) -> None:
    wheel = twice[0][1]
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == PACKAGE
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(tmp_path / "site"), str(wheel)], check=True)
    done = subprocess.run(
        [sys.executable, "-c", "import sefa_cli; print(sefa_cli.__file__); "
         "from sefa_cli.__main__ import main; main()", "models"],
        cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
    )  # fmt: skip
    assert done.returncode == 0 and str(tmp_path / "site") in done.stdout, done.stderr
    assert "mobilestylegan_ffhq" in done.stdout
