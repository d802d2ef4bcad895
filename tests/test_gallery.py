"""The shell script under docs/ that factorizes, names, mixes and writes a gallery."""

import os
import subprocess
from pathlib import Path

from PIL import Image

from sefa_cli.bundle.bundle import Bundle
from tests.helpers import DOCS
from tests.helpers.reading import num_frames

SCRIPT = DOCS / "gallery.sh"


def test_it_runs_on_the_default_model(tmp_path: Path, default_model: Path, forked: str) -> None:
    environment = {**os.environ, "PATH": forked, "SIZE": "64", "FRAMES": "3"}
    command = ["sh", str(SCRIPT), "mobilestylegan_ffhq", "g"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    films = sorted(path.name for path in (tmp_path / "g").glob("*.gif"))
    assert films == [
        "hair-off-the-face.gif",
        "longer-hair.gif",
        "turns-hair-grows.gif",
        "turns-the-head.gif",
    ]
    with Image.open(tmp_path / "g" / "turns-hair-grows.gif") as film:
        assert num_frames(film) == 4 and film.size == (64, 64)
    gallery = Bundle.load(tmp_path / "g" / "gallery.dirs")
    assert gallery.labels == [
        "turns the head",
        "hair off the face",
        "longer hair",
        "turns, hair grows",
    ]
    assert abs(gallery.directions[3] @ gallery.directions[1]) < 1e-5
    assert "turns, hair grows" in done.stdout
