"""The example family works with every command, as an installed package and as a folder.

Nothing of a package is loaded for a file that a folder knows.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.helpers import CONTAINERS, DOCS

EXAMPLE = DOCS / "plugin-example"
Sefa = Callable[..., "subprocess.CompletedProcess[str]"]


def install(site: Path, name: str, entry: str) -> None:
    """What an installer writes of a package's entry points."""
    info = site / f"{name}-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[sefa.generators]\n{entry}\n")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder as pip leaves it, with the example in it."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    ((name, entry),) = project["entry-points"]["sefa.generators"].items()
    install(tmp_path / "site", "sefa_tinyconv", f"{name} = {entry}")
    module = entry.partition(":")[0]
    (tmp_path / "site" / module).symlink_to(EXAMPLE / module)
    return tmp_path / "site"


@pytest.fixture
def as_folder(site: Path) -> None:
    """The same package as a folder of `sefa_cli/families/` instead: nothing is installed."""
    shutil.rmtree(site / "sefa_tinyconv-0.1.0.dist-info")
    (site / "families").mkdir()
    (site / "sefa_tinyconv").rename(site / "families" / "tinyconv")
    (site / "sitecustomize.py").write_text(DROPPED.format(folder=str(site / "families")))


# Run when Python starts: what a folder in the package itself would do, without writing there.
DROPPED = """
import importlib.abc, importlib.machinery, sys

class Extend(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "sefa_cli.families":
            spec = importlib.machinery.PathFinder.find_spec(name, path, target)
            spec.submodule_search_locations.append({folder!r})
            return spec

sys.meta_path.insert(0, Extend())
"""


@pytest.fixture
def sefa(tmp_path: Path, site: Path) -> Sefa:
    """`sefa …` as a process in an empty folder that holds `tiny.pt`, a 16-px RGB generator."""
    work = tmp_path / "work"
    work.mkdir()
    draw = torch.Generator().manual_seed(0)
    state = {
        "dense.weight": torch.randn(16 * 8, 12, generator=draw),
        "convs.0.weight": torch.randn(6, 8, 3, 3, generator=draw) / 6,
        "convs.1.weight": torch.randn(3, 6, 3, 3, generator=draw) / 6,
    }
    torch.save({"epoch": 3, "generator": state}, work / "tiny.pt")
    (work / "tiny.pth").write_bytes((CONTAINERS / "ckpt_genforce_stylegan2.pth").read_bytes())
    environment = {
        **os.environ,
        "PYTHONPATH": str(site),
        "PYTHONDONTWRITEBYTECODE": "1",
        "SEFA_CACHE": str(tmp_path / "cache"),
        "OMP_NUM_THREADS": "1",
    }

    def run(*words: str, code: str = "") -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, *(["-c", code] if code else ["-m", "sefa_cli"]), *words]
        return subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True)

    return run


