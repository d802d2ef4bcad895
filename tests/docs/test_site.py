"""The documentation site: it builds strictly, opens offline, and shows every public name."""

import html
import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import sefa_cli
from sefa_cli.cli import app
from tests.helpers import DOCS, ROOT
from tests.test_house import ROWS

GROUP: Any = get_command(app)
COMMANDS: dict[str, Any] = {
    f"sefa {name}{below}": found
    for name, command in GROUP.commands.items()
    for below, found in [
        ("", command),
        *((f" {sub}", c) for sub, c in getattr(command, "commands", {}).items()),
    ]
}
PUBLIC = [name for name in sefa_cli.__all__ if name != "__version__"]


def build(config: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build the site with `mkdocs build --strict`, where a warning is an error."""
    words = ["-m", "mkdocs", "build", "--strict", "--config-file", str(config), "-d", str(site)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT / "mkdocs.yml", folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_dead_link_stops_the_build(tmp_path: Path) -> None:
    shutil.copytree(DOCS, tmp_path / "docs")
    dead = "nowhere" + ".md"  # a test of cited pages reads this file
    (tmp_path / "docs" / "films.md").write_text(f"# Films\n\n[gone]({dead})\n")
    (tmp_path / "mkdocs.yml").write_text(
        f"INHERIT: {ROOT / 'mkdocs.yml'}\ndocs_dir: docs\nhooks: [{DOCS / 'site_hooks.py'}]\n"
    )
    done = build(tmp_path / "mkdocs.yml", tmp_path / "site")
    assert done.returncode != 0 and dead in done.stderr


def test_links_between_built_pages_are_alive(site: Path) -> None:
    """Pages, files and anchors, also in links that hooks and plug-ins write."""
    pages = {page: page.read_text() for page in site.rglob("*.html") if page.name != "404.html"}
    ids = {page: set(re.findall(r'\bid="([^"]+)"', text)) for page, text in pages.items()}
    for page, text in pages.items():
        for link in re.findall(r'<a\b[^>]*\bhref="([^"]+)"', text):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), f"{page.name}: {link}"
            if anchor and target in ids:
                assert anchor in ids[target], f"{page.name}: {link}"


def test_it_asks_no_other_machine(site: Path) -> None:
    """Fonts, scripts, styles and pictures are local, so the site opens from disk."""
    loads = re.compile(r'<(?:script|img|iframe|source)\b[^>]*\bsrc="https?:|<link\b[^>]*"https?:')
    for page in site.rglob("*.html"):
        assert not loads.search(page.read_text()), page.name
    for style in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)[\"' ]*https?:", style.read_text()), style.name


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_in_the_reference(site: Path, name: str) -> None:
    assert f'id="sefa_cli.{name}"' in (site / "reference" / "python.html").read_text()


@pytest.mark.parametrize("name", [n for n in PUBLIC if inspect.isfunction(getattr(sefa_cli, n))])
def test_a_public_function_says_what_it_does(name: str) -> None:
    """In one imperative line: `Return …`, neither `The …` nor `Returns …`."""
    first = (getattr(sefa_cli, name).__doc__ or "").splitlines()[0]
    verb = first.split()[0]
    assert first.endswith(".") and verb[0].isupper()
    assert verb not in {"The", "A", "An", "This", "It"} and not re.search(r"(?<!s)s$", verb)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_in_the_reference(site: Path, name: str) -> None:
    page = (site / "reference" / "commands.html").read_text()
    command = COMMANDS[name]
    assert f'id="{name.replace(" ", "-")}"' in page
    for param in command.params:
        for option in param.opts if param.param_type_name == "option" else []:
            assert f'<code class="option">{option}</code>' in page, f"{name} {option}"


def test_the_reference_of_commands_is_readable(site: Path) -> None:
    """Usages name what is required, values have short names, and no Markdown is left."""
    page = (site / "reference" / "commands.html").read_text()
    article = page[page.index("<article") : page.index("</article>")]
    text = html.unescape(re.sub(r"<[^>]+>", "", article))
    assert "sefa factorize MODEL --output OUT.dirs [OPTIONS]" in text
    assert "--frames N" in text and "INT" not in text
    assert not re.search(r"\\\||`|\*\*|\{\.option", text)


def test_a_returned_value_is_one_item(site: Path) -> None:
    """Also if its description in the docstring has several lines."""
    page = (site / "reference" / "python.html").read_text()
    lists = re.findall(r">Returns:</span></p>\s*<ul>(.*?)</ul>", page, re.DOTALL)
    assert lists and [items.count("doc-section-item") for items in lists] == [1] * len(lists)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_each_of_its_options_has_help(name: str) -> None:
    command = COMMANDS[name]
    assert (command.help or "").strip()
    assert [p.name for p in command.params if not (getattr(p, "help", "") or "").strip()] == []


def test_the_format_is_the_repositorys(site: Path) -> None:
    page = (site / "reference" / "directions-v1.html").read_text()
    for heading in re.findall(r"^## (.+)$", (ROOT / "formats/directions-v1.md").read_text(), re.M):
        assert heading in page


def test_the_architecture_page_shows_the_rows_of_the_house() -> None:
    page = (DOCS / "architecture.md").read_text()
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", page, re.M)
    assert [re.findall(r"`(\w+)`", parts) for _, parts in rows] == [list(row) for row in ROWS]
    assert [int(number) for number, _ in rows] == list(range(len(ROWS)))


def test_the_architecture_page_names_what_is_there() -> None:
    page = (DOCS / "architecture.md").read_text()
    for path in re.findall(r"`((?:[\w-]+/)+(?:[\w-]+\.\w+)?)`", page):
        assert (ROOT / path).exists() or (ROOT / "sefa_cli" / path).exists(), path
