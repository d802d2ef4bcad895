"""Matrices chosen by name: the numbers of known layers, and no guess at their orientation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

import sefa_cli
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.compare import compare
from sefa_cli.discovery.tensors import factorize_tensors, latent_axes
from sefa_cli.editing.source import open_model_of
from sefa_cli.errors import SefaError, UsageError
from tests.helpers import CONTAINERS, remap


def saved(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SEFA_CACHE", str(tmp_path / "cache"))


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.RandomState(seed).randn(*shape).astype(np.float32))


def test_equal_the_known_layers(tmp_path):
    """Style affines of a StyleGAN2 by name are those `factorize` finds by itself."""
    path = remap.write_nvidia(tmp_path / "x.pkl", remap.native_state())
    ours = factorize_tensors(path, "G_ema.synthesis.*.conv*.affine.weight")
    theirs = sefa_cli.factorize(path, to_rgb="none")
    assert np.array_equal(ours.directions, theirs.directions)
    assert np.array_equal(ours.eigenvalues, theirs.eigenvalues)
    assert (ours.model["family"], ours.space, ours.model["w_dim"]) == ("stylegan2", "w", 24)
    assert ours.model["layer_names"][0] == "G_ema.synthesis.b4.conv1.affine.weight"
    assert ours.model["fingerprint"] != theirs.model["fingerprint"]
    found = compare(ours, theirs)
    assert not found.same_model and max(found.angles) < 1e-3


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("ckpt_genforce_stylegan2.pth", "generator_smooth.synthesis.layer*.style.weight"),
        ("ckpt_hammer_stylegan2.pth", "models.generator_smooth.synthesis.layer*.style.weight"),
        ("ckpt_rosinality.pt", "g_ema.*conv*.conv.modulation.weight"),
        ("nv_stylegan2_ada.pkl", "G_ema.synthesis.b*.conv*.affine.weight"),
    ],
)
def test_the_file_s_own_names(name, pattern):
    bundle = factorize_tensors(CONTAINERS / name, pattern)
    assert len(bundle.layers) == 7 and bundle.model["family"] == "stylegan2"
    assert np.array_equal(bundle.layers, np.arange(7))


def test_tensorflow_names():
    bundle = factorize_tensors(
        CONTAINERS / "tf_stylegan2_legacy.pkl", "synthesis/*/mod_weight", latent_axis=0
    )
    assert bundle.model["layer_names"][0].endswith("mod_weight")


def test_an_unknown_network(tmp_path):
    """A transposed convolution and a linear layer over 20 numbers: 4 · 4 · 6 + 7 rows."""
    state = {
        "first.weight": random(20, 6, 4, 4),
        "first.bias": random(6),
        "side.weight": random(7, 20, seed=1),
        "steps": torch.tensor(3),
        "other": random(20, 20).to(torch.int64),
    }
    path = saved(tmp_path / "x.pt", {"netG": state, "args": ["a"]})
    bundle = factorize_tensors(path, "netG.*", num=5)
    assert bundle.directions.shape == (5, 20) and bundle.space == "z"
    rows = np.concatenate([np.moveaxis(state["first.weight"].numpy(), 0, -1).reshape(-1, 20),
                           state["side.weight"].numpy()]).astype(np.float64)  # fmt: skip
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    values, vectors = np.linalg.eigh(rows.T @ rows)
    np.testing.assert_allclose(bundle.eigenvalues, values[::-1][:5], rtol=1e-6)
    cosines = np.abs(np.sum(bundle.directions * vectors.T[::-1][:5], axis=1))
    assert cosines.min() > 1 - 1e-6
    assert bundle.params["tensors"] == "netG.*" and bundle.params["layers"] == "0-1"
    assert bundle.model == {
        "ref": "x.pt", "family": "unknown", "resolution": 1, "z_dim": 20, "w_dim": 20,
        "num_layers": 2, "layer_names": ["netG.first.weight", "netG.side.weight"],
        "fingerprint": bundle.model["fingerprint"],
    }  # fmt: skip


def test_a_published_fingerprint(tmp_path):
    """Section 8 of formats/directions-v1.md, word by word."""
    import hashlib

    state = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones((1, 3), np.float32)}
    save_file(state, tmp_path / "x")
    digest = hashlib.sha256(b"sefa-fp1\n")
    for index, name in enumerate(("a", "b")):
        digest.update(f"{index} dense {len(state[name])} 3\n".encode() + state[name].tobytes())
    assert factorize_tensors(tmp_path / "x", "*").model["fingerprint"] == digest.hexdigest()


def test_the_bundle_is_a_bundle(tmp_path):
    path = saved(tmp_path / "x.pt", {"a\n\x1b": random(4, 9), "b": random(5, 9)})
    factorize_tensors(path, "*").save(tmp_path / "x.dirs")
    bundle = Bundle.load(tmp_path / "x.dirs")
    assert bundle.model["layer_names"] == ["a\\n\\x1b", "b"] and bundle.dim == 9
    with pytest.raises(SefaError, match="no generator is known for it"):
        open_model_of(bundle, str(path))


def test_a_recognized_latent_decides(tmp_path):
    """(20, 24) alone could be turned either way; a StyleGAN2 of w_dim 24 leaves no doubt."""
    path = remap.write_state_dict(tmp_path / "x", remap.native_state())
    bundle = factorize_tensors(path, "synthesis.b8.conv0.affine.weight")
    assert bundle.dim == 24 and bundle.space == "w"


AXES: dict[str, tuple[dict[str, tuple[int, ...]], int | None, list[int]]] = {
    "linear": ({"a": (7, 5), "b": (9, 5)}, None, [1, 1]),
    "transposed": ({"a": (5, 7, 4, 4), "b": (5, 9)}, None, [0, 0]),
    "both": ({"a": (5, 7, 4, 4), "b": (9, 5)}, None, [0, 1]),
    "a square follows": ({"a": (7, 5), "b": (5, 5)}, None, [1, 1]),
    "said": ({"a": (7, 5), "b": (7, 6)}, 0, [0, 0]),
    "said, third": ({"a": (3, 3, 5, 7)}, 2, [2]),
}


@pytest.mark.parametrize("case", AXES)
def test_orientation(case):
    shapes, axis, expected = AXES[case]
    assert list(latent_axes(shapes, axis, set())) == expected


@pytest.mark.parametrize(
    ("shapes", "axis", "words"),
    [
        ({"a": (7, 5)}, None, r"'a' \(7, 5\) may be turned either way.*Set latent_axis=1 "),
        ({"a": (7, 5), "b": (5, 7)}, None, "may be turned either way"),
        ({"a": (5, 5)}, None, "are square"),
        ({"a": (5, 5), "b": (7, 5), "c": (5, 7, 3, 3)}, None, "are square"),
        ({"a": (7, 5), "b": (9, 6)}, None, "share no dimension"),
        ({"a": (7, 5), "b": (9, 6)}, 1, "do not agree in axis 1"),
        ({"a": (7, 5)}, 2, "do not agree in axis 2"),
        ({"a": (7, 5)}, -3, "do not agree in axis -3"),
        ({"a": (7, 5), "b": (3, 7, 5)}, -3, "do not agree in axis -3"),
        ({"a": (7, 5)}, 0.5, "do not agree in axis 0.5"),
        (
            {**{str(n): (5, 7) for n in range(9)}, "odd": (3, 4)},
            None,
            r"'0' \(5, 7\), 'odd' \(3, 4\), .* and 6 more share no dimension",
        ),
        ({str(n): (7, n + 8) for n in range(9)}, 1, "and 5 more do not agree"),
    ],
)
def test_what_is_left_open_is_refused(shapes, axis, words):
    with pytest.raises(UsageError, match=words) as refused:
        latent_axes(shapes, axis, set())
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("none.*", r"no tensor of \S*x\.pt matches 'none\.\*'; .* its 3 names: 'net\.a', 'net\.b'"),
        ("net.b", "none of the tensors that match"),
        ("net.c", "none of the tensors that match"),
    ],
)
def test_patterns_that_choose_nothing(tmp_path, pattern, words):
    state = {"a": random(4, 9), "b": random(9), "c": random(0, 9)}
    path = saved(tmp_path / "x.pt", {"net": state, "lr": 0.1})
    with pytest.raises(SefaError, match=words):
        factorize_tensors(path, pattern)


def test_options(tmp_path):
    path = saved(tmp_path / "x.pt", {"a": random(40, 9), "b": random(5, 9, seed=3)})
    plain = factorize_tensors(path, "*")
    other = factorize_tensors(path, "*", normalize=False, center=True, deflate_gain=True)
    assert not np.allclose(plain.eigenvalues, other.eigenvalues)
    assert other.params["normalize"] is False and other.params["center"] is True
    with pytest.raises(UsageError, match="between 1 and 9, got 10"):
        factorize_tensors(path, "*", num=10)


def test_files_that_hold_themselves(tmp_path):
    import pickle

    knot: list[Any] = []
    knot.append(knot)
    (tmp_path / "x").write_bytes(pickle.dumps({"a": knot}))
    with pytest.raises(SefaError, match="holds itself"):
        factorize_tensors(tmp_path / "x", "*")
