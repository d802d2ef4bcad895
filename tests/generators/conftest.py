"""Generators that several test files use."""

from pathlib import Path

import pytest

from sefa_cli.families.build import build
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.generators.base import Generator
from tests.helpers import networks


@pytest.fixture(params=["stylegan", "stylegan2", "mobilestylegan"])
def tiny(request: pytest.FixtureRequest) -> Generator:
    """A small random generator of each family."""
    return build(getattr(networks, request.param)(), "cpu")


@pytest.fixture(scope="session")
def faces(default_model: Path) -> Generator:
    """The real default model."""
    return build(read_checkpoint(default_model), "cpu")
