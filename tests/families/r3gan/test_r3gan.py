"""R3GAN, held to a second version of it that was written from the paper and the public layout."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sefa_cli.discovery.factorize import factorize
from sefa_cli.errors import SefaError
from sefa_cli.families.build import build
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.generators.base import Generator
from sefa_cli.projections import first_projections, levels
from tests.helpers import r3gan_reference as reference
from tests.helpers.r3gan_reference import Z, picture, state_dict

FIRST = "MainLayers.0.Layers.0"
FOLDER = Path(__file__).parents[3] / "sefa_cli" / "families" / "r3gan"


def saved(path: Path, state: dict[str, torch.Tensor], prefix: str = "Model.") -> Path:
    """A file as people keep it: the averaged generator beside other things."""
    torch.save({"G_ema": {prefix + name: t for name, t in state.items()}, "step": 3}, path)
    return path


def module(state: dict[str, Any]) -> torch.nn.Module:
    """Live modules with these parameters, as a snapshot's pickle holds them."""
    top = torch.nn.Module()
    for name, tensor in state.items():
        *path, last = name.split(".")
        here = top
        for part in path:
            if part not in here._modules:
                here.add_module(part, torch.nn.Module())
            here = here._modules[part]
        here.register_buffer(last, tensor)
    return top


@pytest.mark.parametrize("classes", [0, 4])
@pytest.mark.parametrize("prefix", ["", "Model.", "module.Model."])
def test_state_dicts_are_known(tmp_path: Path, classes: int, prefix: str) -> None:
    found = read_checkpoint(saved(tmp_path / "g.pt", state_dict(classes), prefix))
    assert (found.family, found.dialect, found.notes) == ("r3gan", "brownvc", ())
    assert found.config == reference.r3gan(classes).config


def test_a_pickle_of_live_modules_is_the_same_network(tmp_path: Path) -> None:
    state = state_dict()
    with open(tmp_path / "snapshot.pkl", "wb") as file:
        pickle.dump({"G_ema": module({f"Model.{n}": t for n, t in state.items()})}, file)
    found = read_checkpoint(tmp_path / "snapshot.pkl")
    assert found.family == "r3gan"
    assert {name: tensor.numpy().tolist() for name, tensor in found.tensors.items()} == {
        name: tensor.tolist() for name, tensor in state.items()
    }


@pytest.mark.parametrize("classes", [0, 4])
def test_pictures_are_the_references(tmp_path: Path, classes: int) -> None:
    state = state_dict(classes)
    generator = build(read_checkpoint(saved(tmp_path / "g.pt", state)), "cpu").double()
    z = generator.sample([0, 1, 2]).double()
    labels = [3, 0, 1] if classes else None
    found = generator.synthesize(generator.map(z), labels)
    assert found.shape == (3, 3, 16, 16)
    for i in range(3):
        expected = picture(state, z[i], labels[i] if labels else None)
        assert (found[i] - expected).abs().max() < 1e-6 * expected.abs().max()


@pytest.mark.parametrize("classes", [0, 4])
def test_the_derivative_by_z_is_the_references(classes: int) -> None:
    generator = build(reference.r3gan(classes), "cpu").double()
    state, label = state_dict(classes), 2 if classes else None
    z, v = torch.randn(2, Z, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    linear = generator.linearize(z, [0], label=[2] if classes else None)
    expected = torch.func.jvp(lambda at: picture(state, at, label), (z,), (v,))[1]
    assert (linear.forward(v[None])[0] - expected).abs().max() < 1e-6 * expected.abs().max()
    step = 1e-6
    ahead, behind = (picture(state, z + s * v, label) for s in (step, -step))
    difference = (ahead - behind) / (2 * step)
    assert (difference - expected).abs().max() < 1e-4 * expected.abs().max()


def directions_of(gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values, vectors = np.linalg.eigh(gram)
    return values[::-1], vectors.T[::-1]


GRAMS: dict[bool, Callable[[np.ndarray, np.ndarray], Any]] = {
    False: lambda b, a: np.square(b).sum(),  # ‖B_c‖²
    True: lambda b, a: 16 / np.square(a).sum(),
}


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("classes", [0, 4])
def test_sefa_weighs_channels_by_their_basis_or_all_the_same(normalize: bool, classes: int) -> None:
    state = {name: tensor.double().numpy() for name, tensor in state_dict(classes).items()}
    basis, linear = state[f"{FIRST}.Basis"], state[f"{FIRST}.LinearLayer.weight"][:, :Z]
    gram = np.zeros((Z, Z))
    for b, a in zip(basis, linear, strict=True):
        gram += GRAMS[normalize](b, a) * np.outer(a, a)
    values, vectors = directions_of(gram)
    found = factorize(reference.r3gan(classes), normalize=normalize)
    assert found.eigenvalues is not None
    assert np.allclose(found.eigenvalues, values, rtol=1e-5)
    assert np.allclose(np.abs((found.directions * vectors).sum(axis=1)), 1, atol=1e-4)


def test_unnormalized_eigenvalues_are_the_change_of_the_features() -> None:
    """‖B (a · n)‖² over all pixels of the first layer, of a step along each direction."""
    generator: Any = build(reference.r3gan(), "cpu")
    found = factorize(reference.r3gan(), normalize=False)
    n = torch.tensor(found.directions)
    features = generator.basis * (n @ generator.linear.T)[:, :, None, None]
    assert np.allclose(features.square().sum(dim=(1, 2, 3)), found.eigenvalues, rtol=1e-5)


def test_the_first_projection_is_z_to_four_by_four_pixels() -> None:
    made = reference.r3gan(classes=4)
    (layer,) = first_projections(made)
    assert (layer.index, layer.kind, layer.resolution) == (0, "dense", 4)
    state = state_dict(4)
    matrix = torch.from_numpy(layer.matrix.float32()).reshape(12, 4, 4, Z)
    basis, linear = state[f"{FIRST}.Basis"], state[f"{FIRST}.LinearLayer.weight"]
    assert torch.equal(matrix, basis[..., None] * linear[:, None, None, :Z])
    assert levels(made)["bottom"] == (0,)


def test_a_label_is_needed_where_there_are_classes() -> None:
    generator: Generator = build(reference.r3gan(classes=4), "cpu")
    with pytest.raises(SefaError, match="no label for a network of 4 classes"):
        generator.synthesize(generator.sample([0]))


@pytest.mark.parametrize(
    ("name", "shape", "said"),
    [
        (f"{FIRST}.Basis", (12, 4, 3), "Basis"),
        (f"{FIRST}.LinearLayer.weight", (11, Z), "LinearLayer.weight"),
        ("EmbeddingLayer.weight", (Z, 4), "z_dim is 0"),
        ("AggregationLayer.Layer.weight", (3, 9, 1, 1), "AggregationLayer"),
        ("MainLayers.1.Layers.1.LinearLayer2.Layer.weight", (24, 6, 5, 5), "LinearLayer2"),
        ("MainLayers.1.Layers.2.NonLinearity1.Bias", (3,), "NonLinearity1"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, name: str, shape: tuple[int, ...], said: str
) -> None:
    state = state_dict() | {name: torch.zeros(shape)}
    with pytest.raises(SefaError, match=said):
        build(read_checkpoint(saved(tmp_path / "g.pt", state)), "cpu")


def test_the_family_is_one_small_folder() -> None:
    lines = [line for path in FOLDER.glob("*.py") for line in path.read_text().splitlines()]
    assert sum(bool(line.strip()) for line in lines) <= 150
