"""`sefa.factorize` on checkpoint files gives the published factorization, family by family."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import sefa_cli
from sefa_cli.checkpoints import open_checkpoint
from sefa_cli.containers.checkpoint import LazyTensor
from sefa_cli.errors import UsageError
from tests.helpers import GOLDEN


@pytest.fixture(scope="module")
def reference() -> dict[str, np.ndarray]:
    return load_file(GOLDEN / "sefa_reference.safetensors")


def model(folder: Path, case: str) -> Path:
    """The published state dict alone, as a file."""
    tensors = load_file(GOLDEN / f"{case}.safetensors")
    state = {name[6:]: array for name, array in tensors.items() if name.startswith("state/")}
    save_file(state, folder / "model.safetensors")
    return folder / "model.safetensors"


@pytest.mark.parametrize(
    ("case", "layers", "indices"),
    [
        ("pggan_genforce", "all", [0]),
        ("stylegan_genforce", "all", list(range(8))),
        ("stylegan_genforce", "0-1", [0, 1]),
        ("stylegan_genforce", "2-5", [2, 3, 4, 5]),
        ("stylegan2_genforce", "all", list(range(8))),
        ("stylegan2_genforce", "0-1", [0, 1]),
        ("stylegan2_genforce", "2-5", [2, 3, 4, 5]),
    ],
)
def test_equals_the_published_factorization(
    tmp_path: Path, reference: dict[str, np.ndarray], case: str, layers: str, indices: list[int]
) -> None:
    bundle = sefa_cli.factorize(model(tmp_path, case), layers)
    published = f"{case}/{layers}"
    np.testing.assert_allclose(bundle.eigenvalues, reference[f"{published}/values"], rtol=1e-5)
    for vectors in (f"{published}/vectors_eigh_float64", f"{published}/vectors"):
        cosines = np.abs(np.sum(bundle.directions * reference[vectors], axis=1))
        assert cosines.min() > 1 - 1e-6
    assert bundle.layers.tolist() == indices
    assert bundle.space == ("z" if case.startswith("pggan") else "w")


@pytest.mark.parametrize("level", ["bottom", "middle", "top"])
def test_levels_of_stylegan_are_the_papers(tmp_path: Path, level: str) -> None:
    bundle = sefa_cli.factorize(model(tmp_path, "stylegan_genforce"), level)
    expected = {"bottom": [0, 1], "middle": [2, 3, 4, 5], "top": [6, 7]}
    assert bundle.layers.tolist() == expected[level]


def test_pggan_has_one_layer(tmp_path: Path) -> None:
    path = model(tmp_path, "pggan_genforce")
    assert sefa_cli.factorize(path, "bottom").layers.tolist() == [0]
    for layers in ("2-5", "top"):
        with pytest.raises(UsageError):
            sefa_cli.factorize(path, layers)


def test_every_unit_of_the_first_layer_is_one_row(tmp_path: Path) -> None:
    """Rows by channel, y, x: the fingerprint's order, in which the kernel is not turned."""
    from sefa_cli.projections import first_projections

    path = model(tmp_path, "pggan_genforce")
    kernel = load_file(path)["layer0.weight"]  # (C, z, 4, 4)
    (layer,) = first_projections(open_checkpoint(str(path)))
    rows = layer.matrix.numpy().reshape(40, 4, 4, 48)
    assert layer.kind == "dense" and layer.matrix.shape == (640, 48)
    for y, x in ((0, 0), (1, 3), (3, 2)):
        assert np.array_equal(rows[:, y, x], kernel[:, :, 3 - y, 3 - x])


@pytest.mark.parametrize("case", ["pggan_genforce", "stylegan_genforce", "stylegan2_genforce"])
def test_every_matrix_is_read_once(tmp_path: Path, case: str) -> None:
    """The fingerprint once read the matrices again that the method had read."""
    checkpoint, reads = open_checkpoint(str(model(tmp_path, case))), Counter[str]()

    def counted(name: str, tensor: LazyTensor) -> LazyTensor:
        def read() -> np.ndarray:
            reads[name] += 1
            return tensor.read()

        return replace(tensor, read=read)

    tensors = {name: counted(name, tensor) for name, tensor in checkpoint.tensors.items()}
    checkpoint = replace(checkpoint, tensors=tensors)
    sefa_cli.factorize(checkpoint, "0")
    assert {count for name, count in reads.items() if len(tensors[name].shape) > 1} == {1}