def fine(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout


# Several commands in one process, because every start of torch takes a second and more.
SEVERAL = """
import sys
from typer.testing import CliRunner
from sefa_cli.cli import app
for words in sys.argv[1:]:
    done = CliRunner().invoke(app, words.split())
    assert done.exit_code == 0, (words, done.output, done.exception)
"""


@pytest.mark.parametrize("way", ["installed", "as_folder"])
def test_works_with_every_command(
    sefa: Sefa, tmp_path: Path, way: str, request: pytest.FixtureRequest
) -> None:
    if way == "as_folder":
        request.getfixturevalue(way)
    work = tmp_path / "work"
    commands = [
        "inspect tiny.pt",
        "factorize tiny.pt -o t.dirs",
        "edit --dirs t.dirs --k 0 --alpha 2 --seeds 0 -o e",
        "animate --dirs t.dirs --k 0 --frames 3 -o f.webp",
        "sample tiny.pt --seeds 0-1 -o s.png",
        "localize tiny.pt --region center --seeds 0-1 -o l.dirs",
        "report t.dirs --seeds 0 --k 0-1 -o page",
        "name t.dirs 0 bright",
        "pick t.dirs --k 0-1 -o p.dirs",
        "export t.dirs --to npy -o d.npy",
        "import d.npy --model tiny.pt -o i.dirs",
        "inspect i.dirs",
        "convert tiny.pt -o t.safetensors",
        "factorize t.safetensors -o c.dirs",
        "edit --dirs t.dirs --k 0 --alpha 2 --seeds 0 -o n --model t.safetensors",
    ]
    fine(sefa(*commands, code=SEVERAL))
    one, two = (next((work / folder).glob("*.png")) for folder in ("e", "n"))
    picture = np.asarray(Image.open(one))
    assert picture.shape == (16, 16, 3) and picture.std() > 1
    assert np.array_equal(picture, np.asarray(Image.open(two)))

    from sefa_cli.bundle.bundle import Bundle

    bundle, converted = Bundle.load(work / "t.dirs"), Bundle.load(work / "c.dirs")
    assert (bundle.model["family"], bundle.space, bundle.dim) == ("tinyconv", "z", 12)
    assert bundle.model["fingerprint"] == converted.model["fingerprint"]


def test_without_it_the_converted_file_says_what_is_missing(
    sefa: Sefa, tmp_path: Path, site: Path
) -> None:
    fine(sefa("convert", "tiny.pt", "-o", "t.safetensors"))
    (site / "sefa_tinyconv-0.1.0.dist-info" / "entry_points.txt").unlink()
    done = sefa("factorize", "t.safetensors", "-o", "t.dirs")
    assert done.returncode == 1 and "family 'tinyconv'" in done.stderr
    assert "A plug-in may bring another." in done.stderr
    assert "holds no known generator" in sefa("inspect", "tiny.pt").stderr


FAMILY = """
from sefa_cli.families.family import Config, Family, Model
class Odd(Family):
    name = 'x'
    def recognize(self, state): return answer()
FAMILY = Odd()
"""
BROKEN = {
    "absent": ("", "No module named 'broken_absent'"),
    "raises": ("raise RuntimeError('half\\nready')", "RuntimeError: half"),
    "leaves": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "empty": ("", "has no attribute 'FAMILY'"),
    "odd": ("FAMILY = 3", "it names a int instead of a Family"),
    "unnamed": (f"{FAMILY}FAMILY.name = 'a b'", "its name is 'a b'"),
    "nameless": (f"{FAMILY}del Odd.name", "has no attribute 'name'"),
    "fails": (f"{FAMILY}def answer(): 1 / 0", "ZeroDivisionError"),
    "three": (f"{FAMILY}def answer(): return 3", "recognize() must return a Model"),
    "unsized": (
        f"{FAMILY}def answer(): return Model('x', Config({{}}), {{}})",
        "resolution is None",
    ),
    "untyped": (f"{FAMILY}def answer(): return Model('x', {{}}, {{}})", "a Model with a Config"),
    "bare": (
        f"{FAMILY}sizes = dict.fromkeys(('resolution', 'img_channels', 'z_dim', 'w_dim', 'c_dim', "
        "'num_layers'), 1)\ndef answer(): return Model('x', Config({**sizes, 'space': 'z'}), "
        "{'a': 1})",
        "its native tensors must be LazyTensors",
    ),
}


def test_broken_ones_are_named_and_do_no_harm(sefa: Sefa, site: Path) -> None:
    """They come before the good one, by name; the file is known all the same."""
    for name, (source, _) in BROKEN.items():
        install(site, f"a_{name}", f"a-{name} = broken_{name}:FAMILY")
        if name != "absent":
            (site / f"broken_{name}.py").write_text(source)
    done = sefa("inspect", "tiny.pt")
    assert "tinyconv" in fine(done)
    said = done.stderr.splitlines()
    for name, (_, why) in BROKEN.items():
        assert any(f"the plug-in a-{name} " in line and why in line for line in said), name
    assert "Traceback" not in done.stderr
    assert fine(sefa("-q", "inspect", "tiny.pt")) == done.stdout


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("projections", "factorize tiny.pt -o t.dirs"),
        ("generator", "sample tiny.pt -o s.png"),
    ],
)
def test_one_that_breaks_later_is_named(sefa: Sefa, site: Path, what: str, words: str) -> None:
    (site / "sefa_tinyconv").unlink()
    (site / "sefa_tinyconv").mkdir()
    source = (EXAMPLE / "sefa_tinyconv" / "__init__.py").read_text()
    changed = source + f"\n\ndef fail(_):\n    raise KeyError('oh')\nFAMILY.{what} = fail\n"
    (site / "sefa_tinyconv" / "__init__.py").write_text(changed)
    done = sefa(*words.split())
    assert done.returncode == 1
    assert done.stderr.startswith("sefa: the plug-in for tinyconv failed: KeyError: 'oh'")


