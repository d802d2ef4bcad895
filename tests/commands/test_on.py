"""`--on` is refused in one line, before any work, where there is no Ray or no such cluster."""

import sys
from pathlib import Path
from unittest.mock import Mock

import pytest
from PIL import Image

from sefa_cli import cluster
from sefa_cli.errors import SefaError
from tests.helpers import Sefa

COMMANDS = {
    "localize": "tiny.pth --box 2,2,8,8 --size 32 --exact-gram -o x.dirs",
    "evaluate": "tiny.dirs -k 0 --scorers colors -o eval",
    "invert": "face.png -m tiny.pth -o c.npz",
    "supervise": "tiny.pth --attribute warmth --seeds 0-59 --scorers colors -o x.dirs",
    "edit": "tiny.dirs -k 0 -o pictures",
    "sample": "tiny.pth --seeds 0-3 -o pictures",
}


@pytest.fixture
def refused(sefa: Sefa, workplace: Path):
    """Run a command, and return what it said and its exit code. It must write nothing."""
    sefa("factorize", "tiny.pth", "-o", "tiny.dirs")
    Image.new("RGB", (32, 32)).save("face.png")

    def run(command: str, *more: str) -> tuple[int, str]:
        before = {path: path.stat().st_mtime_ns for path in workplace.rglob("*")}
        done = sefa(command, *COMMANDS[command].split(), *more)
        assert {path: path.stat().st_mtime_ns for path in workplace.rglob("*")} == before
        assert done.exit_code and done.stderr.startswith("sefa: "), done.stderr
        assert "Traceback" not in done.stderr and not done.stdout
        return done.exit_code, done.stderr

    return run


@pytest.mark.parametrize("command", COMMANDS)
def test_without_ray(refused, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    code, said = refused(command, "--on", "ray")
    assert (code, "pip install 'sefa-cli[cluster]'" in said) == (1, True)


@pytest.mark.parametrize(
    "address", ["head", "head:", ":6379", "head:port", "ray://", "ray://head", "http://head:1"]
)
def test_what_is_no_address(refused, address: str) -> None:
    code, said = refused("sample", "--on", address)
    assert (code, f"--on must name a cluster, got {address!r}" in said) == (2, True)


@pytest.mark.parametrize("share", ["-1", "1.5", "nan", "inf"])
def test_what_is_no_share_of_a_gpu(refused, share: str) -> None:
    code, said = refused("sample", "--on", "ray", "--gpus-per-worker", share)
    assert (code, "--gpus-per-worker must be a share" in said) == (2, True)


def test_options_that_do_not_go_together(refused) -> None:
    assert "have no effect" in refused("sample", "--gpus-per-worker", "1")[1].replace("has", "have")
    assert "cannot be used together" in refused("sample", "--on", "ray", "--shard", "1/2")[1]
    for command in ("sample", "edit"):
        assert "--on and --show cannot be" in refused(command, "--on", "ray", "--show")[1]


def test_a_bundle_from_stdin_is_not_shared_out(sefa: Sefa, workplace: Path) -> None:
    sefa("factorize", "tiny.pth", "-o", "tiny.dirs")
    data = Path("tiny.dirs").read_bytes()
    done = sefa("edit", "-", "-k", "0", "-o", "a", "--on", "ray", stdin=data)
    assert done.exit_code == 2 and "--on with a bundle from stdin" in done.stderr
    done = sefa("evaluate", "-", "-k", "0", "-o", "a", stdin=data)  # it reads bundles twice
    assert done.exit_code == 2 and "a bundle from stdin; expected a file" in done.stderr


@pytest.mark.parametrize("name", ["sefa", "torch", "Python"])
def test_a_worker_that_would_do_other_work(tmp_path: Path, monkeypatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    workers = cluster.Workers(Mock(), {}, 1, 1, print)
    about = {"versions": cluster._versions(), "at": "node7", "folder": tmp_path.stat().st_ino}
    workers._check(about)
    with pytest.raises(SefaError, match=rf"the worker on node7 has {name} 9\.9; expected "):
        workers._check({**about, "versions": {**cluster._versions(), name: "9.9"}})
    with pytest.raises(SefaError, match=r"the worker on node7 does not see .* share"):
        workers._check({**about, "folder": False})
