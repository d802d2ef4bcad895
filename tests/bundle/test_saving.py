"""Bundles as files: what cannot be read or written, and writes that never half happen."""

import io
import stat
from pathlib import Path
from typing import IO, Any

import pytest

from sefa_cli import files
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.errors import SefaError
from tests.helpers import FORMATS


@pytest.fixture
def bundle() -> Bundle:
    return Bundle.load(FORMATS / "golden/w.dirs")


def test_open_files_are_read(bundle: Bundle, tmp_path: Path) -> None:
    assert Bundle.load(io.BytesIO(bundle.to_bytes())).to_bytes() == bundle.to_bytes()
    bundle.save(tmp_path / "a.dirs")
    with open(tmp_path / "a.dirs", "rb") as file:
        assert Bundle.load(file).to_bytes() == bundle.to_bytes()


def test_no_bundle_goes_to_a_terminal(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    with pytest.raises(SefaError, match="refusing to write binary data to a terminal"):
        bundle.save("-")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.dirs", "does not exist. Make it with: sefa factorize MODEL -o PATH"),
        ("none/a.dirs", "does not exist. Make it with: sefa factorize MODEL -o PATH"),
        ("", "is a folder; expected a direction bundle"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(SefaError) as caught:
        Bundle.load(tmp_path / name)
    path = str(tmp_path / name)
    assert str(caught.value) == f"{path} {message.replace('PATH', path)}"


def test_an_output_that_exists_is_kept(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "a.dirs").write_text("mine")
    with pytest.raises(SefaError, match="exists"):
        bundle.save(tmp_path / "a.dirs")
    assert (tmp_path / "a.dirs").read_text() == "mine"
    bundle.save(tmp_path / "a.dirs", overwrite=True)
    assert (tmp_path / "a.dirs").read_bytes() == bundle.to_bytes()


class Broken(io.FileIO):
    """A file whose disk fails after some bytes were written."""

    error: BaseException

    def write(self, data: Any) -> int:
        super().write(data[:100])
        raise self.error


@pytest.mark.parametrize(
    ("error", "raised", "message"),
    [
        (OSError(28, "No space left on device"), SefaError, "the disk is full. Free some space"),
        (OSError(122, "Disk quota exceeded"), SefaError, "the disk quota is used up"),
        (OSError(30, "Read-only file system"), SefaError, "the file system is read-only"),
        (OSError(5, "Input/output error"), SefaError, "Input/output error"),
        (KeyboardInterrupt("stop"), KeyboardInterrupt, "stop"),
    ],
)
def test_nothing_half_written_stays(
    bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    raised: type[BaseException],
    message: str,
) -> None:
    def broken(path: Path, mode: str) -> IO[bytes]:
        file = Broken(path, mode)
        file.error = error
        return file

    target = tmp_path / "a.dirs"
    target.write_text("mine")
    monkeypatch.setattr(files, "open", broken, raising=False)
    with pytest.raises(raised, match=message):
        bundle.save(target, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.dirs"]
    assert target.read_text() == "mine"


def test_folders_that_cannot_take_it(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SefaError, match=r"cannot write .*file"):
        bundle.save(tmp_path / "file" / "a.dirs")
    with pytest.raises(SefaError, match="is a folder; expected a file name"):
        bundle.save(tmp_path)


def test_a_missing_folder_is_made(bundle: Bundle, tmp_path: Path) -> None:
    bundle.save(tmp_path / "none" / "a.dirs")
    assert Bundle.load(tmp_path / "none" / "a.dirs").k == bundle.k


def test_a_saved_bundle_has_the_rights_of_other_files(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("")
    bundle.save(tmp_path / "a.dirs")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()]
    assert modes[0] == modes[1]
