"""docs/troubleshooting.md: each command that it shows is refused with the message that it shows."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from shutil import copy

import numpy as np
import pytest
import torch

from tests.helpers import DOCS
from tests.helpers.remap import native_state, tensors, to_rosinality, write_rosinality

PAGE = (DOCS / "troubleshooting.md").read_text()
CASES = re.findall(r"```console\nsefa ([^\n]+)\n```\n\n```text\n(.*?)```", PAGE, re.DOTALL)


def sefa(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command with a cache that knows no model."""
    environment = {**os.environ, "SEFA_CACHE": str(folder / "cache")}
    command = [sys.executable, "-m", "sefa_cli", *shlex.split(line)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the page's commands name."""
    place = tmp_path_factory.mktemp("trouble")
    state = native_state(z_dim=24, w_dim=24)
    write_rosinality(place / "my-model.pt", state)
    write_rosinality(place / "other-model.pt", native_state(z_dim=24, w_dim=24, seed=1))
    names, mean = to_rosinality(state)
    gap = {name: array for name, array in names.items() if not name.startswith("style.2.")}
    torch.save({"g_ema": tensors(gap), "latent_avg": torch.from_numpy(mean)}, place / "gap.pt")
    state["synthesis.b8.conv0.affine.weight"][0, 0] = np.nan
    write_rosinality(place / "nan.pt", state)
    torch.save({"encoder.weight": torch.zeros(3, 3)}, place / "unknown.pt")
    for line in (
        "factorize my-model.pt -o mine.dirs",
        "factorize my-model.pt --tensors '*modulation.weight' -o other.dirs",
    ):
        assert sefa(line, place).returncode == 0
    (place / "moved").mkdir()
    copy(place / "mine.dirs", place / "moved" / "mine.dirs")
    (place / "elsewhere").mkdir()
    return place


@pytest.mark.parametrize(("line", "message"), CASES, ids=[line for line, _ in CASES])
def test_a_message_is_the_programs(folder: Path, line: str, message: str) -> None:
    here = folder
    if line.startswith("edit moved/"):  # from a folder without the model
        here, line = folder / "elsewhere", line.replace("moved/", "../moved/")
    done = sefa(line, here)
    said = " ".join(done.stderr.split())
    shown = ".+".join(map(re.escape, " ".join(message.split()).split("…")))
    assert done.returncode in (1, 2, 3, 4)
    assert re.fullmatch(shown, said), said


def test_every_message_has_its_command() -> None:
    assert len(CASES) == PAGE.count("```text") > 10
