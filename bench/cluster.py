"""What a task on a cluster costs, how work scales with workers, and many tasks in a bounded store.

python bench/cluster.py            `invert` in one process and on 1 and 2 workers of this machine
python bench/cluster.py --tasks N  N tasks of no work (`sefa --version`): time and memory
"""

import argparse
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

MODEL = "mobilestylegan_ffhq"
JOB = ("invert", "-q", "photos", "--model", MODEL, "--size", "256", "--device", "cpu")


def tasks(count: int) -> None:
    """Run tasks whose work is to print a version, so that only their cost remains."""
    import ray

    from sefa_cli.cluster import Cluster, Task
    from sefa_cli.parts import Shard

    waiting = deque(Task(Shard(n, count)) for n in range(1, count + 1))
    cluster, done, most, used = Cluster.parse("ray", 0), 0, 0, 0.0
    with cluster.workers(2, "cpu", print) as workers:
        store = ray.cluster_resources()["object_store_memory"]
        began, cpu = 0.0, 0.0
        for _, outcome in workers.run(waiting, lambda shard: ["--version"]):
            assert outcome.code == 0, outcome
            done += 1
            if done == 100:  # all workers have imported what they need
                began, cpu = time.monotonic(), time.process_time()
                first = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            if done % 500 == 0:
                left = ray.available_resources().get("object_store_memory", store)
                used = max(used, store - left)
                most = max(most, len(workers._flying))
        wall, cpu = time.monotonic() - began, time.process_time() - cpu
    last = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    say = sys.stderr.write
    say(f"{done} tasks; a task {wall / (done - 100) * 1e3:.1f} ms wall on 2 workers, ")
    say(f"{cpu / (done - 100) * 1e3:.2f} ms CPU in the driver\n")
    say(f"tasks in flight at most {most}; object store {used / 1e6:.1f} of {store / 1e6:.0f} MB\n")
    say(f"driver's peak memory {first >> 10} MB after 100 tasks, {last >> 10} MB at the end\n")


def scaling(seeds: int, passes: int) -> None:
    """Compare one process with 1 and 2 workers, in wall seconds, starting included."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        sefa = [sys.executable, "-m", "sefa_cli"]
        sample = [*sefa, "sample", "-q", MODEL, "--seeds", f"0-{seeds - 1}", "-o", "photos"]
        subprocess.run(sample, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
        words = [*sefa, *JOB, "--passes", f"{passes}", "-o"]
        for workers in (0, 1, 2):
            with head(workers) if workers else nullcontext() as address:
                began = time.monotonic()
                subprocess.run(
                    [*words, f"{workers}.npz", *(["--on", address] if address else [])],
                    cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL,
                )  # fmt: skip
                wall = time.monotonic() - began
            name = f"{workers} worker{'s' * (workers > 1)}" if workers else "one process"
            print(f"{name:12} {wall:6.1f} s, {wall / seeds:5.2f} s a photo", flush=True)
        same = {path.read_bytes() for path in Path(folder).glob("*.npz")}
        print("the same bytes" if len(same) == 1 else "OTHER BYTES")


@contextmanager
def head(workers: int, client_port: int = 0, **environment: str) -> Iterator[str]:
    """Start a cluster of one machine as a user would, and yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    more = [f"--ray-client-server-port={client_port}"] if client_port else []
    process = subprocess.Popen(
        [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", *more,
         f"--port={port}", f"--num-cpus={workers}", "--include-dashboard=false",
         "--object-store-memory=80000000"],
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0", **environment},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        if not any("--block" in line for line in process.stdout):
            sys.exit("the cluster does not start")
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()  # not `ray stop`, which ends all clusters of this machine
        process.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--passes", type=int, default=10)
    asked = parser.parse_args()
    tasks(asked.tasks) if asked.tasks else scaling(asked.seeds, asked.passes)
