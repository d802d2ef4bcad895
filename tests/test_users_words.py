"""`sefa factorize stylegan2_car -o car.dirs`, exactly as asked for, on a full-width stand-in.

The official file cannot be had here. A StyleGAN2 of its size and form (config-f, 512 px, the
rosinality layout) with random weights lies on a server on this machine, under the same name.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from sefa_cli.bundle.bundle import Bundle
from tests.helpers.remap import stand_in, write_rosinality
from tests.helpers.server import Page, Server

Run = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def car(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rosinality(tmp_path_factory.mktemp("car") / "car.pt", stand_in(512))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="module")
def server(car: Path) -> Iterator[Server]:
    with Server() as web:
        web.pages["/car.pt"] = Page(car.read_bytes())
        name = "/ZeqiangLai/StyleGAN2/resolve/main/stylegan2-car-config-f.pt"
        web.pages[name] = Page(car.read_bytes())
        yield web


@pytest.fixture(scope="module")
def run(place: Path, server: Server, car: Path) -> Run:
    """Words typed into a shell, in one folder, with a zoo file that names the stand-in."""
    data = car.read_bytes()
    (place / "zoo.toml").write_text(
        "[stylegan2_car]\n"
        'family = "stylegan2"\nresolution = 512\n'
        f'source = "{server.url("/car.pt")}"\nsize = {len(data)}\n'
        f'sha256 = "{hashlib.sha256(data).hexdigest()}"\n'
        'license = "none: random numbers"\n'
    )
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "SEFA_CACHE": str(place / "cache"),
        "SEFA_ZOO": str(place / "zoo.toml"),
    }
    environment.pop("SEFA_OFFLINE", None)

    def words(line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            line, shell=True, cwd=place, env=environment, capture_output=True, text=True
        )

    return words


def test_factorize_fetches_verifies_caches_and_factorizes(
    run: Run, place: Path, server: Server
) -> None:
    done = run("sefa factorize stylegan2_car -o car.dirs")
    assert (done.returncode, done.stdout) == (0, "car.dirs\n"), done.stderr
    bundle = Bundle.load(place / "car.dirs")
    assert bundle.model["ref"] == "stylegan2_car" and bundle.model["resolution"] == 512
    assert bundle.directions.shape == (512, 512) and list(bundle.layers) == list(range(16))
    asked = len(server.asked)
    assert run("sefa factorize stylegan2_car -o again.dirs").returncode == 0
    assert len(server.asked) == asked  # the second time it came from the cache
    assert (place / "again.dirs").read_bytes() == (place / "car.dirs").read_bytes()


def test_edit_needs_no_more_than_the_bundle_wherever_it_lies(run: Run, place: Path) -> None:
    (place / "elsewhere").mkdir()
    (place / "car.dirs").rename(place / "elsewhere" / "car.dirs")
    done = run("cd elsewhere && SEFA_OFFLINE=1 sefa edit --dirs car.dirs --k 3 --alpha 2")
    assert (done.returncode, done.stdout) == (0, "car_k3_+2.00.png\n"), done.stderr
    with Image.open(place / "elsewhere" / "car_k3_+2.00.png") as sheet:
        assert sheet.width > 2 * 512 and sheet.height > 5 * 512


def test_other_bytes_under_the_official_name_are_refused(
    run: Run, place: Path, server: Server
) -> None:
    """The zoo's own entry, with the hub's address turned to a server that has another file."""
    line = f"HF_ENDPOINT={server.url('')} SEFA_CACHE=$PWD/c2 SEFA_ZOO= sefa factorize stylegan2_car"
    done = run(f"{line} -o wrong.dirs")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert not (place / "wrong.dirs").exists()
    kept = [path for path in (place / "c2").rglob("*.pt*") if path.is_file()]
    assert kept == []


def test_offline_and_not_cached_is_exit_4_and_says_how(run: Run, place: Path) -> None:
    done = run("SEFA_OFFLINE=1 SEFA_CACHE=$PWD/c3 sefa factorize stylegan2_car -o off.dirs")
    assert done.returncode == 4 and "sefa models pull stylegan2_car" in done.stderr
