"""What a file is, is told from its bytes; whatever it is not, is told in one clear line."""

import errno
import gzip
import json
import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from sefa_cli.containers import safetensors_files
from sefa_cli.containers.file_regions import FileRegion
from sefa_cli.discovery.partial import Partial
from sefa_cli.errors import SefaError
from sefa_cli.families.reading import read_checkpoint
from tests.helpers import CONTAINERS, remap

GOLDEN = CONTAINERS


@pytest.fixture(scope="module")
def native() -> remap.Native:
    return remap.native_state()


def refusal(path: Path) -> str:
    with pytest.raises(SefaError) as refused:
        read_checkpoint(path)
    text = str(refused.value)
    assert "\n" not in text and refused.value.exit_code == 1
    return text


def test_the_reference_is_the_bare_name_unless_given(tmp_path, native):
    path = remap.write_hammer(tmp_path / "some.pth", native)
    found = read_checkpoint(path)
    assert (found.ref, found.path) == ("some.pth", path)
    assert read_checkpoint(path, "stylegan2_car").ref == "stylegan2_car"
    assert read_checkpoint(str(path)).path == path  # type: ignore[arg-type]  # a text does as well


@pytest.mark.parametrize("name", ["x", "x.pkl", "x.pt", "x.safetensors", "x.html"])
@pytest.mark.parametrize("dialect", remap.WRITERS)
def test_the_name_decides_nothing(tmp_path, native, dialect, name):
    assert read_checkpoint(remap.WRITERS[dialect](tmp_path / name, native)).dialect == dialect


def test_the_default_model_by_folder_and_by_file(default_model):
    for path in (default_model, next(Path(default_model).glob("Synth*.xml"))):
        found = read_checkpoint(path)
        assert (found.container, found.family) == ("OpenVINO IR", "mobilestylegan")
        assert found.tensors["synthesis.conv1.affine.weight"].shape == (512, 512)


# What is no checkpoint


def test_missing_files(tmp_path):
    text = refusal(tmp_path / "nothing.pkl")
    assert text.startswith(f"{tmp_path / 'nothing.pkl'} does not exist. Check the name")


def test_folders_without_a_model(tmp_path):
    assert refusal(tmp_path).startswith(f"the folder {tmp_path} holds no model; expected")


def test_a_folder_of_several_checkpoints_names_them(tmp_path):
    for name in ("b.pth", "a.pt", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    expected = f"the folder {tmp_path} holds 2 checkpoints: a.pt, b.pth. Name one."
    assert refusal(tmp_path) == expected


def test_unreadable_files(tmp_path, monkeypatch):
    path = tmp_path / "secret.pt"
    path.write_bytes(b"x")

    def denied(*args: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, "denied")

    monkeypatch.setattr("builtins.open", denied)
    assert refusal(path).startswith(f"cannot read {path}: permission is denied")


STRANGERS = {
    "empty": (b"", "x is empty"),
    "text": ("Käse and such\nmore\n".encode(), "x is a text file"),
    "one letter": (b"N", "x is a text file"),
    "long text": ("Käse ".encode() * 5000, "x is a text file"),
    "JSON": (b'{"error": "not found"}', "x is a text file"),
    "web page": (
        b"\n  <!DOCTYPE html>\n<html><body>Quota exceeded</body>",
        "x is a web page: the download failed",
    ),
    "web page without a type": (b"<HTML><head>", "x is a web page: the download failed"),
    "git-lfs": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n",
        "x is a git-lfs pointer",
    ),
    "XML": (b"<?xml version='1.0'?><Error>AccessDenied</Error>", "x is an XML file"),
    "gzip": (gzip.compress(b"content"), "x is a compressed file"),
    "noise": (bytes(range(255, 0, -1)) * 10, "x is a file of an unknown kind"),
    "zeros": (bytes(5000), "x is a file of an unknown kind"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "x is a PNG picture"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "x is an HDF5 file"),
    "a pickled number": (b"\x80\x04K\x05.", "x (pickle) holds no named tensors"),
    "cut off": (b"PK\x03\x04", "x is damaged"),
}


@pytest.mark.parametrize("case", STRANGERS)
def test_what_is_often_met_in_a_checkpoint_s_place(tmp_path, case):
    content, words = STRANGERS[case]
    (tmp_path / "x").write_bytes(content)
    assert refusal(tmp_path / "x").startswith(f"{tmp_path}/{words}")


