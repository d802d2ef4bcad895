"""What `-o` names: a sheet by its suffix, a folder, or stdout."""

import os
from pathlib import Path

import pytest

from sefa_cli.errors import SefaError, UsageError
from sefa_cli.rendering.outputs import picture_target


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.jpeg", "a.webp", "A.JPG"])
def test_every_picture_suffix_is_a_sheet(tmp_path: Path, name: str) -> None:
    assert not picture_target(str(tmp_path / name), "stem", False).is_folder


@pytest.mark.parametrize("name", ["sheets", "sheets.d/"])
def test_a_name_without_suffix_or_with_a_slash_is_a_folder(tmp_path: Path, name: str) -> None:
    assert picture_target(f"{tmp_path}{os.sep}{name}", "stem", False).is_folder


def test_a_file_is_no_folder_for_pictures(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(SefaError, match=r"notes is a file; expected a folder\. Choose another"):
        picture_target(str(tmp_path / "notes"), "stem", False)
    with pytest.raises(SefaError, match=r"cannot write .*notes.sheets: part of its path is a file"):
        picture_target(str(tmp_path / "notes" / "sheets"), "stem", False)
    if os.name != "nt":
        with pytest.raises(SefaError, match=r"^/dev/null is a file; expected a folder"):
            picture_target("/dev/null", "stem", False)


def test_an_unknown_suffix_lists_the_known_ones(tmp_path: Path) -> None:
    words = r"unknown picture suffix '\.new'; expected \.png, \.jpg, \.jpeg, \.webp"
    with pytest.raises(UsageError, match=words):
        picture_target(str(tmp_path / "a.new"), "stem", False)


@pytest.mark.parametrize("suffix", [".gif", ".mp4", ".webm", ".MOV"])
def test_a_film_suffix_is_refused(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(UsageError, match=r"films .`sefa animate` makes them."):
        picture_target(str(tmp_path / f"a{suffix}"), "stem", False)
