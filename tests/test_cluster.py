"""`--on`: all shares of a job on a real Ray cluster, whose nodes are processes of this machine."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import CONTAINERS, ROOT

if os.environ.get("SEFA_CLUSTER") != "required":
    pytest.importorskip("ray", reason="`make cluster` installs Ray and runs these")
pytestmark = pytest.mark.slow

REGION = ("localize", "tiny.pth", "--box", "20,10,8,12", "--size", "32", "--exact-gram",
          "--memory", "2G")  # fmt: skip
# What nodes run before sefa: files tell it that seed 3 fails, and that seeds take seconds.
HOOK = """
import os, sys, time
from pathlib import Path
from importlib import abc, machinery

class Hook(abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "sefa_cli.discovery.collect":
            return None
        sys.meta_path.remove(self)
        spec = machinery.PathFinder.find_spec(name, path)
        load = spec.loader.exec_module
        def exec_module(module):
            load(module)
            real = module.picture_grams
            def grams(*args, **kwargs):
                seed = args[0].numbers[args[1]]
                with open("looked", "a") as log:
                    print(seed, file=log)
                if Path("poisoned").exists() and seed == 3:
                    raise ValueError("this seed is poisoned")
                if Path("deadly").exists() and seed == 3:
                    os._exit(1)
                time.sleep(2 * Path("slow").exists())
                return real(*args, **kwargs)
            module.picture_grams = grams
        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Hook())
