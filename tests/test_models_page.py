"""docs/models.md: its names are in the zoo, its variables in the code, its example is read."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from sefa_cli.families.registry import built_in
from sefa_cli.sources import references, zoo
from tests.helpers import ROOT

PAGE = (ROOT / "docs" / "models.md").read_text("utf-8")
SECTION = PAGE[PAGE.index("## The zoo") : PAGE.index("## What is read")]


@pytest.fixture(autouse=True)
def only_the_built_in_zoo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEFA_ZOO", raising=False)


def test_every_name_is_in_the_zoo_and_every_model_of_the_zoo_is_named() -> None:
    rows = "\n".join(re.findall(r"^\| (`.*?) \|", SECTION, re.MULTILINE))
    names = re.findall(r"`([a-z0-9_*PX]+)`", rows)
    patterns = [re.sub(r"_PX$", "_[0-9]*", name) for name in names]
    entries = list(zoo.load_zoo())
    assert [p for p in patterns if not any(fnmatch(e, p) for e in entries)] == []
    assert [e for e in entries if not any(fnmatch(e, p) for p in patterns)] == []


def test_the_variables_are_those_the_code_asks_for() -> None:
    named = set(re.findall(r"`([A-Z][A-Z_]+_[A-Z]+)`", PAGE))
    sources = (ROOT / "sefa_cli" / "sources").rglob("*.py")
    code = "\n".join(path.read_text("utf-8") for path in sources)
    asked = set(re.findall(r'environ(?:\.get\(|\[)"([A-Z_]+)"', code))
    assert named == asked


def test_the_example_is_a_zoo_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [example] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "own.toml").write_text(example, "utf-8")
    monkeypatch.setenv("SEFA_ZOO", str(tmp_path / "own.toml"))
    assert zoo.find("my_model").family in built_in()


def test_the_ways_of_naming_a_model_are_understood() -> None:
    table = PAGE[: PAGE.index("## The zoo")]
    refs: list[str] = re.findall(r"^\| `(.+?)` \|", table, re.MULTILINE)
    remote = [ref for ref in refs if references.is_remote(ref)]
    assert len(refs) == 6
    assert len(remote) == 3
    for ref in remote:
        references.check_ref(ref)


def test_the_families_it_lists_by_command_exist() -> None:
    for family in re.findall(r"--family (\w+)", PAGE):
        assert any(entry.family == family for entry in zoo.load_zoo().values())
