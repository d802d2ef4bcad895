"""Every command and every line of Python in the README runs, in the order in which it stands."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.helpers import ROOT
from tests.helpers.remap import native_state, write_rosinality
from tests.helpers.server import Page, Server

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def shell(
    tmp_path_factory: pytest.TempPathFactory, default_model: Path
) -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder to work in; `stylegan2_car` there is a small stand-in on this machine."""
    place = tmp_path_factory.mktemp("readme")
    data = write_rosinality(place / "car.pt", native_state(z_dim=24, w_dim=24)).read_bytes()
    (place / "car.pt").unlink()
    with Server() as web:
        web.pages["/car.pt"] = Page(data)
        (place / "zoo.toml").write_text(
            '[stylegan2_car]\nfamily = "stylegan2"\nresolution = 32\nlicense = "none"\n'
            f'source = "{web.url("/car.pt")}"\nsha256 = "{hashlib.sha256(data).hexdigest()}"\n'
        )
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        yield place, {**os.environ, "PATH": path, "SEFA_ZOO": str(place / "zoo.toml")}


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_block(shell: tuple[Path, dict[str, str]], number: int) -> None:
    place, environment = shell
    language, code = BLOCKS[number]
    command = ["sh", "-eu", "-c", code] if language == "sh" else [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{code}\n{done.stderr}"
    assert "Warning" not in done.stderr
    for line in done.stdout.splitlines():
        if line.endswith((".png", ".gif")):
            with Image.open(place / line) as picture:
                picture.verify()


def test_the_tour_is_there() -> None:
    words = "\n".join(code for _, code in BLOCKS)
    for command in ("factorize", "inspect", "sample", "edit", "animate"):
        assert f"sefa {command} " in words
    assert "sefa factorize stylegan2_car -o car.dirs" in words


def test_its_pictures_and_links_are_there() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target