def test_other_archives(tmp_path):
    np.savez(tmp_path / "x.npz", w=np.zeros(3))
    assert "x.npz is a zip archive without a model; it holds 'w.npy'" in refusal(tmp_path / "x.npz")
    with zipfile.ZipFile(tmp_path / "y.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    assert "it holds 'readme.txt'" in refusal(tmp_path / "y.zip")
    Partial(tmp_path / "x.dirs.partial", {}).keep("grams", 0, [np.zeros(3)])
    assert refusal(tmp_path / "x.dirs.partial").startswith(
        f"{tmp_path}/x.dirs.partial is what an interrupted run left"
    )


def test_direction_bundles(tmp_path):
    save_file({"directions": np.eye(2), "eigenvalues": np.ones(2)}, tmp_path / "x.dirs")
    assert "holds a direction bundle, not a generator" in refusal(tmp_path / "x.dirs")


def test_safetensors_that_begin_like_a_pickle(tmp_path):
    """A header of 0x…80 bytes; the marks of pickles and of safetensors are told apart."""
    arrays = {"a": np.zeros(2, np.float32)}
    header = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    text = json.dumps(header).encode().ljust(0x0480)
    (tmp_path / "x").write_bytes(struct.pack("<Q", len(text)) + text + arrays["a"].tobytes())
    assert refusal(tmp_path / "x").startswith(f"{tmp_path}/x (safetensors) holds no known gen")


@pytest.mark.parametrize("dialect", remap.WRITERS)
def test_truncated_files(tmp_path, native, dialect):
    path = remap.WRITERS[dialect](tmp_path / "x", native)
    whole = path.read_bytes()
    for part in (0.001, 0.1, 0.5, 0.9, 0.999):
        path.write_bytes(whole[: int(len(whole) * part)])
        assert refusal(path).startswith(f"{path} ")


# What it costs


@pytest.mark.parametrize("case", [*remap.WRITERS, "legacy", "state dict", "safetensors"])
def test_projections_are_read_and_nothing_else(tmp_path, native, case, monkeypatch):
    """Bytes read from the file: the affine weights, and next to nothing besides."""
    path = tmp_path / "x"
    if case == "legacy":
        remap.write_rosinality(path, native, _use_new_zipfile_serialization=False)
    elif case == "state dict":
        remap.write_state_dict(path, native)
    elif case == "safetensors":
        save_file(native, path)
    else:
        remap.WRITERS[case](path, native)
    lengths: list[int] = []
    original = FileRegion.read
    monkeypatch.setattr(FileRegion, "read", lambda w: (lengths.append(w.length), original(w))[1])

    class Noting:
        def __init__(self, *arguments, **options):
            self.file = safe_open(*arguments, **options)
            self.offset_keys = self.file.offset_keys

        def get_tensor(self, name):
            tensor = self.file.get_tensor(name)
            lengths.append(tensor.nbytes)
            return tensor

    monkeypatch.setattr(safetensors_files, "safe_open", Noting)
    found = read_checkpoint(path)
    assert sum(lengths) <= 100  # the byte order, a resampling kernel
    weights = [t for name, t in found.tensors.items() if name.endswith("affine.weight")]
    lengths.clear()
    assert sum(tensor.numpy().nbytes for tensor in weights) == sum(lengths) > 0


MEASURED = """
import json, sys, time
from pathlib import Path
from sefa_cli.families.reading import read_checkpoint
start = time.process_time()
found = read_checkpoint(Path(sys.argv[1]))
read = sum(t.numpy().nbytes for n, t in found.tensors.items() if n.endswith("affine.weight"))
status = Path("/proc/self/status").read_text()
peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
print(json.dumps({"read": read, "peak": peak, "seconds": time.process_time() - start,
                  "notes": found.notes, "torch": "torch" in sys.modules}))
"""


def measured(path: Path) -> dict:
    """Reading the projections of a file in a process of its own."""
    canary = path.parent / "canary"
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path)],
        env={**os.environ, "CANARY": str(canary), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        cwd=path.parent,
    )
    assert done.returncode == 0, done.stderr
    assert not canary.exists()
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "name",
    [
        "nv_stylegan2_ada.pkl",
        "ckpt_rosinality.pt",
        "ckpt_genforce_stylegan2.pth",
        "ckpt_hammer_stylegan2.pth",
    ],
)
def test_nothing_runs_and_torch_stays_away(name, tmp_path):
    """The source text in NVIDIA's pickles is a canary; torch's files are read without torch."""
    (tmp_path / name).write_bytes((GOLDEN / name).read_bytes())
    assert measured(tmp_path / name)["torch"] is False


def test_thirty_gigabytes_cost_nothing(tmp_path, native):
    """A tensor of 32 GiB beside a small network; the file has a hole in its place."""
    path, length = tmp_path / "huge.safetensors", 32 << 30
    save_file(native, path)
    content = path.read_bytes()
    (size,) = struct.unpack_from("<Q", content)
    header, numbers = json.loads(content[8 : 8 + size]), content[8 + size :]
    hole = {"dtype": "U8", "shape": [length], "data_offsets": [len(numbers), len(numbers) + length]}
    text = json.dumps({**header, "huge": hole}).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + numbers)
    os.truncate(path, 8 + len(text) + len(numbers) + length)
    found = measured(path)
    assert found["notes"] == ["Not part of a known generator, left out: 'huge'."]
    assert found["peak"] < 100 * 1024 and found["seconds"] < 5
