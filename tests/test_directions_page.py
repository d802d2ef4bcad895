"""docs/directions.md: its commands run in their order and print the table that it shows."""

import os
import re
import subprocess
import sys
from pathlib import Path

from sefa_cli.bundle.bundle import Bundle
from tests.helpers import DOCS

PAGE = (DOCS / "directions.md").read_text()
BLOCKS = re.findall(r"```(sh|python|)\n(.*?)```", PAGE, re.DOTALL)


def test_commands_and_table(tmp_path: Path, default_model: Path, forked: str) -> None:
    environment = {**os.environ, "PATH": forked}
    printed = ""
    for language, code in BLOCKS:
        if not language:
            table = re.sub(r" +$", "", printed, flags=re.MULTILINE).strip()
            assert table.endswith(code.strip())
            continue
        start = ["sh", "-eu", "-c"] if language == "sh" else [sys.executable, "-c"]
        done = subprocess.run(
            [*start, code], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        printed = done.stdout
    assert printed == "(512,) (0, 2, 3, 4)\n"
    mix, clean = Bundle.load(tmp_path / "mix.dirs"), Bundle.load(tmp_path / "clean.dirs")
    face = Bundle.load(tmp_path / "face.dirs")
    assert face.labels[:3] == ["turns the head", None, "longer hair"]
    assert clean.labels == mix.labels == ["turned, longer"]
    assert abs(clean.directions[0] @ face.directions[2]) < 1e-6
    assert abs(clean.directions[0] @ face.directions[0]) > 0.999