"""


# Ray's "auto" finds every Ray of this machine: that of another test, too.
ALONE = "import ray._private.services as s; s._find_address_from_flag = lambda flag: set(); "
SEFA = "from sefa_cli.__main__ import main; main()"


class Nodes:
    """A head without CPUs, and nodes with one CPU each, in a folder with `tiny.pth`."""

    def __init__(self, folder: Path) -> None:
        from ray.cluster_utils import Cluster

        self.folder = folder
        (folder / "hook").mkdir()
        (folder / "hook" / "sitecustomize.py").write_text(HOOK)
        shutil.copy(CONTAINERS / "ckpt_genforce_stylegan2.pth", folder / "tiny.pth")
        self.environment = {**os.environ, "OMP_NUM_THREADS": "1", "SEFA_CACHE": f"{folder}/cache"}
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.by_client = f"ray://127.0.0.1:{port}"
        head = {"num_cpus": 0, "include_dashboard": False, "ray_client_server_port": port}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.workers = [self.add(), self.add()]

    def add(self, *first: Path) -> Any:
        """Start a node that looks for modules in these folders first."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", os.pathsep.join(map(str, [*first, self.folder / "hook"])))
            return self.cluster.add_node(num_cpus=1)

    def kill(self, node: Any) -> None:
        """End all processes of a node at once."""
        self.cluster.remove_node(node, allow_graceful=False)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `sefa …`."""
        return subprocess.Popen(
            [sys.executable, "-m", "sefa_cli", *words], cwd=self.folder, env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def sefa(self, *words: str, code: int = 0) -> str:
        """Run `sefa …`, and return what it said."""
        process = self.start(*words)
        out, err = process.communicate(timeout=300)
        assert process.returncode == code, err
        return out + err

    def on(self, *words: str, code: int = 0) -> str:
        """Run a command on the nodes."""
        return self.sefa(*words, "--on", self.cluster.address, code=code)

    def begun(self, output: str) -> subprocess.Popen[str]:
        """Start a slow search on the nodes, and wait for its first part."""
        (self.folder / "slow").touch()
        process = self.start(*REGION, "--seeds", "0-5", "-o", output, "--on", self.cluster.address)
        while not self.parts(output):
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        return process

    def parts(self, output: str) -> list[Path]:
        return sorted(self.folder.glob(f"{output}.*.part"))

    def looked(self) -> list[int]:
        """The seeds that were looked at since the last call."""
        log = self.folder / "looked"
        seeds = [int(line) for line in log.read_text().split()] if log.exists() else []
        log.unlink(missing_ok=True)
        return seeds

    def same(self, *names: str) -> bool:
        return len({(self.folder / name).read_bytes() for name in names}) == 1


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    made = Nodes(tmp_path_factory.mktemp("nodes"))
    made.sefa(*REGION, "--seeds", "0-5", "-o", "one.dirs")
    yield made
    made.cluster.shutdown()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("auto", "no Ray cluster runs on this machine. Start one with"),
        ("127.0.0.1:1", "cannot reach 127.0.0.1:1: Connection refused. Start a cluster there"),
        ("ray://127.0.0.1:1", "cannot reach ray://127.0.0.1:1: Connection refused."),
        ("no-such-host.invalid:6379", "cannot reach no-such-host.invalid:6379: "),
        ("127.0.0.1:99999", "cannot reach 127.0.0.1:99999: "),
    ],
)
def test_where_no_cluster_is(tmp_path: Path, address: str, said: str) -> None:
    """Ray looked for ten minutes where nothing was, and told of every try."""
    shutil.copy(CONTAINERS / "ckpt_genforce_stylegan2.pth", tmp_path / "tiny.pth")
    words = ("sample", "-q", "tiny.pth", "--seeds", "0", "-o", "pictures", "--on", address)
    command = [sys.executable, "-c", ALONE + SEFA, *words]
    own = {"RAY_ADDRESS": "", "RAY_TMPDIR": str(tmp_path), "SEFA_CACHE": str(tmp_path / "cache")}
    environment = {**os.environ, **own}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"sefa: {said}") and done.stderr.count("\n") == 1, done.stderr


def test_a_poisoned_seed_is_named_and_the_others_are_kept(nodes: Nodes) -> None:
    (nodes.folder / "poisoned").touch()
    words = (*REGION, "--seeds", "0-5", "-o", "a.dirs")
    said = nodes.on(*words, code=1)
    assert "1 of 6 seeds failed: seed 3: ValueError: this seed is poisoned" in said
    assert [path.name for path in nodes.parts("a.dirs")] == [
        f"a.dirs.{n}of6.part" for n in (1, 2, 3, 5, 6)
    ]
    assert sorted(nodes.looked()) == list(range(6))
    (nodes.folder / "poisoned").unlink()
    assert "a.dirs.1of6.part already exists" in nodes.on(*words, code=1)
    assert "made with other options" in nodes.on(*words, "--trunc", "0.5", "--resume", code=3)
    nodes.on(*words, "--resume")
    assert nodes.looked() == [3]
    assert nodes.same("one.dirs", "a.dirs") and not nodes.parts("a.dirs")


def test_a_seed_that_ends_its_worker_each_time_is_named(nodes: Nodes) -> None:
    (nodes.folder / "deadly").touch()
    said = nodes.on(*REGION, "--seeds", "2-4", "-o", "g.dirs", code=1)
    (nodes.folder / "deadly").unlink()
    assert "1 of 3 seeds failed: seed 3: its worker was lost 3 times" in said
    assert nodes.looked().count(3) == 3 and len(nodes.parts("g.dirs")) == 2


def test_a_killed_node_costs_time_only(nodes: Nodes) -> None:
    process = nodes.begun("b.dirs")
    nodes.kill(nodes.workers.pop())
    out, err = process.communicate(timeout=300)
    (nodes.folder / "slow").unlink()
    assert (process.returncode, out) == (0, "b.dirs\n"), err
    assert nodes.same("one.dirs", "b.dirs") and not nodes.parts("b.dirs")
    seeds = nodes.looked()
    assert set(seeds) == set(range(6)) and len(seeds) <= 7
    nodes.workers.append(nodes.add())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_an_ended_driver_loses_nothing(nodes: Nodes, number: signal.Signals, code: int) -> None:
    process = nodes.begun("c.dirs")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    if code == 130:
        (line,) = (line for line in err.splitlines() if not line.startswith("working:"))
        assert "of 6 seeds are done; the same command with --resume goes on" in line
    (nodes.folder / "slow").unlink()
    kept = len(nodes.parts("c.dirs"))
    nodes.looked()
    nodes.on(*REGION, "--seeds", "0-5", "-o", "c.dirs", "--resume")
    assert len(nodes.looked()) <= 6 - kept
    assert nodes.same("one.dirs", "c.dirs")
    (nodes.folder / "c.dirs").unlink()


def test_other_commands_give_what_one_process_gives(nodes: Nodes) -> None:
    sample = ("sample", "-q", "tiny.pth", "--seeds", "0-39", "-o")
    alone, shared = nodes.sefa(*sample, "one"), nodes.on(*sample, "many")
    assert shared.replace("many", "one").split() == alone.split()
    assert all(nodes.same(f"one/seed{n:04d}.png", f"many/seed{n:04d}.png") for n in range(40))
    assert "is not empty" in nodes.on(*sample, "many", code=1)
    lacking = nodes.folder / "many" / "seed0007.png"
    made = {path: path.stat().st_mtime_ns for path in lacking.parent.iterdir()}
    lacking.unlink()
    assert nodes.on(*sample, "many", "--resume") == shared
    assert {path for path, when in made.items() if path.stat().st_mtime_ns != when} == {lacking}
    assert nodes.same("one/seed0007.png", "many/seed0007.png")
    invert = ("invert", "-q", "one/seed0000.png", "one/seed0001.png", "-m", "tiny.pth",
              "--passes", "3")  # fmt: skip
    nodes.sefa(*invert, "-o", "one.npz")
    assert nodes.on(*invert, "-o", "many.npz").split() == ["many.npz", "many.csv"]
    assert nodes.same("one.npz", "many.npz")
    nodes.sefa("factorize", "tiny.pth", "-o", "tiny.dirs")
    edit = ("edit", "-q", "tiny.dirs", "-k", "0", "--seeds", "0-39", "-o")
    edited, told = nodes.sefa(*edit, "e1").split(), nodes.on(*edit, "e2").split()
    assert len(told) == 160 and all(nodes.same(file, f"e2{file[2:]}") for file in edited)
    evaluate = ("evaluate", "tiny.dirs", "-k", "0-1", "--seeds", "0-10", "--steps", "1",
                "--scorers", "colors", "-o", "eval")  # fmt: skip
    nodes.sefa(*evaluate)
    (nodes.folder / "eval").rename(nodes.folder / "alone")
    nodes.on(*evaluate)
    names = [p.name for p in (nodes.folder / "alone").iterdir() if p.is_file()]
    assert len(names) > 2 and all(nodes.same(f"alone/{name}", f"eval/{name}") for name in names)


def test_by_rays_client_server(nodes: Nodes) -> None:
    nodes.sefa(*REGION, "--seeds", "0-5", "-o", "e.dirs", "--on", nodes.by_client)
    assert nodes.same("one.dirs", "e.dirs") and not nodes.parts("e.dirs")


@pytest.mark.parametrize("way", ["by_client", "address"])
def test_another_version_of_ray_here_is_refused(nodes: Nodes, way: str) -> None:
    address = nodes.by_client if way == "by_client" else nodes.cluster.address
    words = ["sefa", *REGION, "--seeds", "0-5", "-o", "f.dirs", "--on", address]
    code = f"import ray, sys; ray.__version__ = '1.9'; sys.argv = {words}; "
    command = [sys.executable, "-c", f"{code}from sefa_cli.__main__ import main; main()"]
    done = subprocess.run(
        command, cwd=nodes.folder, env=nodes.environment, capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("sefa: cannot work with the Ray cluster at") and "1.9" in last


def test_a_worker_with_another_version_is_refused(nodes: Nodes) -> None:
    other = nodes.folder / "other"
    shutil.copytree(ROOT / "sefa_cli", other / "sefa_cli")
    init = other / "sefa_cli" / "__init__.py"
    init.write_text(init.read_text() + "\n__version__ = '9.9'\n")
    node = nodes.add(other)
    said = nodes.on(*REGION, "--seeds", "0-5", "-o", "d.dirs", code=1)
    nodes.kill(node)
    assert "has sefa 9.9; expected 0.1.0, as here. Install the same versions" in said


def test_gpus_are_shared_by_their_declared_fraction(nodes: Nodes) -> None:
    """Ray believes that a node has the GPUs that it declares; the work is done on the CPU."""
    node = nodes.cluster.add_node(num_cpus=0, num_gpus=2)
    code = f"""
import os, sys
from collections import deque
from sefa_cli.cluster import Cluster, Task
from sefa_cli.parts import Shard

for share in (0.5, 1.0, 2.0, None):
    with Cluster.parse({nodes.cluster.address!r}, share).workers(99, "auto", print) as workers:
        tasks = deque(Task(Shard(n, 8)) for n in range(1, 9))
        codes = [done.code for _, done in workers.run(tasks, lambda shard: ["--version"])]
        print(share, workers._count, codes.count(0), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=nodes.folder, env=nodes.environment, stderr=-1, text=True,
        timeout=240,
    )  # fmt: skip
    nodes.kill(node)
    assert done.stderr.splitlines() == ["0.5 4 8", "1.0 2 8", "2.0 1 8", "None 2 8"]
