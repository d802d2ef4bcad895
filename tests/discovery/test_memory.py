"""How much memory is free in a container: what it could drop at once does not count as used."""

from pathlib import Path

import pytest

from sefa_cli.discovery import memory


@pytest.fixture
def group(tmp_path: Path) -> Path:
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("990\n")
    (tmp_path / "memory.stat").write_text("anon 100\nfile 890\ninactive_file 800\nactive_file 90\n")
    return tmp_path


def test_files_kept_in_memory_are_free(group: Path) -> None:
    assert memory._group(group) == [810]


@pytest.mark.parametrize("stat", ["", "anon 100\n", None])
def test_a_group_that_does_not_say(group: Path, stat: str | None) -> None:
    (group / "memory.stat").unlink() if stat is None else (group / "memory.stat").write_text(stat)
    assert memory._group(group) == [10]


def test_no_limit(group: Path) -> None:
    (group / "memory.max").write_text("max\n")
    assert memory._group(group) == []
