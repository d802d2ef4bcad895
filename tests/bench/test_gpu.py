"""The script for machines with a GPU runs from start to end, here with small networks on a CPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import ROOT


@pytest.mark.slow
def test_every_part_runs_and_is_written(tmp_path: Path) -> None:
    environment = {**os.environ, "SEFA_GPU_TINY": "1", "PYTHON": sys.executable}
    command = ["bash", str(ROOT / "bench/gpu.sh"), str(tmp_path / "out")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    parts = json.loads((tmp_path / "out/gpu.json").read_text())
    assert list(parts) == [
        *("machine", "arithmetic", "pictures", "localize"),
        *("default model", "little memory", "forms"),
    ]
    assert not any("failed" in json.dumps(part) for part in parts.values())
    assert parts["pictures"]["difference to published"] < 1e-5
    assert min(parts["localize"]["localize"]["bf16"]["cosines"]) > 0.99
    assert "skipped" in (tmp_path / "out/pytest.txt").read_text()
