"""What a task on a cluster costs, how work scales with workers, and many tasks in a bounded store.

python bench/cluster.py            `localize` in one process and on 1 and 2 workers of this machine
python bench/cluster.py --tasks N  N tasks of no work (`sefa --version`): time and memory
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

MODEL = "mobilestylegan_ffhq"
REGION = ("localize", MODEL, "--box", "0.4,0.3,0.1,0.4", "--size", "64", "--exact-gram",
          "--memory", "1G", "--device", "cpu")  # fmt: skip


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


def scaling(seeds: int) -> None:
    """Compare one process with 1 and 2 workers, in wall seconds, starting included."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "sefa_cli", *REGION, "--seeds", f"0-{seeds - 1}", "-o"]
        rows = [("one process", [*words, "one.dirs"], 0)]
        rows += [(f"{n} worker{'s' * (n > 1)}", [*words, f"{n}.dirs"], n) for n in (1, 2)]
        for name, command, workers in rows:
            address = _head(workers) if workers else ""
            try:
                more: list[str] = ["--on", address] if workers else []
                began = time.monotonic()
                subprocess.run([*command, *more], cwd=folder, env=environment, check=True)
                wall = time.monotonic() - began
            finally:
                if workers:
                    _ray("stop")
            print(f"{name:12} {wall:6.1f} s, {wall / seeds:5.2f} s a seed", flush=True)
        same = {path.read_bytes() for path in Path(folder).glob("*.dirs")}
        print("the same bytes" if len(same) == 1 else "OTHER BYTES")


def _head(workers: int) -> str:
    _ray("start", "--head", "--port=6399", f"--num-cpus={workers}", "--include-dashboard=false",
         "--object-store-memory=80000000")  # fmt: skip
    return "127.0.0.1:6399"


def _ray(*words: str) -> None:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    subprocess.run(
        [sys.executable, "-m", "ray.scripts.scripts", *words], check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int)
    parser.add_argument("--seeds", type=int, default=6)
    asked = parser.parse_args()
    tasks(asked.tasks) if asked.tasks else scaling(asked.seeds)
