"""The page on many machines: its lines run, with schedulers of a few lines for a cluster."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sefa_cli.bundle.bundle import Bundle
from tests.helpers import DOCS
from tests.helpers.remap import native_state, write_rosinality
from tests.helpers.server import Page, Server

PAGE = (DOCS / "many-machines.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(sh|py)\n(.*?)^```$", PAGE, re.M | re.S)

# As much of Slurm as the page uses: an array runs its tasks in turn, each twice, as if requeued.
SBATCH = """#!/bin/sh
for word; do script=$word; done
array=$(sed -n 's/^#SBATCH --array=1-//p' "$script")
if [ -z "$array" ]; then sh "$script" >&2; fi
for try in first again; do
  for task in $(seq "${array:-0}"); do
    SLURM_ARRAY_TASK_ID=$task SLURM_ARRAY_TASK_COUNT=$array sh "$script" >&2 || exit 1
  done
done
echo 7
"""
# As much of GNU parallel: its options, a command with {}, and words after `:::`.
PARALLEL = """#!/usr/bin/env python3
import subprocess, sys
words = sys.argv[1:]
while words[0].startswith("--"):
    words = words[2:]
end = words.index(":::")
for item in words[end + 1 :]:
    subprocess.run([word.replace("{}", item) for word in words[:end]], check=True)
"""


def need(engine: str) -> None:
    """Skip a test without this package, except in `make cluster`, which installs it."""
    if os.environ.get("SEFA_CLUSTER") != "required":
        pytest.importorskip(engine)


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, forked: str
) -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder, with the schedulers and a small `stylegan2_car` in the environment."""
    folder = tmp_path_factory.mktemp("cluster")
    for name, text in (("sbatch", SBATCH), ("parallel", PARALLEL)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    data = write_rosinality(folder / "car.pt", native_state(z_dim=24, w_dim=24)).read_bytes()
    with Server() as web:
        web.pages["/car.pt"] = Page(data)
        (folder / "zoo.toml").write_text(
            '[stylegan2_car]\nfamily = "stylegan2"\nresolution = 32\nlicense = "none"\n'
            f'source = "{web.url("/car.pt")}"\nsha256 = "{hashlib.sha256(data).hexdigest()}"\n'
        )
        path = os.pathsep.join([str(folder), forked])
        yield folder, {**os.environ, "PATH": path, "SEFA_ZOO": str(folder / "zoo.toml")}


def run(place: tuple[Path, dict[str, str]], *command: str) -> str:
    done = subprocess.run(
        command, cwd=place[0], env=place[1], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{command[-1]}\n{done.stderr}"
    return done.stderr


@pytest.mark.parametrize("number", [n for n, (kind, _) in enumerate(BLOCKS) if kind == "sh"])
def test_the_shell_lines_run(place: tuple[Path, dict[str, str]], number: int) -> None:
    if "--on ray" in BLOCKS[number][1]:
        need("ray")
    said = run(place, "sh", "-eu", "-c", BLOCKS[number][1])
    made = re.findall(r"-o ([\w./]+)$", BLOCKS[number][1], re.M)[-1]
    if made == "eval":
        assert (place[0] / "eval" / "index.html").exists()
        return
    assert Bundle.load(place[0] / made).k > 0
    assert said.count("is done already") == (2 if "sbatch" in BLOCKS[number][1] else 0)


def test_the_lines_for_submitit_run(place: tuple[Path, dict[str, str]]) -> None:
    engine = "submitit"
    need(engine)
    run(place, "sefa", "sample", "stylegan2_car", "--seeds", "0-3", "-o", "photos", "--overwrite")
    (code,) = (code for kind, code in BLOCKS if kind == "py" and f"import {engine}" in code)
    run(place, sys.executable, "-c", code)
    (output,) = re.findall(r'"?-o"?,? "?([\w.]+)"', code)
    (line,) = re.findall(rf"^sefa merge {output}.*$", PAGE, re.MULTILINE)
    run(place, "sh", "-eu", "-c", line)
    assert (place[0] / output).exists()
