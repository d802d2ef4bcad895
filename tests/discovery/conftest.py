"""The published region factorization's network, picture and numbers."""

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from sefa_cli.families.build import build
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.generators.base import Generator
from sefa_cli.generators.linearize import Linearization
from tests.helpers import GOLDEN


@pytest.fixture(scope="session")
def regions() -> dict[str, np.ndarray]:
    """Tensors of `resefa_reference`: the Jacobian of one picture and two regions of it."""
    return load_file(GOLDEN / "resefa_reference.safetensors")


@pytest.fixture(scope="session")
def hammer(tmp_path_factory: pytest.TempPathFactory) -> Generator:
    """The generator of that picture, 32 px."""
    state = load_file(GOLDEN / "stylegan2_hammer.safetensors")
    path = tmp_path_factory.mktemp("hammer") / "model.safetensors"
    save_file({n[6:]: array for n, array in state.items() if n.startswith("state/")}, path)
    return build(read_checkpoint(path), "cpu")


@pytest.fixture
def linearized(hammer: Generator, regions: dict[str, np.ndarray]) -> Linearization:
    """Its derivative in w."""
    return hammer.linearize(regions["in/w"][0], range(hammer.num_layers))
