"""Clusters that are started as the page on many machines says, with a token and without."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.cluster import head
from sefa_cli import joining
from sefa_cli.joining import SAME_TOKEN
from tests.helpers import CONTAINERS

if os.environ.get("SEFA_CLUSTER") != "required":
    pytest.importorskip("ray", reason="`make cluster` installs Ray and runs these")
pytestmark = pytest.mark.slow


class Place:
    """A home folder, and a cluster that was started from it."""

    def __init__(self, home: Path, has_token: bool) -> None:
        self.home, self.token = home, home / ".ray" / "auth_token"
        shutil.copy(CONTAINERS / "ckpt_genforce_stylegan2.pth", home / "tiny.pth")
        self.environment = {"HOME": str(home), "OMP_NUM_THREADS": "1", "SEFA_CACHE": f"{home}/c"}
        if has_token:
            ray = [sys.executable, "-m", "ray.scripts.scripts", "get-auth-token", "--generate"]
            subprocess.run(ray, env=os.environ | self.environment, check=True, capture_output=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.client_port = free.getsockname()[1]

    def sefa(self, on: str) -> tuple[int, str]:
        """Make a picture there."""
        shutil.rmtree(self.home / "pictures", ignore_errors=True)
        words = ("sample", "-q", "tiny.pth", "--seeds", "0", "-o", "pictures", "--on", on)
        done = subprocess.run(
            [sys.executable, "-m", "sefa_cli", *words], cwd=self.home, capture_output=True,
            text=True, env=os.environ | self.environment, timeout=240,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module", params=["no token", "a token"])
def place(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[tuple[Place, str]]:
    made = Place(tmp_path_factory.mktemp("home"), request.param == "a token")
    with head(1, made.client_port, **made.environment) as address:
        yield made, address


def test_it_is_joined(place: tuple[Place, str]) -> None:
    """A named head was refused once any `ray.init()` had left a token in the home folder."""
    made, address = place
    for on in (address, f"ray://127.0.0.1:{made.client_port}"):
        assert made.sefa(on) == (0, "pictures/seed0000.png\n"), on


def test_another_token_is_said(place: tuple[Place, str]) -> None:
    made, address = place
    before = made.token.read_text() if made.token.exists() else None
    made.token.parent.mkdir(exist_ok=True)
    made.token.write_text("0" * 64)
    by_client = f"ray://127.0.0.1:{made.client_port}"  # which needs none if the cluster has none
    try:
        ended = [made.sefa(on) for on in ((address, by_client) if before else (address,))]
    finally:
        made.token.unlink()
        if before:
            made.token.write_text(before)
    for code, said in ended:
        assert code == 1 and "Traceback" not in said
        last = said.splitlines()[-1]
        assert last.startswith("sefa: ") and SAME_TOKEN in last


def test_a_lost_connection_is_no_matter_of_tokens(tmp_path: Path) -> None:
    """Every cluster that could not be joined was said to need the same token."""
    made = Place(tmp_path, has_token=False)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for before in ("", "ray://"):
            code, said = made.sefa(f"{before}127.0.0.1:{silent.getsockname()[1]}")
            last = said.splitlines()[-1]
            assert code == 1 and last.startswith("sefa: cannot work with the Ray cluster at ")
            assert "token" not in last


def test_a_cluster_for_one_command_leaves_no_token(tmp_path: Path) -> None:
    """Ray kept one, and clusters that were started later asked for it."""
    made = Place(tmp_path, has_token=False)
    assert made.sefa("ray") == (0, "pictures/seed0000.png\n")
    assert not made.token.exists()


def test_two_clusters_of_one_process(tmp_path: Path) -> None:
    """The token of the first stayed in the environment of whatever was started later."""
    code = """
import os
from collections import deque
from sefa_cli.cluster import Cluster, Task
from sefa_cli.parts import Shard

for _ in range(2):
    with Cluster.parse("ray", 0).workers(1, "cpu", print) as workers:
        (done,) = workers.run(deque([Task(Shard(1, 1))]), lambda shard: ["--version"])
    print(done[1].code, [name for name in os.environ if name.startswith("RAY_")])
"""
    own = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True,
        env=own | {"HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}, timeout=240,
    )  # fmt: skip
    assert done.stdout == "0 []\n" * 2, done.stderr


def test_rays_client_server_may_hang_once() -> None:
    """Its fork hangs now and then on a busy machine; the next try was as good as the first."""
    answers = ["Initialization failure from server: …", "Initialization failure from server: …"]

    class Ray:
        shut = 0

        def init(self, address: str, **own: object) -> None:
            if answers:
                raise ConnectionError(answers.pop())

        def shutdown(self) -> None:
            self.shut += 1

    ray = Ray()
    joining._init(ray, "ray://head:10001", {})
    assert ray.shut == 2
    answers[:] = ["ray client connection timeout"]
    with pytest.raises(ConnectionError, match="timeout"):
        joining._init(ray, "ray://head:10001", {})
