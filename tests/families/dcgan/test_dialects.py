"""DCGAN checkpoints in the forms people have, and what is told of broken ones."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sefa_cli import projections
from sefa_cli.errors import SefaError
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.sources import zoo
from tests.helpers import networks

State = dict[str, torch.Tensor]


@pytest.fixture
def state() -> State:
    """As `netG.state_dict()` gives it, counters and all."""
    made = {n: torch.from_numpy(t.numpy()) for n, t in networks.dcgan().tensors.items()}
    return {**made, "main.1.num_batches_tracked": torch.tensor(7)}


FORMS = {
    "bare": lambda state: state,
    "under its key": lambda state: {"netG_state_dict": state},
    "data parallel": lambda state: {f"module.{name}": t for name, t in state.items()},
}


@pytest.mark.parametrize("form", FORMS)
def test_the_forms_people_have(tmp_path: Path, state: State, form: str) -> None:
    torch.save(FORMS[form](state), tmp_path / "weights.tar")
    found = read_checkpoint(tmp_path / "weights.tar")
    assert (found.dialect, found.family, found.notes) == ("pytorch-example", "dcgan", ())
    assert dict(found.config) == dict(networks.dcgan().config)
    assert projections.fingerprint(found) == projections.fingerprint(networks.dcgan())
    assert set(found.tensors) == set(state) - {"main.1.num_batches_tracked"}


def test_the_real_model(digiface: Path) -> None:
    found = read_checkpoint(digiface)
    assert (found.container, found.family) == ("torch zip", "dcgan")
    assert found.notes == ()
    assert {name: found.config[name] for name in ("resolution", "z_dim", "num_layers")} == {
        "resolution": 64, "z_dim": 100, "num_layers": 1,
    }  # fmt: skip
    entry = zoo.find("dcgan_digiface64")
    assert (entry.family, entry.resolution) == ("dcgan", 64)
    [layer] = projections.first_projections(found)
    assert (layer.index, layer.kind, layer.resolution) == (0, "dense", 4)
    assert layer.matrix.shape == (8192, 100)
    kernel = found.tensors["main.0.weight"].numpy()  # (z, channels, y, x)
    row = (37 * 4 + 2) * 4 + 1
    assert np.array_equal(layer.matrix.float32()[row], kernel[:, 37, 2, 1])


@pytest.mark.parametrize(
    ("name", "shape", "said"),
    [
        ("main.3.weight", (8, 6, 4, 4), r"main\.3\.weight has the shape .* not \(9, 6, 4, 4\)"),
        ("main.3.weight", (9, 6, 5, 5), r"not \(9, 6, 4, 4\)"),
        ("main.0.weight", (8, 9, 4, 3), r"main\.0\.weight has the shape"),
        ("main.4.running_var", (5,), r"main\.4\.running_var has the shape"),
        ("main.4.bias", None, r"main\.4\.bias is missing"),
    ],
)
def test_broken_ones_are_refused_by_name(
    tmp_path: Path, state: State, name: str, shape: tuple[int, ...] | None, said: str
) -> None:
    if shape is None:
        del state[name]
    else:
        state[name] = torch.zeros(shape)
    torch.save(state, tmp_path / "weights.tar")
    with pytest.raises(SefaError, match=f"looks like a DCGAN generator .*{said}"):
        read_checkpoint(tmp_path / "weights.tar")


def test_what_is_not_used_is_told(tmp_path: Path, state: State) -> None:
    torch.save({**state, "extra.weight": torch.zeros(3)}, tmp_path / "weights.tar")
    assert read_checkpoint(tmp_path / "weights.tar").notes == (
        "Not part of a known generator, left out: 'extra.weight'.",
    )
