"""`sefa models`: the list, for people and programs; fetching ahead; what is refused."""

import functools
import hashlib
import http.server
import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with `tiny.pth`, which nothing here reads, and a cache."""
    (tmp_path / "tiny.pth").write_bytes(b"PK" + os.urandom(5000))  # no page, whatever follows
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEFA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DNNLIB_CACHE_DIR", str(tmp_path / "dnnlib"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and keeps silent about it."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def mine(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A zoo of the user's own with the small model, on a server on this machine."""
    handler = functools.partial(Handler, directory=workplace)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        zoo = workplace / "own.toml"
        size = (workplace / "tiny.pth").stat().st_size
        zoo.write_text(
            '[mine]\nfamily = "stylegan2"\nresolution = 32\nlicense = "CC0 [or so]"\n'
            f'source = "http://127.0.0.1:{web.server_port}/tiny.pth"\nsize = {size}\n'
        )
        monkeypatch.setenv("SEFA_ZOO", str(zoo))
        monkeypatch.setenv("NO_PROXY", "*")
        monkeypatch.delenv("SEFA_OFFLINE", raising=False)
        threading.Thread(target=web.serve_forever, args=(0.02,), daemon=True).start()
        yield workplace / "tiny.pth"
        web.shutdown()


def test_the_list_has_a_line_for_each_model(mine: Path, sefa: Callable[..., Result]) -> None:
    lines = sefa("models").stdout.splitlines()
    assert lines[0].split() == ["name", "family", "px", "size", "cached", "license"]
    assert re.match(r"mine +stylegan2 +32 +\d+ MB +no +CC0 \[or so\]", lines[1])
    car = next(line for line in lines if line.startswith("stylegan2_car "))
    assert car.split()[1:6] == ["stylegan2", "512", "124", "MB", "no"]
    assert car.rstrip().endswith("NVIDIA Source Code License (non-commercial)")
    default = next(line for line in lines if line.startswith("mobilestylegan_ffhq "))
    assert default.rstrip().endswith(
        "Apache-2.0 as its publisher states; distilled from a non-commercial teacher"
    )


def test_the_list_as_json(mine: Path, sefa: Callable[..., Result]) -> None:
    entries = {entry["name"]: entry for entry in json.loads(sefa("models", "--json").stdout)}
    assert entries["mine"]["cached"] is False
    assert entries["mine"]["path"] is None
    car = entries["stylegan2_car"]
    assert set(car) >= {"name", "family", "resolution", "size", "sha256", "license", "cached"}
    assert car["size"] == 123949595
    assert car["also"][0]["source"].endswith("stylegan2-car-config-f.pkl")


def test_the_list_of_one_family(mine: Path, sefa: Callable[..., Result]) -> None:
    entries = json.loads(sefa("models", "--family", "mobilestylegan", "--json").stdout)
    assert [entry["name"] for entry in entries] == ["mobilestylegan_ffhq"]
    lines = sefa("models", "--family", "stylegan2").stdout.splitlines()
    assert {line.split()[1] for line in lines[1:]} == {"stylegan2"}
    done = sefa("models", "--family", "stylegan9")
    assert done.exit_code == 2
    assert "unknown family 'stylegan9'" in done.stderr
    assert "mobilestylegan, pggan" in done.stderr


def test_a_file_in_another_programs_cache_is_listed_and_used(
    mine: Path, workplace: Path, sefa: Callable[..., Result]
) -> None:
    entries = json.loads(sefa("models", "--json").stdout)
    [source] = [entry["source"] for entry in entries if entry["name"] == "mine"]
    key = hashlib.md5(source.encode()).hexdigest()
    theirs = workplace / "dnnlib" / "downloads" / f"{key}_tiny.pth"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(mine.read_bytes())
    done = sefa("models", "path", "mine")
    assert done.stdout == f"{theirs}\n"
    assert "SHA-256" in done.stderr  # none is known
    assert re.search(r"mine .* yes ", sefa("models").stdout)
    assert sefa("models", "pull", "mine").stdout == f"{theirs}\n"
    assert not (workplace / "cache" / "models").exists()


def test_pull_fetches_and_prints_the_path_alone(mine: Path, sefa: Callable[..., Result]) -> None:
    done = sefa("models", "pull", "mine")
    path = Path(done.stdout.rstrip("\n"))
    assert path.read_bytes() == mine.read_bytes()
    assert "fetching tiny.pth from 127.0.0.1" in done.stderr
    assert "SHA-256" in done.stderr  # none is known
    [entry] = [e for e in json.loads(sefa("models", "--json").stdout) if e["name"] == "mine"]
    assert (entry["cached"], entry["path"]) == (True, str(path))
    assert sefa("models", "path", "mine").stdout == f"{path}\n"
    again = sefa("models", "pull", "mine")
    assert (again.stdout, again.stderr) == (done.stdout, "")


def test_quiet_says_nothing(mine: Path, sefa: Callable[..., Result]) -> None:
    done = sefa("-q", "models", "pull", "mine")
    assert done.exit_code == 0, done.stderr
    assert done.stderr == ""


def test_path_fetches_nothing(mine: Path, sefa: Callable[..., Result]) -> None:
    done = sefa("models", "path", "mine")
    assert done.exit_code == 4
    assert done.stdout == ""
    assert "sefa models pull mine" in done.stderr


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("stylegan2_cars", "Did you mean stylegan2_car"),
        ("tiny.pth", "tiny.pth is not a model of the zoo. `sefa models` lists"),
        ("http://example.com/x.pt", "not encrypted"),
    ],
)
def test_what_cannot_be_pulled_is_told(sefa: Callable[..., Result], name: str, words: str) -> None:
    done = sefa("models", "pull", name)
    assert done.exit_code == 1
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_broken_own_zoo_is_one_line(
    workplace: Path, sefa: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    (workplace / "own.toml").write_text("[mine]\n")
    monkeypatch.setenv("SEFA_ZOO", str(workplace / "own.toml"))
    done = sefa("models")
    assert done.exit_code == 1
    assert done.stderr.startswith("sefa: ")
    assert "own.toml: [mine] has no family" in done.stderr


def test_the_list_asks_no_network_and_writes_nothing(
    workplace: Path, sefa: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("asked the network"))
    before = sorted(workplace.iterdir())
    assert sefa("models").exit_code == 0
    assert sorted(workplace.iterdir()) == before