def test_none_is_loaded_for_files_that_are_known(sefa: Sefa, site: Path, tmp_path: Path) -> None:
    install(site, "a_marker", "amarker = marker:FAMILY")
    mark = tmp_path / "loaded"
    (site / "marker.py").write_text(f"open({str(mark)!r}, 'w')\nFAMILY = None\n")
    for words in (["--help"], ["models"], ["inspect", "tiny.pth"],
                  ["factorize", "tiny.pth", "-o", "g.dirs"]):  # fmt: skip
        fine(sefa(*words))
    assert not mark.exists()
    fine(sefa("inspect", "tiny.pt"))
    assert mark.exists()


DIALECT = """
from sefa_cli.families.family import Config, Family, Model
class Another(Family):
    name = "dcgan"
    def recognize(self, state):
        if "first.kernel" not in state.leaves:
            return None
        kernel = state.tensors["first.kernel"]
        sizes = dict(resolution=4, img_channels=3, z_dim=kernel.shape[0], w_dim=kernel.shape[0])
        config = Config({**sizes, "c_dim": 0, "num_layers": 1, "space": "z"})
        return Model("another", config, {"main.0.weight": kernel})
FAMILY = Another()
"""


def test_a_package_may_add_a_dialect_to_a_family_there_is(sefa: Sefa, site: Path) -> None:
    install(site, "another", "another = another_dcgan:FAMILY")
    (site / "another_dcgan.py").write_text(DIALECT)
    code = "import torch; torch.save({'first.kernel': torch.randn(6, 3, 4, 4)}, 'other.pt')"
    fine(sefa(code=code))
    said = fine(sefa("inspect", "other.pt"))
    assert "dcgan" in said and "another" in said
    fine(sefa("factorize", "other.pt", "-o", "other.dirs"))
    fine(sefa("sample", "other.pt", "--seeds", "0", "-o", "other.png"))


def test_a_folder_that_cannot_be_imported_is_said_and_left_alone(
    sefa: Sefa, site: Path, as_folder: None
) -> None:
    broken = site / "families" / "broken"
    broken.mkdir()
    (broken / "__init__.py").write_text("import nothing_of_that_name\n")
    done = sefa("inspect", "tiny.pt")
    assert "tinyconv" in fine(done)
    assert "the family in broken cannot be used: ModuleNotFoundError" in done.stderr


def test_the_error_for_an_unknown_file_names_the_folder_too(sefa: Sefa, as_folder: None) -> None:
    code = "import torch; torch.save({'a': torch.zeros(2)}, 'odd.pt')"
    fine(sefa(code=code))
    done = sefa("inspect", "odd.pt")
    assert done.returncode == 1 and "stylegan3 or tinyconv" in done.stderr


def test_the_example_is_short() -> None:
    texts = [path.read_text() for path in (EXAMPLE / "sefa_tinyconv").glob("*.py")]
    assert sum(bool(line.strip()) for text in texts for line in text.splitlines()) <= 40
