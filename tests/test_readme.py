"""Every command and every line of Python in the README and the guides runs, in order, page by page.

Blocks marked `sh` and `python` run. Blocks marked `console` are commands that need files or minutes
that a test does not have: their commands and options must exist. `docs/directions.md` has a test of
its own, which also compares what it prints.
"""

import hashlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from tests.helpers import DOCS, ROOT
from tests.helpers.remap import native_state, tensors, to_rosinality, write_rosinality
from tests.helpers.server import Page, Server

README = (ROOT / "README.md").read_text()
GUIDES = ("films", "formats", "how-far", "layers", "localize", "your-model")
PAGES = ["README.md", *(f"docs/{guide}.md" for guide in GUIDES)]
ELSEWHERE = ("docs/directions.md", "docs/plugins.md", "docs/many-machines.md")  # own tests
Place = tuple[Path, dict[str, str]]


def blocks(page: str, *languages: str) -> list[tuple[str, str]]:
    """The fenced blocks of a page in these languages: language and code."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", (ROOT / page).read_text(), re.M | re.S)
    return [(language, code) for language, code in found if language in languages]


BLOCKS = [(page, n) for page in PAGES for n in range(len(blocks(page, "sh", "python")))]


@pytest.fixture(scope="module")
def shell(
    tmp_path_factory: pytest.TempPathFactory, default_model: Path, forked: str
) -> Iterator[Place]:
    """A folder to work in; `stylegan2_car` and `my-model` there are small stand-ins."""
    place = tmp_path_factory.mktemp("readme")
    own = place / "your-model"
    (own / "my-model").mkdir(parents=True)
    (own / "my-model" / "config.json").write_text("{}")
    state = native_state(z_dim=24, w_dim=24)
    data = write_rosinality(own / "my-model.pt", state).read_bytes()
    torch.save(tensors(to_rosinality(state)[0]), own / "my-model" / "pytorch_model.bin")
    with Server() as web:
        web.pages["/car.pt"] = Page(data)
        (place / "zoo.toml").write_text(
            '[stylegan2_car]\nfamily = "stylegan2"\nresolution = 32\nlicense = "none"\n'
            f'source = "{web.url("/car.pt")}"\nsha256 = "{hashlib.sha256(data).hexdigest()}"\n'
        )
        yield place, {**os.environ, "PATH": forked, "SEFA_ZOO": str(place / "zoo.toml")}


@pytest.mark.parametrize(("page", "number"), BLOCKS)
def test_block(shell: Place, page: str, number: int) -> None:
    place, environment = shell[0] / Path(page).stem, shell[1]
    place.mkdir(exist_ok=True)
    language, code = blocks(page, "sh", "python")[number]
    command = ["sh", "-eu", "-c", code] if language == "sh" else [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{code}\n{done.stderr}"
    assert "Warning" not in done.stderr
    for line in done.stdout.splitlines():
        if line.endswith((".png", ".gif")):
            with Image.open(place / line) as picture:
                picture.verify()


def test_every_page_with_code_is_tested() -> None:
    pages = [path.relative_to(ROOT).as_posix() for path in sorted(DOCS.rglob("*.md"))]
    with_code = [page for page in pages if blocks(page, "sh", "python")]
    assert set(with_code) <= {*PAGES, *ELSEWHERE}


SHOWN = [
    line
    for page in sorted(["README.md", *(f"docs/{path.name}" for path in DOCS.glob("*.md"))])
    for _, code in blocks(page, "console")
    for line in code.replace("\\\n", " ").splitlines()
    if line.startswith("sefa ")
]


@pytest.mark.parametrize("line", SHOWN)
def test_a_command_that_is_only_shown_exists(line: str) -> None:
    from typer.main import get_command

    from sefa_cli.cli import app

    group: Any = get_command(app)
    _, name, *words = shlex.split(line, comments=True)
    options = {option for param in group.commands[name].params for option in param.opts}
    assert {word for word in words if re.match(r"--?[a-zA-Z]", word)} <= options


def test_the_tour_is_there() -> None:
    words = "\n".join(code for _, code in blocks("README.md", "sh"))
    for command in ("factorize", "inspect", "edit", "animate", "localize", "name"):
        assert f"sefa {command} " in words
    assert "sefa factorize stylegan2_car -o car.dirs" in words
    assert "sefa edit --dirs car.dirs --k 3 --alpha 2" in words


def test_it_takes_three_minutes_to_read() -> None:
    text = re.sub(r"^```.*?^```$|\]\([^)]*\)", "", README, flags=re.M | re.S)
    assert len(text.split()) < 600


def test_its_pictures_and_links_are_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_the_scripts_that_pages_name_are_there() -> None:
    for path in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        for script in re.findall(r"\bbench/\w+\.py", path.read_text()):
            assert (ROOT / script).exists(), f"{path.name}: {script}"
