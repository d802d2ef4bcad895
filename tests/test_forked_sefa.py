"""The `sefa` that is forked for the tests of pages does what a new process does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
sefa factorize tiny.pth -o - | sefa pick - --k 0-2 -o few.dirs
mkdir away && cd away
SEFA_OFFLINE=1 sefa sample mobilestylegan_ffhq --seeds 0 -o face.png || echo $?
sefa inspect < /dev/null || echo $?
SEFA_CACHE=own sefa edit ../few.dirs --model ../tiny.pth -k 0 -a 2 --size 16 -o - | cksum
"""


@pytest.mark.slow
def test_words_folder_environment_pipes_and_codes(workplace: Path, forked: str) -> None:
    ends = []
    for name, path in (("new", str(Path(sys.executable).parent)), ("forked", forked)):
        (workplace / name).mkdir()
        (workplace / name / "tiny.pth").hardlink_to(workplace / "tiny.pth")
        done = subprocess.run(
            SCRIPT, shell=True, cwd=workplace / name, capture_output=True, text=True,
            env={**os.environ, "PATH": os.pathsep.join([path, os.environ["PATH"]])},
        )  # fmt: skip
        ends.append((done.returncode, done.stdout, done.stderr))
    assert ends[0] == ends[1]
    assert "\n4\n" in f"\n{ends[0][1]}" and ends[0][1].count("\n") == 4, ends
