"""Codes of other tools are read as they are; other files are refused."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sefa_cli.errors import SefaError
from sefa_cli.interchange.latents import read_codes
from tests.helpers import published
from tests.helpers.published import DIM, LAYERS


def test_the_projector_of_nvidia(tmp_path: Path) -> None:
    w = published.projected(tmp_path / "projected_w.npz")
    np.testing.assert_array_equal(read_codes(tmp_path / "projected_w.npz", "w", LAYERS).array, w)


def test_latents_of_e4e(tmp_path: Path) -> None:
    w = published.e4e_latents(tmp_path / "latents.pt")
    np.testing.assert_array_equal(read_codes(tmp_path / "latents.pt", "w", LAYERS).array, w)


@pytest.mark.parametrize("plus", [True, False])
def test_the_projector_of_rosinality(tmp_path: Path, plus: bool) -> None:
    w = published.rosinality_projector(tmp_path / "faces.pt", plus)
    assert w.shape == ((2, LAYERS, DIM) if plus else (2, DIM))
    np.testing.assert_array_equal(read_codes(tmp_path / "faces.pt", "w", LAYERS).array, w)


@pytest.mark.parametrize("key", ["latent", "latents", "codes"])
def test_arrays_under_other_keys(tmp_path: Path, key: str) -> None:
    w = published.codes(2)
    np.savez(tmp_path / "w.npz", **{key: w}, noise=np.zeros(3))  # type: ignore[arg-type]
    np.testing.assert_array_equal(read_codes(tmp_path / "w.npz", "w", LAYERS).array, w)
    torch.save({key: torch.tensor(w[0])}, tmp_path / "w.pt")
    np.testing.assert_array_equal(read_codes(tmp_path / "w.pt", "w", LAYERS).array, w[:1])


@pytest.mark.parametrize("alone", [True, False])  # (layers, dim), or (1, layers, dim)
def test_codes_by_the_name_of_a_picture(tmp_path: Path, alone: bool) -> None:
    w = published.codes(2)
    codes = {"ann.jpg": w[0], "bob.jpg": w[1]} if alone else {"ann.jpg": w[:1], "bob.jpg": w[1:]}
    np.savez(tmp_path / "w.npz", **codes)
    torch.save({name: torch.tensor(code) for name, code in codes.items()}, tmp_path / "w.pt")
    for name in ("w.npz", "w.pt"):
        found = read_codes(tmp_path / name, "w", LAYERS)
        np.testing.assert_array_equal(found.array, w)
        assert found.names == ("ann.jpg", "bob.jpg")


@pytest.mark.parametrize("n", [1, 3])
def test_bare_arrays(tmp_path: Path, n: int) -> None:
    w = published.codes(n)
    np.save(tmp_path / "w.npy", w)
    np.testing.assert_array_equal(read_codes(tmp_path / "w.npy", "w", LAYERS).array, w)
    np.save(tmp_path / "one.npy", w[0])
    np.testing.assert_array_equal(read_codes(tmp_path / "one.npy", "w", LAYERS).array, w[:1])


def test_codes_of_z(tmp_path: Path) -> None:
    z = published.codes(1)[0]  # as many codes as there are layers
    np.save(tmp_path / "z.npy", z)
    np.testing.assert_array_equal(read_codes(tmp_path / "z.npy", "z", LAYERS).array, z)
    np.save(tmp_path / "one.npy", z[0])
    np.testing.assert_array_equal(read_codes(tmp_path / "one.npy", "z", LAYERS).array, z[:1])


def test_files_without_codes_are_refused(tmp_path: Path) -> None:
    published.rosinality(tmp_path / "factor.pt")
    published.ganspace(tmp_path / "pca.npz")
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 no more")
    np.save(tmp_path / "objects.npy", np.array([{}], object), allow_pickle=True)
    for name, said in {
        "factor.pt": "it holds 'ckpt' (no array), 'eigvec' (8, 8)",
        "pca.npz": "'lat_comp' (4, 1, 8), 'lat_mean' (1, 8) and 3 more; expected",
        "bad.npz": "damaged",
        "objects.npy": "Python objects",
        "missing.npz": "does not exist",
    }.items():
        with pytest.raises(SefaError) as caught:
            read_codes(tmp_path / name, "w", LAYERS)
        assert said in str(caught.value) and name in str(caught.value)
